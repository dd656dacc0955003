// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/model/check.hpp>
#include <onnx_tools/model/node_writer.hpp>

#include <tests/onnx_tools/pad/expression.hpp>
#include <tests/support/parse_model.hpp>

#include <doctest/doctest.h>

#include <set>
#include <string>

using namespace padbatch::onnx_tools;
using namespace padbatch::test;
using padbatch::element_type;

namespace {

onnx::ModelProto some_model(std::int64_t opset)
{
    auto model = parse_model("<ir_version: 7, opset_import: [\"\" : " + std::to_string(opset) +
                             "]> g (float[n,4] x, int64[k] i) => (float[n,4] y) { y = Identity(x) }");
    model.mutable_graph()->mutable_node(0)->set_name("padbatch/taken");
    return model;
}

// A graph to append to, where a node has a name that a writer gives.
struct written {
    explicit written(std::int64_t version) : opset(version) {}

    [[nodiscard]] std::string text(const std::string& value) const { return expression(model.graph(), value); }
    [[nodiscard]] int nodes_added() const { return model.graph().node_size() - 1; }
    [[nodiscard]] const onnx::NodeProto& last() const { return model.graph().node(model.graph().node_size() - 1); }

    std::int64_t opset;
    onnx::ModelProto model = some_model(opset);
    fresh_names fresh{model.graph()};
    node_writer nodes{*model.mutable_graph(), fresh, opset};
};

} // namespace

TEST_CASE("a node and its value have names that nothing else has")
{
    written w(13);
    CHECK(w.nodes.add("Neg", "taken", {"x"}) == "padbatch/taken_2:0");
    CHECK(w.last().name() == "padbatch/taken_2");
    CHECK(w.nodes.add("Neg", "taken", {"x"}) == "padbatch/taken_3:0");
    CHECK(w.nodes.add("Neg", "other", {"x"}, "wanted") == "wanted"); // the caller knows that it is free
    CHECK(w.last().name() == "padbatch/other");
    for (int i = 0; i < 3; ++i) {
        (void)w.nodes.cast("same", "x", element_type::int32);
    }
    std::set<std::string> names;
    for (const auto& node : w.model.graph().node()) {
        CHECK(names.insert(node.name()).second);
        CHECK(names.insert(node.output(0)).second);
    }
    CHECK(complaints(w.model).empty());
}

TEST_CASE("equal integers are one node, with and without a dimension")
{
    written w(13);
    const auto numbers = w.nodes.integers({1, -2});
    CHECK(w.nodes.integers({1, -2}) == numbers);
    CHECK(w.nodes_added() == 1);
    CHECK(w.nodes.integers({-2, 1}) != numbers);
    const auto list = w.nodes.integers({1});
    const auto scalar = w.nodes.integer(1);
    CHECK(list != scalar);
    CHECK(w.nodes.integer(1) == scalar);
    CHECK(w.nodes_added() == 4);
    CHECK(w.text(numbers) == "[1, -2]");
    CHECK(w.text(list) == "[1]");
    CHECK(w.text(scalar) == "1");
    CHECK(w.text(w.nodes.integers({})) == "[]");
}

TEST_CASE("axes are attributes before opset 13, and inputs from then on")
{
    for (const int opset : {11, 12}) {
        written w(opset);
        CHECK(w.text(w.nodes.squeeze("s", "x", 1)) == "Squeeze<axes=[1]>(x)");
        CHECK(w.text(w.nodes.unsqueeze("u", "x", 0)) == "Unsqueeze<axes=[0]>(x)");
        CHECK(w.text(w.nodes.sum("r", "x", 1)) == "ReduceSum<axes=[1], keepdims=0>(x)");
    }
    written w(13);
    CHECK(w.text(w.nodes.squeeze("s", "x", 1)) == "Squeeze(x, [1])");
    CHECK(w.text(w.nodes.unsqueeze("u", "x", 0)) == "Unsqueeze(x, [0])");
    CHECK(w.text(w.nodes.sum("r", "x", 1)) == "ReduceSum<keepdims=0>(x, [1])");
}

TEST_CASE("what nodes do is the same in every opset")
{
    for (const int opset : {11, 13, 17}) {
        CAPTURE(opset);
        written w(opset);
        const auto end = w.nodes.integers({3});
        CHECK(w.text(w.nodes.concat("c", {"x", "x"}, 1)) == "Concat<axis=1>(x, x)");
        CHECK(w.text(w.nodes.gather("g", "x", "i", 1)) == "Gather<axis=1>(x, i)");
        CHECK(w.text(w.nodes.cast("t", "x", element_type::boolean)) == "Cast<to=BOOL>(x)");
        CHECK(w.text(w.nodes.first("f", "x", end, 1)) == "Slice(x, [0], [3], [1])");
        CHECK(w.text(w.nodes.largest("l", "i")) == "ReduceMax<keepdims=1>(i)");
        CHECK(w.text(w.nodes.largest_or_zero("z", "i")) == "ReduceMax<keepdims=1>(Concat<axis=0>(i, [0]))");
        CHECK(w.text(w.nodes.not_negative("p", "i")) == "Cast<to=INT64>(Relu(Cast<to=FLOAT>(i)))");
        onnx::TensorProto half;
        half.set_data_type(onnx::TensorProto::FLOAT);
        half.add_dims(1);
        half.add_float_data(0.5F);
        CHECK(w.text(w.nodes.filled("o", end, half)) == "ConstantOfShape<FLOAT>([3])");
        CHECK(w.last().attribute(0).t().float_data(0) == 0.5F);
        CHECK(complaints(w.model).empty());
        check_types(w.model);
    }
}

TEST_CASE("the shape of a value is read once")
{
    written w(13);
    CHECK(w.text(w.nodes.extents("a", "x", {0, 1})) == "Gather<axis=0>(Shape(x), [0, 1])");
    CHECK(w.text(w.nodes.extent("b", "x", 0)) == "Gather<axis=0>(Shape(x), 0)");
    CHECK(w.text(w.nodes.extents("c", "i", {0})) == "Gather<axis=0>(Shape(i), [0])");
    int shapes = 0;
    for (const auto& node : w.model.graph().node()) {
        shapes += node.op_type() == "Shape" ? 1 : 0;
    }
    CHECK(shapes == 2);
}
