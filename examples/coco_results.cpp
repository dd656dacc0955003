// SPDX-License-Identifier: Apache-2.0
// Runs a padded Mask R-CNN on the images of a COCO data set, writes what it finds as COCO results, and draws it.
//
//     onnx-pad-outputs --masks roi --dynamic-batch EXPORT.onnx PADDED.onnx
//     coco_results PADDED.onnx ANNOTATIONS.json RESULTS.json OUT.png
//
// ANNOTATIONS.json is as COCO's: the images, with `id` and `file_name`, are PNG files beside it, and the labels of the
// model are ids of its categories. pycocotools reads RESULTS.json with `loadRes`.
//
// The model gives each detection a mask of 28 x 28 probabilities for the region of its box. Full-size masks are never
// made for the results: run lengths come directly from these. They are pasted only where they are drawn, as large as
// the drawing.

#include "drawing.hpp"
#include "picture.hpp"
#include "session.hpp"

#include <padbatch/adapters/onnxruntime.hpp>
#include <padbatch/detection/masks.hpp>
#include <padbatch/detection/rle.hpp>

#include <nlohmann/json.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <map>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace {

using examples::picture;
using nlohmann::json;
namespace onnxruntime = padbatch::onnxruntime;
namespace t = padbatch::t;

using detections = padbatch::padded_view<padbatch::boxes<const float>, padbatch::labels<const std::int64_t>,
                                         padbatch::scores<const float>, padbatch::masks<const float>>;
using category_names = std::map<std::int64_t, std::string>; // by id

constexpr std::size_t most_images = 8; // of one run
constexpr std::size_t most_drawn = 12;
constexpr float least_drawn = 0.5F; // scores below it are results, but are not drawn

// One image of the data set.
struct image_entry {
    std::int64_t id;
    std::string file;
    picture pixels;
};

std::string counts_text(const padbatch::run_length_view& mask)
{
    std::string text(padbatch::rle_string_size(mask), ' ');
    padbatch::rle_to_string(text, mask);
    return text;
}

// Appends what was found in the images of one run to COCO's results.
void append_results(json& results, std::span<const image_entry> images, const detections& found)
{
    const auto height = static_cast<std::size_t>(images[0].pixels.height());
    const auto width = static_cast<std::size_t>(images[0].pixels.width());
    padbatch::run_lengths runs; // of all detections, image by image
    padbatch::rle_encode_regions(runs, found, height, width);
    std::size_t next = 0;
    for (std::size_t i = 0; i < images.size(); ++i) {
        for (const auto& [box, label, score, mask] : found.image(i)) {
            results.push_back({{"image_id", images[i].id},
                               {"category_id", label},
                               {"bbox", {box[0], box[1], box[2] - box[0], box[3] - box[1]}},
                               {"score", score},
                               {"segmentation", {{"size", {height, width}}, {"counts", counts_text(runs[next++])}}}});
        }
    }
}

// Draws what was found in image i, with masks that are pasted as large as the drawing.
examples::panel drawn(const image_entry& image, const detections& found, std::size_t i, const category_names& names)
{
    auto panel = image.pixels.enlarged(examples::zoom);
    const auto height = static_cast<std::size_t>(panel.height());
    const auto width = static_cast<std::size_t>(panel.width());
    const auto rows = found.image(i);
    std::vector<float> boxes; // in pixels of the drawing
    for (const float place : rows[t::boxes].flat()) {
        boxes.push_back(place * examples::zoom);
    }
    std::vector<std::uint8_t> pixels(rows.size() * height * width);
    padbatch::paste_masks(t::masks(pixels, 1, height, width), t::boxes(boxes), t::masks(rows[t::masks]));

    std::size_t shown = 0; // rows come with descending scores
    while (shown < rows.size() && rows[t::scores][shown] >= least_drawn) {
        const std::uint8_t* mask = pixels.data() + shown * height * width;
        draw_mask(panel, [&](std::size_t n) { return mask[n] != 0; }, examples::color_of(rows[t::labels][shown]));
        ++shown;
    }
    for (std::size_t j = shown; j-- > 0;) { // the best one last, on top of the others
        const std::int64_t label = rows[t::labels][j];
        const auto name = names.find(label);
        draw_box(panel, rows[t::boxes][j].data(), name != names.end() ? name->second : std::to_string(label),
                 rows[t::scores][j], examples::color_of(label));
    }
    return {std::move(panel), image.file, std::to_string(shown) + " drawn"};
}

// The next images, of one size, that are run together.
std::vector<image_entry> next_images(const json& entries, std::size_t first, const std::filesystem::path& folder)
{
    std::vector<image_entry> images;
    for (std::size_t i = first; i < entries.size() && images.size() < most_images; ++i) {
        const auto file = entries[i].at("file_name").get<std::string>();
        auto pixels = picture::read((folder / file).string());
        if (!images.empty() &&
            (pixels.width() != images[0].pixels.width() || pixels.height() != images[0].pixels.height())) {
            break;
        }
        images.push_back({entries[i].at("id").get<std::int64_t>(), file, std::move(pixels)});
    }
    return images;
}

void run(const char* model_path, const std::filesystem::path& annotations_path, const char* results_path,
         const char* picture_path)
{
    std::ifstream file(annotations_path);
    if (!file) {
        throw std::runtime_error("cannot read " + annotations_path.string());
    }
    const json annotations = json::parse(file);
    category_names names;
    for (const auto& category : annotations.at("categories")) {
        names[category.at("id").get<std::int64_t>()] = category.at("name").get<std::string>();
    }
    Ort::Env env(ORT_LOGGING_LEVEL_ERROR, "coco_results");
    Ort::Session session(env, model_path, Ort::SessionOptions{});
    const onnxruntime::contract model(session);

    json results = json::array();
    std::vector<examples::panel> panels;
    const json& entries = annotations.at("images");
    for (std::size_t first = 0; first < entries.size();) {
        const auto images = next_images(entries, first, annotations_path.parent_path());
        std::vector<picture> pixels;
        for (const auto& image : images) {
            pixels.push_back(image.pixels);
        }
        examples::image_batch input(pixels);
        const auto outputs = examples::run(session, input);
        const auto found =
            onnxruntime::detections<padbatch::boxes<const float>, padbatch::labels<const std::int64_t>,
                                    padbatch::scores<const float>, padbatch::masks<const float>>(model, outputs.values);
        append_results(results, images, found);
        for (std::size_t i = 0; i < images.size(); ++i) {
            std::printf("%s: %zu of %zu rows are real\n", images[i].file.c_str(), found.count(i), found.capacity());
            if (panels.size() < most_drawn) {
                panels.push_back(drawn(images[i], found, i, names));
            }
        }
        first += images.size();
    }
    std::ofstream written(results_path);
    written << results << '\n';
    written.close();
    if (!written) {
        throw std::runtime_error(std::string("cannot write ") + results_path);
    }
    if (!panels.empty()) {
        sheet_of(panels, panels.size() < 3 ? panels.size() : 3).write(picture_path);
    }
    std::printf("%zu results in %s\n", results.size(), results_path);
}

} // namespace

int main(int argc, char** argv)
{
    if (argc != 5) {
        std::fprintf(stderr, "usage: coco_results PADDED.onnx ANNOTATIONS.json RESULTS.json OUT.png\n");
        return 2;
    }
    try {
        run(argv[1], argv[2], argv[3], argv[4]);
        return 0;
    } catch (const std::exception& e) {
        std::fprintf(stderr, "coco_results: %s\n", e.what());
        return 1;
    }
}
