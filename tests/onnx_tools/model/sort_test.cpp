// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/model/sort.hpp>

#include <tests/support/parse_model.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace padbatch::onnx_tools;
using namespace padbatch::test;

namespace {

onnx::GraphProto graph_of(const std::string& nodes)
{
    return parse_model("<ir_version: 7, opset_import: [\"\" : 13]> g (float[n] x, bool c) => (float[n] y) {" + nodes +
                       "}")
        .graph();
}

std::vector<std::string> results(const onnx::GraphProto& graph)
{
    std::vector<std::string> names;
    for (const auto& node : graph.node()) {
        names.push_back(node.output(0));
    }
    return names;
}

using name_list = std::vector<std::string>;

} // namespace

TEST_CASE("nodes come after what they read, also in their subgraphs, and otherwise stay in order")
{
    auto graph = graph_of("y = If (c) <then_branch = t () => (float[n] p) { p = Abs(b) },"
                          "            else_branch = e () => (float[n] q) { q = Identity(a) }>"
                          "b = Neg(a) first = Exp(x) a = Abs(x)");
    CHECK(sorted_positions(graph) == std::vector<int>{2, 3, 1, 0});
    sort_nodes(graph);
    CHECK(results(graph) == name_list{"first", "a", "b", "y"});
    sort_nodes(graph); // sorted already
    CHECK(results(graph) == name_list{"first", "a", "b", "y"});
}

TEST_CASE("nodes on a cycle, and those behind it, have no place, and nothing is moved")
{
    auto graph = graph_of("b = Neg(a) a = Abs(b) y = Exp(a) x1 = Exp(x)");
    CHECK(sorted_positions(graph) == std::vector<int>{3});
    sort_nodes(graph);
    CHECK(results(graph) == name_list{"b", "a", "y", "x1"});
}
