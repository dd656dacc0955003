// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/model/sort.hpp>

#include <onnx_tools/model/graph.hpp>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <queue>
#include <string_view>
#include <unordered_map>

namespace padbatch::onnx_tools {

std::vector<int> sorted_positions(const onnx::GraphProto& graph)
{
    const int count = graph.node_size();
    std::unordered_map<std::string_view, int> makers;
    for (int i = 0; i < count; ++i) {
        for (const auto& output : graph.node(i).output()) {
            if (!output.empty()) {
                makers.emplace(output, i);
            }
        }
    }
    std::vector<std::vector<int>> readers(static_cast<std::size_t>(count));
    std::vector<int> waiting_for(static_cast<std::size_t>(count), 0);
    std::priority_queue<int, std::vector<int>, std::greater<>> ready;
    for (int i = 0; i < count; ++i) {
        for (const auto value : values_read(graph.node(i))) {
            if (const auto maker = makers.find(value); maker != makers.end()) {
                readers[static_cast<std::size_t>(maker->second)].push_back(i);
                ++waiting_for[static_cast<std::size_t>(i)];
            }
        }
        if (waiting_for[static_cast<std::size_t>(i)] == 0) {
            ready.push(i);
        }
    }
    std::vector<int> order;
    order.reserve(static_cast<std::size_t>(count));
    while (!ready.empty()) {
        const int i = ready.top();
        ready.pop();
        order.push_back(i);
        for (const int reader : readers[static_cast<std::size_t>(i)]) {
            if (--waiting_for[static_cast<std::size_t>(reader)] == 0) {
                ready.push(reader);
            }
        }
    }
    return order;
}

void sort_nodes(onnx::GraphProto& graph)
{
    auto& nodes = *graph.mutable_node();
    std::vector<onnx::NodeProto*> sorted;
    for (const int i : sorted_positions(graph)) {
        sorted.push_back(nodes.Mutable(i));
    }
    if (sorted.size() == static_cast<std::size_t>(nodes.size())) {
        std::copy(sorted.begin(), sorted.end(), nodes.pointer_begin());
    }
}

} // namespace padbatch::onnx_tools
