// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/joined_columns.hpp>

#include <tests/support/parse_model.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace padbatch::onnx_tools;
using namespace padbatch::test;

namespace {

// Boxes [n, 4], scores [n] and labels int64 [n] are inputs.
onnx::ModelProto joining(const std::string& nodes)
{
    return parse_model(
        "<ir_version: 8, opset_import: [\"\" : 13]> g (float[n,4] b, float[n] s, int64[n] l) => (float[n,6] "
        "x) { front = Constant<value = int64[1] {0}>() back = Constant<value = int64[1] {1}>() "
        "sc = Unsqueeze(s, back) lu = Unsqueeze(l, back) lc = Cast<to = 1>(lu) " +
        nodes + "}");
}

std::string widths_of(const joined_columns& columns)
{
    std::string text;
    for (const auto& block : columns.blocks) {
        text += (text.empty() ? "" : ",") + block.value + ":" + std::to_string(block.width);
    }
    return text;
}

} // namespace

TEST_CASE("the parts of joined rows are known if all widths but one are")
{
    const auto parts = [](const std::string& nodes, bool leading_one = false, std::int64_t width = 6) {
        const auto model = joining(nodes);
        const graph_index index(model.graph());
        return widths_of(find_joined_columns(index, "x", leading_one, width));
    };
    CHECK(parts("x = Concat<axis = 1>(b, sc, lc)") == "b:4,sc:1,lc:1");
    CHECK(parts("d = Concat<axis = -1>(b, sc) e = Identity(d) x = Concat<axis = 1>(lc, e)") == "lc:1,b:4,sc:1");
    CHECK(parts("d = Concat<axis = 1>(b, sc, lc) x = Unsqueeze(d, front)", true) == "b:4,sc:1,lc:1");
    CHECK(parts("x = Concat<axis = 1>(sc, sc, sc, sc, sc, lc)") == "sc:1,sc:1,sc:1,sc:1,sc:1,lc:1");
    CHECK(parts("d = Concat<axis = 1>(sc, sc, sc, sc) x = Concat<axis = 1>(d, sc, lc)") == "d:4,sc:1,lc:1");
    CHECK(parts("two = Mul(sc, lc) x = Concat<axis = 1>(b, two)").empty()); // neither width is known
    CHECK(parts("x = Concat<axis = 0>(b, sc, lc)").empty());
    CHECK(parts("x = Concat<axis = 1>(sc, lc)").empty()); // six columns, but these are two
    CHECK(parts("x = Mul(b, b)").empty());
}

TEST_CASE("the order of columns is that of the rows from which some were picked")
{
    const auto order = [](const std::string& nodes) {
        const auto model = joining(nodes);
        const graph_index index(model.graph());
        std::string text;
        for (const auto& block : find_joined_columns(index, "x", false, 6).order) {
            text += block.value + (block.integer ? "! " : " ");
        }
        return text;
    };
    CHECK(order("x = Concat<axis = 1>(b, sc, lc)") == "b sc lc! ");
    CHECK(order("all = Concat<axis = 1>(sc, b, lc) x = Gather<axis = 0>(all, front)") == "sc b lc! ");
    CHECK(order("five = Concat<axis = 1>(b, sc) all = Concat<axis = 1>(lc, five) x = Gather<axis = 0>(all, front)") ==
          "lc! b sc ");
    // It is another one behind a Gather along the columns.
    CHECK(order("all = Concat<axis = 1>(b, lc, sc) x = Gather<axis = 1>(all, front)").empty());
    CHECK(order("two = Concat<axis = 1>(lu, lu) tc = Cast<to = 1>(two) x = Concat<axis = 1>(b, tc, two)").empty());
}

TEST_CASE("an Unsqueeze that adds an axis keeps the rows on another")
{
    const auto model = joining("both = Constant<value = int64[2] {0, 2}>() x = Unsqueeze(s, both)");
    const graph_index index(model.graph());
    const auto& node = *index.producer("x");
    CHECK(added_axes(index, node) == 2);
    CHECK(adds_axis(index, node, 0, 1));
    CHECK(adds_axis(index, node, 2, 1));
    CHECK_FALSE(adds_axis(index, node, 1, 1));
    CHECK_FALSE(adds_axis(index, node, 2, 0)); // there are no rows
}
