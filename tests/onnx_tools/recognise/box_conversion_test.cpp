// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/box_conversion.hpp>

#include <onnx_tools/recognise/pixel_boxes.hpp>
#include <onnx_tools/recognise/recognise.hpp>

#include <tests/support/check_failure.hpp>
#include <tests/support/parse_model.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace padbatch::onnx_tools;
using namespace padbatch::test;

// (What the nodes compute is compared in engines/box_format_runtime_test.cpp.)

namespace {

onnx::ModelProto graph_with(const std::string& inputs, const std::string& outputs, const std::string& nodes)
{
    return parse_model("<ir_version: 7, opset_import: [\"\" : 13, \"x\" : 1]> g (" + inputs + ") => (" + outputs +
                       ") { one = Constant<value = int64 {1}>() limit = Constant<value = int64[1] {5}>() " + nodes +
                       " }");
}

const std::string three_fields = "float[n,4] boxes, float[n] scores, int64[n] labels";

onnx::ModelProto fields_of(const std::string& images,
                           const std::string& nodes = "boxes, scores, labels = x.Net(images)")
{
    return graph_with(images + " images", three_fields, nodes);
}

recognise_options told_boxes(export_kind from, box_format format, bool fractions = false)
{
    recognise_options options;
    options.from = from;
    options.boxes = format;
    options.normalised = fractions;
    return options;
}

void check_conversion_refused(const std::vector<std::string>& parts, const onnx::ModelProto& model,
                              const recognise_options& options, failure kind = failure::refused)
{
    check_failure(kind, parts, [&] { (void)recognise(model, options); });
}

std::int64_t height_of(const std::string& shape, const std::string& nodes = "y = x.Net(images)")
{
    const auto model = graph_with("float[" + shape + "] images", "float y", nodes);
    return height_dimension(graph_index(model.graph()), "images");
}

} // namespace

TEST_CASE("height and width are where the channels are not")
{
    CHECK(height_of("B,3,H,W") == 2);
    CHECK(height_of("1,1,480,640") == 2);
    CHECK(height_of("B,H,W,3") == 1);
    CHECK(height_of("3,H,W") == 1);
    CHECK(height_of("H,W,1") == 0);
    CHECK(height_of("B,C,H,W", "a = Mul(images, images) y = Conv(a, one)") == 2);
    CHECK(height_of("1,4,H,W", "y = Conv(images, one)") == 2);
    for (const std::string shape : {"B,C,H,W", "1,256,20,20", "n,4", "C,H,W"}) {
        CAPTURE(shape);
        check_failure(failure::refused, {"nothing shows which extents of the input 'images'", "[B, H, W, 3]"},
                      [&] { (void)height_of(shape); });
    }
    check_failure(failure::refused, {"nothing shows which extents"},
                  [] { (void)height_of("B,C,H,W", "y = Conv(one, images)"); });
}

TEST_CASE("boxes of fields are converted behind what is recognised")
{
    const auto found = recognise(fields_of("float[1,3,H,W]"), told_boxes(export_kind::fields, box_format::xywh, true));
    REQUIRE(found.rearranged);
    CHECK(found.fields.front().values.front() == found.rearranged->outputs.front().name());
    CHECK(found.rearranged->outputs.at(1).name() == "scores");
    CHECK(found.box_conversion ==
          "converts boxes from xywh from fractions of the width and height of the input to x1, y1, x2, y2 in pixels");
    CHECK(found.in_pixels);
    CHECK_FALSE(found.channels_last);
    const auto last = recognise(fields_of("uint8[1,H,W,3]"), told_boxes(export_kind::fields, box_format::xyxy, true));
    CHECK(last.channels_last);
    CHECK(last.images == std::vector<std::string>{"images"});
    const auto same = recognise(fields_of("float[1,3,H,W]"), told_boxes(export_kind::fields, box_format::xyxy));
    CHECK_FALSE(same.rearranged);
    CHECK(same.box_conversion.empty());
}

TEST_CASE("formats that columns can say are columns of a list, and others are converted")
{
    const auto model = graph_with("float[B,3,H,W] images", three_fields + ", int64[n] whose",
                                  "boxes, scores, labels, whose = x.Net(images)");
    for (const auto format : {box_format::yxyx, box_format::cxcywh, box_format::xywh}) {
        auto options = told_boxes(export_kind::flat, format);
        options.batch_index = "whose";
        const auto found = recognise(model, options);
        REQUIRE(found.flat);
        CHECK(found.rearranged.has_value() == (format == box_format::xywh));
        CHECK(found.flat->columns.front() == (format == box_format::yxyx     ? flat_column::y1
                                              : format == box_format::cxcywh ? flat_column::cx
                                                                             : flat_column::x1));
    }
}

