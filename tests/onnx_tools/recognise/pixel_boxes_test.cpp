// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/pixel_boxes.hpp>

#include <onnx_tools/recognise/recognise.hpp>

#include <tests/support/check_failure.hpp>
#include <tests/support/fixture_models.hpp>
#include <tests/support/parse_model.hpp>

#include <doctest/doctest.h>

#include <string>

using namespace padbatch::onnx_tools;
using namespace padbatch::test;

namespace {

// A detector of one image; `before` makes `x` from `image`, `after` makes the boxes from `b`, rows of a cut.
std::string doubt(const std::string& before, const std::string& after, const std::string& input = "float[1,3,h,w]")
{
    const auto model =
        parse_model("<ir_version: 7, opset_import: [\"\" : 13]> g (" + input +
                    " image) => (float[a,4] boxes, int64[a] labels, float[a] scores) { "
                    "zero = Constant<value = int64[1] {0}>() limit = Constant<value = int64[1] {7}>() "
                    "ratio = Constant<value = float[1] {2}>() scales = Constant<value = float[4] {1, 1, 2, 2}>() " +
                    before +
                    " features = Conv(x, weight) all_boxes, all_labels, all_scores, keep = Net(features) "
                    "weight = Constant<value = float[1] {1}>() "
                    "rows = Slice(keep, zero, limit, zero) b = Gather(all_boxes, rows) " +
                    after + " labels = Gather(all_labels, rows) scores = Gather(all_scores, rows) }");
    return doubt_about_pixels(graph_index(model.graph()), recognise(model));
}

const std::string plain = "x = Identity(image)";
const std::string resized = "n = Sub(image, ratio) x = Resize(n, , scales)";
const std::string columns = "x0, x1, x2, x3 = Split<axis = 1>(b) ";
const std::string scaled = columns + "y0 = Mul(x0, ratio) y1 = Mul(x1, ratio) y2 = Mul(x2, ratio) "
                                     "y3 = Mul(x3, ratio) boxes = Concat<axis = 1>(y0, y1, y2, y3)";

bool says(const std::string& text, const std::string& words)
{
    return text.find(words) != std::string::npos;
}

} // namespace

TEST_CASE("the boxes of every fixture are in pixels")
{
    for_each_fixture([](const fixture& known, const onnx::ModelProto& model) {
        CAPTURE(known.file.filename().string());
        CHECK(doubt_about_pixels(graph_index(model.graph()), recognise(model)).empty());
    });
}

TEST_CASE("boxes are in pixels where the image is not resized, or they are scaled back once")
{
    CHECK(doubt(plain, "boxes = Identity(b)").empty());
    CHECK(doubt(resized, scaled).empty());
    CHECK(says(doubt(resized, "boxes = Identity(b)"), "resized once, but the boxes 'boxes' are scaled 0 times"));
    CHECK(says(doubt(plain, scaled), "resized not at all, but the boxes 'boxes' are scaled 1 time"));
    CHECK(says(doubt("r = Resize(image, , scales) x = Resize(r, , scales)", scaled), "more than once"));
}

TEST_CASE("boxes that were computed from others are in doubt")
{
    for (const std::string after : {"boxes = Div(b, ratio)", "boxes = Mul(b, ratio)",
                                    "x0, x1, x2, x3 = Split<axis = 1>(b) w = Sub(x2, x1) h = Sub(x3, x0) boxes = "
                                    "Concat<axis = 1>(x0, x1, w, h)"}) {
        CAPTURE(after);
        CHECK_FALSE(doubt(plain, after).empty());
    }
    // Corners and sizes are not even taken for boxes.
    check_failure(failure::refused, {"corners and sizes", "`box_format` xywh"}, [] {
        (void)doubt(plain, "x0, x1, x2, x3 = Split<axis = 1>(b) w = Sub(x2, x0) h = Sub(x3, x1) boxes = "
                           "Concat<axis = 1>(x0, x1, w, h)");
    });
}

TEST_CASE("an image of integers, or with its channels last, is in doubt")
{
    CHECK(says(doubt("x = Cast<to = 1>(image)", "boxes = Identity(b)", "uint8[1,3,h,w]"), "not of floating point"));
    CHECK(says(doubt(plain, "boxes = Identity(b)", "float[1,h,w,3]"), "channels last"));
    CHECK(says(doubt("x = Transpose<perm = [0, 3, 1, 2]>(image)", "boxes = Identity(b)", "float[1,h,w,c]"),
               "transposed"));
}

TEST_CASE("an image whose axes are exchanged and exchanged back is not transposed")
{
    // So torch.export copies an image into a larger one, along one axis after the other.
    const std::string canvas = "canvas = Constant<value = float[1] {0}>() at = Constant<value = int64[1,1] {0}>() ";
    const std::string copied = canvas + "t = Transpose<perm = [0, 1, 3, 2]>(image) c = ScatterND(canvas, at, t) ";
    CHECK(doubt(copied + "x = Transpose<perm = [0, 1, 3, 2]>(c)", "boxes = Identity(b)").empty());
    const std::string in_three = canvas + "t = Transpose<perm = [3, 0, 1, 2]>(image) c = ScatterND(canvas, at, t) "
                                          "u = Transpose<perm = [3, 0, 1, 2]>(c) d = ScatterND(canvas, at, u) ";
    CHECK(doubt(in_three + "x = Transpose<perm = [2, 3, 0, 1]>(d)", "boxes = Identity(b)").empty());
    for (const auto& other :
         {in_three + "x = Transpose<perm = [3, 0, 1, 2]>(d)", copied + "x = Identity(c)",
          copied + "r = Resize(c, , scales) x = Transpose<perm = [0, 1, 3, 2]>(r)", copied + "x = Transpose(c)"}) {
        CAPTURE(other);
        CHECK(says(doubt(other, "boxes = Identity(b)"), "transposed"));
    }
}

TEST_CASE("rows in one list are in doubt if their columns were computed after they were picked")
{
    const auto doubt_about = [](const std::string& boxes) {
        const auto model = parse_model(
            "<ir_version: 7, opset_import: [\"\" : 13]> g (float[B,3,64,80] image) => (float[n,7] rows) { "
            "features = Conv(image, weight) all_boxes, image_of, all_labels, all_scores, kept = Net(features) "
            "weight = Constant<value = float[1] {1}>() b = Gather(all_boxes, kept) " +
            boxes +
            " s = Gather(all_scores, kept) whole = Cast<to = 7>(all_labels) l = Cast<to = 1>(whole) "
            "i = Cast<to = 1>(image_of) joined = Concat<axis = 1>(i, c, l, s) rows = Identity(joined) }");
        recognise_options options;
        options.from = export_kind::flat;
        return doubt_about_pixels(graph_index(model.graph()), recognise(model, options));
    };
    CHECK(doubt_about("c = Cast<to = 1>(b)").empty());
    CHECK(says(doubt_about("c = Div(b, weight)"), "'rows' are computed after the rows are picked"));
    CHECK(says(doubt_about("d = Mul(b, weight) c = Reshape(d, kept)"), "computed after"));
}
