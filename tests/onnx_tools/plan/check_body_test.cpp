// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/plan/check_body.hpp>

#include <tests/support/check_failure.hpp>
#include <tests/support/small_detector.hpp>

#include <doctest/doctest.h>

#include <string>

using namespace padbatch::onnx_tools;
using namespace padbatch::test;

namespace {

// Adds a node with subgraphs one in the other.
void nest(onnx::GraphProto& graph, int levels)
{
    auto* at = &graph;
    for (int i = 0; i < levels; ++i) {
        auto& node = *at->add_node();
        node.set_op_type("If");
        auto& branch = *node.add_attribute();
        branch.set_type(onnx::AttributeProto::GRAPH);
        at = branch.mutable_g();
    }
}

} // namespace

TEST_CASE("a body may nest subgraphs as deeply as protobuf reads them, one level farther in")
{
    auto model = small_detector({1, 13, "7", ""});
    CHECK_NOTHROW(check_body(model));
    nest(*model.mutable_graph(), 29);
    CHECK_NOTHROW(check_body(model));
    auto deep = small_detector({1, 13, "7", ""});
    nest(*deep.mutable_graph(), 31);
    check_failure(failure::refused, {"`dynamic_batch`", "31 deep"}, [&] { check_body(deep); });
}

TEST_CASE("every operator of a body has a domain that the model imports")
{
    auto model = small_detector({1, 13, "7", ""});
    auto& node = *model.mutable_graph()->add_node();
    node.set_op_type("Gelu");
    node.set_domain("com.microsoft");
    check_failure(failure::refused, {"Gelu", "'com.microsoft'", "does not import"}, [&] { check_body(model); });
    auto& opset = *model.add_opset_import();
    opset.set_domain("com.microsoft");
    opset.set_version(1);
    CHECK_NOTHROW(check_body(model));
    node.set_domain("ai.onnx"); // the standard one, by its other name
    CHECK_NOTHROW(check_body(model));
}
