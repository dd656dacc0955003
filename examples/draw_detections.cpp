// SPDX-License-Identifier: Apache-2.0
// Runs an export and the model that onnx-pad-outputs made from it on PNG images, prints the outputs of both and what
// was found in each image, and draws the images side by side with masks, boxes, labels and scores. What is found and
// drawn comes only from the padded outputs and their counts.
//
//     draw_detections EXPORT.onnx PADDED.onnx OUT.png IMAGE.png...
//
// The models take one tensor [B, 3, H, W], so there must be B images of one size.

#include "drawing.hpp"
#include "picture.hpp"
#include "session.hpp"

#include <padbatch/adapters/onnxruntime.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace {

using examples::picture;
namespace onnxruntime = padbatch::onnxruntime;
namespace t = padbatch::t;

// One detection: a row of the padded outputs.
struct detection {
    std::string name;
    std::int64_t label;
    float score;
    const float* box;  // left, top, right, bottom
    const float* mask; // height x width numbers from 0 to 1; null if the model has no masks
};

void print_outputs(const char* title, const examples::named_outputs& outputs)
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

// A padded model and what it returned for the images.
class padded_model {
public:
    padded_model(Ort::Env& env, const char* path)
        : m_session(env, path, Ort::SessionOptions{}), m_contract(m_session), m_classes(m_session)
    {
    }

    void run(examples::image_batch& images)
    {
        m_outputs = examples::run(m_session, images);
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
            list.push_back({m_classes[label], label, score, box.data(), mask});
        }
        return list;
    }

private:
    using mask_field = padbatch::masks<const float, 1>;

    Ort::Session m_session;
    onnxruntime::contract m_contract;
    examples::class_names m_classes;
    examples::named_outputs m_outputs;
    padbatch::padded_view<padbatch::boxes<const float>, padbatch::labels<const std::int64_t>,
                          padbatch::scores<const float>>
        m_batch;
    padbatch::padded_view<mask_field> m_masks;
};

void draw(const padded_model& model, const std::vector<picture>& images, const std::vector<std::string>& titles,
          const std::string& path)
{
    std::vector<examples::panel> panels;
    for (std::size_t b = 0; b < images.size(); ++b) {
        auto drawn = images[b].enlarged(examples::zoom);
        const auto rows = model.found(b);
        for (const auto& row : rows) {
            if (row.mask != nullptr) { // tinted where it exceeds one half
                const auto large = examples::enlarged(row.mask, images[b].width(), images[b].height(), examples::zoom);
                draw_mask(drawn, [&](std::size_t n) { return large[n] > 0.5F; }, examples::color_of(row.label));
            }
        }
        for (auto row = rows.rbegin(); row != rows.rend(); ++row) { // the best one last, on top of the others
            draw_box(drawn, row->box, row->name, row->score, examples::color_of(row->label));
        }
        panels.push_back({std::move(drawn), titles[b],
                          std::to_string(rows.size()) + " of " + std::to_string(model.rows()) + " rows"});
    }
    sheet_of(panels, panels.size()).write(path);
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
        examples::image_batch batch(images);
        Ort::Env env(ORT_LOGGING_LEVEL_ERROR, "draw_detections");
        Ort::Session loose(env, argv[1], Ort::SessionOptions{});
        print_outputs("outputs before", examples::run(loose, batch));
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
