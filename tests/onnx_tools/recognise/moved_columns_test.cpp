// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/moved_columns.hpp>

#include <tests/support/parse_model.hpp>

#include <doctest/doctest.h>

#include <string>

using namespace padbatch::onnx_tools;
using namespace padbatch::test;

namespace {

// The operator that moves the columns of x, which are joined from boxes [n, 4], scores [n, 1] and labels [n, 1].
std::string mover(const std::string& nodes, int rank = 2)
{
    const auto model = parse_model(
        "<ir_version: 8, opset_import: [\"\" : 13]> g (float[n,4] b, float[n,1] s, float[n,1] l, int64[m] i) => "
        "(float[n,6] x) { zero = Constant<value = int64[1] {0}>() four = Constant<value = int64[1] {4}>() six = "
        "Constant<value = int64[1] {6}>() one = Constant<value = int64[1] {1}>() last = Constant<value = int64[1] "
        "{-1}>() order = Constant<value = int64[6] {4,5,0,1,2,3}>() rows = Concat<axis = 1>(b, s, l) " +
        nodes + "}");
    const graph_index index(model.graph());
    const auto* node = moves_columns(index, "x", rank);
    return node == nullptr ? "" : node->op_type();
}

} // namespace

TEST_CASE("a node that puts joined columns in another order is seen")
{
    CHECK(mover("x = Identity(rows)").empty());
    CHECK(mover("x = Gather<axis = 1>(rows, order)") == "Gather");
    CHECK(mover("x = Gather<axis = -1>(rows, order)") == "Gather");
    CHECK(mover("p = Slice(rows, four, six, one) q = Slice(rows, zero, four, last) x = Concat<axis = -1>(p, q)") ==
          "Concat");
    CHECK(mover("p, q = Split<axis = 1>(rows) x = Concat<axis = 1>(q, p)") == "Concat");
    CHECK(mover("p = Gather<axis = -1>(rows, order) q = Unsqueeze(p, zero) x = Cast<to = 1>(q)", 3) == "Gather");
}

TEST_CASE("columns of several values, and rows that are picked, are not columns that move")
{
    CHECK(mover("p = Slice(rows, zero, four, one) x = Concat<axis = 1>(p, l, s)").empty());
    CHECK(mover("p = Slice(rows, zero, four, one) q = Slice(b, zero, four, one) x = Concat<axis = 1>(p, q)").empty());
    CHECK(mover("x = Gather<axis = 0>(rows, i)").empty());
    CHECK(mover("p = Slice(rows, zero, six, zero) x = Concat<axis = 0>(p, rows)").empty());
    CHECK(mover("x = MatMul(rows, rows)").empty());
    CHECK(mover("p = Gather<axis = 1>(rows, order) x = Gather<axis = 0>(p, i)") == "Gather"); // before they are picked
}
