// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/padded_evidence.hpp>

#include <tests/support/parse_model.hpp>

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <vector>

using namespace padbatch::onnx_tools;
using namespace padbatch::test;

namespace {

onnx::ModelProto graph_of(const std::string& nodes)
{
    return parse_model(
        "<ir_version: 7, opset_import: [\"\" : 13, \"x\" : 1]> g (float[B,3,4,4] images, float[B,n,2] c, "
        "float[B,n,2] h, float[B,n,4] boxes, float[B,n] scores, int64[B,k] at) => (float[B,M,4] out) { "
        "one = Constant<value = int64[1] {1}>() five = Constant<value = int64[1] {5}>() "
        "which = Constant<value = int64 {0}>() zero = Constant<value = float {0.0}>() " +
        nodes + " }");
}

shown_boxes boxes_in(const std::string& nodes)
{
    const auto model = graph_of(nodes);
    return boxes_of(graph_index(model.graph()), "out");
}

std::optional<std::int64_t> rows_in(const std::string& nodes)
{
    const auto model = graph_of(nodes);
    const auto limit = padded_rows_of(graph_index(model.graph()), "out");
    return limit ? std::optional(limit->rows) : std::nullopt;
}

const onnx::NodeProto* built_in(const onnx::ModelProto& model)
{
    return built_batch(graph_index(model.graph()), "images", "out");
}

} // namespace

TEST_CASE("boxes are corners if two sums share a center, or a NonMaxSuppression reads them as corners")
{
    const std::string corners = "low = Sub(c, h) high = Add(h, c) both = Concat<axis = -1>(low, high) ";
    CHECK(boxes_in(corners + "out = Identity(both)") == shown_boxes::two_corners);
    CHECK(boxes_in(corners + "picked = GatherND(both, at) scaled = Mul(picked, zero) out = Clip(scaled)") ==
          shown_boxes::two_corners);
    CHECK(boxes_in("low = Sub(c, h) high = Add(h, h) out = Concat<axis = -1>(low, high)") == shown_boxes::unknown);
    CHECK(boxes_in("low = Sub(h, c) high = Add(c, h) out = Concat<axis = -1>(low, low)") == shown_boxes::unknown);
    CHECK(boxes_in("sum = Add(c, h) middle = Div(sum, zero) size = Sub(h, c) out = Concat<axis = -1>(middle, size)") ==
          shown_boxes::center_and_extents);
    CHECK(boxes_in("out = Sigmoid(boxes)") == shown_boxes::unknown);
    // A corner, and how far the other is from it, in pairs and in columns.
    CHECK(boxes_in("low = Sub(c, h) size = Sub(h, low) out = Concat<axis = -1>(low, size)") ==
          shown_boxes::corner_and_extents);
    CHECK(boxes_in("low = Sub(c, h) size = Sub(low, h) out = Concat<axis = -1>(low, size)") == shown_boxes::unknown);
    const std::string parted = corners + "x, y, z, t = Split<axis = 2>(both) ";
    CHECK(boxes_in(parted + "w = Sub(z, x) g = Sub(t, y) out = Concat<axis = 2>(x, y, w, g)") ==
          shown_boxes::corner_and_extents);
    // Columns that are as they were beside computed ones do not tell what all of them are.
    CHECK(boxes_in(parted + "w = Sub(z, y) g = Sub(t, x) out = Concat<axis = 2>(x, y, w, g)") == shown_boxes::unknown);
    CHECK(boxes_in(parted + "out = Concat<axis = 2>(x, y, z, t)") == shown_boxes::two_corners);
    // Columns in another order are something else.
    CHECK(boxes_in(corners + "order = Constant<value = int64[4] {1, 0, 3, 2}>() out = Gather<axis = 2>(both, order)") ==
          shown_boxes::unknown);
    const std::string selection = "raw = Relu(boxes) moved = Add(raw, zero) picked = NonMaxSuppression";
    CHECK(boxes_in(selection + "(moved, scores) out = GatherND(raw, picked)") == shown_boxes::two_corners);
    CHECK(boxes_in(selection + "<center_point_box = 1>(moved, scores) out = GatherND(raw, picked)") ==
          shown_boxes::center_and_extents);
    CHECK(boxes_in("out, rest = x.Net(boxes)") == shown_boxes::unknown);
    CHECK(boxes_in("n, out, s, l = x.EfficientNMS_TRT<box_coding = 0>(boxes, scores)") == shown_boxes::two_corners);
    CHECK(boxes_in("n, out, s, l = x.EfficientNMS_TRT<box_coding = 1>(boxes, scores)") == shown_boxes::unknown);
}

TEST_CASE("the matrix that makes corners of centers is known by its numbers")
{
    const std::string matrix = "m = Constant<value = float[4,4] {1, 0, 1, 0, 0, 1, 0, 1, -0.5, 0, 0.5, 0, 0, -0.5, 0, ";
    CHECK(boxes_in(matrix + "0.5}>() out = MatMul(boxes, m)") == shown_boxes::two_corners);
    CHECK(boxes_in(matrix + "1.5}>() out = MatMul(boxes, m)") == shown_boxes::unknown);
}

