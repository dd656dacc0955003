// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/model/graph.hpp>
#include <onnx_tools/model/ranks.hpp>

#include <tests/support/fixture_models.hpp>
#include <tests/support/parse_model.hpp>

#include <doctest/doctest.h>

#include <map>
#include <optional>
#include <set>
#include <string>

using namespace padbatch::onnx_tools;
using namespace padbatch::test;

namespace {

// The rank of `y`, which `nodes` make and the graph does not declare, from values of all ranks and one of none.
std::optional<int> rank_of_y(const std::string& nodes, int opset = 13)
{
    const auto model = parse_model("<ir_version: 7, opset_import: [\"\" : " + std::to_string(opset) + "]> g (" +
                                   "float s, float[a] r1, float[a,b] r2, float[a,b,c] r3, float[a,b,c,d] r4, "
                                   "float[] unknown, bool flag, int64 trips, int64[k] indices, int64 index) => "
                                   "(float[] y) {" +
                                   nodes + "}");
    return rank_finder(graph_index(model.graph())).rank_of("y");
}

} // namespace

TEST_CASE("ranks of the fixtures' outputs are found when no shape is declared")
{
    const std::map<std::string, int> ranks{{"boxes", 2}, {"labels", 1},    {"scores", 1},
                                           {"masks", 4}, {"keypoints", 3}, {"keypoints_scores", 2}};
    std::set<std::string> seen;
    for_each_fixture([&](const fixture& known, const onnx::ModelProto& model) {
        auto bare = model;
        erase_shapes(bare);
        const graph_index index(bare.graph());
        for (std::size_t slot = 0; slot < known.fields.size(); ++slot) {
            seen.insert(known.fields[slot]);
            for (std::size_t image = 0; image < known.batch; ++image) {
                const auto& name = known.output(image, slot);
                CAPTURE(name);
                CHECK(rank_finder(index).rank_of(name) == ranks.at(known.fields[slot]));
            }
        }
    });
    CHECK(seen.size() == ranks.size());
}

TEST_CASE("a declared rank counts, whatever the nodes say")
{
    const auto model = parse_model(R"(<ir_version: 7, opset_import: ["" : 13]>
        g (float[a,b] x) => (float[p,q,r] y, float[] z) <float[a] v> { y = Identity(x) v = Foo(x) z = Identity(v) })");
    const graph_index index(model.graph());
    CHECK(rank_finder(index).rank_of("x") == 2);
    CHECK(rank_finder(index).rank_of("y") == 3);
    CHECK(rank_finder(index).rank_of("z") == 1); // by value_info
    CHECK_FALSE(rank_finder(index).rank_of("nothing"));
}

TEST_CASE("operators that keep the rank of their first input")
{
    for (const std::string op : {"Abs",       "Cast",           "Clip",      "Concat",     "Exp",
                                 "Floor",     "GatherElements", "Identity",  "LogSoftmax", "Not",
                                 "Pad",       "Relu",           "Resize",    "Round",      "ScatterElements",
                                 "ScatterND", "Sigmoid",        "Slice",     "Softmax",    "Split",
                                 "Sqrt",      "TopK",           "Transpose", "Conv",       "BatchNormalization"}) {
        CAPTURE(op);
        CHECK(rank_of_y("y = " + op + "(r3, r1)") == 3);
        CHECK_FALSE(rank_of_y("y = " + op + "(unknown, r1)"));
        CHECK_FALSE(rank_of_y("y = " + op + "()"));
    }
    CHECK(rank_of_y("values, y = TopK(r2, indices)") == 2);
}

TEST_CASE("operators that broadcast have the highest rank of their inputs")
{
    for (const std::string op : {"Add", "Sub", "Mul", "Div", "Max", "Min", "Greater", "GreaterOrEqual", "Less",
                                 "LessOrEqual", "Equal", "And", "Or", "Where", "Pow", "Mod"}) {
        CAPTURE(op);
        CHECK(rank_of_y("y = " + op + "(r1, r3)") == 3);
        CHECK(rank_of_y("y = " + op + "(r3, s)") == 3);
        CHECK_FALSE(rank_of_y("y = " + op + "(r1, unknown)"));
    }
    CHECK(rank_of_y("y = Where(r1, s, r2)") == 2);
}

