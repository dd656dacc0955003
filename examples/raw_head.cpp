// SPDX-License-Identifier: Apache-2.0
// Runs a YOLO that was exported without its post-processing on PNG images, decodes its raw head, suppresses boxes class
// by class, and draws each image twice: with all candidates, and with what is kept.
//
//     raw_head HEAD.onnx OUT.png IMAGE.png...
//
// The head is as YOLOv8's, [B, 4 + C, A]: center and size in pixels, then the scores of C classes, for A anchors.

#include "drawing.hpp"
#include "picture.hpp"
#include "session.hpp"

#include <padbatch/adapters/onnxruntime.hpp>
#include <padbatch/detection/decode.hpp>
#include <padbatch/detection/nms.hpp>
#include <padbatch/padded.hpp>

#include <cstddef>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace {

using examples::picture;
using detections = padbatch::padded<padbatch::boxes<>, padbatch::labels<>, padbatch::scores<>>;

constexpr double iou_above = 0.5;

// What the numbers of the head are, and which candidates are wanted. (With head_suppression::class_by_class,
// decode_head would suppress as well. Here the candidates themselves are drawn first.)
padbatch::detector_head describe(const padbatch::const_tensor_ref& head)
{
    if (head.shape().size() != 3 || head.shape()[1] <= 4) {
        throw std::runtime_error("the model's first output is not [B, 4 + C, A]");
    }
    auto described = padbatch::heads::yolov8(static_cast<std::size_t>(head.shape()[1] - 4));
    described.selection.score_above = 0.25F;
    described.selection.suppression = padbatch::head_suppression::none;
    return described;
}

// Frames around all candidates, without tags.
picture draw_candidates(const picture& image, const detections& found, std::size_t i)
{
    auto drawn = image.enlarged(examples::zoom);
    for (const auto& [box, label, score] : found.image(i)) {
        drawn.frame(examples::place_of(box.data()), 1, examples::color_of(label));
    }
    return drawn;
}

picture draw_kept(const picture& image, const detections& found, std::size_t i, const examples::class_names& names)
{
    auto drawn = image.enlarged(examples::zoom);
    const auto rows = found.image(i);
    for (std::size_t j = rows.size(); j-- > 0;) { // the best one last, on top of the others
        const auto label = rows[padbatch::t::labels][j];
        draw_box(drawn, rows[padbatch::t::boxes][j].data(), names[label], rows[padbatch::t::scores][j],
                 examples::color_of(label));
    }
    return drawn;
}

void run(const char* model_path, const char* picture_path, const std::vector<std::filesystem::path>& image_paths)
{
    std::vector<picture> images;
    for (const auto& path : image_paths) {
        images.push_back(picture::read(path.string()));
    }
    examples::image_batch input(images);
    Ort::Env env(ORT_LOGGING_LEVEL_ERROR, "raw_head");
    Ort::Session session(env, model_path, Ort::SessionOptions{});
    const examples::class_names names(session);
    const auto outputs = examples::run(session, input);

    const auto head = padbatch::onnxruntime::ref(outputs.values.at(0));
    detections found;
    decode_head(found, describe(head), head);
    std::vector<examples::panel> panels;
    std::vector<std::size_t> candidates;
    for (std::size_t i = 0; i < images.size(); ++i) {
        candidates.push_back(found.count(i));
        panels.push_back({draw_candidates(images[i], found, i), image_paths[i].filename().string(),
                          std::to_string(found.count(i)) + " candidates"});
    }
    batched_nms(found, iou_above); // in place, all images
    for (std::size_t i = 0; i < images.size(); ++i) {
        const auto title = image_paths[i].filename().string();
        panels.push_back({draw_kept(images[i], found, i, names), title, std::to_string(found.count(i)) + " kept"});
        std::printf("%s: %zu of %zu candidates are kept\n", title.c_str(), found.count(i), candidates[i]);
        for (const auto& [box, label, score] : found.image(i)) {
            std::printf("  %-10s %.3f  x %.1f to %.1f, y %.1f to %.1f\n", names[label].c_str(), score, box[0], box[2],
                        box[1], box[3]);
        }
    }
    sheet_of(panels, images.size()).write(picture_path);
}

} // namespace

int main(int argc, char** argv)
{
    if (argc < 4) {
        std::fprintf(stderr, "usage: raw_head HEAD.onnx OUT.png IMAGE.png...\n");
        return 2;
    }
    try {
        run(argv[1], argv[2], {argv + 3, argv + argc});
        return 0;
    } catch (const std::exception& e) {
        std::fprintf(stderr, "raw_head: %s\n", e.what());
        return 1;
    }
}
