// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/box_format.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace padbatch::onnx_tools;

namespace {

// The operators of the nodes that make corners of boxes in this format.
std::vector<std::string> nodes_to_corners(box_format format)
{
    onnx::GraphProto graph;
    fresh_names fresh(graph);
    node_writer nodes(graph, fresh, 13);
    const auto result = to_corners(nodes, "boxes", format, padbatch::element_type::float32, 1);
    std::vector<std::string> operators;
    for (const auto& node : graph.node()) {
        operators.push_back(node.op_type());
    }
    CHECK(result == (operators.empty() ? "boxes" : graph.node(graph.node_size() - 1).output(0)));
    return operators;
}

} // namespace

// (The numbers that these nodes give are compared in engines/padded_runtime_test.cpp.)
TEST_CASE("every format has a name, and nodes that make corners of it")
{
    std::vector<std::string> names;
    for (const auto& [name, format] : all_box_formats()) {
        CHECK(name_of(format) == name);
        names.push_back(name);
    }
    CHECK(names == std::vector<std::string>{"xyxy", "xywh", "cxcywh", "yxyx"});
    CHECK(nodes_to_corners(box_format::xyxy).empty());
    CHECK(nodes_to_corners(box_format::yxyx) == std::vector<std::string>{"Constant", "Gather"});
    CHECK(nodes_to_corners(box_format::xywh) ==
          std::vector<std::string>{"Constant", "Gather", "Constant", "Gather", "Add", "Concat"});
    CHECK(nodes_to_corners(box_format::cxcywh).back() == "Concat");
}

TEST_CASE("fractions are multiplied by width and height, wherever the images have them")
{
    for (const std::int64_t height : {1, 2}) {
        onnx::GraphProto graph;
        fresh_names fresh(graph);
        node_writer nodes(graph, fresh, 13);
        (void)to_pixels(nodes, "boxes", padbatch::element_type::float16, "images", height);
        CHECK(graph.node(0).op_type() == "Shape");
        CHECK(graph.node(0).input(0) == "images");
        const auto& axes = graph.node(1).attribute(0).t();
        CHECK(std::vector<std::int64_t>(axes.int64_data().begin(), axes.int64_data().end()) ==
              std::vector<std::int64_t>{height + 1, height, height + 1, height});
        CHECK(graph.node(3).op_type() == "Cast");
        CHECK(graph.node(4).op_type() == "Mul");
    }
}
