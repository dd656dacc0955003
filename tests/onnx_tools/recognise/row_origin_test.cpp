// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/row_origin.hpp>

#include <tests/support/parse_model.hpp>

#include <doctest/doctest.h>

#include <string>

using namespace padbatch::onnx_tools;
using namespace padbatch::test;

namespace {

// The operator that decides how many rows `x` has along `axis`, and `+` where nodes add some.
std::string origin_of(const std::string& nodes, std::int64_t axis = 0)
{
    const auto model = parse_model(
        "<ir_version: 8, opset_import: [\"\" : 13]> g (float[1,k,4] boxes, float[1,c,k] scores, float[m,4] list, "
        "float[m] "
        "s) => (float[n,4] x) { front = Constant<value = int64[1] {0}>() back = Constant<value = int64[1] {1}>() two = "
        "Constant<value = int64 {2}>() most = Constant<value = int64[1] {9}>() "
        "sel = NonMaxSuppression(boxes, scores, most) row = Gather<axis = 1>(sel, two) " +
        nodes + "}");
    const graph_index index(model.graph());
    const auto found = find_row_origin(index, "x", axis);
    return (found.selection == nullptr ? "" : found.selection->op_type()) +
           std::string(found.padding == nullptr ? "" : "+");
}

} // namespace

TEST_CASE("rows are followed to what selects them, along whichever axis they lie")
{
    CHECK(origin_of("x = Gather<axis = 0>(list, row)") == "NonMaxSuppression");
    CHECK(origin_of("g = Gather<axis = 0>(list, row) u = Unsqueeze(g, front) x = Mul(u, u)", 1) == "NonMaxSuppression");
    CHECK(origin_of("g = Gather<axis = 0>(list, row) c = Concat<axis = 1>(g, g) x = Cast<to = 11>(c)") ==
          "NonMaxSuppression");
    CHECK(origin_of("high = Greater(s, s) at = NonZero(high) t = Transpose<perm = [1, 0]>(at) x = GatherND(list, t)") ==
          "NonZero");
    CHECK(origin_of("high = Greater(s, s) x = Compress<axis = 0>(list, high)") == "Compress");
    CHECK(origin_of("x = Gather<axis = 1>(boxes, row)", 1) == "NonMaxSuppression");
    CHECK(origin_of("n = Shape(row) g = Gather<axis = 0>(s, row) x, k = TopK<axis = 0>(g, n)") == "NonMaxSuppression");
}

TEST_CASE("a fixed number of rows, rows that are added, and rows that cannot be followed")
{
    CHECK(origin_of("g = Gather<axis = 0>(s, row) x, k = TopK<axis = 0>(g, most)").empty());
    CHECK(origin_of("x = Gather<axis = 0>(list, front)").empty());
    CHECK(origin_of("x = Gather<axis = 1>(list, row)").empty()); // columns
    CHECK(origin_of("x = Net(list)").empty());
    CHECK(origin_of("none = Constant<value = float[1,4] {0., 0., 0., 0.}>() g = Gather<axis = 0>(list, row) "
                    "x = Concat<axis = 0>(g, none)") == "NonMaxSuppression+");
    CHECK(origin_of("shape = Constant<value = int64[2] {3, 4}>() none = ConstantOfShape(shape) "
                    "g = Gather<axis = 0>(list, row) x = Concat<axis = 0>(g, none)") == "NonMaxSuppression+");
}
