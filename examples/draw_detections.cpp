// SPDX-License-Identifier: Apache-2.0
// Runs an export and the model that onnx-pad-outputs made from it on PNG images, prints the outputs of both and what
// was found in each image, and draws the images side by side with masks, boxes, labels and scores. What is found and
// drawn comes only from the padded outputs and their counts.
//
//     draw_detections EXPORT.onnx PADDED.onnx OUT.png IMAGE.png...
//
// The models take one tensor [B, 3, H, W], so there must be B images of one size.

#include "picture.hpp"

#include <padbatch/adapters/onnxruntime.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace {

using examples::color;
using examples::picture;
namespace onnxruntime = padbatch::onnxruntime;
namespace t = padbatch::t;

constexpr int zoom = 2; // the images are drawn this much larger
constexpr color ink{0.13F, 0.15F, 0.19F};
constexpr color page{1.0F, 1.0F, 1.0F};

// The color that a label is drawn in.
color color_of(std::int64_t label)
{
    static constexpr std::array<color, 6> colors{{{0.80F, 0.10F, 0.45F},
                                                  {0.05F, 0.35F, 0.85F},
                                                  {0.90F, 0.35F, 0.00F},
                                                  {0.00F, 0.50F, 0.35F},
                                                  {0.45F, 0.20F, 0.75F},
                                                  {0.55F, 0.40F, 0.05F}}};
    return colors[static_cast<std::size_t>(label) % colors.size()];
}

// One detection: a row of the padded outputs.
struct detection {
    std::string name;
    std::int64_t label;
    float score;
    const float* box;  // left, top, right, bottom
    const float* mask; // height x width numbers from 0 to 1; null if the model has no masks
};

// The images as one tensor [B, 3, H, W].
struct image_batch {
    std::vector<float> pixels;
    std::array<std::int64_t, 4> shape{};

    explicit image_batch(const std::vector<picture>& images)
        : shape{static_cast<std::int64_t>(images.size()), 3, images.at(0).height(), images.at(0).width()}
    {
        for (const auto& image : images) {
            if (image.height() != shape[2] || image.width() != shape[3]) {
                throw std::runtime_error("the images have different sizes");
            }
            pixels.insert(pixels.end(), image.numbers().begin(), image.numbers().end());
        }
    }
};

// All outputs of a model, in its order.
struct named_outputs {
    std::vector<std::string> names;
    std::vector<Ort::Value> values;
};

named_outputs run(Ort::Session& session, image_batch& images)
{
    const Ort::AllocatorWithDefaultOptions allocator;
    const auto memory = Ort::MemoryInfo::CreateCpu(OrtDeviceAllocator, OrtMemTypeCPU);
    const auto input = Ort::Value::CreateTensor<float>(memory, images.pixels.data(), images.pixels.size(),
                                                       images.shape.data(), images.shape.size());
    const auto input_name = session.GetInputNameAllocated(0, allocator);
    const char* const input_names[] = {input_name.get()};
    std::vector<std::string> names;
    std::vector<const char*> name_texts;
    for (std::size_t i = 0; i < session.GetOutputCount(); ++i) {
        names.emplace_back(session.GetOutputNameAllocated(i, allocator).get());
    }
    for (const auto& name : names) {
        name_texts.push_back(name.c_str());
    }
    auto values = session.Run(Ort::RunOptions{nullptr}, input_names, &input, 1, name_texts.data(), name_texts.size());
    return {std::move(names), std::move(values)};
}

void print_outputs(const char* title, const named_outputs& outputs)
{
    std::printf("%s\n", title);
    for (std::size_t i = 0; i < outputs.names.size(); ++i) {
        std::string shape;
        for (const auto extent : outputs.values[i].GetTensorTypeAndShapeInfo().GetShape()) {
            shape += (shape.empty() ? "" : ", ") + std::to_string(extent);
        }
        std::printf("  %-16s [%s]\n", outputs.names[i].c_str(), shape.c_str());
    }
}

