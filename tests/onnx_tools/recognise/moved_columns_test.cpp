// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/moved_columns.hpp>

#include <tests/support/parse_model.hpp>

#include <doctest/doctest.h>

#include <string>

using namespace padbatch::onnx_tools;
using padbatch::test::parse_model;

namespace {

// Rows [n, 6] that are joined, and what becomes of them.
std::string moves(const std::string& nodes, int rank = 2)
{
    const auto model = parse_model(
        "<ir_version: 7, opset_import: [\"\" : 13]> g (float[n,4] b, float[n,1] s, float[n,1] l, int64[k] i) => "
        "(float[n,6] y) <int64[6] other = {0,1,2,3,5,4}, int64 one = {1}, int64[1] zero = {0}, int64[1] five = {5}, "
        "int64[1] axis = {1}> { x = Concat<axis = 1>(b, s, l) " +
        nodes + " }");
    const graph_index index(model.graph());
    const auto* node = moves_columns(index, "y", rank);
    return node != nullptr ? node->op_type() : "";
}

} // namespace

TEST_CASE("columns are moved by nodes that take some of them, or put them in another order")
{
    CHECK(moves("y = Gather<axis = 1>(x, other)") == "Gather");
    CHECK(moves("y = Gather<axis = -1>(x, other)") == "Gather");
    CHECK(moves("y = Slice(x, zero, five, axis)") == "Slice");
    CHECK(moves("p, q = Split<axis = 1>(x) y = Concat<axis = 1>(q, p)") == "Concat");
    CHECK(moves("m = Gather<axis = 1>(x, other) f = Cast<to = 1>(m) y = Gather(f, i)") == "Gather");
    CHECK(moves("m = Gather<axis = 1>(x, other) y = Unsqueeze(m, zero)", 3) == "Gather");
}

TEST_CASE("columns stay where nodes pick rows, or join them for the first time")
{
    CHECK(moves("y = Identity(x)").empty());
    CHECK(moves("y = Gather(x, i)").empty());
    CHECK(moves("y = Slice(x, zero, five, zero)").empty());
    CHECK(moves("m = Gather(x, i) y = Unsqueeze(m, zero)", 3).empty());
    CHECK(moves("m = Cast<to = 1>(l) y = Concat<axis = 1>(b, s, m)").empty());
}
