// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/model/prune.hpp>

#include <onnx_tools/model/graph.hpp>

#include <algorithm>

namespace padbatch::onnx_tools {
namespace {

// Keeps the elements of a repeated field that are not `unwanted`, in their order.
template <typename Repeated, typename Unwanted>
void drop(Repeated& elements, const Unwanted& unwanted)
{
    elements.erase(std::remove_if(elements.begin(), elements.end(), unwanted), elements.end());
}

} // namespace

std::unordered_set<std::string> values_in_use(const onnx::GraphProto& graph)
{
    const graph_index index(graph);
    std::unordered_set<std::string> used;
    std::vector<std::string_view> pending;
    for (const auto& output : graph.output()) {
        pending.push_back(output.name());
    }
    while (!pending.empty()) {
        const auto value = pending.back();
        pending.pop_back();
        if (!used.emplace(value).second) {
            continue;
        }
        if (const auto* node = index.producer(value)) {
            const auto read = values_read(*node);
            pending.insert(pending.end(), read.begin(), read.end());
        }
    }
    return used;
}

void remove_unused(onnx::GraphProto& graph, const std::unordered_set<std::string>& before)
{
    const auto now = values_in_use(graph);
    const auto lost_its_use = [&](const std::string& value) {
        return before.count(value) != 0 && now.count(value) == 0;
    };
    std::unordered_set<std::string> gone;
    drop(*graph.mutable_node(), [&](const onnx::NodeProto& node) {
        bool lost = false;
        for (const auto& output : node.output()) {
            lost = lost || lost_its_use(output);
        }
        for (const auto& output : node.output()) {
            lost = lost && now.count(output) == 0;
        }
        if (lost) {
            gone.insert(node.output().begin(), node.output().end());
        }
        return lost;
    });
    // A weight may also be an input, which the model keeps since a caller may supply it.
    std::unordered_set<std::string> inputs;
    for (const auto& input : graph.input()) {
        inputs.insert(input.name());
    }
    drop(*graph.mutable_initializer(), [&](const onnx::TensorProto& tensor) {
        return lost_its_use(tensor.name()) && inputs.count(tensor.name()) == 0;
    });
    drop(*graph.mutable_sparse_initializer(), [&](const onnx::SparseTensorProto& tensor) {
        return lost_its_use(tensor.values().name()) && inputs.count(tensor.values().name()) == 0;
    });
    drop(*graph.mutable_value_info(), [&](const onnx::ValueInfoProto& info) { return gone.count(info.name()) != 0; });
}

} // namespace padbatch::onnx_tools
