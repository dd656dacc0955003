// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_TESTS_SUPPORT_OUTLINE_HPP
#define PADBATCH_TESTS_SUPPORT_OUTLINE_HPP

#include <onnx_tools/model/graph.hpp>
#include <onnx_tools/model/sort.hpp>

#include <onnx/onnx_pb.h>

#include <cstddef>
#include <set>
#include <string>
#include <vector>

namespace padbatch::test {

/// Moves `count` nodes of the graph, from the one at `first` on in an order in which they can run, into a function of
/// the model, which the graph then calls. The values of some attributes stay with the call. The graph computes what it
/// did.
inline void outline(onnx::ModelProto& model, std::size_t first, std::size_t count)
{
    auto& graph = *model.mutable_graph();
    onnx_tools::sort_nodes(graph);
    const std::string name = "part_" + std::to_string(model.functions_size());
    auto& function = *model.add_functions();
    function.set_name(name);
    function.set_domain("tests.functions");
    *function.mutable_opset_import() = model.opset_import();
    onnx::NodeProto call;
    call.set_op_type(name);
    call.set_domain(function.domain());
    call.set_name("call_" + name);

    std::set<std::string> made;
    std::set<std::string> read;
    std::set<std::string> needed; // by the rest of the graph
    google::protobuf::RepeatedPtrField<onnx::NodeProto> rest;
    std::vector<onnx::NodeProto> moved;
    for (int i = 0; i < graph.node_size(); ++i) {
        const auto& node = graph.node(i);
        const auto at = static_cast<std::size_t>(i);
        if (at < first || at >= first + count) {
            *rest.Add() = node;
            for (const auto value : onnx_tools::values_read(node)) {
                needed.emplace(value);
            }
            continue;
        }
        if (at == first) {
            rest.Add(); // the call
        }
        for (const auto value : onnx_tools::values_read(node)) {
            if (made.count(std::string(value)) == 0 && read.emplace(value).second) {
                function.add_input(std::string(value));
                call.add_input(std::string(value));
            }
        }
        made.insert(node.output().begin(), node.output().end());
        moved.push_back(node);
    }
    for (const auto& output : graph.output()) {
        needed.insert(output.name());
    }
    made.erase("");
    for (const auto& value : made) {
        if (needed.count(value) != 0) {
            function.add_output(value);
            call.add_output(value);
        }
    }
    for (auto& node : moved) {
        for (auto& attribute : *node.mutable_attribute()) {
            if (attribute.type() == onnx::AttributeProto::INT && attribute.name() == "axis") {
                const std::string given = "axis_" + std::to_string(call.attribute_size());
                auto& value = *call.add_attribute();
                value = attribute;
                value.set_name(given);
                attribute.Clear();
                attribute.set_name("axis");
                attribute.set_type(onnx::AttributeProto::INT);
                attribute.set_ref_attr_name(given);
                function.add_attribute(given);
            }
        }
        *function.add_node() = node;
    }
    for (auto& node : rest) {
        if (node.op_type().empty()) {
            node.Swap(&call);
        }
    }
    graph.mutable_node()->Swap(&rest);
    auto& opset = *model.add_opset_import();
    opset.set_domain(function.domain());
    opset.set_version(1);
    model.set_ir_version(std::max<std::int64_t>(model.ir_version(), 8));
}

} // namespace padbatch::test

#endif
