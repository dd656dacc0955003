// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/head_outputs.hpp>

#include <onnx_tools/recognise/recognise.hpp>
#include <tests/support/check_failure.hpp>
#include <tests/support/head_models.hpp>
#include <tests/support/parse_model.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

using namespace padbatch::onnx_tools;
using namespace padbatch::test;

TEST_CASE("the dimension of the columns is told by the image's grids, by the classes, or by the user")
{
    const auto shape = [](const std::string& text, recognise_options options,
                          std::optional<box_format> format = std::nullopt) {
        options.boxes = format;
        return recognise(head_model("float[B," + text + "] output0"), options);
    };
    CHECK(shape("7,84", told_head(head_kind::yolo)).limit->rows == 84); // 64 + 16 + 4 cells
    CHECK(shape("84,7", told_head(head_kind::yolo)).limit->rows == 84);
    CHECK(shape("7,500", told_head(head_kind::yolo)).limit->rows == 300);
    auto classes = told_head(head_kind::yolo);
    classes.head.class_count = 6;
    CHECK(shape("10,12", classes).limit->rows == 12);
    CHECK(shape("12,10", classes).limit->rows == 12);
    check_failure(failure::refused, {"which dimension", "`num_classes` 6", "`num_classes` 8"},
                  [&] { (void)shape("10,12", told_head(head_kind::yolo)); });
    classes.head.class_count = 3;
    check_failure(failure::refused, {"fits 3 classes"}, [&] { (void)shape("10,12", classes); });
    CHECK(shape("7,n", told_head(head_kind::yolo)).limit->rows == 300);
    CHECK(shape("n,8", told_head(head_kind::boxes_scores), box_format::xyxy).limit->rows == 300);
    check_failure(failure::refused, {"`num_classes` 3"}, [&] { (void)shape("n,7", told_head(head_kind::yolo)); });
    CHECK(shape("n,7", classes).limit->rows == 300);
    check_failure(failure::refused, {"`num_classes` 80, or how many"},
                  [&] { (void)shape("84,n", told_head(head_kind::yolo)); });
    CHECK(shape("84,n", classes).limit->rows == 84);
    auto ten = told_head(head_kind::yolo); // whatever is declared; running the model tells
    ten.head.class_count = 10;
    CHECK(shape("n,40", ten).limit->rows == 40);
    check_failure(failure::refused, {"as many columns as anchors", "another size of the image"},
                  [&] { (void)shape("20,20", told_head(head_kind::yolo)); });
    CHECK(shape("84,7", told_head(head_kind::boxes_scores), box_format::xyxy).limit->rows == 84);
    CHECK(shape("7,84", told_head(head_kind::boxes_scores), box_format::xyxy).limit->rows == 84);
    CHECK(shape("9,12", told_head(head_kind::boxes_scores), box_format::xyxy).limit->rows == 9); // as declared
    check_failure(failure::refused, {"how many columns", "`num_classes` N"},
                  [&] { (void)shape("n,m", told_head(head_kind::yolo)); });
    check_failure(failure::refused, {"[B, 4 + C, A]"}, [&] { (void)shape("4,84", told_head(head_kind::yolo)); });
}

