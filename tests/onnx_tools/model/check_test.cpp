// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/model/check.hpp>

#include <tests/support/parse_model.hpp>

#include <doctest/doctest.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

using namespace padbatch::onnx_tools;
using padbatch::test::parse_model;

namespace {

onnx::ModelProto model_of(const std::string& graph)
{
    return parse_model("<ir_version: 7, opset_import: [\"\" : 13]> " + graph);
}

// `good` has no complaints; once changed, it has exactly one, which contains all of `words`.
void check_one_complaint(const onnx::ModelProto& good, const std::vector<std::string>& words,
                         const std::function<void(onnx::GraphProto&)>& change)
{
    REQUIRE(complaints(good).empty());
    auto bad = good;
    change(*bad.mutable_graph());
    const auto found = complaints(bad);
    REQUIRE(found.size() == 1);
    CAPTURE(found[0]);
    for (const auto& word : words) {
        CAPTURE(word);
        CHECK(found[0].find(word) != std::string::npos);
    }
}

const std::string two_nodes = "g (float[n] x) => (float[n] y) { a = Neg(x) y = Abs(a) }";

} // namespace

TEST_CASE("a value that is read must be produced")
{
    const auto good = model_of(two_nodes);
    check_one_complaint(good, {"Abs 'y'", "reads 'b'", "'g'"}, [](auto& g) { g.mutable_node(1)->set_input(0, "b"); });
    auto more = good;
    more.mutable_graph()->mutable_node(0)->add_input("w");
    CHECK(complaints(more).size() == 1);
    more.mutable_graph()->add_initializer()->set_name("w");
    CHECK(complaints(more).empty());
    more.mutable_graph()->clear_initializer();
    more.mutable_graph()->add_sparse_initializer()->mutable_values()->set_name("w");
    CHECK(complaints(more).empty());
    // An optional input or output that is left out is not a value.
    auto optional = good;
    for (int i = 0; i < 2; ++i) {
        optional.mutable_graph()->mutable_node(i)->add_input("");
        optional.mutable_graph()->mutable_node(i)->add_output("");
        optional.mutable_graph()->mutable_node(i)->add_output("");
    }
    CHECK(complaints(optional).empty());
}

TEST_CASE("nodes read something, unless their operator need not, and make something")
{
    const auto without_inputs = [](const std::string& op, const std::string& domain) {
        auto model = model_of(two_nodes);
        auto& node = *model.mutable_graph()->mutable_node(1);
        node.set_op_type(op);
        node.set_domain(domain);
        node.clear_input();
        return complaints(model);
    };
    for (const auto* op : {"Abs", "Concat", "If", "Loop", "NonMaxSuppression", "NewOperator"}) {
        CAPTURE(op);
        for (const auto* domain : {"", "ai.onnx"}) {
            const auto found = without_inputs(op, domain);
            REQUIRE(found.size() == 1);
            CHECK(found[0] == op + std::string(" 'y' of graph 'g' has no inputs"));
        }
        CHECK(without_inputs(op, "com.example").empty());
    }
    for (const auto* op : {"Constant", "RandomNormal", "RandomUniform", "SequenceEmpty", "Optional"}) {
        CAPTURE(op);
        CHECK(without_inputs(op, "").empty());
    }
    check_one_complaint(model_of("g (float[n] x) => (float[n] y) { y = Abs(x) a = Neg(y) }"), {"Neg", "no outputs"},
                        [](auto& g) { g.mutable_node(1)->clear_output(); });
    // In a subgraph too.
    check_one_complaint(model_of("g (bool c) => (float y) { y = If (c) <then_branch = t () => (float p) "
                                 "{ p = Constant <value_float = 1.0> () }, else_branch = e () => (float q) "
                                 "{ q = Constant <value_float = 2.0> () }> }"),
                        {"Sqrt 'q' of graph 'e'"}, [](auto& g) {
                            g.mutable_node(0)->mutable_attribute(1)->mutable_g()->mutable_node(0)->set_op_type("Sqrt");
                        });
}

