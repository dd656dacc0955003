// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/model/prune.hpp>

#include <onnx_tools/model/check.hpp>
#include <tests/support/parse_model.hpp>

#include <doctest/doctest.h>

#include <set>
#include <string>
#include <tuple>

using namespace padbatch::onnx_tools;
using namespace padbatch::test;

namespace {

using names = std::set<std::string>;

// `far` and `weight` are read only inside the branch; `idle` is unused.
onnx::ModelProto model_of_two()
{
    auto model = parse_model(R"(<ir_version: 7, opset_import: ["" : 13]>
g (float[n] x, bool c) => (float[n] kept, float[n] dropped) {
    near = Abs(x)
    far = Neg(near)
    side, other_side = Split(x)
    kept = Add(near, side)
    dropped = If (c) <then_branch = t () => (float[n] p) { p = Mul(far, weight) },
                      else_branch = e () => (float[n] q) { q = Add(other_side, x) }>
    idle = Exp(x)
})");
    for (const std::string name : {"weight", "unused"}) {
        auto& tensor = *model.mutable_graph()->add_initializer();
        tensor.set_name(name);
        tensor.set_data_type(onnx::TensorProto::FLOAT);
        tensor.add_float_data(1);
    }
    for (const std::string name : {"far", "near"}) {
        model.mutable_graph()->add_value_info()->set_name(name);
    }
    return model;
}

names node_names(const onnx::GraphProto& graph)
{
    names all;
    for (const auto& node : graph.node()) {
        all.insert(node.output(0));
    }
    return all;
}

} // namespace

TEST_CASE("what an output depends on, even through subgraphs, is in use")
{
    auto model = model_of_two();
    const auto used = values_in_use(model.graph());
    CHECK(names(used.begin(), used.end()) ==
          names{"kept", "dropped", "near", "far", "side", "other_side", "x", "c", "weight"});
}

TEST_CASE("what lost its last use is removed, and what never had one stays")
{
    auto model = model_of_two();
    auto& graph = *model.mutable_graph();
    const auto before = values_in_use(graph);
    remove_unused(graph, before); // nothing has changed
    CHECK(graph.node_size() == 6);
    CHECK(graph.initializer_size() == 2);

    graph.mutable_output()->RemoveLast();
    remove_unused(graph, before);
    // `side` and `other_side` come from one node, and one of them is still read.
    CHECK(node_names(graph) == names{"near", "side", "kept", "idle"});
    REQUIRE(graph.initializer_size() == 1);
    CHECK(graph.initializer(0).name() == "unused");
    REQUIRE(graph.value_info_size() == 1);
    CHECK(graph.value_info(0).name() == "near");
    CHECK(complaints(model).empty());
}

TEST_CASE("a weight that a caller may supply stays with its input")
{
    auto model = model_of_two();
    auto& graph = *model.mutable_graph();
    graph.add_input()->set_name("weight");
    const auto before = values_in_use(graph);
    graph.mutable_output()->RemoveLast();
    remove_unused(graph, before);
    CHECK(graph.initializer_size() == 2);
    CHECK(graph.input_size() == 3);
}

TEST_CASE("what nobody used goes with what it reads")
{
    auto model = model_of_two();
    auto& graph = *model.mutable_graph();
    for (const auto& [op, input, output] :
         {std::tuple("Exp", "far", "dead"), {"Neg", "dead", "deader"}, {"Exp", "near", "stays"}}) {
        auto& node = *graph.add_node();
        node.set_op_type(op);
        node.add_input(input);
        node.add_output(output);
    }
    auto& reader = *graph.add_node(); // a dead reader of a weight alone
    reader.set_op_type("Abs");
    reader.add_input("weight");
    reader.add_output("of_weight");
    const auto before = values_in_use(graph);
    graph.mutable_output()->RemoveLast();
    remove_unused(graph, before);
    CHECK(node_names(graph) == names{"near", "side", "kept", "idle", "stays", "of_weight"});
    CHECK(graph.initializer_size() == 2);
    CHECK(complaints(model).empty());
}
