// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/serve/first_extents.hpp>

#include <tests/support/parse_model.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

using namespace padbatch::onnx_tools;
using namespace padbatch::test;

namespace {

// What the first extent of `y` counts, in a model of images, boxes and scores that begin with the batch, and with the
// rows that a NonMaxSuppression keeps: `kept`, [n, 3], and `rows`, [n].
std::string first_extent(const std::string& nodes, const std::string& y = "y", int opset = 13)
{
    const auto model = parse_model(
        "<ir_version: 7, opset_import: [\"\" : " + std::to_string(opset) +
        "]> g (float[N,3,16,16] images, float[N,50,4] boxes, float[N,7,50] scores, float[7,5] other) => (float[N] out) "
        "{ kept = NonMaxSuppression(boxes, scores) two = Constant <value = int64 {2}> () rows = Gather <axis = 1> "
        "(kept, "
        "two) zero = Constant <value = int64[1] {0}> () one = Constant <value = int64[1] {1}> () " +
        nodes + " }");
    const graph_index index(model.graph());
    extent_finder finder(index, {"images", "boxes", "scores"});
    const auto found = finder.first_extent_of(y);
    CHECK(finder.first_extent_of(y) == found); // what was found is kept
    return found == counted::images ? "images" : found == counted::rows ? "rows" : "unknown";
}

std::string constant_of(const std::string& name, const std::string& values)
{
    const auto size = std::count(values.begin(), values.end(), ',') + 1;
    return name + " = Constant <value = int64[" + std::to_string(size) + "] {" + values + "}> () ";
}

} // namespace

TEST_CASE("inputs count images, and a selection counts rows")
{
    CHECK(first_extent("", "images") == "images");
    CHECK(first_extent("", "other") == "unknown");
    CHECK(first_extent("", "nothing") == "unknown");
    CHECK(first_extent("", "kept") == "rows");
    CHECK(first_extent("", "rows") == "rows");
    CHECK(first_extent("m = NonZero(other)", "m") == "unknown"); // [2, n]
    CHECK(first_extent("m = NonZero(other) y = Transpose <perm = [1, 0]> (m)") == "rows");
    CHECK(first_extent("m = NonZero(other) y = Transpose (m)") == "rows");
    CHECK(first_extent("m = NonZero(other) z = Constant <value = int64 {0}> () y = Gather(m, z)") == "rows");
    CHECK(first_extent("m = NonZero(other) a, b = Split(m) y = Squeeze(a, zero)") == "rows");
    CHECK(first_extent("c = Greater(rows, two) y = Compress <axis = 0> (other, c)") == "rows");
    CHECK(first_extent("c = Greater(rows, two) y = Compress <axis = 1> (boxes, c)") == "images");
}