// An entry of a model's metadata; empty if there is none with this key.
std::string metadata_value(const Ort::Session& session, const char* key)
{
    const Ort::AllocatorWithDefaultOptions allocator;
    const auto text = session.GetModelMetadata().LookupCustomMetadataMapAllocated(key, allocator);
    return text ? text.get() : "";
}

// A padded model and what it returned for the images.
class padded_model {
public:
    padded_model(Ort::Env& env, const char* path) : m_session(env, path, Ort::SessionOptions{}), m_contract(m_session)
    {
        const auto text = metadata_value(m_session, "classes") + ",";
        for (std::size_t begin = 0; begin < text.size() && text != ","; begin = text.find(',', begin) + 1) {
            m_classes.push_back(text.substr(begin, text.find(',', begin) - begin));
        }
    }

    void run(image_batch& images)
    {
        m_outputs = ::run(m_session, images);
        print_outputs("outputs after", m_outputs);
        m_batch = onnxruntime::detections<padbatch::boxes<const float>, padbatch::labels<const std::int64_t>,
                                          padbatch::scores<const float>>(m_contract, m_outputs.values);
        if (m_contract.output_of("masks") == nullptr) {
            return;
        }
        m_masks = onnxruntime::detections<mask_field>(m_contract, m_outputs.values);
        const auto shape = m_masks[t::masks].shape();
        if (shape[3] != images.shape[2] || shape[4] != images.shape[3]) {
            throw std::runtime_error("the model's masks are not the size of the images");
        }
    }

    // How many rows each image has in the padded outputs.
    [[nodiscard]] std::size_t rows() const { return m_batch.capacity(); }

    // What was found in image b: the first count[b] of its rows. The rest is padding.
    [[nodiscard]] std::vector<detection> found(std::size_t b) const
    {
        std::vector<detection> list;
        for (const auto [box, label, score] : m_batch.image(b)) {
            const float* mask = m_masks.size() == 0 ? nullptr : m_masks.image(b)[t::masks][list.size()].data();
            list.push_back({class_name(label), label, score, box.data(), mask});
        }
        return list;
    }

private:
    using mask_field = padbatch::masks<const float, 1>;

    [[nodiscard]] std::string class_name(std::int64_t label) const
    {
        const auto known = label >= 0 && label < static_cast<std::int64_t>(m_classes.size());
        return known ? m_classes[static_cast<std::size_t>(label)] : "label " + std::to_string(label);
    }

    Ort::Session m_session;
    onnxruntime::contract m_contract;
    named_outputs m_outputs;
    padbatch::padded_view<padbatch::boxes<const float>, padbatch::labels<const std::int64_t>,
                          padbatch::scores<const float>>
        m_batch;
    padbatch::padded_view<mask_field> m_masks;
    std::vector<std::string> m_classes; // by label
};

// Tints the pixels where the mask exceeds one half, and draws an outline around them.
void draw_mask(picture& panel, const float* mask, const color& paint)
{
    const int width = panel.width();
    const int height = panel.height();
    const auto large = examples::enlarged(mask, width / zoom, height / zoom, zoom);
    const auto inside = [&](int x, int y) {
        return x >= 0 && x < width && y >= 0 && y < height &&
               large[static_cast<std::size_t>(y) * static_cast<std::size_t>(width) + static_cast<std::size_t>(x)] >
                   0.5F;
    };
    constexpr int line = 2;
    for (int y = 0; y < height; ++y) {
        for (int x = 0; x < width; ++x) {
            if (inside(x, y)) {
                const bool edge =
                    !inside(x - line, y) || !inside(x + line, y) || !inside(x, y - line) || !inside(x, y + line);
                panel.dot(x, y, edge ? page : paint, edge ? 0.9F : 0.45F);
            }
        }
    }
}

