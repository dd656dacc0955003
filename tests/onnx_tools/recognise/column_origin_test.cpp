// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/column_origin.hpp>

#include <tests/support/parse_model.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace padbatch::onnx_tools;
using namespace padbatch::test;

namespace {

// A graph in which `picked` is what a NonMaxSuppression selects from the boxes p and the scores q.
struct traced_graph {
    explicit traced_graph(const std::string& nodes, const std::string& output = "float[n,k] out")
        : model(parse_model(
              "<ir_version: 7, opset_import: [\"\" : 13, \"x\" : 1]> g (float[B,160,4] p, float[B,3,160] q) => (" +
              output +
              ") { at0 = Constant<value = int64 {0}>() at1 = Constant<value = int64 {1}>() at2 = Constant<value = "
              "int64 {2}>()"
              " axis0 = Constant<value = int64[1] {0}>() axis1 = Constant<value = int64[1] {1}>()"
              " axis2 = Constant<value = int64[1] {2}>() end = Constant<value = int64[1] {1000}>()"
              " box_places = Constant<value = int64[2] {0, 2}>() flat_shape = Constant<value = int64[1] {-1}>()"
              " iou = Constant<value = float[1] {0.5}>() picked = NonMaxSuppression(p, q, axis1, iou) " +
              nodes + " }")),
          index(model.graph())
    {
    }

    [[nodiscard]] column_origin column(int i) const { return origin_of_column(index, "out", i); }

    onnx::ModelProto model;
    graph_index index;
};

std::vector<column_kind> kinds_of(const traced_graph& g, int columns)
{
    std::vector<column_kind> kinds;
    for (int i = 0; i < columns; ++i) {
        kinds.push_back(g.column(i).kind);
    }
    return kinds;
}

const auto image = column_kind::image;
const auto label = column_kind::label;
const auto integer = column_kind::integer;
const auto unknown = column_kind::unknown;

} // namespace

TEST_CASE("a selection has images, labels and boxes, however they are taken apart and joined")
{
    using kinds = std::vector<column_kind>;
    const std::string split = "a, b, c = Split<axis = 1>(picked) ";
    for (const std::string nodes :
         {"out = Identity(picked)", "out = Cast<to = 1>(picked)",
          "a, b, c = Split<axis = 1>(picked) out = Concat<axis = 1>(a, b, c)",
          "a = Gather<axis = 1>(picked, axis0) b = Slice(picked, axis1, end, axis1) out = Concat<axis = -1>(a, b)",
          "t = Transpose<perm = [1, 0]>(picked) a = Gather(t, at0) ac = Unsqueeze(a, axis1) "
          "r = Slice(picked, axis1, end, axis1) out = Concat<axis = 1>(ac, r)",
          "w = Unsqueeze(picked, axis0) out = Squeeze(w, axis0)"}) {
        CAPTURE(nodes);
        CHECK(kinds_of(traced_graph(nodes), 3) == kinds{image, label, integer});
    }
    CHECK(kinds_of(traced_graph(split + "out = Concat<axis = 1>(c, a, b)"), 3) == kinds{integer, image, label});
    // What is computed from an image is none; a label may be counted from 1.
    CHECK(kinds_of(traced_graph("out = Add(picked, axis1)"), 3) == kinds{integer, label, integer});
    // Columns that become one list are any of them.
    CHECK(kinds_of(traced_graph("out = Reshape(picked, flat_shape)", "int64[n] out"), 1) == kinds{integer});
    CHECK(kinds_of(traced_graph("out = x.Net(picked)"), 3) == kinds{unknown, unknown, unknown});
    CHECK(kinds_of(traced_graph("t = Transpose<perm = [1, 0]>(picked) out = Identity(t)"), 1) == kinds{unknown});
}

TEST_CASE("boxes and scores that a node selects by are known where they are looked up")
{
    const std::string columns = "a, b, c = Split<axis = 1>(picked) ";
    for (const std::string nodes : {"places = Concat<axis = 1>(a, c) out = GatherND(p, places)",
                                    "places = Gather<axis = 1>(picked, box_places) out = GatherND(p, places)"}) {
        const traced_graph g(columns + nodes, "float[n,4] out");
        CHECK(g.column(2).kind == column_kind::box);
        CHECK(g.column(2).suppression == g.index.producer("picked"));
        CHECK(g.column(2).picks.empty());
    }
    CHECK(traced_graph("out = GatherND(q, picked)", "float[n] out").column(0).kind == column_kind::score);
    CHECK(traced_graph(columns + "places = Concat<axis = 1>(a, b, c) out = GatherND(q, places)", "float[n] out")
              .column(0)
              .kind == column_kind::score);
    // Other values, or other places.
    CHECK(traced_graph("other = x.Net(q) out = GatherND(other, picked)", "float[n] out").column(0).kind == unknown);
    CHECK(traced_graph(columns + "places = Concat<axis = 1>(c, a) out = GatherND(p, places)", "float[n,4] out")
              .column(0)
              .kind == unknown);
}

TEST_CASE("rows that were picked or sorted since tell so")
{
    const std::string sorted = "order = x.Net(q) first = Gather<axis = 1>(picked, axis0) out = Gather(first, order)";
    const traced_graph g(sorted, "int64[n,1] out"); // whose names the answer refers to
    const auto found = g.column(0);
    CHECK(found.kind == image);
    CHECK(found.picks == std::vector<std::string_view>{"order"});
    // Before the node selected them, it does not matter.
    const std::string before = "order = x.Net(q) own = Gather(p, order) places = Gather<axis = 1>(picked, box_places) "
                               "out = GatherND(own, places)";
    const auto selected = traced_graph(before, "float[n,4] out").column(0);
    CHECK(selected.picks.empty());
    CHECK(selected.suppression != nullptr);
    CHECK_FALSE(traced_graph("some = Slice(picked, axis1, end, axis0) out = Identity(some)").column(0).picks.empty());
}

TEST_CASE("labels are the places of best scores, or integers; scores are what is compared to pick rows")
{
    CHECK(traced_graph("best = ArgMax<axis = 1, keepdims = 0>(q) out = Cast<to = 1>(best)").column(0).kind == label);
    CHECK(traced_graph("n = x.Net(p) i = Cast<to = 7>(n) out = Cast<to = 1>(i)").column(0).kind == integer);
    const std::string mask = "shape = x.Net(p) level = Constant<value = float {0.5}>() s = Gather<axis = 2>(p, at1) "
                             "good = Greater(s, level) places = NonZero(good) t = Transpose<perm = [1, 0]>(places) "
                             "out = GatherND(p, t)";
    const traced_graph g(mask, "float[n,4] out");
    CHECK(g.column(1).kind == column_kind::score);
    CHECK(g.column(0).kind == unknown);
}

TEST_CASE("the number of columns is declared, or follows from the nodes")
{
    const traced_graph g(
        "a, b, c = Split<axis = 1>(picked) d = Concat<axis = 1>(a, picked) e = Slice(p, axis1, end, axis2) "
        "f = Gather<axis = 2>(p, at0) s = Squeeze(a, axis1) out = x.Net(p)");
    const auto width = [&](const std::string& value) { return columns_of(g.index, value); };
    CHECK(width("p") == 4);
    CHECK(width("picked") == 3);
    CHECK(width("b") == 1);
    CHECK(width("d") == 4);
    CHECK(width("e") == 3);
    CHECK(width("f") == 1);
    CHECK(width("s") == 1);
    CHECK_FALSE(width("out"));
}