TEST_CASE("what keeps the first extent, and what does not")
{
    CHECK(first_extent("a = Relu(images) y = Softmax(a)") == "images");
    CHECK(first_extent("y = Conv(images, other)") == "images");
    CHECK(first_extent("a = MaxPool <kernel_shape = [2, 2]> (images) y = Flatten(a)") == "images");
    CHECK(first_extent("y = Flatten <axis = 0> (images)") == "unknown");
    CHECK(first_extent("y = x.Relu(images)") == "unknown");
    CHECK(first_extent("y = Net(images)") == "unknown");
    CHECK(first_extent("k = Constant <value = int64[1] {5}> () v, y = TopK(scores, k)") == "images");
    CHECK(first_extent("k = Constant <value = int64[1] {5}> () v, y = TopK <axis = 0> (scores, k)") == "unknown");
    CHECK(first_extent("a, y = Split <axis = 1> (boxes)") == "images");
    CHECK(first_extent("y, b = Split <axis = 0> (boxes)") == "unknown");
    CHECK(first_extent("y = ReduceMax <axes = [1]> (scores)") == "images");
    CHECK(first_extent("y = ReduceMax <axes = [1], keepdims = 0> (scores)") == "images");
    CHECK(first_extent("y = ReduceMax <axes = [-3]> (scores)") == "unknown");
    CHECK(first_extent("y = ReduceMax (scores)") == "unknown");
    CHECK(first_extent("y = ArgMax <axis = -2, keepdims = 0> (scores)") == "images");
    CHECK(first_extent("m = NonZero(other) y = ReduceMax <axes = [0], keepdims = 0> (m)") == "rows"); // n is first now
    CHECK(first_extent("y = Transpose <perm = [0, 2, 1]> (scores)") == "images");
    CHECK(first_extent("y = Transpose <perm = [1, 0, 2]> (scores)") == "unknown");
    CHECK(first_extent("y = Concat <axis = -1> (boxes, boxes)") == "images");
    CHECK(first_extent("y = Concat <axis = 0> (boxes, boxes)") == "unknown");
    CHECK(first_extent("y = Concat <axis = 0> (kept, kept)") == "rows");
    CHECK(first_extent("p = Constant <value = int64[6] {0, 0, 0, 0, 1, 0}> () y = Pad(boxes, p)") == "images");
    CHECK(first_extent("p = Constant <value = int64[6] {0, 0, 0, 1, 0, 0}> () y = Pad(boxes, p)") == "unknown");
}

TEST_CASE("operands of fewer dimensions are aligned at the last one")
{
    CHECK(first_extent("y = Add(boxes, one)") == "images");
    CHECK(first_extent("s = ReduceMax <axes = [1, 2], keepdims = 0> (scores) y = Mul(other, s)") == "unknown");
    CHECK(first_extent("y = Mul(rows, one)") == "rows");
    CHECK(first_extent("a = Unsqueeze(rows, one) y = Sub(kept, a)") == "rows");
    CHECK(first_extent("s = ReduceMax <axes = [1, 2], keepdims = 0> (scores) y = Mul(rows, s)") == "unknown");
}

TEST_CASE("slices that take all images, and slices of rows")
{
    const auto slice = [](const std::string& starts, const std::string& ends, const std::string& rest,
                          const std::string& of = "boxes") {
        return first_extent(constant_of("s", starts) + constant_of("e", ends) + constant_of("minus_three", "-3") +
                            constant_of("two_steps", "2") + "y = Slice(" + of + ", s, e" + rest + ")");
    };
    CHECK(slice("0, 0", "9223372036854775807, 5", "") == "images");
    CHECK(slice("0, 0", "4611686018427387904, 5", "") == "images");
    CHECK(slice("0, 0", "5, 5", "") == "unknown");
    CHECK(slice("1, 0", "9223372036854775807, 5", "") == "unknown");
    CHECK(slice("0", "5", ", one") == "images");
    CHECK(slice("0", "5", ", minus_three") == "unknown");
    CHECK(slice("0", "5", ", rows") == "unknown"); // along which it is, is not known
    CHECK(slice("0", "9223372036854775807", ", zero, one") == "images");
    CHECK(slice("0", "9223372036854775807", ", zero, two_steps") == "unknown");
    CHECK(slice("0", "5", ", zero, one", "kept") == "rows"); // five at most
    CHECK(first_extent("y = Slice <starts = [0], ends = [2], axes = [0]> (boxes)", "y", 9) == "unknown");
    CHECK(first_extent("y = Slice <starts = [0], ends = [2], axes = [1]> (boxes)", "y", 9) == "images");
}

TEST_CASE("what is gathered counts as what it is gathered by, or from")
{
    CHECK(first_extent("y = Gather(boxes, zero)") == "unknown");
    CHECK(first_extent("y = Gather <axis = 1> (boxes, rows)") == "images");
    CHECK(first_extent("y = Gather(other, rows)") == "rows");
    CHECK(first_extent("y = Gather(other, kept)") == "rows");
    CHECK(first_extent("y = GatherND(boxes, kept)") == "rows");
    CHECK(first_extent("y = GatherND(boxes, zero)") == "unknown");
    CHECK(first_extent("y = GatherElements <axis = 1> (other, boxes)") == "images");
    CHECK(first_extent("y = RoiAlign(images, kept, rows)") == "rows");
}