TEST_CASE("operators that change the rank")
{
    CHECK(rank_of_y("y = Gather(r3, index)") == 2);
    CHECK(rank_of_y("y = Gather(r3, indices)") == 3);
    CHECK(rank_of_y("y = Gather(r1, r2)") == 2);
    CHECK_FALSE(rank_of_y("y = Gather(r1, unknown)"));
    CHECK(rank_of_y("i = Constant <value = int64 {0}> () y = Gather(r3, i)") == 2);
    CHECK(rank_of_y("i = Constant <value_int = 0> () y = Gather(r3, i)") == 2);
    CHECK(rank_of_y("i = Constant <value_ints = [0]> () y = Gather(r3, i)") == 3);
    CHECK(rank_of_y("m = NonZero(r1) i = Transpose(m) y = GatherND(r3, i)") == 3);
    CHECK(rank_of_y("m = NonZero(r2) i = Transpose(m) y = GatherND(r3, i)") == 2);
    CHECK_FALSE(rank_of_y("m = NonZero(unknown) i = Transpose(m) y = GatherND(r3, i)"));
    CHECK_FALSE(rank_of_y("y = GatherND(r3, r2)"));
    CHECK_FALSE(rank_of_y("i = Transpose() y = GatherND(r3, i)"));
    const std::string column = "last = Constant <value = int64[1] {-1}> () c = Unsqueeze(indices, last) ";
    CHECK(rank_of_y(column + "y = GatherND(r3, c)") == 3);
    CHECK(rank_of_y(column + "a = Concat <axis = -1> (c) y = GatherND(r3, a)") == 3);
    CHECK(rank_of_y(column + "two = Concat <axis = 1> (c, c) y = GatherND(r3, two)") == 2);
    CHECK_FALSE(rank_of_y(column + "more = Concat <axis = 0> (c, c) y = GatherND(r3, more)"));
    CHECK_FALSE(rank_of_y(column + "two = Concat <axis = -1> (c, r2) y = GatherND(r3, two)"));
    CHECK_FALSE(rank_of_y(column + "y = GatherND <batch_dims = 1> (r3, c)"));
    CHECK_FALSE(
        rank_of_y("first = Constant <value = int64[1] {0}> () c = Unsqueeze(indices, first) y = GatherND(r3, c)"));

    CHECK(rank_of_y("y = Unsqueeze <axes = [0, 2]> (r2)", 11) == 4);
    CHECK(rank_of_y("y = Squeeze <axes = [0]> (r2)", 11) == 1);
    CHECK(rank_of_y("axes = Constant <value = int64[1] {1}> () y = Unsqueeze(r2, axes)") == 3);
    CHECK(rank_of_y("axes = Constant <value = int64[2] {0, 1}> () y = Squeeze(r3, axes)") == 1);
    CHECK_FALSE(rank_of_y("y = Squeeze(r3)"));
    CHECK_FALSE(rank_of_y("y = Squeeze(r3, indices)"));
    CHECK_FALSE(rank_of_y("y = Squeeze <axes = [0, 1]> (r1)", 11)); // nonsense

    CHECK(rank_of_y("y = Shape(unknown)") == 1);
    CHECK(rank_of_y("y = Flatten(r4)") == 2);
    CHECK(rank_of_y("y = NonZero(unknown)") == 2);
    CHECK(rank_of_y("y = NonMaxSuppression(r3, r3)") == 2);
    CHECK(rank_of_y("y = RoiAlign(r4, r2, indices)") == 4);
    CHECK_FALSE(rank_of_y("y = SomethingElse(r4)"));
}

TEST_CASE("computed shapes give the rank by their length")
{
    for (const std::string op : {"Reshape(r1, shape)", "Expand(s, shape)", "ConstantOfShape(shape)"}) {
        CAPTURE(op);
        const auto rank = [&](const std::string& nodes) { return rank_of_y(nodes + " y = " + op); };
        CHECK(rank("shape = Constant <value = int64[3] {1, -1, 2}> ()") == 3);
        CHECK(rank("shape = Constant <value_ints = [1, -1]> ()") == 2);
        CHECK(rank("shape = Shape(r4)") == 4);
        CHECK(rank("all = Shape(r3) shape = Cast(all)") == 3);
        CHECK(rank("all = Shape(r3) i = Constant <value = int64[2] {0, 1}> () shape = Gather(all, i)") == 2);
        CHECK(rank("one = Constant <value = int64[1] {1}> () n = Unsqueeze <axes = [0]> (index) "
                   "all = Shape(r3) shape = Concat <axis = 0> (one, n, all)") == 5);
        CHECK_FALSE(rank("shape = Identity(indices)"));
        CHECK_FALSE(rank("shape = Shape(unknown)"));
        CHECK_FALSE(rank("all = Shape(r3) shape = Concat <axis = 0> (all, indices)"));
        CHECK_FALSE(rank("shape = Unsqueeze <axes = [0]> (r1)"));
    }
    CHECK_FALSE(rank_of_y("y = Reshape(r1)"));
    CHECK_FALSE(rank_of_y("y = ConstantOfShape()"));
}