// Draws the box, and a tag with the label's name and the score at its upper edge.
void draw_box(picture& panel, const detection& row)
{
    constexpr int scale = 2;
    const auto paint = color_of(row.label);
    const auto pixel = [](float place) { return static_cast<int>(std::lround(place * zoom)); };
    const int left = pixel(row.box[0]);
    const int top = pixel(row.box[1]);
    panel.frame({left, top, pixel(row.box[2]) - left, pixel(row.box[3]) - top}, 2, paint);

    char text[64];
    std::snprintf(text, sizeof text, "%.40s %.2f", row.name.c_str(), row.score);
    const int width = picture::text_width(text, scale) + 4 * scale;
    const int height = 11 * scale;
    const int x = std::clamp(left, 0, std::max(panel.width() - width, 0));
    const int y = top >= height ? top - height : std::min(pixel(row.box[3]), panel.height() - height);
    panel.fill({x, y, width, height}, paint);
    panel.text(x + 2 * scale, y + 2 * scale, text, page, scale);
}

void draw(const padded_model& model, const std::vector<picture>& images, const std::vector<std::string>& titles,
          const std::string& path)
{
    constexpr int gap = 24;
    constexpr int caption = 60;
    constexpr int scale = 3;
    const int width = images[0].width() * zoom;
    const int height = images[0].height() * zoom;
    picture sheet(static_cast<int>(images.size()) * (width + gap) + gap, gap + height + caption, page);
    for (std::size_t b = 0; b < images.size(); ++b) {
        auto panel = images[b].enlarged(zoom);
        const auto rows = model.found(b);
        for (const auto& row : rows) {
            if (row.mask != nullptr) {
                draw_mask(panel, row.mask, color_of(row.label));
            }
        }
        for (auto row = rows.rbegin(); row != rows.rend(); ++row) { // the best one last, on top of the others
            draw_box(panel, *row);
        }
        const int left = gap + static_cast<int>(b) * (width + gap);
        const int line = gap + height + 15;
        const auto text = std::to_string(rows.size()) + " of " + std::to_string(model.rows()) + " rows";
        sheet.paste(panel, left, gap);
        sheet.text(left, line, titles[b], ink, scale);
        sheet.text(left + width - picture::text_width(text, scale), line, text, ink, scale);
    }
    sheet.write(path);
}

void print(const padded_model& model, const std::vector<std::string>& titles)
{
    for (std::size_t b = 0; b < titles.size(); ++b) {
        const auto rows = model.found(b);
        std::printf("%s: %zu of %lld rows are real\n", titles[b].c_str(), rows.size(),
                    static_cast<long long>(model.rows()));
        for (const auto& row : rows) {
            std::printf("  %-10s %.3f  x %.1f to %.1f, y %.1f to %.1f\n", row.name.c_str(), row.score, row.box[0],
                        row.box[2], row.box[1], row.box[3]);
        }
    }
}

} // namespace

int main(int argc, char** argv)
{
    if (argc < 5) {
        std::fprintf(stderr, "usage: draw_detections EXPORT.onnx PADDED.onnx OUT.png IMAGE.png...\n");
        return 2;
    }
    try {
        std::vector<picture> images;
        std::vector<std::string> titles;
        for (int i = 4; i < argc; ++i) {
            images.push_back(picture::read(argv[i]));
            titles.push_back(std::filesystem::path(argv[i]).filename().string());
        }
        image_batch batch(images);
        Ort::Env env(ORT_LOGGING_LEVEL_ERROR, "draw_detections");
        Ort::Session loose(env, argv[1], Ort::SessionOptions{});
        print_outputs("outputs before", run(loose, batch));
        padded_model model(env, argv[2]);
        model.run(batch);
        print(model, titles);
        draw(model, images, titles, argv[3]);
        return 0;
    } catch (const std::exception& e) {
        std::fprintf(stderr, "draw_detections: %s\n", e.what());
        return 1;
    }
}
