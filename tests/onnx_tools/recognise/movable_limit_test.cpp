// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/movable_limit.hpp>

#include <onnx_tools/recognise/recognise.hpp>
#include <onnx_tools/rewrite.hpp>

#include <tests/support/fixture_models.hpp>
#include <tests/support/parse_model.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <string>

using namespace padbatch::onnx_tools;
using namespace padbatch::test;

namespace {

// A detector of one image. `after` makes the outputs from `b`, `l` and `s`, rows of the cut.
onnx::ModelProto sorted_detector(const std::string& after, const std::string& more_outputs = "")
{
    return parse_model("<ir_version: 7, opset_import: [\"\" : 13]> g (float[n,4] all_boxes, int64[n] all_labels, "
                       "float[n] all_scores) => (float[a,4] boxes, int64[a] labels, float[a] scores" +
                       more_outputs +
                       ") { zero = Constant<value = int64[1] {0}>() one = Constant<value = int64[1] {1}>() "
                       "limit = Constant<value = int64[1] {7}>() half = Constant<value = float {0.5}>() "
                       "two = Constant<value = int64[1] {2}>() table = Constant<value = int64[3] {5, 6, 7}>() "
                       "many = Constant<value = int64[1] {1000}>() best, keep = TopK(all_scores, many) "
                       "rows = Slice(keep, zero, limit, zero) b = Gather(all_boxes, rows) "
                       "l = Gather(all_labels, rows) s = Gather(all_scores, rows) " +
                       after + " }");
}

std::string why_limit_stays(const std::string& after, const std::string& more_outputs = "")
{
    const auto found = recognise(sorted_detector(after, more_outputs));
    CHECK(found.cuts.empty() == !found.limit_stays.empty());
    return found.limit_stays;
}

const std::string as_picked = "boxes = Identity(b) labels = Identity(l) scores = Identity(s) ";
const std::string as_picked_labels = "labels = Identity(l) scores = Identity(s) ";

bool limit_stays(const std::string& after, const std::string& words, const std::string& more_outputs = "")
{
    const auto why = why_limit_stays(after, more_outputs);
    CAPTURE(why);
    return why.find(words) != std::string::npos;
}

} // namespace

TEST_CASE("the limit of every fixture may move")
{
    for_each_fixture([](const fixture& known, const onnx::ModelProto& model) {
        const auto found = recognise(model);
        CHECK(found.limit_stays == "");
        CHECK(found.cuts.size() == known.batch);
    });
}

TEST_CASE("rows may be copied, converted, computed one by one and put together from columns")
{
    CHECK(why_limit_stays(as_picked) == "");
    CHECK(why_limit_stays(
              "boxes = Mul(b, half) labels = Gather(table, l) c = Cast<to = 10>(s) scores = Cast<to = 1>(c)") == "");
    CHECK(why_limit_stays("x, y = Split<axis = 1>(b) boxes = Concat<axis = 1>(y, x) " + as_picked_labels) == "");
    CHECK(why_limit_stays("x = Gather<axis = 1>(b, zero) u = Squeeze(x, one) v = Unsqueeze(u, one) "
                          "boxes = Concat<axis = -1>(v, v, v, v) " +
                          as_picked_labels) == "");
    CHECK(why_limit_stays("boxes = Identity(b) labels = Identity(l) t = Unsqueeze(s, one) w = Mul(t, b) "
                          "x = Slice(w, zero, one, one) scores = Squeeze(x, one)") == "");
}

TEST_CASE("a limit stays where rows are selected, joined or moved after the cut")
{
    CHECK(limit_stays("high = Greater(s, half) p = NonZero(high) k = Squeeze(p, zero) boxes = Gather(b, k) "
                      "labels = Gather(l, k) scores = Gather(s, k)",
                      "not those that are cut"));
    CHECK(limit_stays("v, k = TopK(s, two) boxes = Gather(b, k) labels = Gather(l, k) scores = Gather(s, k)",
                      "no node cuts the rows"));
    CHECK(limit_stays(
        "boxes = Slice(b, zero, two, zero) labels = Slice(l, zero, two, zero) scores = Slice(s, zero, two, zero)",
        "not those that are cut"));
    CHECK(limit_stays("boxes = Concat<axis = 0>(b, b) labels = Concat<axis = 0>(l, l) scores = Concat<axis = 0>(s, s)",
                      "no node cuts the rows"));
    CHECK(limit_stays("boxes = Identity(b) labels = Identity(l) m = ReduceMax<keepdims = 0>(s) scores = Div(s, m)",
                      "'scores' are not those that are cut, one for one: ReduceMax 'm'"));
    CHECK(limit_stays("boxes = Identity(b) labels = Identity(l) scores = Softmax<axis = 0>(s)", "Softmax 'scores'"));
}

TEST_CASE("a limit stays where something else depends on it")
{
    CHECK(limit_stays(as_picked + "shape = Shape(b) count = Gather(shape, zero)",
                      "the output 'count' depends on them too", ", int64[1] count"));
    CHECK(why_limit_stays(as_picked + "shape = Shape(all_boxes) count = Gather(shape, zero)", ", int64[1] count") ==
          "");
}

TEST_CASE("a limit stays where nodes work out in front of the cut how many rows it keeps")
{
    // torch.export gives the shapes behind the cut as the least of the limit and the rows that there are.
    const std::string counted = "n = Shape(keep) least = Min(limit, n) zeros = ConstantOfShape(least) ";
    CHECK(limit_stays(counted + "boxes = Identity(b) labels = Identity(l) scores = Add(s, zeros)",
                      "goes by the number of rows that are cut"));
    CHECK(why_limit_stays(counted + as_picked) == "");
    CHECK(why_limit_stays("n = Shape(s) zeros = ConstantOfShape(n) boxes = Identity(b) labels = Identity(l) "
                          "scores = Add(s, zeros)") != "");
}

TEST_CASE("a limit stays where rows do not come best first")
{
    const auto unsorted = parse_model(
        "<ir_version: 7, opset_import: [\"\" : 13]> g (float[n,4] all_boxes, int64[n] all_labels, float[n] all_scores, "
        "int64[k] keep) => (float[a,4] boxes, int64[a] labels, float[a] scores) { zero = Constant<value = int64[1] "
        "{0}>() limit = Constant<value = int64[1] {7}>() rows = Slice(keep, zero, limit, zero) boxes = "
        "Gather(all_boxes, rows) labels = Gather(all_labels, rows) scores = Gather(all_scores, rows) }");
    CHECK(recognise(unsorted).limit_stays == "the rows are not known to come best first");
}

TEST_CASE("the new limit has the type of the old, is shared by the images, and leaves the old to its other readers")
{
    auto model = sorted_detector(as_picked + "unused = Add(limit, one)");
    rewrite_options options;
    options.pad.max_detections = std::int64_t{3};
    const auto done = rewrite(model, options);
    CHECK(done.new_limit == 3);
    CHECK_FALSE(done.cuts_rows);
    const graph_index index(model.graph());
    const auto* cut = index.producer("rows");
    REQUIRE(cut != nullptr);
    CHECK(index.constant_integers(cut->input(2)) == std::vector<std::int64_t>{3});
    CHECK(index.constant_integers("limit") == std::vector<std::int64_t>{7});
    CHECK(model.graph().node(0).output(0) == cut->input(2)); // before what reads it
}
