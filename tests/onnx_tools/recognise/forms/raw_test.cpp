// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/forms/raw.hpp>

#include <onnx_tools/recognise/recognise.hpp>
#include <tests/support/check_failure.hpp>
#include <tests/support/parse_model.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

using namespace padbatch::onnx_tools;
using namespace padbatch::test;

namespace {

using strings = std::vector<std::string>;

// A model that gives what is fed to it beside the images.
onnx::ModelProto head_model(const std::string& outputs, const std::string& nodes = "",
                            const std::map<std::string, std::string>& metadata = {})
{
    auto inputs = outputs;
    for (std::size_t at = 0; (at = inputs.find("] ", at)) != std::string::npos; at += 3) {
        inputs.insert(at + 2, "in_");
    }
    std::string copies;
    if (nodes.empty()) {
        for (std::size_t at = 0; (at = inputs.find("in_", at)) != std::string::npos; at += 3) {
            const auto name = inputs.substr(
                at + 3, inputs.find(',', at) == std::string::npos ? std::string::npos : inputs.find(", ", at) - at - 3);
            copies += name + " = Identity(in_" + name + ") ";
        }
    }
    auto model = parse_model("<ir_version: 8, opset_import: [\"\" : 13]> g (float[B,3,64,64] images, " + inputs +
                             ") => (" + outputs + ") { " + copies + nodes + " }");
    for (const auto& [key, value] : metadata) {
        auto& entry = *model.add_metadata_props();
        entry.set_key(key);
        entry.set_value(value);
    }
    return model;
}

recognise_options told(head_kind kind)
{
    recognise_options options;
    options.from = export_kind::raw;
    options.head.kind = kind;
    return options;
}

template <class Action>
void check_head_fails(const Action& action, failure kind, const strings& words)
{
    check_failure(kind, words, action);
}

const std::map<std::string, std::string> of_three_classes{{"task", "detect"}, {"names", "{0: 'a', 1: 'b', 2: 'c'}"}};

} // namespace

TEST_CASE("what Ultralytics' metadata and the columns agree on is a proven head")
{
    const auto found = recognise(head_model("float[B,7,84] output0", "", of_three_classes), {});
    CHECK(found.form == export_kind::raw);
    CHECK(found.head == head_kind::yolo);
    CHECK(found.evidence.find("3 classes") != std::string::npos);
    CHECK(found.selection.score == 0.25);
    CHECK(found.selection.iou_threshold == 0.7);
    CHECK(found.selection.most == 84); // of 300, since there are no more anchors
    CHECK(found.limit->rows == 84);

    auto yolov5 = of_three_classes;
    yolov5.erase("task");
    yolov5["stride"] = "32";
    recognise_options decoded;
    decoded.head.strides.emplace();
    const auto old = recognise(head_model("float[B,252,8] output0", "", yolov5), decoded);
    CHECK(old.head == head_kind::yolo_objectness);

    auto finished = of_three_classes;
    finished["end2end"] = "True";
    for (const auto& other : {finished, std::map<std::string, std::string>{{"task", "classify"}}}) {
        CHECK_THROWS_AS((void)recognise(head_model("float[B,7,84] output0", "", other), {}), tool_error);
    }
    // Another number of columns than the names say.
    CHECK_THROWS_AS((void)recognise(head_model("float[B,8,84] output0", "", of_three_classes), {}), tool_error);
}

TEST_CASE("further columns are fields of their own")
{
    auto metadata = of_three_classes;
    metadata["task"] = "segment";
    auto segments =
        parse_model("<ir_version: 8, opset_import: [\"\" : 13]> g (float[B,3,64,64] images, float[B,10,84] in) "
                    "=> (float[B,10,84] output0, float[B,3,16,16] output1) { output0 = Identity(in) "
                    "output1 = AveragePool <kernel_shape = [4, 4], strides = [4, 4]>(images) }");
    for (const auto& [key, value] : metadata) {
        auto& entry = *segments.add_metadata_props();
        entry.set_key(key);
        entry.set_value(value);
    }
    const auto seg = recognise(segments, {});
    CHECK(seg.head == head_kind::yolo_seg);
    REQUIRE(find_field(seg, field::mask_coefficients) != nullptr);
    CHECK(find_field(seg, field::mask_coefficients)->row.front().size == 3);
    CHECK(seg.other_outputs == strings{"mask_prototypes"});

    metadata["task"] = "pose";
    metadata["kpt_shape"] = "[5, 2]";
    const auto pose = recognise(head_model("float[B,17,84] output0", "", metadata), {});
    CHECK(pose.head == head_kind::yolo_pose);
    CHECK(find_field(pose, field::keypoints)->row.front().size == 5);
    CHECK(find_field(pose, field::keypoints)->row.back().size == 3);

    metadata["task"] = "obb";
    CHECK_THROWS_WITH_AS((void)recognise_raw(head_model("float[B,8,84] output0", "", metadata), {}),
                         doctest::Contains("turned by an angle"), tool_error);
}