TEST_CASE("a part of a shape gives the rank by its length")
{
    // flatten() writes the extents in front of it like this: none here, and then -1.
    CHECK(rank_of_y("none = Constant <value = int64[1] {0}> () rest = Constant <value = int64[1] {-1}> () "
                    "all = Shape(r3) front = Slice(all, none, none, none) shape = Concat <axis = 0> (front, rest) "
                    "y = Reshape(r3, shape)") == 1);
    const auto sliced = [](const std::string& start, const std::string& end, const std::string& step) {
        return rank_of_y("start = Constant <value = int64[1] {" + start + "}> () end = Constant <value = int64[1] {" +
                         end + "}> () axis = Constant <value = int64[1] {0}> () step = Constant <value = int64[1] {" +
                         step +
                         "}> () all = Shape(r4) shape = Slice(all, start, end, axis, step) y = Expand(s, shape)");
    };
    CHECK(sliced("1", "3", "1") == 2);
    CHECK(sliced("1", "9223372036854775807", "1") == 3);
    CHECK(sliced("-2", "4", "1") == 2);
    CHECK(sliced("0", "-1", "1") == 3);
    CHECK(sliced("-9", "2", "1") == 2);
    CHECK(sliced("3", "1", "1") == 0);
    CHECK_FALSE(sliced("0", "4", "2"));
    CHECK_FALSE(rank_of_y("all = Shape(r4) shape = Slice(all, indices, indices) y = Expand(s, shape)"));
    CHECK_FALSE(rank_of_y("none = Constant <value = int64[1] {0}> () shape = Slice(indices, none, none) "
                          "y = Expand(s, shape)"));
}

TEST_CASE("loops and branches are looked into")
{
    const std::string body = "<body = b (int64 i, bool go, float[] state) => (bool go2, float[] next, float[] row) {"
                             " go2 = Identity(go) next = Identity(state) row = Gather(r3, i) }>";
    CHECK(rank_of_y("y, rows = Loop (trips, flag, r2)" + body) == 2);  // a state keeps its rank
    CHECK(rank_of_y("state, y = Loop (trips, flag, r2)" + body) == 3); // a row of 2, and one for the rounds
    CHECK_FALSE(rank_of_y("y, rows = Loop (trips, flag, unknown)" + body));
    CHECK_FALSE(rank_of_y("state, rows, y = Loop (trips, flag, r2)" + body)); // the body has no such output
    CHECK_FALSE(rank_of_y("y = Loop (trips, flag)"));

    const auto agreeing = [](const std::string& then_value, const std::string& else_value) {
        return "y = If (flag) <then_branch = t () => (float[] p) { p = Abs(" + then_value +
               ") }, else_branch = e () => (float[] q) { q = Exp(" + else_value + ") }>";
    };
    CHECK(rank_of_y(agreeing("r2", "r2")) == 2);
    CHECK_FALSE(rank_of_y(agreeing("r2", "r3")));
    CHECK_FALSE(rank_of_y(agreeing("unknown", "r3")));
    CHECK_FALSE(rank_of_y(agreeing("r3", "unknown")));
}

TEST_CASE("the search for a rank ends in broken graphs, and in deep and wide ones")
{
    CHECK_FALSE(rank_of_y("a = Neg(y) y = Abs(a)"));
    CHECK_FALSE(rank_of_y("y = Add(y, r2)"));
    CHECK_FALSE(rank_of_y("a = Concat(b, r1) b = Concat(a, r1) y = Reshape(r1, a)"));
    CHECK_FALSE(rank_of_y("a = Cast(b) b = Cast(a) y = Expand(r1, a)"));
    CHECK_FALSE(rank_of_y("a = Gather(r1, a) y = ConstantOfShape(a)"));
    CHECK_FALSE(rank_of_y("y = If (flag) <then_branch = t () => (float[] y) { unused = Abs(s) }, "
                          "else_branch = e () => (float[] y) { unused = Abs(s) }>"));

    std::string chain = "x0 = Abs(r2)\n";
    std::string doubled = "x0 = Shape(r2)\n";
    for (int i = 1; i <= 10000; ++i) {
        chain += "x" + std::to_string(i) + " = Abs(x" + std::to_string(i - 1) + ")\n";
    }
    for (int i = 1; i <= 40; ++i) { // 2^40 ways up
        const auto before = "x" + std::to_string(i - 1);
        doubled += "x" + std::to_string(i) + " = Gather(" + before + ", x" + std::to_string(i - 1) + ")\n";
    }
    CHECK(rank_of_y(chain + "y = Abs(x400)") == 2);
    CHECK_FALSE(rank_of_y(chain + "y = Abs(x10000)")); // too far up for the call stack
    CHECK(rank_of_y(doubled + "y = Reshape(r1, x40)") == 2);
    std::string joined = "x0 = Shape(r1)\n";
    for (int i = 1; i <= 40; ++i) {
        const auto before = "x" + std::to_string(i - 1);
        joined += "x" + std::to_string(i) + " = Concat <axis = 0> (" + before + ", " + before + ")\n";
    }
    (void)rank_of_y(joined + "y = Reshape(r1, x40)"); // 2^40 elements, which must not take 2^40 steps
}