TEST_CASE("shapes that keep the first extent, and those that compute it")
{
    const auto reshape = [](const std::string& of, const std::string& shape) {
        return first_extent(constant_of("s", shape) + "y = Reshape(" + of + ", s)");
    };
    CHECK(reshape("boxes", "0, 200") == "images");
    CHECK(reshape("boxes", "0, -1") == "images");
    CHECK(reshape("boxes", "-1, 4") == "unknown"); // fifty for each image
    CHECK(reshape("boxes", "2, 100, 4") == "unknown");
    CHECK(reshape("kept", "-1, 3") == "rows");
    CHECK(reshape("kept", "3, -1") == "unknown");
    const std::string size = "s = Shape(boxes) z = Constant <value = int64 {0}> () o = Constant <value = int64 {1}> () "
                             "b = Gather(s, z) b1 = Unsqueeze(b, zero) k = Gather(s, o) k1 = Unsqueeze(k, zero) ";
    CHECK(first_extent(size + "all = Concat <axis = 0> (b1, one) y = Reshape(boxes, all)") == "images");
    CHECK(first_extent(size + "all = Concat <axis = 0> (one, b1) y = Reshape(boxes, all)") == "unknown");
    CHECK(first_extent(size + "all = Concat <axis = 0> (k1, one) y = Reshape(boxes, all)") == "unknown");
    CHECK(first_extent(size + "all = Concat <axis = 0> (s, b1) y = Reshape(other, all)") == "images");
    CHECK(first_extent(size + "all = Concat <axis = 0> (one, s) y = Reshape(other, all)") == "unknown");
    CHECK(first_extent(size + "y = Reshape(other, s)") == "images");
    CHECK(first_extent(size + "all = Concat <axis = 0> (one, s) a = Reshape(other, all) y = Squeeze(a, zero)") ==
          "images");
    CHECK(first_extent("s = Shape(kept) all = Concat <axis = 0> (s, one) y = Reshape(other, all)") == "rows");
    CHECK(first_extent("s = Shape(kept) z = Constant <value = int64 {-2}> () n = Gather(s, z) n1 = Unsqueeze(n, zero) "
                       "all = Concat <axis = 0> (n1, one) y = Reshape(other, all)") == "rows");
    // Sorted, all of them.
    CHECK(first_extent("s = Shape(rows) z = Constant <value = int64 {0}> () n = Gather(s, z) n1 = Reshape(n, one) "
                       "v, y = TopK(rows, n1)") == "rows");
    CHECK(first_extent("y = Unsqueeze(boxes, one)") == "images");
    CHECK(first_extent("y = Unsqueeze(boxes, zero)") == "unknown");
    CHECK(first_extent("a = Unsqueeze(boxes, zero) y = Squeeze(a, zero)") == "images");
    CHECK(first_extent("a = Unsqueeze(boxes, one) y = Squeeze(a, one)") == "images");
    CHECK(first_extent("y = Squeeze(boxes)") == "unknown");
    CHECK(first_extent("y = Unsqueeze <axes = [-1]> (rows)", "y", 11) == "rows");
}

TEST_CASE("a cycle, and a graph of any depth, end the search")
{
    CHECK(first_extent("a = Relu(b) b = Relu(a) y = Relu(b)") == "unknown");
    std::string chain = "v0 = Relu(images) ";
    for (int i = 1; i < 3000; ++i) {
        chain += "v" + std::to_string(i) + " = Relu(v" + std::to_string(i - 1) + ") ";
    }
    CHECK(first_extent(chain, "v700") == "images");
    CHECK(first_extent(chain, "v2999") == "unknown");
}