TEST_CASE("what a head does not show must be said")
{
    check_failure(failure::refused, {"decoded", "`strides` 8,16,32", "`strides` none"},
                  [] { (void)recognise(head_model("float[B,84,8] output0"), told_head(head_kind::yolo_objectness)); });
    auto grids = told_head(head_kind::yolo_objectness);
    grids.head.strides = {8, 16, 32};
    CHECK(recognise(head_model("float[B,84,8] output0"), grids).head == head_kind::yolo_objectness);
    grids.head.strides = {8, 16};
    check_failure(failure::refused, {"80 cells", "84 anchors"},
                  [&] { (void)recognise(head_model("float[B,84,8] output0"), grids); });

    const auto detr = head_model("float[B,20,4] pred_boxes, float[B,20,6] logits");
    check_failure(failure::refused, {"`scores` sigmoid", "`scores` softmax", "`scores` none"},
                  [&] { (void)recognise(detr, told_head(head_kind::detr)); });
    auto softmax = told_head(head_kind::detr);
    softmax.head.activation = score_activation::softmax;
    const auto found = recognise(detr, softmax);
    CHECK(found.limit->rows == 20);
    CHECK_FALSE(found.selection.score);
    CHECK_FALSE(found.selection.multi_label);
    softmax.head.activation = score_activation::sigmoid;
    CHECK(recognise(detr, softmax).selection.multi_label);
    const auto active = head_model("float[B,20,4] p, float[B,20,6] s", "p = Identity(in_p) s = Sigmoid(in_s)");
    CHECK(recognise(active, told_head(head_kind::detr)).selection.multi_label);
    check_failure(failure::refused, {"through a Sigmoid already"}, [&] { (void)recognise(active, softmax); });

    check_failure(failure::refused, {"four numbers of a box", "`box_format` xyxy"},
                  [&] { (void)recognise(detr, told_head(head_kind::boxes_scores)); });
    auto format = told_head(head_kind::boxes_scores);
    format.boxes = box_format::xyxy;
    CHECK(recognise(detr, format).head == head_kind::boxes_scores);
}

TEST_CASE("a head that the nodes contradict is refused, with what it is")
{
    const auto joined = [](const std::string& nodes) {
        return parse_model("<ir_version: 8, opset_import: [\"\" : 13]> g (float[B,3,64,64] images, float[B,84,2] a, "
                           "float[B,84,2] b, float[B,84,3] s) => (float[B,84,7] rows) <int64[1] two = "
                           "{2}, float[1] half = {0.5}, float[1] stride = {16.0}, float[3,3] w = {1.0, 0.0, 0.0, 0.0, "
                           "1.0, 0.0, 0.0, 0.0, 1.0}> { " +
                           nodes + " }");
    };
    const auto corners = joined("c = Sub(a, b) d = Add(a, b) rows = Concat<axis = 2>(c, d, s)");
    check_failure(failure::refused, {"two corners", "`head` boxes-scores"},
                  [&] { (void)recognise(corners, told_head(head_kind::yolo)); });
    CHECK(recognise(corners, told_head(head_kind::boxes_scores)).head == head_kind::boxes_scores);

    const auto fractions = joined("c = Sigmoid(a) d = Sigmoid(b) e = Sigmoid(s) rows = Concat<axis = 2>(c, d, e)");
    check_failure(failure::refused, {"fractions", "`head` boxes-scores", "`normalised`"},
                  [&] { (void)recognise(fractions, told_head(head_kind::yolo)); });
    auto format = told_head(head_kind::boxes_scores);
    format.boxes = box_format::cxcywh;
    check_failure(failure::refused, {"fractions", "add `normalised`"}, [&] { (void)recognise(fractions, format); });
    format.normalised = true;
    CHECK(recognise(fractions, format).head == head_kind::boxes_scores);

    const auto pixels = joined("p = Mul(a, stride) q = Mul(b, stride) rows = Concat<axis = 2>(p, q, s)");
    check_failure(failure::refused, {"in pixels", "leave `normalised`"}, [&] { (void)recognise(pixels, format); });
    CHECK(recognise(pixels, told_head(head_kind::yolo)).head == head_kind::yolo);

    const auto logits =
        joined("p = Mul(a, stride) q = Mul(b, stride) k = MatMul(s, w) rows = Concat<axis = 2>(p, q, k)");
    check_failure(failure::refused, {"logits", "`scores` sigmoid", "`scores` none"},
                  [&] { (void)recognise(logits, told_head(head_kind::yolo)); });
    auto sigmoid = told_head(head_kind::yolo);
    sigmoid.head.activation = score_activation::sigmoid;
    CHECK(recognise(logits, sigmoid).head == head_kind::yolo);
    sigmoid.head.activation = score_activation::softmax;
    check_failure(failure::usage, {"`scores` softmax is given"}, [&] { (void)recognise(logits, sigmoid); });
}

