// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/forms/raw.hpp>

#include <onnx_tools/recognise/recognise.hpp>
#include <tests/support/check_failure.hpp>
#include <tests/support/head_models.hpp>
#include <tests/support/parse_model.hpp>

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <vector>

using namespace padbatch::onnx_tools;
using namespace padbatch::test;

TEST_CASE("what Ultralytics' metadata and the columns agree on is a proven head")
{
    const std::string scores =
        "a, b = Split<axis = 1>(in_output0) c = Sigmoid(b) d = Exp(a) e = Mul(d, a) output0 = Concat<axis = 1>(e, c)";
    const std::string transposed =
        "a, b = Split<axis = 2>(in_output0) c = Sigmoid(b) d = Exp(a) e = Mul(d, a) output0 = Concat<axis = 2>(e, c)";
    const auto found = recognise(head_model("float[B,7,84] output0", scores, of_three_classes), {});
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
    const auto old = recognise(head_model("float[B,252,8] output0", transposed, yolov5), decoded);
    CHECK(old.head == head_kind::yolo_objectness);

    auto finished = of_three_classes;
    finished["end2end"] = "True";
    for (const auto& other : {finished, std::map<std::string, std::string>{{"task", "classify"}}}) {
        CHECK_THROWS_AS((void)recognise(head_model("float[B,7,84] output0", scores, other), {}), tool_error);
    }
    // Nothing makes scores of the numbers.
    check_failure(failure::refused, {"`from` raw `scores` sigmoid", "`from` raw `scores` none"}, [] {
        (void)recognise(
            head_model("float[B,7,84] output0",
                       "a, b = Split<axis = 1>(in_output0) d = Exp(a) e = Mul(d, a) output0 = Concat<axis = 1>(e, b)",
                       of_three_classes),
            {});
    });
    // Their boxes may be anywhere in the rows by now.
    const std::string moved = "a, b = Split<axis = 1>(in_output0) c = Sigmoid(b) d = Exp(a) e = Mul(d, a) output0 = "
                              "Concat<axis = 1>(b, e, c)";
    check_failure(failure::refused, {"begins with boxes", "`from` raw `head` yolo"},
                  [&] { (void)recognise(head_model("float[B,7,84] output0", moved, of_three_classes), {}); });
    // Another number of columns than the names say.
    CHECK_THROWS_AS((void)recognise(head_model("float[B,8,84] output0", scores, of_three_classes), {}), tool_error);
}

TEST_CASE("further columns are fields of their own")
{
    auto metadata = of_three_classes;
    metadata["task"] = "segment";
    auto segments = parse_model(
        "<ir_version: 8, opset_import: [\"\" : 13]> g (float[B,3,64,64] images, float[B,10,84] in) "
        "=> (float[B,10,84] output0, float[B,3,16,16] output1) { a, b, m = Split<axis = 1>(in) c = Sigmoid(b) "
        "d = Add(a, a) output0 = Concat<axis = 1>(d, c, m) "
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
    CHECK(seg.other_outputs == std::vector<std::string>{"mask_prototypes"});

    metadata["task"] = "pose";
    metadata["kpt_shape"] = "[5, 2]";
    const auto pose = recognise(
        head_model(
            "float[B,17,84] output0",
            "a, b, m = Split<axis = 1>(in_output0) c = Sigmoid(b) d = Add(a, a) output0 = Concat<axis = 1>(d, c, m)",
            metadata),
        {});
    CHECK(pose.head == head_kind::yolo_pose);
    CHECK(find_field(pose, field::keypoints)->row.front().size == 5);
    CHECK(find_field(pose, field::keypoints)->row.back().size == 3);

    // The visibility of keypoints comes from a Sigmoid too, which says nothing about the classes.
    const std::string visible =
        "a, b, m = Split<axis = 1>(in_output0) v = Sigmoid(m) w = Constant<value = float[3,3] {1.0, 0.0, 0.0, 0.0, "
        "1.0, "
        "0.0, 0.0, 0.0, 1.0}>() t = Transpose<perm = [0, 2, 1]>(b) l = MatMul(t, w) c = Transpose<perm = [0, 2, 1]>(l) "
        "d = Add(a, a) output0 = Concat<axis = 1>(d, c, v)";
    const auto logits = head_model("float[B,17,84] output0", visible, metadata);
    check_failure(failure::refused, {"`scores` sigmoid"}, [&] { (void)recognise(logits, {}); });
    auto sigmoid = told_head(head_kind::yolo_pose);
    sigmoid.head.activation = score_activation::sigmoid;
    CHECK(recognise(logits, sigmoid).head == head_kind::yolo_pose);

    metadata["task"] = "obb";
    check_failure(failure::refused, {"turned by an angle", "nms=True"},
                  [&] { (void)recognise(head_model("float[B,8,84] output0", "", metadata), {}); });
}

TEST_CASE("what the metadata says is not contradicted by the user's word alone")
{
    auto metadata = of_three_classes;
    metadata["task"] = "obb";
    const auto turned = head_model("float[B,8,84] output0", "", metadata);
    check_failure(failure::refused, {"task is 'obb'", "`head` yolo-obb"},
                  [&] { (void)recognise(turned, told_head(head_kind::yolo)); });
    CHECK(recognise(head_model("float[B,8,84] output0"), told_head(head_kind::yolo)).head == head_kind::yolo);
    // Where the user names a head, the refusal is that of the head.
    recognise_options automatic;
    automatic.head.kind = head_kind::yolo;
    automatic.head.strides = {8};
    check_failure(failure::usage, {"`strides` is given for `head` yolo"},
                  [&] { (void)recognise(head_model("float[B,7,84] output0"), automatic); });
}

TEST_CASE("nothing is said about heads where there is none, or of another kind")
{
    const auto detections =
        parse_model("<ir_version: 8, opset_import: [\"\" : 13]> g (float[1,3,8,8] x, float[n,4] p, "
                    "int64[n] q, float[n] r) => (float[n,4] boxes, int64[n] labels, float[n] scores) "
                    "{ boxes = Identity(p) labels = Identity(q) scores = Identity(r) }");
    recognise_options options;
    options.head.iou_threshold = 0.5;
    check_failure(failure::usage, {"`iou_threshold` is given", "`from` raw"},
                  [&] { (void)recognise(detections, options); });
    auto strides = told_head(head_kind::yolo);
    strides.head.strides = {8};
    check_failure(failure::usage, {"`strides` is given for `head` yolo"},
                  [&] { (void)recognise(head_model("float[B,7,84] output0"), strides); });
    auto both = told_head(head_kind::yolo);
    both.head.class_agnostic = true;
    both.head.nms = suppression::class_by_class;
    check_failure(failure::usage, {"class-by-class"},
                  [&] { (void)recognise(head_model("float[B,7,84] output0"), both); });
}

TEST_CASE("a head for which nothing is proven is refused with what could be said")
{
    check_failure(failure::refused, {"`from` raw `head` yolo"},
                  [] { (void)recognise(head_model("float[B,7,84] output0"), {}); });
    check_failure(failure::refused, {"`from` raw `head` detr"},
                  [] { (void)recognise(head_model("float[B,20,4] p, float[B,20,6] s"), {}); });
}