TEST_CASE("what the nodes show of boxes is not contradicted")
{
    check_conversion_refused({"`box_format` is cxcywh", "a corner and a size", "the nodes show", "xywh"},
                             fields_of("float[1,3,H,W]",
                                       "a, b, scores, labels = x.Net(images) size = Sub(b, a) boxes = "
                                       "Concat<axis = 1>(a, size)"),
                             told_boxes(export_kind::fields, box_format::cxcywh));
    for (const bool center : {false, true}) {
        const auto model = graph_with("float[B,3,H,W] images", "int64[n,3] picked",
                                      "b, s = x.Net(images) picked = NonMaxSuppression<center_point_box = " +
                                          std::string(center ? "1" : "0") + ">(b, s)");
        for (const auto format : {box_format::xyxy, box_format::yxyx, box_format::cxcywh, box_format::xywh}) {
            const auto options = told_boxes(export_kind::nms, format, true);
            if (center == (format == box_format::cxcywh) && format != box_format::xywh) {
                CHECK(recognise(model, options).in_pixels);
            } else {
                check_conversion_refused({"`box_format` is", "reads the boxes as", center ? "cxcywh" : "xyxy or yxyx"},
                                         model, options);
            }
        }
    }
}

TEST_CASE("centers and sizes are not taken for corners")
{
    const std::string centers =
        "low, high, scores, labels = x.Net(images) sum = Add(low, high) half = Constant<value = "
        "float {0.5}>() middle = Mul(sum, half) size = Sub(high, low) boxes = Concat<axis = "
        "1>(middle, size)";
    auto options = told_boxes(export_kind::fields, box_format::cxcywh);
    const auto model = fields_of("float[1,3,H,W]", centers);
    CHECK_NOTHROW((void)recognise(model, options));
    options.boxes.reset();
    check_conversion_refused({"the boxes of 'boxes' are centers and sizes", "`box_format` cxcywh"}, model, options);
    const auto list = graph_with("float[B,3,H,W] images", three_fields + ", int64[n] whose",
                                 "low, high, scores, labels, whose = x.Net(images) size = Sub(high, low) boxes = "
                                 "Concat<axis = 1>(low, size)");
    options.from = export_kind::flat;
    options.batch_index = "whose";
    check_conversion_refused({"the boxes of 'boxes' are corners and sizes", "`box_format` xywh"}, list, options);
    options.boxes = box_format::xywh;
    CHECK_NOTHROW((void)recognise(list, options));
}

TEST_CASE("conversions that would be guesses, or have nothing to convert, are refused")
{
    const auto fractions = told_boxes(export_kind::fields, box_format::xyxy, true);
    check_conversion_refused({"nothing shows which extents of the input 'images'"}, fields_of("float[1,16,20,20]"),
                             fractions);
    check_conversion_refused({"not clear which input is the image"}, fields_of("float[1,7]"), fractions);
    auto with_keypoints = fractions;
    with_keypoints.fields = {field::boxes, field::scores, field::labels, field::keypoints};
    check_conversion_refused({"whether the keypoints are fractions too"},
                             graph_with("float[1,3,H,W] images", three_fields + ", float[n,17,3] keypoints",
                                        "boxes, scores, labels, keypoints = x.Net(images)"),
                             with_keypoints);
    auto both = fractions;
    both.columns = {flat_column::y1, flat_column::x1, flat_column::y2, flat_column::x2};
    for (const auto from : {export_kind::automatic, export_kind::fields, export_kind::flat, export_kind::nms}) {
        both.from = from;
        check_conversion_refused({"`box_format` is given together with `columns`"}, fields_of("float[1,3,H,W]"), both,
                                 failure::usage);
    }
    auto scores = fractions;
    scores.fields = {field::scores, field::labels};
    check_conversion_refused(
        {"`box_format` is given, but the model has no boxes"},
        graph_with("float[1,3,H,W] images", "float[n] scores, int64[n] labels", "scores, labels = x.Net(images)"),
        scores, failure::usage);
}

TEST_CASE("boxes that are converted are in pixels where they were before")
{
    // Computed by something that is not known, and picked as they are.
    for (const bool picked : {false, true}) {
        const auto model =
            picked ? graph_with("float[B,3,H,W] images",
                                "float[n,4] boxes, float[n] scores, int64[n] labels, "
                                "int64[n] whose",
                                "boxes, scores, labels, whose = x.Net(images)")
                   : graph_with("float[B,3,H,W] images",
                                "float[n,4] boxes, float[n] scores, int64[n] labels, "
                                "int64[n] whose",
                                "b, scores, labels, whose = x.Net(images) half = Constant<value = float {0.5}>() boxes "
                                "= Mul(b, half)");
        auto options = told_boxes(export_kind::flat, box_format::xywh);
        options.batch_index = "whose";
        const auto found = recognise(model, options);
        CHECK(found.in_pixels == picked);
        CHECK(doubt_about_pixels(graph_index(model.graph()), found).empty() == picked);
    }
}
