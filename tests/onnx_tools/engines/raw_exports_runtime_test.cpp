// SPDX-License-Identifier: Apache-2.0
// Runs exports of raw heads beside what is made from them: a plain loop selects from the numbers of the export, and the
// padded model must give the same detections.

#include <doctest/doctest.h>

#include <onnx_tools/error.hpp>
#include <onnx_tools/files/model_io.hpp>
#include <onnx_tools/recognise/head_kind.hpp>
#include <onnx_tools/recognise/recognise.hpp>
#include <onnx_tools/rewrite.hpp>
#include <tests/support/crowded_heads.hpp>
#include <tests/support/plain_outputs.hpp>
#include <tests/support/plain_selection.hpp>
#include <tests/support/runtime.hpp>
#include <tests/support/scenes.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

using namespace padbatch;
using namespace padbatch::onnx_tools;
using namespace padbatch::test;

namespace {

constexpr std::size_t exported_classes = 3;

using outputs_by_name = std::map<std::string, tensor>;

// The number at [image, row, column] of a tensor, or at [image, column, row].
float at(const tensor& t, bool columns_first, std::size_t image, std::size_t row, std::size_t column)
{
    const auto first = static_cast<std::size_t>(t.shape.at(1));
    const auto second = static_cast<std::size_t>(t.shape.at(2));
    const auto i = columns_first ? column * second + row : row * second + column;
    return static_cast<float>(padbatch::test::detail::number_at(t, image * first * second + i));
}

// Anchors of one image, and the numbers that a row has besides.
struct plain_head {
    std::vector<plain_anchor> anchors;
    std::vector<std::vector<float>> further;
};

// A head in one tensor, whose rows are a center, a size, perhaps an objectness, scores and others.
plain_head of_yolo(const tensor& t, std::size_t image, bool columns_first, bool objectness)
{
    const auto anchors = static_cast<std::size_t>(t.shape.at(columns_first ? 2 : 1));
    const auto columns = static_cast<std::size_t>(t.shape.at(columns_first ? 1 : 2));
    const std::size_t first = objectness ? 5 : 4;
    plain_head head;
    for (std::size_t a = 0; a < anchors; ++a) {
        const auto number = [&](std::size_t column) { return at(t, columns_first, image, a, column); };
        const float half_width = number(2) * 0.5F;
        const float half_height = number(3) * 0.5F;
        plain_anchor anchor{
            {number(0) - half_width, number(1) - half_height, number(0) + half_width, number(1) + half_height}, {}};
        for (std::size_t c = 0; c < exported_classes; ++c) {
            anchor.scores.push_back(objectness ? number(first + c) * number(4) : number(first + c));
        }
        head.anchors.push_back(std::move(anchor));
        auto& others = head.further.emplace_back();
        for (std::size_t c = first + exported_classes; c < columns; ++c) {
            others.push_back(number(c));
        }
    }
    return head;
}

// YOLOX's offsets from the cells of two grids.
plain_head of_yolox(const tensor& t, std::size_t image)
{
    plain_head head;
    std::size_t a = 0;
    for (const int stride : {8, 16}) {
        for (int y = 0; y < height_of_image / stride; ++y) {
            for (int x = 0; x < width_of_image / stride; ++x, ++a) {
                const auto number = [&](std::size_t column) { return at(t, false, image, a, column); };
                const auto scale = static_cast<float>(stride);
                const float cx = (number(0) + static_cast<float>(x)) * scale;
                const float cy = (number(1) + static_cast<float>(y)) * scale;
                const float w = std::exp(number(2)) * scale * 0.5F;
                const float h = std::exp(number(3)) * scale * 0.5F;
                plain_anchor anchor{{cx - w, cy - h, cx + w, cy + h}, {}};
                for (std::size_t c = 0; c < exported_classes; ++c) {
                    anchor.scores.push_back(number(5 + c) * number(4));
                }
                head.anchors.push_back(std::move(anchor));
            }
        }
    }
    return head;
}

std::array<float, 4> in_pixels(const std::array<float, 4>& box) // of a center and a size in fractions
{
    const auto w = static_cast<float>(width_of_image);
    const auto h = static_cast<float>(height_of_image);
    return {(box[0] - box[2] * 0.5F) * w, (box[1] - box[3] * 0.5F) * h, (box[0] + box[2] * 0.5F) * w,
            (box[1] + box[3] * 0.5F) * h};
}

// Boxes [B, A, 4] and scores [B, A, C] in two tensors, or in one.
plain_head of_parts(const tensor& boxes, const tensor& scores, std::size_t first, std::size_t image, bool fractions,
                    const std::function<std::vector<float>(const std::vector<float>&)>& activation)
{
    plain_head head;
    const auto columns = static_cast<std::size_t>(scores.shape.at(2));
    for (std::size_t a = 0; a < static_cast<std::size_t>(boxes.shape.at(1)); ++a) {
        std::array<float, 4> box{};
        for (std::size_t c = 0; c < 4; ++c) {
            box[c] = at(boxes, false, image, a, c);
        }
        std::vector<float> numbers;
        for (std::size_t c = first; c < columns; ++c) {
            numbers.push_back(at(scores, false, image, a, c));
        }
        head.anchors.push_back({fractions ? in_pixels(box) : box, activation(numbers)});
    }
    return head;
}

std::vector<float> unchanged(const std::vector<float>& numbers)
{
    return numbers;
}

std::vector<float> sigmoid(const std::vector<float>& logits)
{
    std::vector<float> scores;
    for (const float logit : logits) {
        scores.push_back(1 / (1 + std::exp(-logit)));
    }
    return scores;
}

std::vector<float> softmax_without_last(const std::vector<float>& logits)
{
    const float most = *std::max_element(logits.begin(), logits.end());
    std::vector<float> scores;
    float sum = 0;
    for (const float logit : logits) {
        scores.push_back(std::exp(logit - most));
        sum += scores.back();
    }
    for (auto& score : scores) {
        score /= sum;
    }
    scores.pop_back();
    return scores;
}

struct raw_export {
    const char* file;
    std::function<void(recognise_options&)> say; // what nothing in the file shows
    std::function<plain_head(const outputs_by_name&, std::size_t image)> head;
    std::function<void(head_selection&)> selects; // otherwise than YOLO's heads do
    double tolerance = 0; // of boxes in pixels, and of scores: where an engine and the C library compute exp()
    std::size_t batch = 0;
    std::string further{}; // the field of the further numbers
};

std::vector<raw_export> raw_exports()
{
    const auto nothing = [](auto&) {};
    const auto yolo = [](const outputs_by_name& o, std::size_t image) {
        return of_yolo(o.at("output0"), image, true, false);
    };
    const auto no_threshold = [](head_selection& how) {
        how.score.reset();
        how.nms = suppression::none;
    };
    const auto said = [](head_kind kind, const std::function<void(head_options&)>& more = {}) {
        return [kind, more](recognise_options& o) {
            o.from = export_kind::raw;
            o.head.kind = kind;
            if (more) {
                more(o.head);
            }
        };
    };
    return {
        {"yolo_any_op12", nothing, yolo, nothing},
        {"yolo_b1_op17", nothing, yolo, nothing, 0, 1},
        {"yolo_transposed_any_op11", said(head_kind::yolo, [](head_options& o) { o.class_count = 3; }),
         [](const auto& o, std::size_t image) { return of_yolo(o.at("output0"), image, false, false); }, nothing},
        {"yolo_seg_any_op14", nothing, yolo, nothing, 0, 0, "mask_coefficients"},
        {"yolo_pose_b2_op13", nothing, yolo, nothing, 0, 2, "keypoints"},
        {"yolo_objectness_any_op12", nothing,
         [](const auto& o, std::size_t image) { return of_yolo(o.at("output0"), image, false, true); }, nothing},
        {"yolox_any_op11",
         said(head_kind::yolo_objectness, [](head_options& o) { o.strides = std::vector<std::int64_t>{8, 16}; }),
         [](const auto& o, std::size_t image) { return of_yolox(o.at("output0"), image); }, nothing, 1e-4},
        {"boxes_scores_any_op14",
         [said](recognise_options& o) {
             said(head_kind::boxes_scores)(o);
             o.boxes = box_format::xyxy;
         },
         [](const auto& o, std::size_t image) {
             return of_parts(o.at("boxes"), o.at("scores"), 0, image, false, unchanged);
         },
         nothing},
        {"detr_logits_any_op14",
         said(head_kind::detr, [](head_options& o) { o.activation = score_activation::sigmoid; }),
         [](const auto& o, std::size_t image) {
             return of_parts(o.at("pred_boxes"), o.at("logits"), 0, image, true, sigmoid);
         },
         [no_threshold](head_selection& how) {
             no_threshold(how);
             how.multi_label = true;
         },
         1e-4},
        {"detr_logits_any_op14",
         said(head_kind::detr, [](head_options& o) { o.activation = score_activation::softmax; }),
         [](const auto& o, std::size_t image) {
             return of_parts(o.at("pred_boxes"), o.at("logits"), 0, image, true, softmax_without_last);
         },
         no_threshold, 1e-4},
        {"rtdetr_sigmoid_any_op16",
         [said](recognise_options& o) {
             said(head_kind::boxes_scores, [](head_options& more) { more.nms = suppression::none; })(o);
             o.boxes = box_format::cxcywh;
             o.normalised = true;
         },
         [](const auto& o, std::size_t image) {
             return of_parts(o.at("output0"), o.at("output0"), 4, image, true, unchanged);
         },
         [](head_selection& how) { how.nms = suppression::none; }, 1e-4},
    };
}

onnx::ModelProto loaded(const std::string& name)
{
    return load_model(std::string(PADBATCH_TESTS_DATA) + "/raw/" + name + ".onnx");
}

void check_run(const raw_export& each, model_session& original, model_session& padded,
               const std::vector<unsigned>& scenes)
{
    std::vector<std::vector<float>> images(1);
    for (const auto seed : scenes) {
        const auto pixels = scene(seed, height_of_image, width_of_image);
        images[0].insert(images[0].end(), pixels.begin(), pixels.end());
    }
    const std::vector<std::vector<std::int64_t>> shapes{
        {static_cast<std::int64_t>(scenes.size()), 3, height_of_image, width_of_image}};
    const auto heads = original.run(images, shapes);
    const auto found = padded.run(images, shapes);
    head_selection how;
    how.score = 0.25;
    how.iou_threshold = 0.7;
    how.most = 300;
    each.selects(how);
    const auto& boxes = found.at("boxes");
    const auto most = static_cast<std::size_t>(boxes.shape.at(1));
    how.most = static_cast<std::int64_t>(most);
    const auto near = [&](double a, double b) { return std::abs(a - b) <= each.tolerance; };
    for (std::size_t image = 0; image < scenes.size(); ++image) {
        CAPTURE(image);
        const auto head = each.head(heads, image);
        const auto expected = selected(head.anchors, how, image);
        const auto n = expected.rows.size();
        REQUIRE(padbatch::test::detail::number_at(found.at("num_detections"), image) == static_cast<double>(n));
        bool same = true;
        std::vector<bool> taken(n, false);
        for (std::size_t r = 0; r < n; ++r) {
            const std::size_t i = image * most + r;
            const auto is = [&](std::size_t k) {
                const auto& row = expected.rows[k];
                bool equal = !taken[k] && padbatch::test::detail::number_at(found.at("labels"), i) == row.label &&
                             near(padbatch::test::detail::number_at(found.at("scores"), i), row.score);
                for (std::size_t c = 0; c < 4; ++c) {
                    equal = equal && near(padbatch::test::detail::number_at(boxes, i * 4 + c), row.corners[c]);
                }
                if (!each.further.empty()) {
                    const auto& numbers = head.further[expected.anchors[k]];
                    const auto& field = found.at(each.further);
                    for (std::size_t c = 0; c < numbers.size(); ++c) {
                        equal = equal && padbatch::test::detail::number_at(field, i * numbers.size() + c) == numbers[c];
                    }
                }
                return equal;
            };
            // Where scores are computed twice, those that are almost equal may be in another order.
            std::size_t k = r;
            if (each.tolerance != 0) {
                for (k = 0; k < n && !is(k); ++k) {
                }
                same = same && near(padbatch::test::detail::number_at(found.at("scores"), i), expected.rows[r].score);
            }
            const bool there = k < n && is(k);
            same = same && there;
            if (there) {
                taken[k] = true;
            }
        }
        CHECK(same);
        for (std::size_t i = (image * most + n) * 4; i < (image + 1) * most * 4; ++i) {
            same = same && padbatch::test::detail::number_at(boxes, i) == 0;
        }
        CHECK(same);
    }
    if (heads.count("output1") != 0) {
        CHECK(found.at("mask_prototypes").shape == heads.at("output1").shape);
        CHECK(found.at("mask_prototypes").bytes == heads.at("output1").bytes);
    }
}

} // namespace