TEST_CASE("what makes scores is seen wherever they are joined, and is not done twice")
{
    const auto joined = [](const std::string& nodes) {
        return parse_model("<ir_version: 8, opset_import: [\"\" : 13]> g (float[B,3,64,64] images, float[B,84,4] b, "
                           "float[B,84,3] s) => (float[B,84,7] rows) { p = Mul(b, b) " +
                           nodes + " }");
    };
    for (const char* const nodes :
         {"t = Sigmoid(s) rows = Concat<axis = 2>(p, t)", "t = Softmax<axis = 2>(s) rows = Concat<axis = -1>(p, t)",
          "t = Sigmoid(s) q = Transpose<perm = [0, 2, 1]>(p) u = Transpose<perm = [0, 2, 1]>(t) v = Concat<axis = "
          "1>(q, u) "
          "rows = Transpose<perm = [0, 2, 1]>(v)"}) {
        CAPTURE(nodes);
        const auto model = joined(nodes);
        for (const auto kind : {head_kind::yolo, head_kind::detr, head_kind::boxes_scores}) {
            auto options = told_head(kind);
            if (kind == head_kind::boxes_scores) {
                options.boxes = box_format::xyxy;
            }
            CHECK(recognise(model, options).head == kind);
            options.head.activation = score_activation::sigmoid;
            check_failure(failure::refused, {"already", "leave `scores` out"},
                          [&] { (void)recognise(model, options); });
        }
    }
    // Over the queries, not over the classes of one.
    const auto queries = joined("t = Softmax<axis = 1>(s) rows = Concat<axis = 2>(p, t)");
    check_failure(failure::refused, {"`scores` none"}, [&] { (void)recognise(queries, told_head(head_kind::detr)); });
    // In place, as in older YOLOv5: the Sigmoid is seen, and is not to be done again.
    const auto in_place =
        parse_model("<ir_version: 8, opset_import: [\"\" : 13]> g (float[B,3,64,64] images, float[B,84,7] r, "
                    "int64[k,2] at, float[k,7] "
                    "boxes) => (float[B,84,7] rows) { s = Sigmoid(r) rows = ScatterND(s, at, boxes) }");
    auto yolo = told_head(head_kind::yolo);
    CHECK(recognise(in_place, yolo).head == head_kind::yolo);
    yolo.head.activation = score_activation::sigmoid;
    check_failure(failure::refused, {"already", "leave `scores` out"}, [&] { (void)recognise(in_place, yolo); });
    // The last class is left out in the graph: none is left to leave out.
    const auto without = parse_model(
        "<ir_version: 8, opset_import: [\"\" : 13]> g (float[B,3,64,64] images, float[B,20,4] b, float[B,20,4] l) => "
        "(float[B,20,4] boxes, float[B,20,3] scores) <int64[1] zero = {0}, int64[1] minus = {-1}> { boxes = "
        "Identity(b) "
        "p = Softmax<axis = -1>(l) scores = Slice(p, zero, minus, minus) }");
    const auto found = recognise(without, told_head(head_kind::detr));
    CHECK_FALSE(found.selection.multi_label);
    auto third = told_head(head_kind::detr);
    third.head.classes = class_choice{{2}, false};
    CHECK(recognise(without, third).head == head_kind::detr);
    third.head.classes = class_choice{{3}, false};
    check_failure(failure::usage, {"a label is 3", "3 classes"}, [&] { (void)recognise(without, third); });
}

