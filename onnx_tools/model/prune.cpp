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
    // A node goes if something that it made has lost its use, and also if it reads what is gone: nobody used it before
    // either, and it would have nothing to read.
    std::unordered_set<std::string> gone;
    std::unordered_set<const onnx::NodeProto*> dropped;
    std::vector<const onnx::NodeProto*> pending;
    const auto drop_node = [&](const onnx::NodeProto& node) {
        if (dropped.insert(&node).second) {
            gone.insert(node.output().begin(), node.output().end());
            pending.push_back(&node);
        }
    };
    const graph_index index(graph);
    for (const auto& node : graph.node()) {
        const auto& made = node.output();
        if (std::any_of(made.begin(), made.end(), lost_its_use) &&
            std::none_of(made.begin(), made.end(), [&](const std::string& value) { return now.count(value) != 0; })) {
            drop_node(node);
        }
    }
    while (!pending.empty()) {
        const auto& node = *pending.back();
        pending.pop_back();
        for (const auto& value : node.output()) {
            for (const auto* reader : index.readers(value)) {
                drop_node(*reader);
            }
        }
    }
    drop(*graph.mutable_node(), [&](const onnx::NodeProto& node) {
        const auto& made = node.output();
        return !made.empty() && std::all_of(made.begin(), made.end(), [&](const std::string& value) {
            return value.empty() || gone.count(value) != 0;
        }) && std::any_of(made.begin(), made.end(), [](const std::string& value) { return !value.empty(); });
    });
    // A weight may also be an input, which the model keeps since a caller may supply it.
    std::unordered_set<std::string> needed;
    for (const auto& input : graph.input()) {
        needed.insert(input.name());
    }
    // So are those that a node without a use, which stays, reads.
    for (const auto& node : graph.node()) {
        for (const auto value : values_read(node)) {
            needed.emplace(value);
        }
    }
    drop(*graph.mutable_initializer(), [&](const onnx::TensorProto& tensor) {
        return lost_its_use(tensor.name()) && needed.count(tensor.name()) == 0;
    });
    drop(*graph.mutable_sparse_initializer(), [&](const onnx::SparseTensorProto& tensor) {
        return lost_its_use(tensor.values().name()) && needed.count(tensor.values().name()) == 0;
    });
    drop(*graph.mutable_value_info(), [&](const onnx::ValueInfoProto& info) { return gone.count(info.name()) != 0; });
}

} // namespace padbatch::onnx_tools
