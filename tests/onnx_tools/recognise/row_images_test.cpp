// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/row_images.hpp>

#include <tests/support/parse_model.hpp>

#include <doctest/doctest.h>

#include <optional>
#include <string>

using namespace padbatch::onnx_tools;
using namespace padbatch::test;

namespace {

// Rows [n, 6] that are picked where `good` is true, and `num`, made by `nodes`.
std::optional<shown_counts> shown_for_counts(const std::string& nodes)
{
    const auto model =
        parse_model("<ir_version: 7, opset_import: [\"\" : 13, \"x\" : 1]> g (float[B,9,6] all, bool[B,9] good, "
                    "bool[B,9] other) => "
                    "(float[n,6] rows, int64[k] num) { axis0 = Constant<value = int64[1] {0}>() axis1 = Constant<value "
                    "= int64[1] {1}>() "
                    "last = Constant<value = int64[1] {-1}>() yes = Not(good) more = Not(other) places = NonZero(yes) "
                    "turned = Transpose<perm = [1, 0]>(places) rows = GatherND(all, turned) " +
                    nodes + " }");
    const graph_index index(model.graph());
    return counts_shown(index, "num", "rows");
}

} // namespace

TEST_CASE("sums over each image and extents of picked rows are counts")
{
    const auto check = [](const std::string& nodes, bool of_these_rows) {
        CAPTURE(nodes);
        const auto found = shown_for_counts(nodes);
        REQUIRE(found);
        CHECK(found->of_these_rows == of_these_rows);
        CHECK(found->evidence.find("counts") != std::string::npos);
    };
    check("ones = Cast<to = 7>(yes) num = ReduceSum<keepdims = 0>(ones, axis1)", true);
    check("ones = Cast<to = 7>(yes) num = ReduceSum<keepdims = 0>(ones, last)", true);
    check("ones = Cast<to = 7>(more) num = ReduceSum<keepdims = 0>(ones, axis1)", false);
    check("s = Shape(rows) num = Slice(s, axis0, axis1)", true);
    check("s = Shape(rows) n = Gather(s, axis0) i = Cast<to = 6>(n) num = Add(i, axis1)", true);
    check("s = Shape(rows) n = Gather(s, axis0) num = Concat<axis = 0>(n, n)", true);
}

TEST_CASE("other sums and extents are not")
{
    for (const std::string nodes :
         {"ones = Cast<to = 7>(yes) num = ReduceSum<keepdims = 0>(ones, axis0)", // for each place, over the images
          "ones = Cast<to = 7>(yes) num = ReduceSum<keepdims = 0>(ones)", "num = ReduceSum<keepdims = 0>(all, axis1)",
          "s = Shape(all) num = Slice(s, axis0, axis1)", // how many images
          "s = Shape(rows) num = Gather(s, axis1)",
          "s = Shape(rows) n = Gather(s, axis0) m = x.Net(all) num = Add(n, m)",
          "s = Shape(rows) n = Gather(s, axis0) m = x.Net(all) num = Concat<axis = 0>(n, m)", "num = x.Net(all)"}) {
        CAPTURE(nodes);
        CHECK_FALSE(shown_for_counts(nodes));
    }
}

TEST_CASE("lists have one dimension, or a second of extent 1")
{
    const auto is_list = [](const std::string& type) {
        const auto model = parse_model("<ir_version: 7, opset_import: [\"\" : 13]> g (" + type + " x) => (" + type +
                                       " y) { y = Identity(x) }");
        return is_list_type(declared_type(model.graph().input(0)));
    };
    CHECK(is_list("int64[n]"));
    CHECK(is_list("float[n,1]"));
    CHECK_FALSE(is_list("float[n,2]"));
    CHECK_FALSE(is_list("bool[n]"));
    CHECK_FALSE(is_list("int64[1,n,1]"));
}

TEST_CASE("a value depends on what it is made with, in subgraphs too")
{
    const auto model = parse_model("<ir_version: 7, opset_import: [\"\" : 13]> g (bool c, float[n] a, float[n] b) => "
                                   "(float[n] y) { y = If(c) <then_branch = t () => (float[n] u) { u = Identity(a) }, "
                                   "else_branch = e () => (float[n] v) { v = Identity(a) }> }");
    const graph_index index(model.graph());
    CHECK(depends_on(index, "y", "c"));
    CHECK(depends_on(index, "y", "a"));
    CHECK_FALSE(depends_on(index, "y", "b"));
}
