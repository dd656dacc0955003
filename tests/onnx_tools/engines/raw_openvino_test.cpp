// SPDX-License-Identifier: Apache-2.0
// Models made from raw heads in OpenVINO, beside a plain loop. OpenVINO's TopK orders equal scores as it likes, so all
// scores differ here.

#include <doctest/doctest.h>

#include <onnx_tools/recognise/head_kind.hpp>
#include <onnx_tools/rewrite.hpp>
#include <tests/onnx_tools/engines/openvino_model.hpp>
#include <tests/support/crowded_heads.hpp>
#include <tests/support/parse_model.hpp>
#include <tests/support/plain_outputs.hpp>
#include <tests/support/plain_selection.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <utility>
#include <vector>

using namespace padbatch::onnx_tools;
using namespace padbatch::test;

namespace {

constexpr std::size_t classes = 4;
constexpr std::int64_t most = 50;

// Boxes and scores of some images; no two scores of an image are equal.
std::vector<head_rows_of_image> heads_of(std::size_t images, unsigned seed)
{
    std::mt19937 random(seed);
    std::vector<head_rows_of_image> heads;
    for (std::size_t image = 0; image < images; ++image) {
        auto rows = crowd(random, 4 + classes, false);
        std::vector<int> order(anchors_of_image * classes);
        for (std::size_t i = 0; i < order.size(); ++i) {
            order[i] = static_cast<int>(i);
        }
        std::shuffle(order.begin(), order.end(), random);
        for (std::size_t i = 0; i < order.size(); ++i) {
            rows[i / classes][4 + i % classes] = static_cast<float>(order[i] + 1) / 1024;
        }
        heads.push_back(std::move(rows));
    }
    return heads;
}

void check(openvino_model& model, const head_selection& how, std::size_t images, unsigned seed)
{
    const auto heads = heads_of(images, seed);
    model_input in;
    in.shapes = {{images, 3, 64, 80}, {images, 4 + classes, anchors_of_image}};
    in.data = {std::vector<float>(images * 3 * 64 * 80), {}};
    for (const auto& rows : heads) {
        for (std::size_t i = 0; i < (4 + classes) * anchors_of_image; ++i) {
            in.data[1].push_back(rows[i % anchors_of_image][i / anchors_of_image]);
        }
    }
    const auto out = model.run(in);
    const auto number = [&](const char* name, std::size_t i) {
        return padbatch::test::detail::number_at(out.at(name), i);
    };
    for (std::size_t image = 0; image < images; ++image) {
        std::vector<plain_anchor> anchors;
        for (const auto& row : heads[image]) {
            anchors.push_back({corners_of_row(row), {row.begin() + 4, row.end()}});
        }
        const auto expected = selected(anchors, how, image).rows;
        CHECK(number("num_detections", image) == static_cast<double>(expected.size()));
        bool same = true;
        for (std::size_t r = 0; r < expected.size(); ++r) {
            const auto i = image * static_cast<std::size_t>(most) + r;
            same = same && number("labels", i) == expected[r].label && number("scores", i) == expected[r].score;
            for (std::size_t c = 0; c < 4; ++c) { // products and sums may be computed in one step, rounded once
                same = same && std::abs(number("boxes", i * 4 + c) - expected[r].corners[c]) <= 1e-4;
            }
        }
        CHECK(same);
    }
}

} // namespace

TEST_CASE("what is selected from raw heads in OpenVINO")
{
    unsigned seed = 1;
    for (const auto nms : {suppression::shifted, suppression::class_by_class, suppression::none}) {
        for (const bool multi_label : {false, true}) {
            CAPTURE(std::string(name_of(nms)));
            CAPTURE(multi_label);
            auto model =
                parse_model("<ir_version: 7, opset_import: [\"\" : 13]> g (float[B,3,64,80] images, float[B,8,200] "
                            "list) => (float[B,8,200] rows) { rows = Identity(list) }");
            rewrite_options options;
            options.recognise.from = export_kind::raw;
            auto& head = options.recognise.head;
            head.kind = head_kind::yolo;
            head.nms = nms;
            head.multi_label = multi_label;
            head.score = options.pad.min_score = 0.3;
            head.most = most;
            options.pad.max_detections = most;
            head.classes = options.pad.classes = class_choice{{2}, true};
            rewrite(model, options);
            openvino_model in_openvino(model.SerializeAsString());
            head_selection how;
            how.score = head.score;
            how.nms = nms;
            how.multi_label = multi_label;
            how.iou_threshold = 0.7;
            how.most = most;
            how.classes = head.classes;
            for (const std::size_t images : {1U, 3U}) {
                check(in_openvino, how, images, seed++);
            }
        }
    }
}
