// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/pad/outputs.hpp>

#include <tests/onnx_tools/pad/expression.hpp>
#include <tests/support/parse_model.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace padbatch::onnx_tools;
using namespace padbatch::test;
using padbatch::element_type;

namespace {

using strings = std::vector<std::string>;

// Boxes and scores share an output, labels have one of their own.
pad_plan plan_of_columns()
{
    pad_plan p;
    for (const auto kind : {field::boxes, field::scores, field::labels}) {
        p.fields.emplace_back().kind = kind;
    }
    p.fields[0].row = {{4, ""}};
    p.outputs.resize(2);
    p.outputs[0] = {"dets", element_type::float32, {{2, ""}, {7, ""}, {5, ""}}, {0, 1}, {}};
    p.outputs[1] = {"classes", element_type::int64, {{2, ""}, {7, ""}}, {2}, {}};
    p.source.other_outputs = {"features"};
    p.others = {{"stacked", element_type::float16, {{{}, "batch"}}, false}};
    return p;
}

onnx::ModelProto some_model()
{
    auto model = parse_model("<ir_version: 7, opset_import: [\"\" : 13]> g (float[n,7,4] b, float[n,7] s) => "
                             "(float[n,7,4] loose, float[n,7] features) { loose = Neg(b) features = Neg(s) }");
    model.mutable_graph()->mutable_output(1)->set_doc_string("a feature map");
    return model;
}

strings output_names(const onnx::GraphProto& graph)
{
    strings names;
    for (const auto& output : graph.output()) {
        names.push_back(output.name());
    }
    return names;
}

} // namespace

TEST_CASE("a field has an output of its own unless it shares one")
{
    const auto p = plan_of_columns();
    CHECK(own_output(p, 0).empty());
    CHECK(own_output(p, 1).empty());
    CHECK(own_output(p, 2) == "classes");
}

TEST_CASE("fields that share an output are its columns, in the order of the output")
{
    auto model = some_model();
    fresh_names fresh(model.graph());
    node_writer nodes(*model.mutable_graph(), fresh, 13);
    auto p = plan_of_columns();
    join_fields(nodes, p, {"b", "s", "l"});
    CHECK(expression(model.graph(), "dets") == "Concat<axis=2>(b, Unsqueeze(s, [2]))");
    CHECK(expression(model.graph(), "classes") == "classes"); // made by whoever padded it
    p.outputs[0] = {"swapped", element_type::float32, {}, {1, 0}, {}};
    join_fields(nodes, p, {"b", "s", "l"});
    CHECK(expression(model.graph(), "swapped") == "Concat<axis=2>(Unsqueeze(s, [2]), b)");
}

TEST_CASE("outputs are the count, the padded ones, and those that stay as they are")
{
    auto p = plan_of_columns();
    p.others.clear();
    p.count = {"n", element_type::int32, false, {{2, ""}, {1, ""}}, {}};
    auto model = some_model();
    declare_outputs(*model.mutable_graph(), p);
    REQUIRE(output_names(model.graph()) == strings{"n", "dets", "classes", "features"});
    CHECK(declared_type(model.graph().output(0)).element == element_type::int32);
    CHECK(declared_type(model.graph().output(1)).shape == p.outputs[0].shape);
    CHECK(declared_type(model.graph().output(2)).element == element_type::int64);
    CHECK(model.graph().output(3).SerializeAsString() == some_model().graph().output(1).SerializeAsString());

    p.count.reset(); // a layout without counts
    model = some_model();
    declare_outputs(*model.mutable_graph(), p);
    CHECK(output_names(model.graph()) == strings{"dets", "classes", "features"});
}

TEST_CASE("in a loop the other outputs are stacked ones")
{
    auto p = plan_of_columns();
    p.how = batching::loop;
    auto model = some_model();
    declare_outputs(*model.mutable_graph(), p);
    REQUIRE(output_names(model.graph()) == strings{"dets", "classes", "stacked"});
    CHECK(declared_type(model.graph().output(2)).shape == std::vector<dimension>{{{}, "batch"}});
}
