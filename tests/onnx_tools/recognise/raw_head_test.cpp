// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/raw_head.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

using namespace padbatch::onnx_tools;

namespace {

raw_head yolo()
{
    raw_head head;
    head.boxes = {"rows", true, 0, 4, true};
    head.scores = {"rows", true, 4, 3, true};
    head.format = box_format::cxcywh;
    head.anchors = 100;
    head.images = "images";
    return head;
}

head_selection usual()
{
    head_selection how;
    how.score = 0.25;
    how.iou_threshold = 0.7;
    how.most = 300;
    return how;
}

int count_of(const onnx::GraphProto& graph, const std::string& op)
{
    return static_cast<int>(std::count_if(graph.node().begin(), graph.node().end(),
                                          [&](const auto& node) { return node.op_type() == op; }));
}

onnx::GraphProto written(const raw_head& head, const head_selection& how, std::int64_t opset = 13)
{
    onnx::GraphProto graph;
    fresh_names fresh(graph);
    node_writer nodes(graph, fresh, opset);
    (void)write_selection(nodes, head, how);
    return graph;
}

} // namespace

TEST_CASE("candidates are sorted out beforehand only where there may be too many")
{
    auto head = yolo();
    CHECK(count_of(written(head, usual()), "TopK") == 0);
    head.anchors = most_candidates + 1;
    CHECK(count_of(written(head, usual()), "TopK") == 1);
    head.anchors = std::nullopt;
    CHECK(count_of(written(head, usual()), "TopK") == 1);
}

TEST_CASE("boxes are moved by class unless classes do not matter or have their own pass")
{
    auto how = usual();
    const auto moved = [](const onnx::GraphProto& graph) {
        return std::any_of(graph.node().begin(), graph.node().end(), [](const auto& node) {
            return node.op_type() == "Add" && node.name().find("shifted") != std::string::npos;
        });
    };
    CHECK(moved(written(yolo(), how)));
    how.class_agnostic = true;
    CHECK_FALSE(moved(written(yolo(), how)));
    how = usual();
    how.nms = suppression::class_by_class;
    CHECK_FALSE(moved(written(yolo(), how)));
    how.nms = suppression::none;
    const auto graph = written(yolo(), how);
    CHECK(count_of(graph, "NonMaxSuppression") == 0);
}

TEST_CASE("a grid for each stride is written for boxes that are offsets")
{
    auto head = yolo();
    head.strides = {8, 16, 32};
    const auto graph = written(head, usual());
    CHECK(count_of(graph, "Exp") == 1);
    CHECK(count_of(graph, "Range") == 6);
}

TEST_CASE("the largest score has its axis where the opset wants it")
{
    const auto reduction = [](const onnx::GraphProto& graph) {
        return *std::find_if(graph.node().begin(), graph.node().end(),
                             [](const auto& node) { return node.op_type() == "ReduceMax"; });
    };
    CHECK(reduction(written(yolo(), usual(), 13)).input_size() == 1);
    CHECK(reduction(written(yolo(), usual(), 18)).input_size() == 2);
}
