// SPDX-License-Identifier: Apache-2.0
// Callers choose the lowest score and the number of rows in OpenVINO too, for a fixed batch and for any. It gives an
// image without rows one of whatever was in memory, so the choices leave a row in each.

#include <tests/onnx_tools/engines/chosen_fixtures.hpp>
#include <tests/onnx_tools/engines/openvino_exports.hpp>

#include <doctest/doctest.h>

#include <onnx_tools/files/model_io.hpp>
#include <onnx_tools/plan/options.hpp>
#include <tests/support/chosen_rows.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

using namespace padbatch::onnx_tools;
using namespace padbatch::test;

namespace {

pad_options exposing_in_openvino(bool any_batch)
{
    pad_options options;
    options.dynamic_batch = any_batch;
    for (const auto option : all_run_options) {
        options.exposed[option] = {std::nullopt, any_batch};
    }
    return options;
}

// The score of the image's row at `row`.
float score_of(const plain_image& image, std::size_t row)
{
    return static_cast<float>(padbatch::test::detail::number_at(image.rows.at("scores"), row));
}

void check_chosen(const fixture& f, const std::vector<plain_image>& images, const std::map<std::string, tensor>& got)
{
    for (const auto& output : plain_outputs(f.fields, images, {}, f.limit)) {
        CAPTURE(output.first);
        CHECK(got.at(output.first).shape == output.second.shape);
        CHECK((got.at(output.first).bytes == output.second.bytes));
    }
}

void check_fixed_in_openvino(const fixture& f, const onnx::ModelProto& model, const scene_batch& batch,
                             const std::vector<plain_image>& known)
{
    openvino_model padded(rewritten(model, exposing_in_openvino(false)));
    float lowest = 1;
    for (const auto& image : known) {
        lowest = std::min(lowest, score_of(image, 0));
    }
    const auto most = static_cast<std::int32_t>(f.limit);
    for (const run_choice choice : {run_choice{0, most}, run_choice{-1, most + 5}, run_choice{lowest, most},
                                    run_choice{0, 1}, run_choice{std::nextafter(lowest, 0.0F), 2}}) {
        CAPTURE(choice.min_score);
        CAPTURE(choice.max_detections);
        std::vector<plain_image> chosen;
        for (const auto& image : known) {
            chosen.push_back(chosen_rows(image, f.fields, choice));
        }
        auto input = make_input(f, batch.scenes);
        check_chosen(f, chosen, padded.run(input, choosing({choice}, false)));
    }
}

void check_any_in_openvino(const fixture& f, const onnx::ModelProto& model, const std::vector<scene_batch>& batches,
                           const std::vector<plain_image>& known)
{
    openvino_model padded(rewritten(model, exposing_in_openvino(true)));
    const auto [height, width] = f.image_sizes.front();
    const auto rows = [&](std::size_t which) {
        return static_cast<std::int32_t>(known[which].rows.at("scores").shape.front());
    };
    for (const std::size_t n : {1U, 3U, 4U}) {
        CAPTURE(n);
        model_input input{{{}}, {{n, 3, static_cast<std::size_t>(height), static_cast<std::size_t>(width)}}};
        std::vector<run_choice> choices;
        std::vector<plain_image> chosen;
        for (std::size_t i = 0; i < n; ++i) {
            const std::size_t which = (i + n) % known.size();
            const auto pixels = scene(batches[which].scenes.front(), height, width);
            input.data.front().insert(input.data.front().end(), pixels.begin(), pixels.end());
            const std::int32_t some = rows(which) / 2;
            choices.push_back(i % 2 == 0 ? run_choice{0, std::max(some, 1)}
                                         : run_choice{score_of(known[which], static_cast<std::size_t>(some)), 1000});
            chosen.push_back(chosen_rows(known[which], f.fields, choices.back()));
        }
        check_chosen(f, chosen, padded.run(input, choosing(choices, true)));
    }
}

} // namespace

TEST_CASE("callers choose scores and rows in each run in OpenVINO")
{
    for (const auto& f : chosen_fixtures()) {
        const auto name = f.file.stem().string();
        const bool fixed = name == "faster_rcnn_tv014_b3_tensor_op13_field";
        if (!fixed && name != "mask_rcnn_tv029_b1_tensor_op17" && name != "keypoint_rcnn_tv029_b1_list_op20_half") {
            continue; // OpenVINO compiles each model anew
        }
        CAPTURE(name);
        const auto model = load_model(f.file.string());
        openvino_model original(model.SerializeAsString());
        const auto batches = batches_with_rows(f);
        std::vector<plain_image> known;
        for (const auto& batch : batches) {
            for (auto& image : run_export(f, original, batch)) {
                known.push_back(std::move(image.detections));
            }
            if (fixed) {
                break;
            }
        }
        if (fixed) {
            check_fixed_in_openvino(f, model, batches.front(), known);
        } else {
            check_any_in_openvino(f, model, batches, known);
        }
    }
}