TEST_CASE("exports of raw heads give what a plain loop selects from their numbers")
{
    for (const auto& each : raw_exports()) {
        CAPTURE(std::string(each.file));
        auto model = loaded(each.file);
        model_session original(model.SerializeAsString(), ORT_DISABLE_ALL);
        rewrite_options options;
        each.say(options.recognise);
        rewrite(model, options);
        model_session padded(model.SerializeAsString(), ORT_DISABLE_ALL);
        if (each.batch == 1) {
            for (const unsigned seed : {0U, 1U, 5U}) {
                check_run(each, original, padded, {seed});
            }
            continue;
        }
        check_run(each, original, padded, {1, 2});
        check_run(each, original, padded, {0, 3}); // a black image
        if (each.batch == 0) {
            check_run(each, original, padded, {});
            check_run(each, original, padded, {4, 0, 5, 6, 7});
        }
    }
}

TEST_CASE("heads of one image are run for each image of a batch")
{
    for (const auto& each : raw_exports()) {
        CAPTURE(std::string(each.file));
        if (each.batch == 2) {
            continue; // its nodes hold for two images
        }
        auto model = loaded(each.file);
        model_session original(model.SerializeAsString(), ORT_DISABLE_ALL);
        if (each.batch == 1) {
            continue;
        }
        for (auto* infos : {model.mutable_graph()->mutable_input(), model.mutable_graph()->mutable_output()}) {
            for (auto& info : *infos) {
                info.mutable_type()->mutable_tensor_type()->mutable_shape()->mutable_dim(0)->set_dim_value(1);
            }
        }
        rewrite_options options;
        each.say(options.recognise);
        options.pad.dynamic_batch = true;
        rewrite(model, options);
        CHECK(std::any_of(model.graph().node().begin(), model.graph().node().end(),
                          [](const auto& node) { return node.op_type() == "Loop"; }));
        model_session padded(model.SerializeAsString(), ORT_DISABLE_ALL);
        check_run(each, original, padded, {1, 2, 0});
        check_run(each, original, padded, {3});
        check_run(each, original, padded, {});
    }
}

TEST_CASE("turned boxes are refused")
{
    auto model = loaded("yolo_obb_any_op16");
    CHECK_THROWS_AS(rewrite(model, {}), tool_error);
}