TEST_CASE("the dimension of the columns is told by the image's grids, by the classes, or by the user")
{
    const auto shape = [](const std::string& text, recognise_options options) {
        return recognise(head_model("float[B," + text + "] output0"), options);
    };
    CHECK(shape("7,84", told(head_kind::yolo)).limit->rows == 84); // 64 + 16 + 4 cells
    CHECK(shape("84,7", told(head_kind::yolo)).limit->rows == 84);
    CHECK(shape("7,500", told(head_kind::yolo)).limit->rows == 300);
    auto classes = told(head_kind::yolo);
    classes.head.class_count = 6;
    CHECK(shape("10,12", classes).limit->rows == 12);
    CHECK(shape("12,10", classes).limit->rows == 12);
    check_head_fails([&] { (void)shape("10,12", told(head_kind::yolo)); }, failure::refused,
                     {"which dimension", "`num_classes` 6", "`num_classes` 8"});
    classes.head.class_count = 3;
    check_head_fails([&] { (void)shape("10,12", classes); }, failure::refused, {"fits 3 classes"});
    CHECK(shape("n,7", told(head_kind::yolo)).limit->rows == 300);
    check_head_fails([&] { (void)shape("n,m", told(head_kind::yolo)); }, failure::refused, {"how many columns"});
    check_head_fails([&] { (void)shape("4,84", told(head_kind::yolo)); }, failure::refused, {"[B, 4 + C, A]"});
}

TEST_CASE("what a head does not show must be said")
{
    check_head_fails([] { (void)recognise(head_model("float[B,84,8] output0"), told(head_kind::yolo_objectness)); },
                     failure::refused, {"decoded", "`strides` 8,16,32", "`strides` none"});
    auto grids = told(head_kind::yolo_objectness);
    grids.head.strides = {8, 16, 32};
    CHECK(recognise(head_model("float[B,84,8] output0"), grids).head == head_kind::yolo_objectness);
    grids.head.strides = {8, 16};
    check_head_fails([&] { (void)recognise(head_model("float[B,84,8] output0"), grids); }, failure::refused,
                     {"80 cells", "84 anchors"});

    const auto detr = head_model("float[B,20,4] pred_boxes, float[B,20,6] logits");
    check_head_fails([&] { (void)recognise(detr, told(head_kind::detr)); }, failure::refused,
                     {"`scores` sigmoid", "`scores` softmax", "`scores` none"});
    auto softmax = told(head_kind::detr);
    softmax.head.activation = score_activation::softmax;
    const auto found = recognise(detr, softmax);
    CHECK(found.limit->rows == 20);
    CHECK_FALSE(found.selection.score);
    CHECK_FALSE(found.selection.multi_label);
    softmax.head.activation = score_activation::sigmoid;
    CHECK(recognise(detr, softmax).selection.multi_label);
    const auto active = head_model("float[B,20,4] p, float[B,20,6] s", "p = Identity(in_p) s = Sigmoid(in_s)");
    CHECK(recognise(active, told(head_kind::detr)).selection.multi_label);
    check_head_fails([&] { (void)recognise(active, softmax); }, failure::refused, {"through a Sigmoid already"});

    check_head_fails([&] { (void)recognise(detr, told(head_kind::boxes_scores)); }, failure::refused,
                     {"four numbers of a box", "`box_format` xyxy"});
    auto format = told(head_kind::boxes_scores);
    format.boxes = box_format::xyxy;
    CHECK(recognise(detr, format).head == head_kind::boxes_scores);
}

TEST_CASE("nothing is said about heads where there is none, or of another kind")
{
    const auto detections =
        parse_model("<ir_version: 8, opset_import: [\"\" : 13]> g (float[1,3,8,8] x, float[n,4] p, "
                    "int64[n] q, float[n] r) => (float[n,4] boxes, int64[n] labels, float[n] scores) "
                    "{ boxes = Identity(p) labels = Identity(q) scores = Identity(r) }");
    recognise_options options;
    options.head.iou_threshold = 0.5;
    check_head_fails([&] { (void)recognise(detections, options); }, failure::usage,
                     {"`iou_threshold` is given", "`from` raw"});
    auto strides = told(head_kind::yolo);
    strides.head.strides = {8};
    check_head_fails([&] { (void)recognise(head_model("float[B,7,84] output0"), strides); }, failure::usage,
                     {"`strides` is given for `head` yolo"});
    auto both = told(head_kind::yolo);
    both.head.class_agnostic = true;
    both.head.nms = suppression::class_by_class;
    check_head_fails([&] { (void)recognise(head_model("float[B,7,84] output0"), both); }, failure::usage,
                     {"class-by-class"});
}

TEST_CASE("a head for which nothing is proven is refused with what could be said")
{
    check_head_fails([] { (void)recognise(head_model("float[B,7,84] output0"), {}); }, failure::refused,
                     {"`from` raw `head` yolo"});
    check_head_fails([] { (void)recognise(head_model("float[B,20,4] p, float[B,20,6] s"), {}); }, failure::refused,
                     {"`from` raw `head` detr"});
}

TEST_CASE("of two outputs with four numbers in a row the boxes are those that are called so")
{
    auto options = told(head_kind::detr);
    options.head.activation = score_activation::sigmoid;
    for (const char* const outputs :
         {"float[B,20,4] logits, float[B,20,4] pred_Boxes", "float[B,20,4] pred_Boxes, float[B,20,4] logits"}) {
        const auto found = recognise(head_model(outputs), options);
        CHECK(std::any_of(found.rearranged->sources.begin(), found.rearranged->sources.end(), [](const auto& source) {
            return source.second.find("boxes that are selected from 'pred_Boxes'") != std::string::npos;
        }));
    }
    for (const char* const outputs :
         {"float[B,20,4] p, float[B,20,4] q", "float[B,20,4] box_logits, float[B,20,4] boxes"}) {
        check_head_fails([&] { (void)recognise(head_model(outputs), options); }, failure::refused, {"four numbers"});
    }
}
