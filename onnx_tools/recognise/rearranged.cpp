// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/rearranged.hpp>

#include <onnx_tools/model/light_copy.hpp>

namespace padbatch::onnx_tools {

rearranged_outputs unchanged_outputs(const onnx::GraphProto& graph)
{
    return {{}, {graph.output().begin(), graph.output().end()}, {}};
}

void rearrange(onnx::GraphProto& graph, const rearranged_outputs& to)
{
    for (const auto& node : to.nodes) {
        *graph.add_node() = node;
    }
    graph.clear_output();
    for (const auto& output : to.outputs) {
        *graph.add_output() = output;
    }
}

onnx::ModelProto rearranged_copy(const onnx::ModelProto& model, const rearranged_outputs& to)
{
    auto copy = light_copy(model);
    rearrange(*copy.mutable_graph(), to);
    return copy;
}

rearranging::rearranging(onnx::GraphProto& graph, const std::optional<rearranged_outputs>& to)
    : m_graph(graph), m_nodes(graph.node_size()), m_kept(!to)
{
    if (to) {
        *m_before.mutable_output() = graph.output();
        rearrange(graph, *to);
    }
}

rearranging::~rearranging()
{
    if (!m_kept) {
        m_graph.mutable_node()->DeleteSubrange(m_nodes, m_graph.node_size() - m_nodes);
        m_graph.mutable_output()->Swap(m_before.mutable_output());
    }
}

} // namespace padbatch::onnx_tools
