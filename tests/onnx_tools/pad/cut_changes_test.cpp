// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/pad/cut_changes.hpp>

#include <onnx_tools/model/check.hpp>
#include <onnx_tools/model/graph.hpp>
#include <onnx_tools/model/sort.hpp>
#include <onnx_tools/rewrite.hpp>

#include <tests/support/fixture_models.hpp>
#include <tests/support/parse_model.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <vector>

using namespace padbatch::onnx_tools;
using namespace padbatch::test;

namespace {

// Scores that are converted after the cut, and boxes that are computed from what it keeps.
onnx::ModelProto converting_detector()
{
    return parse_model("<ir_version: 7, opset_import: [\"\" : 13]> g (float[n,4] all_boxes, int64[n] all_labels, "
                       "float[n] all_scores) => (float[a,4] boxes, int64[a] labels, float16[a] scores) { "
                       "zero = Constant<value = int64[1] {0}>() many = Constant<value = int64[1] {1000}>() "
                       "limit = Constant<value = int32[1] {7}>() from = Constant<value = int32[1] {0}>() "
                       "best, keep = TopK(all_scores, many) rows = Slice(keep, from, limit, from) "
                       "boxes = Gather(all_boxes, rows) labels = Gather(all_labels, rows) "
                       "s = Gather(all_scores, rows) scores = Cast<to = 10>(s) }");
}

onnx::ModelProto changed_with(const rewrite_options& options)
{
    auto model = converting_detector();
    (void)rewrite(model, options);
    CHECK(complaints(model).empty());
    return model;
}

} // namespace

TEST_CASE("the new limit has the type of the other bounds")
{
    rewrite_options options;
    options.pad.max_detections = std::int64_t{3};
    const auto model = changed_with(options);
    const graph_index index(model.graph());
    const auto* limit = index.constant(index.producer("rows")->input(2));
    REQUIRE(limit != nullptr);
    CHECK(limit->data_type() == onnx::TensorProto::INT32);
    CHECK(index.constant_integers(index.producer("rows")->input(2)) == std::vector<std::int64_t>{3});
}

TEST_CASE("rows are chosen by their labels in front of the cut")
{
    rewrite_options options;
    options.pad.classes = {{3, 5}, true};
    const auto model = changed_with(options);
    const graph_index index(model.graph());
    const auto* cut = index.producer("rows");
    REQUIRE(is(cut, {"Slice"}));
    const auto* chosen = index.producer(cut->input(0));
    REQUIRE(is(chosen, {"Gather"}));
    CHECK(chosen->input(0) == "keep");
    const auto* others = producer_behind(index, chosen->input(1), {"Squeeze", "NonZero"}, 4);
    REQUIRE(is(others, {"Not"}));
    const auto* any = index.producer(others->input(0));
    REQUIRE(is(any, {"Or"}));
    const auto* labels = producer_behind(index, any->input(0), {"Equal", "Cast"}, 4);
    REQUIRE(is(labels, {"Gather"}));
    CHECK(labels->input(0) == "all_labels");
    CHECK(labels->input(1) == "keep"); // all that NonMaxSuppression keeps
}

TEST_CASE("rows with low scores are taken out of what the cut keeps, by the scores that the outputs have")
{
    rewrite_options options;
    options.pad.min_score = 0.25;
    const auto model = changed_with(options);
    const graph_index index(model.graph());
    // What the cut kept has another name, and its own is that of the rows with high scores.
    const auto* kept = index.producer("rows");
    REQUIRE(is(kept, {"Gather"}));
    REQUIRE(is(index.producer(kept->input(0)), {"Slice"}));
    const auto* compared = producer_behind(index, kept->input(1), {"Squeeze", "NonZero"}, 4);
    REQUIRE(is(compared, {"Greater"}));
    const auto* converted = index.producer(compared->input(0));
    REQUIRE(is(converted, {"Cast"}));
    CHECK(integer_attribute(*converted, "to", 0) == onnx::TensorProto::FLOAT16);
    const auto* uncut = index.producer(converted->input(0));
    REQUIRE(is(uncut, {"Gather"}));
    CHECK(uncut->input(0) == "all_scores");
    CHECK(uncut->input(1) == kept->input(0)); // not yet without the low ones
    // Everything else reads the rows that are left.
    for (const std::string value : {"boxes_unpadded", "labels_unpadded"}) {
        CAPTURE(value);
        REQUIRE(index.producer(value) != nullptr);
        CHECK(index.producer(value)->input(1) == "rows");
    }
    CHECK(sorted_positions(model.graph()).size() == static_cast<std::size_t>(model.graph().node_size()));
}
