// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/thresholds.hpp>

#include <onnx_tools/recognise/recognise.hpp>
#include <tests/support/parse_model.hpp>
#include <tests/support/small_detector.hpp>

#include <doctest/doctest.h>

#include <optional>
#include <string>

using namespace padbatch::onnx_tools;
using namespace padbatch::test;

namespace {

// The threshold of `scores`, which these nodes make of x and y.
std::optional<score_threshold> threshold(const std::string& nodes)
{
    const auto model =
        parse_model("<ir_version: 7, opset_import: [\"\" : 13]> g (float[n] x, float[n] y, int64[m] rows) => "
                    "(float[m] scores) { half = Constant <value = float {0.5}> () "
                    "tenth = Constant <value = float[1] {0.125}> () " +
                    nodes + " }");
    return find_threshold(graph_index(model.graph()), "scores");
}

} // namespace

TEST_CASE("the comparison that picks the scores is found where they only pass")
{
    const auto found = threshold("above = Greater(x, half) flat = Flatten(x) best, at = TopK(flat, rows) "
                                 "all = Concat <axis = 0> (y, best) scores = Gather(all, rows)");
    REQUIRE(found);
    CHECK(found->score == 0.5);
    CHECK(found->node == "Greater 'above'");
    CHECK(threshold("above = GreaterOrEqual(y, tenth) all = Concat <axis = 0> (x, y) scores = Gather(all, rows)")
              ->score == 0.125);
}

TEST_CASE("of two comparisons the one nearer to the scores counts")
{
    const auto found =
        threshold("near = Greater(kept, tenth) far = Greater(x, half) kept = Gather(x, rows) scores = Identity(kept)");
    REQUIRE(found);
    CHECK(found->score == 0.125);
}

TEST_CASE("a comparison of other values is no threshold")
{
    CHECK_FALSE(threshold("scores = Gather(x, rows)"));
    CHECK_FALSE(threshold("other = Greater(y, half) scores = Gather(x, rows)"));
    CHECK_FALSE(threshold("above = Greater(x, half) scores = Mul(x, y)")); // not the scores, but what makes them
    CHECK_FALSE(threshold("below = Less(x, half) scores = Gather(x, rows)"));
    CHECK_FALSE(threshold("below = Greater(half, x) scores = Gather(x, rows)"));
    CHECK_FALSE(threshold("above = Greater(x, y) scores = Gather(x, rows)"));
    CHECK_FALSE(threshold("rank = Greater(rows, tenth) scores = Gather(x, rows)")); // the rows are no scores
}

TEST_CASE("the threshold is the constant that the scores are compared with")
{
    const auto threshold_with = [](const std::string& nodes) {
        return recognise(small_detector({1, 13, "7", "half = Constant <value = float {0.5}> () " + nodes})).threshold;
    };
    const auto found = threshold_with("above = Greater(all_scores, half)");
    REQUIRE(found);
    CHECK(found->score == 0.5);
    CHECK(found->node == "Greater 'above'");
    CHECK(threshold_with("above = GreaterOrEqual(all_scores, half)").has_value());
    CHECK_FALSE(threshold_with("")); // nothing compares
    CHECK_FALSE(threshold_with("below = Less(all_scores, half)"));
    CHECK_FALSE(threshold_with("below = Greater(half, all_scores)"));
    CHECK_FALSE(threshold_with("above = Greater(all_scores, all_scores)"));
    CHECK_FALSE(threshold_with("above = Greater(all_boxes, half)")); // as R-CNN does with box sizes
}