TEST_CASE("boxes and scores are told apart by what they can be, and then by their names")
{
    auto options = told_head(head_kind::detr);
    options.head.activation = score_activation::softmax;
    const auto source = [&](const std::string& outputs) {
        return recognise(head_model(outputs), options).rearranged->sources.begin()->second;
    };
    // As torch declares what it cannot work out.
    CHECK(source("float[B,q,k] out, float[B,q,6] logits").find("'out'") != std::string::npos);
    for (const char* const outputs :
         {"float[B,q,k] pred_boxes, float[B,q,4] logits", "float[B,q,4] logits, float[B,q,k] pred_boxes"}) {
        const auto found = recognise(head_model(outputs), options);
        CHECK(found.rearranged->sources.size() >= 4);
        auto three = options;
        three.head.class_count = 3; // and none
        CHECK(recognise(head_model(outputs), three).head == head_kind::detr);
        three.head.class_count = 4;
        check_failure(failure::refused, {"3 classes", "`num_classes` says 4"},
                      [&] { (void)recognise(head_model(outputs), three); });
    }
    check_failure(failure::refused, {"does not declare how many classes"},
                  [&] { (void)recognise(head_model("float[B,q,4] pred_boxes, float[B,q,k] logits"), options); });
    options.head.class_count = 5;
    CHECK(recognise(head_model("float[B,q,4] pred_boxes, float[B,q,k] logits"), options).head == head_kind::detr);
    check_failure(failure::refused, {"four numbers"},
                  [&] { (void)recognise(head_model("float[B,q,k] a, float[B,q,k] b"), options); });
    check_failure(failure::refused, {"are no such head"},
                  [&] { (void)recognise(head_model("float[B,q,6] a, float[B,q,7] b"), options); });
}

TEST_CASE("scores are told from boxes by what makes them, and may have their classes in front")
{
    const auto two = [](const std::string& scores, const std::string& nodes) {
        return parse_model(
            "<ir_version: 8, opset_import: [\"\" : 13]> g (float[B,3,64,64] images, float[B,84,4] b, float[B," +
            scores + "] s) => (float[B,a,k] loc, float[B," + scores + "] conf_of_boxes) { loc = Mul(b, b) " + nodes +
            " }");
    };
    auto options = told_head(head_kind::boxes_scores);
    options.boxes = box_format::xyxy;
    const auto source = [&](const onnx::ModelProto& model) {
        const auto found = recognise(model, options);
        for (const auto& source_of_value : found.rearranged->sources) {
            if (source_of_value.second.find("the boxes that are selected") == 0) {
                return source_of_value.second;
            }
        }
        return std::string();
    };
    CHECK(source(two("84,4", "conf_of_boxes = Sigmoid(s)")).find("from 'loc'") != std::string::npos);
    const auto misnamed = head_model("float[B,84,4] loc, float[B,84,4] conf_of_boxes",
                                     "loc = Identity(in_loc) conf_of_boxes = Sigmoid(in_conf_of_boxes)");
    check_failure(failure::refused, {"four numbers"}, [&] { (void)recognise(misnamed, options); });
    options.head.class_count = 3;
    CHECK(recognise(two("3,84", "conf_of_boxes = Sigmoid(s)"), options).limit->rows == 84);
    check_failure(failure::refused, {"has scores of 84 classes"}, [&] {
        options.head.class_count = 5;
        (void)recognise(two("3,84", "conf_of_boxes = Sigmoid(s)"), options);
    });
}