TEST_CASE("the number of rows is the constant of the TopK that picks them, or that of the zeros behind them")
{
    const std::string topk = "flat = Flatten(scores) best, places = TopK(flat, five) ";
    CHECK(rows_in(topk + "out = Identity(best)") == 5);
    CHECK(rows_in(topk + "out = GatherElements<axis = 1>(boxes, places)") == 5);
    CHECK(rows_in(topk + "column = Unsqueeze(places, one) out = GatherND(boxes, column)") == 5);
    // More rows beside those, and the best class of each row.
    CHECK(rows_in(topk + "out = Concat<axis = 1>(best, scores)") == std::nullopt);
    CHECK(rows_in("best, places = TopK<axis = 2>(boxes, five) out = Identity(best)") == std::nullopt);
    CHECK(rows_in("best, places = TopK(boxes, five) out = Identity(best)") == std::nullopt);
    CHECK(rows_in(topk + "out = Slice(best, which, five, one)") == std::nullopt);
    const std::string zeros = "six = Constant<value = int64[3] {2, 7, 6}>() base = ConstantOfShape(six) ";
    CHECK(rows_in(zeros + "first = ScatterND(base, at, boxes) out = ScatterND(first, at, boxes)") == 7);
    CHECK(rows_in("size = Shape(images) base = ConstantOfShape(size) out = ScatterND(base, at, boxes)") ==
          std::nullopt);
}

TEST_CASE("what rows are filled up with is found behind copies and sums")
{
    const auto filled = [](const std::string& nodes, double number) {
        const auto model = graph_of(nodes);
        return is_filled_with(graph_index(model.graph()), "out", number);
    };
    CHECK(filled("base = ConstantOfShape(one) a = ScatterND(base, at, boxes) out = Gather(a, at)", 0));
    CHECK_FALSE(filled("base = ConstantOfShape(one) a = ScatterND(base, at, boxes) out = Gather(a, at)", -1));
    CHECK_FALSE(filled("base = ConstantOfShape(one) a = ScatterND(base, at, boxes) out = Relu(a)", 0));
    CHECK(filled("minus = Constant<value = int64[1] {-1}>() out = Where(at, scores, minus)", -1));
    CHECK(filled("ones = ConstantOfShape<value = int64[1] {1}>(one) minus = Constant<value = int64 {-1}>() "
                 "rest = Mul(ones, minus) out = Concat<axis = 1>(scores, rest)",
                 -1));
    CHECK(filled("out = Pad(scores, one)", 0));
    CHECK_FALSE(filled("out = Pad<mode = \"edge\">(scores, one)", 0));
    CHECK_FALSE(filled("out = Pad(scores, one, which)", 1));
}

TEST_CASE("images at fixed places are found between layers that keep the batch")
{
    const std::string layers = "a = Conv(images, boxes) b = Relu(a) ";
    CHECK(built_in(graph_of(layers + "out = Gather<axis = 0>(b, which)")) != nullptr);
    CHECK(built_in(graph_of(layers + "t = Transpose<perm = [0, 2, 1]>(b) p, q = Split<axis = 0>(t) "
                                     "out = Concat<axis = 0>(q, p)")) != nullptr);
    CHECK(built_in(graph_of(layers + "more = Concat<axis = 0>(b, zero) out = Gather(more, which)")) != nullptr);
    CHECK(built_in(graph_of(layers + "z = Constant<value = int64[1] {0}>() out = Slice(b, z, one, z)")) != nullptr);
    CHECK(built_in(graph_of(layers + "z = Constant<value = int64[1] {0}>() out = Slice(b, z, at, z)")) == nullptr);
    CHECK(built_in(graph_of(layers + "s = Constant<value = int64[2] {-1, 84}>() r = Reshape(b, s) "
                                     "out = Gather(r, which)")) != nullptr);
    // Other dimensions, extents, and places that are computed.
    CHECK(built_in(graph_of(layers + "out = Gather<axis = 1>(b, which)")) == nullptr);
    CHECK(built_in(graph_of(layers + "t = Transpose<perm = [2, 0, 1]>(b) out = Gather<axis = 0>(t, which)")) ==
          nullptr);
    CHECK(built_in(graph_of(layers + "s = Shape(b) n = Gather(s, which) out = Expand(b, n)")) == nullptr);
    CHECK(built_in(graph_of(layers + "out = Gather(b, at)")) == nullptr);
    // What is taken apart, but not for the rows.
    CHECK(built_in(graph_of(layers + "side = Gather(b, which) out = Relu(b)")) == nullptr);
}

TEST_CASE("a count is what an operator calls so, or how many scores pass a comparison")
{
    const auto counts = [](const std::string& nodes) {
        const auto model = graph_of(nodes);
        return is_count_of(graph_index(model.graph()), "n", {"boxes_of", "scores_of"});
    };
    const std::string compared = "boxes_of = Relu(boxes) scores_of = Relu(scores) high = Greater(scores_of, zero) "
                                 "ones = Cast<to = 7>(high) ";
    CHECK(counts(compared + "sum = ReduceSum(ones, one) n = Cast<to = 6>(sum)"));
    CHECK_FALSE(counts(compared + "n = ReduceMax(ones)"));
    CHECK_FALSE(counts("boxes_of = Relu(boxes) scores_of = Relu(scores) high = Less(scores_of, zero) "
                       "ones = Cast<to = 7>(high) n = ReduceSum(ones, one)"));
    CHECK_FALSE(counts("boxes_of = Relu(boxes) scores_of = Relu(scores) high = Greater(scores, zero) "
                       "ones = Cast<to = 7>(high) n = ReduceSum(ones, one)"));
    CHECK(counts("n, boxes_of, scores_of, l = x.EfficientNMS_TRT(boxes, scores)"));
    CHECK_FALSE(counts("l, boxes_of, scores_of, n = x.EfficientNMS_TRT(boxes, scores)"));
    CHECK_FALSE(counts("n, boxes_of, scores_of, l = x.Net(boxes, scores)"));
}
