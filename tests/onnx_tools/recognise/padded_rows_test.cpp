// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/padded_rows.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

using namespace padbatch::onnx_tools;
using padbatch::element_type;

namespace {

padded_rows boxes_scores_labels(element_type boxes, element_type scores, element_type labels)
{
    padded_rows source;
    source.parts = {{"b", boxes, false}, {"s", scores, true}, {"l", labels, true}};
    source.columns = {flat_column::cx, flat_column::cy,    flat_column::w,
                      flat_column::h,  flat_column::score, flat_column::label};
    source.images = "images";
    return source;
}

} // namespace

// (The rows that the nodes give are compared in engines/padded_runtime_test.cpp.)
TEST_CASE("rows are of a type that holds the numbers of all parts")
{
    using enum element_type;
    CHECK(common_type(boxes_scores_labels(float32, float32, int64)) == float32);
    CHECK(common_type(boxes_scores_labels(float16, float16, float16)) == float16);
    CHECK(common_type(boxes_scores_labels(float16, float16, uint8)) == float16);
    CHECK(common_type(boxes_scores_labels(float16, float16, int32)) == float32);
    CHECK(common_type(boxes_scores_labels(float16, float32, int32)) == float32);
    CHECK(common_type(boxes_scores_labels(float32, float16, int32)) == float32);
    CHECK(common_type(boxes_scores_labels(float64, float32, int64)) == float64);
    CHECK(common_type(boxes_scores_labels(float32, float64, int64)) == float64);
}

TEST_CASE("boxes are converted only if they must be, and come first then")
{
    for (const bool fractions : {false, true}) {
        onnx::GraphProto graph;
        fresh_names fresh(graph);
        node_writer nodes(graph, fresh, 13);
        auto source = boxes_scores_labels(element_type::float32, element_type::float32, element_type::int64);
        source.normalised = fractions;
        const auto made = write_real_rows(nodes, source);
        CHECK(made.columns.front() == (fractions ? flat_column::x1 : flat_column::cx)); // which padding converts
        CHECK(made.columns.back() == flat_column::label);
        const auto scaled = std::any_of(graph.node().begin(), graph.node().end(),
                                        [](const auto& node) { return node.name() == "padbatch/boxes/pixels"; });
        CHECK(scaled == fractions);
        CHECK(graph.node(graph.node_size() - 1).output(0) == (fractions ? made.rows : made.image));
    }
}
