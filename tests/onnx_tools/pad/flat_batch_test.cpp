// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/model/check.hpp>
#include <onnx_tools/pad/flat_batch.hpp>
#include <onnx_tools/plan/plan.hpp>
#include <onnx_tools/recognise/recognise.hpp>

#include <tests/onnx_tools/pad/expression.hpp>
#include <tests/support/parse_model.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace padbatch::onnx_tools;
using namespace padbatch::test;
using enum padbatch::onnx_tools::flat_column;

namespace {

bool contains(const std::string& text, const std::string& part)
{
    return text.find(part) != std::string::npos;
}

// A model whose output `out` is rows of seven columns, padded to 5 rows an image unless told otherwise.
onnx::GraphProto padded_list(const std::vector<flat_column>& columns, pad_options options = {},
                             const std::string& type = "float")
{
    auto model = parse_model("<ir_version: 7, opset_import: [\"\" : 13]> g (float[B,3,H,W] images, " + type +
                             "[n,7] raw) => (" + type + "[n,7] out) { out = Neg(raw) }");
    recognise_options told;
    told.from = export_kind::flat;
    told.columns = columns;
    if (std::holds_alternative<model_limit>(options.max_detections)) {
        options.max_detections = 5;
    }
    const auto p = plan(model, recognise(model, told), options);
    fresh_names fresh(model.graph());
    pad_flat(*model.mutable_graph(), p, fresh, 13);
    CHECK(complaints(model).empty());
    check_types(model);
    return model.graph();
}

// The two inputs of the Gather that makes a padded field: its rows, and the table of places.
std::pair<std::string, std::string> gathered(const onnx::GraphProto& graph, const std::string& output)
{
    const auto* node = graph_index(graph).producer(output);
    REQUIRE(node != nullptr);
    REQUIRE(node->op_type() == "Gather");
    return {expression(graph, node->input(0)), node->input(1)};
}

const std::vector<flat_column> corners{batch, x1, y1, x2, y2, label, score};

} // namespace

TEST_CASE("each field is gathered from its columns, and all by one table")
{
    const auto graph = padded_list(corners);
    const auto [boxes, table] = gathered(graph, "boxes");
    CHECK(boxes == "Concat<axis=0>(Gather<axis=1>(out, [1, 2, 3, 4]), "
                   "ConstantOfShape<FLOAT>(Concat<axis=0>([1], [4])))"); // the last row is padding
    const auto [labels, table_of_labels] = gathered(graph, "labels");
    CHECK(labels == "Concat<axis=0>(Cast<to=INT64>(Gather<axis=1>(out, 5)), ConstantOfShape<INT64>([1]))");
    const auto [scores, table_of_scores] = gathered(graph, "scores");
    CHECK(scores == "Concat<axis=0>(Gather<axis=1>(out, 6), ConstantOfShape<FLOAT>([1]))");
    CHECK(table_of_labels == table);
    CHECK(table_of_scores == table);
}

TEST_CASE("rows come by image, the best first, and those of no image do not")
{
    const auto graph = padded_list(corners);
    const std::string order = "TopK#1(Gather<axis=1>(out, 6), Gather<axis=0>(Shape(Gather<axis=1>(out, 6)), [0]))";
    // Row i of this matrix says which rows are of image i, in the order of the scores. The last column is of no image.
    const std::string is_of = "Equal(Unsqueeze(Range(0, Gather<axis=0>(Shape(images), 0), 1), [1]), "
                              "Concat<axis=0>(Gather<axis=0>(Cast<to=INT64>(Gather<axis=1>(out, 0)), " +
                              order + "), [-1]))";
    const std::string counts = "ReduceSum<keepdims=0>(Cast<to=INT64>(" + is_of + "), [1])";
    const std::string kept = "Where(Less(" + counts + ", 5), " + counts + ", 5)"; // M is 5
    CHECK(expression(graph, "num_detections") == "Cast<to=INT32>(Unsqueeze(" + kept + ", [1]))");

    const std::string places = "Range(0, 5, 1)";
    const std::string in_order =
        "Concat<axis=0>(Gather<axis=0>(" + order + ", Gather<axis=0>(NonZero(" + is_of + "), 1)), [-1])";
    const std::string starts = "Unsqueeze(CumSum<exclusive=1>(" + counts + ", 0), [1])"; // of all rows, not only M
    CHECK(expression(graph, gathered(graph, "scores").second) == "Gather<axis=0>(" + in_order + ", Where(Less(" +
                                                                     places + ", Unsqueeze(" + kept + ", [1])), Add(" +
                                                                     starts + ", " + places + "), -1))");
}

TEST_CASE("the columns are those that the source has")
{
    const auto graph = padded_list({score, label, cx, cy, w, h, batch});
    const auto boxes = gathered(graph, "boxes").first;
    const std::string center = "Gather<axis=1>(out, [2, 3])";
    const std::string half = "Mul(Gather<axis=1>(out, [4, 5]), FLOAT)";
    CHECK(boxes.starts_with("Concat<axis=0>(Concat<axis=1>(Sub(" + center + ", " + half + "), Add(" + center + ", " +
                            half + ")), "));
    CHECK(contains(expression(graph, "num_detections"), "Cast<to=INT64>(Gather<axis=1>(out, 6))"));
    CHECK(contains(expression(graph, "num_detections"), "TopK#1(Gather<axis=1>(out, 0)"));
}

TEST_CASE("float16 scores are sorted as float32, and stay float16")
{
    const auto graph = padded_list(corners, {}, "float16");
    CHECK(contains(expression(graph, "num_detections"), "TopK#1(Cast<to=FLOAT>(Gather<axis=1>(out, 6))"));
    CHECK_FALSE(contains(gathered(graph, "scores").first, "Cast"));
}

TEST_CASE("low scores are dropped before rows are counted")
{
    pad_options options;
    options.min_score = 0.5;
    const auto graph = padded_list(corners, options);
    const std::string kept = "Squeeze(NonZero(Greater(Gather<axis=1>(out, 6), FLOAT)), [0])";
    CHECK(gathered(graph, "scores").first.starts_with("Concat<axis=0>(Gather<axis=0>(Gather<axis=1>(out, 6), " + kept));
    CHECK(contains(expression(graph, "num_detections"),
                   "Gather<axis=0>(Cast<to=INT64>(Gather<axis=1>(out, 0)), " + kept + ")"));
}

TEST_CASE("M may follow the batch, which may have no image")
{
    pad_options options;
    options.max_detections = largest_of_batch{};
    const auto graph = padded_list(corners, options);
    const auto table = expression(graph, gathered(graph, "scores").second);
    CHECK(contains(table, "Squeeze(ReduceMax<keepdims=1>(Concat<axis=0>(ReduceSum"));
    CHECK_FALSE(contains(expression(graph, "num_detections"), "Where")); // nothing is cut
}