TEST_CASE("no two values share a name")
{
    const auto good = model_of(two_nodes);
    check_one_complaint(good, {"two values", "'a'"}, [](auto& g) { g.mutable_node(1)->add_output("a"); });
    check_one_complaint(good, {"two values", "'x'"}, [](auto& g) { g.mutable_node(0)->add_output("x"); });
    check_one_complaint(good, {"two inputs", "'x'"}, [](auto& g) { *g.add_input() = g.input(0); });
    check_one_complaint(good, {"two initializers", "'w'"}, [](auto& g) {
        g.add_initializer()->set_name("w");
        g.add_initializer()->set_name("w");
    });
    check_one_complaint(good, {"two initializers", "'w'"}, [](auto& g) {
        g.add_initializer()->set_name("w");
        g.add_sparse_initializer()->mutable_values()->set_name("w");
    });
    check_one_complaint(good, {"two values", "'w'"}, [](auto& g) {
        g.add_initializer()->set_name("w");
        g.mutable_node(0)->add_output("w");
    });
    // An initializer may be an input's default.
    auto with_default = good;
    with_default.mutable_graph()->add_initializer()->set_name("x");
    CHECK(complaints(with_default).empty());
}

TEST_CASE("no two nodes share a name")
{
    auto good = model_of(two_nodes);
    CHECK(complaints(good).empty()); // nodes without names do not share one
    good.mutable_graph()->mutable_node(0)->set_name("first");
    good.mutable_graph()->mutable_node(1)->set_name("second");
    check_one_complaint(good, {"two nodes", "'first'"}, [](auto& g) { g.mutable_node(1)->set_name("first"); });
}

TEST_CASE("an output is produced, once")
{
    const auto good = model_of("g (float[n] x) => (float[n] y, int64[n] z) { y = Neg(x) z = Cast(x) }");
    check_one_complaint(good, {"'y'", "nothing produces"}, [](auto& g) { g.mutable_node(0)->set_output(0, "other"); });
    check_one_complaint(good, {"two outputs", "'y'"}, [](auto& g) { g.mutable_output(1)->set_name("y"); });
    auto other = good; // an output may be an input, an initializer or something other than a tensor, and have no shape
    auto& graph = *other.mutable_graph();
    graph.mutable_output(1)->mutable_type()->mutable_tensor_type()->clear_shape();
    graph.mutable_output(0)->mutable_type()->mutable_sequence_type();
    *graph.add_output() = graph.input(0);
    auto& weight = *graph.add_output();
    weight.set_name("w");
    weight.mutable_type()->mutable_tensor_type()->set_elem_type(onnx::TensorProto::FLOAT);
    graph.add_initializer()->set_name("w");
    CHECK(complaints(other).empty());
}

TEST_CASE("a padded output declares its element type, and others need not")
{
    const auto good = model_of("g (float[n] x) => (float[n] y, int64[n] z, int32[n] c) "
                               "{ y = Neg(x) z = Cast(x) c = Cast(x) }");
    const auto without_type = [](onnx::GraphProto& g, int i) { g.mutable_output(i)->clear_type(); };
    const auto without_element = [](onnx::GraphProto& g, int i) {
        g.mutable_output(i)->mutable_type()->mutable_tensor_type()->clear_elem_type();
    };
    auto other = good;
    without_type(*other.mutable_graph(), 0);
    without_element(*other.mutable_graph(), 1);
    CHECK(complaints(other).empty());

    auto padded = good;
    const auto add = [&](const std::string& key, const std::string& value) {
        auto& entry = *padded.add_metadata_props();
        entry.set_key(key);
        entry.set_value(value);
    };
    add("padbatch.count", "c");
    add("padbatch.fields", "boxes=b,labels=z");
    check_one_complaint(padded, {"'z'", "element type"}, [&](auto& g) { without_type(g, 1); });
    check_one_complaint(padded, {"'z'", "element type"}, [&](auto& g) { without_element(g, 1); });
    check_one_complaint(padded, {"'c'", "element type"}, [&](auto& g) { without_type(g, 2); });
    without_type(*padded.mutable_graph(), 0);
    CHECK(complaints(padded).empty());
    add("padbatch.fields", "scores=y,,nothing");
    CHECK(complaints(padded).size() == 1);
}