TEST_CASE("columns that the file does not declare are those along which the nodes join boxes and scores")
{
    const auto joined = [](const std::string& dimensions, const std::string& nodes, bool names) {
        auto model =
            parse_model("<ir_version: 8, opset_import: [\"\" : 13]> g (float[B,3,64,64] images, float[B,b,a] "
                        "boxes, float[B,c,a] classes) => (float[B," +
                        dimensions + "] output0) { p = Mul(boxes, boxes) s = Sigmoid(classes) " + nodes + " }");
        for (const auto& [key, value] : names ? of_three_classes : std::map<std::string, std::string>()) {
            auto& entry = *model.add_metadata_props();
            entry.set_key(key);
            entry.set_value(value);
        }
        return model;
    };
    const std::string middle = "output0 = Concat<axis = 1>(p, s)";
    const std::string transposed = "j = Concat<axis = 1>(p, s) output0 = Transpose<perm = [0, 2, 1]>(j)";
    // Ultralytics' dynamic exports without a simplifier.
    const auto found = recognise(joined("d,anchors", middle, true), {});
    CHECK(found.head == head_kind::yolo);
    CHECK(found.evidence.find("join boxes and scores") != std::string::npos);
    CHECK_THROWS_AS((void)recognise(joined("d,anchors", transposed, true), {}), tool_error);
    auto options = told_head(head_kind::yolo);
    check_failure(failure::refused, {"how many columns"},
                  [&] { (void)recognise(joined("d,anchors", middle, false), options); });
    options.head.class_count = 3;
    for (const auto& nodes : {middle, transposed}) {
        CHECK(recognise(joined("d,anchors", nodes, false), options).head == head_kind::yolo);
    }
    // Whatever their number looks like.
    CHECK(recognise(joined("84,7", middle, false), told_head(head_kind::yolo)).limit->rows == 7);
    CHECK(recognise(joined("7,84", transposed, false), told_head(head_kind::yolo)).limit->rows == 7);
}

TEST_CASE("boxes with a dimension for classes that they share are boxes too")
{
    const auto yolov4 =
        parse_model("<ir_version: 8, opset_import: [\"\" : 13]> g (float[B,3,64,64] images, float[B,60,4] b, "
                    "float[B,60,6] s) => (float[B,60,1,4] out, float[B,60,6] confs) "
                    "<int64[1] two = {2}> { out = Unsqueeze(b, two) confs = Identity(s) }");
    auto options = told_head(head_kind::boxes_scores);
    options.boxes = box_format::xyxy;
    options.normalised = true;
    const auto found = recognise(yolov4, options);
    CHECK(found.limit->rows == 60);
    CHECK(found.other_outputs.empty());
}

TEST_CASE("strides are those that leave a cell for each anchor, for both kinds with an objectness")
{
    const auto seg = [](const std::string& anchors) {
        return parse_model("<ir_version: 8, opset_import: [\"\" : 13]> g (float[B,3,64,64] images, float[B," + anchors +
                           ",16] i) => (float[B," + anchors +
                           ",16] rows, float[B,3,16,16] protos) { rows = Identity(i) protos = AveragePool<kernel_shape "
                           "= [4, 4], strides = [4, 4]>(images) }");
    };
    auto options = told_head(head_kind::yolo_objectness_seg);
    check_failure(failure::refused, {"`strides` 8,16,32", "`strides` none"},
                  [&] { (void)recognise(seg("84"), options); });
    check_failure(failure::refused, {"`strides` 8,16, or"}, [&] { (void)recognise(seg("80"), options); });
    for (const std::vector<std::int64_t>& strides : {std::vector<std::int64_t>{8, 16}, std::vector<std::int64_t>()}) {
        options.head.strides = strides;
        CHECK(recognise(seg("80"), options).head == head_kind::yolo_objectness_seg);
    }
}

TEST_CASE("of two outputs with four numbers in a row the boxes are those that are called so")
{
    auto options = told_head(head_kind::detr);
    options.head.activation = score_activation::sigmoid;
    for (const char* const outputs :
         {"float[B,20,4] logits, float[B,20,4] pred_Boxes", "float[B,20,4] pred_Boxes, float[B,20,4] logits"}) {
        const auto found = recognise(head_model(outputs), options);
        CHECK(std::any_of(found.rearranged->sources.begin(), found.rearranged->sources.end(), [](const auto& source) {
            return source.second.find("boxes that are selected from 'pred_Boxes'") != std::string::npos;
        }));
    }
    for (const char* const outputs :
         {"float[B,20,4] p, float[B,20,4] q", "float[B,20,4] box_scores, float[B,20,4] coords",
          "float[B,20,4] det_boxes, float[B,20,4] boxes"}) {
        check_failure(failure::refused, {"four numbers"}, [&] { (void)recognise(head_model(outputs), options); });
    }
}
