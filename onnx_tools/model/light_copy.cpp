// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/model/light_copy.hpp>

#include <cstddef>

namespace padbatch::onnx_tools {
namespace {

constexpr std::size_t largest_constant = std::size_t{64} << 10; // bytes; limits, thresholds and sizes are smaller

// The shape and type of `tensor`, and its elements unless they are many.
void copy_if_small(const onnx::TensorProto& tensor, onnx::TensorProto& to)
{
    if (tensor.ByteSizeLong() <= largest_constant) {
        to = tensor;
        return;
    }
    to.set_name(tensor.name());
    to.set_data_type(tensor.data_type());
    *to.mutable_dims() = tensor.dims();
    to.set_data_location(onnx::TensorProto::EXTERNAL); // which is not read
}

} // namespace

void copy_lightly(const onnx::GraphProto& graph, onnx::GraphProto& to)
{
    to.set_name(graph.name());
    *to.mutable_input() = graph.input();
    *to.mutable_output() = graph.output();
    *to.mutable_value_info() = graph.value_info();
    *to.mutable_quantization_annotation() = graph.quantization_annotation();
    for (const auto& tensor : graph.initializer()) {
        copy_if_small(tensor, *to.add_initializer());
    }
    for (const auto& tensor : graph.sparse_initializer()) {
        auto& copy = *to.add_sparse_initializer();
        copy_if_small(tensor.values(), *copy.mutable_values());
        *copy.mutable_dims() = tensor.dims();
    }
    for (const auto& node : graph.node()) {
        copy_lightly(node, *to.add_node());
    }
}

void copy_lightly(const onnx::NodeProto& node, onnx::NodeProto& to)
{
    to.set_op_type(node.op_type());
    if (node.has_name()) {
        to.set_name(node.name());
    }
    if (node.has_domain()) {
        to.set_domain(node.domain());
    }
    *to.mutable_input() = node.input();
    *to.mutable_output() = node.output();
    for (const auto& from : node.attribute()) {
        auto& copy = *to.add_attribute();
        if (from.has_g() || from.has_t() || from.graphs_size() != 0) {
            copy.set_name(from.name());
            copy.set_type(from.type());
            if (from.has_t()) {
                copy_if_small(from.t(), *copy.mutable_t());
            }
            if (from.has_g()) {
                copy_lightly(from.g(), *copy.mutable_g());
            }
            for (const auto& graph : from.graphs()) {
                copy_lightly(graph, *copy.add_graphs());
            }
        } else {
            copy = from;
        }
    }
}

onnx::ModelProto light_copy(const onnx::ModelProto& model)
{
    onnx::ModelProto copy;
    copy.set_ir_version(model.ir_version());
    copy.set_producer_name(model.producer_name());
    copy.set_producer_version(model.producer_version());
    *copy.mutable_opset_import() = model.opset_import();
    *copy.mutable_metadata_props() = model.metadata_props();
    copy_lightly(model.graph(), *copy.mutable_graph());
    return copy;
}

} // namespace padbatch::onnx_tools