TEST_CASE("subgraphs see the values around them, and nothing else")
{
    const std::string text = R"(g (float[n] x, bool c) => (float[n] y) {
        a = Neg(x)
        y = If (c) <
            then_branch = t () => (float[n] p) {
                inner = Abs(a)
                p = If (c) <then_branch = tt () => (float[n] q) { q = Add(inner, x) },
                            else_branch = te () => (float[n] inner) { same = Neg(later) }>
            },
            else_branch = e () => (float[n] r) { inner = Exp(a) r = Add(inner, x) }>
        later = Abs(x)
    })";
    // Each sibling subgraph has an `inner`; they capture values of the enclosing graph and of the one around that.
    const auto good = model_of(text);
    check_one_complaint(good, {"Neg 'a'", "reads 'inner'", "'g'"},
                        [](auto& g) { g.mutable_node(0)->set_input(0, "inner"); });
    check_one_complaint(good, {"the output 'inner'", "'g'"}, [](auto& g) {
        *g.add_output() = g.output(0);
        g.mutable_output(1)->set_name("inner");
    });
    const auto then_graph = [](onnx::GraphProto& g) { return g.mutable_node(1)->mutable_attribute(0)->mutable_g(); };
    const auto else_graph = [](onnx::GraphProto& g) { return g.mutable_node(1)->mutable_attribute(1)->mutable_g(); };
    check_one_complaint(good, {"reads 'q'", "'e'"},
                        [&](auto& g) { else_graph(g)->mutable_node(1)->set_input(1, "q"); });
    check_one_complaint(good, {"reads 'nothing'", "'tt'"}, [&](auto& g) {
        then_graph(g)->mutable_node(1)->mutable_attribute(0)->mutable_g()->mutable_node(0)->set_input(1, "nothing");
    });
    check_one_complaint(good, {"two values", "'inner'", "'e'"},
                        [&](auto& g) { else_graph(g)->mutable_node(1)->add_output("inner"); });
    check_one_complaint(good, {"two nodes", "'same_name'", "'e'"}, [&](auto& g) {
        else_graph(g)->mutable_node(0)->set_name("same_name");
        else_graph(g)->mutable_node(1)->set_name("same_name");
    });
    check_one_complaint(good, {"the output 'gone'", "'e'"},
                        [&](auto& g) { else_graph(g)->mutable_output(0)->set_name("gone"); });
    auto same_names = good; // nodes of different graphs may share a name
    then_graph(*same_names.mutable_graph())->mutable_node(0)->set_name("same_name");
    else_graph(*same_names.mutable_graph())->mutable_node(0)->set_name("same_name");
    CHECK(complaints(same_names).empty());
}

TEST_CASE("every fault is reported")
{
    auto model = model_of(two_nodes);
    model.mutable_graph()->mutable_node(0)->set_input(0, "p");
    model.mutable_graph()->mutable_node(1)->set_input(0, "q");
    *model.mutable_graph()->add_output() = model.graph().output(0);
    CHECK(complaints(model).size() == 3);
}

TEST_CASE("many subgraphs of a large graph are checked in time that grows with the graph")
{
    onnx::ModelProto model;
    auto& graph = *model.mutable_graph();
    graph.add_input()->set_name("x");
    const auto add = [](onnx::GraphProto& to, const std::string& op, const std::string& in, const std::string& out) {
        auto& node = *to.add_node();
        node.set_op_type(op);
        node.add_input(in);
        node.add_output(out);
        return &node;
    };
    for (int i = 0; i < 20000; ++i) {
        add(graph, "Neg", "x", "value" + std::to_string(i));
    }
    for (int i = 0; i < 2000; ++i) {
        auto& node = *add(graph, "If", "x", "chosen" + std::to_string(i));
        add(*node.add_attribute()->mutable_g(), "Neg", "value7", "inner");
    }
    CHECK(complaints(model).empty()); // a set of all outer names for each subgraph would take minutes here
}
