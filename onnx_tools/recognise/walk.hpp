// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_RECOGNISE_WALK_HPP
#define PADBATCH_ONNX_TOOLS_RECOGNISE_WALK_HPP

#include <onnx_tools/model/graph.hpp>

#include <deque>
#include <string_view>
#include <unordered_set>

namespace padbatch::onnx_tools {

/// Walks from `value` up the graph, nearest nodes first, and calls `visit(node)` for each node once. `visit` returns
/// the values to go on with.
template <typename Visit>
void walk_up(const graph_index& index, std::string_view value, const Visit& visit)
{
    std::deque<std::string_view> pending{value};
    std::unordered_set<const onnx::NodeProto*> seen;
    while (!pending.empty()) {
        const auto* node = index.producer(pending.front());
        pending.pop_front();
        if (node != nullptr && seen.insert(node).second) {
            const auto next = visit(*node);
            pending.insert(pending.end(), next.begin(), next.end());
        }
    }
}

/// `values`, and all that depends on them, also on their shapes alone.
template <typename Values>
[[nodiscard]] std::unordered_set<std::string_view> dependents_of(const graph_index& index, const Values& values)
{
    std::unordered_set<std::string_view> all(values.begin(), values.end());
    std::deque<std::string_view> pending(values.begin(), values.end());
    while (!pending.empty()) {
        for (const auto* reader : index.readers(pending.front())) {
            for (const auto& result : reader->output()) {
                if (all.insert(result).second) {
                    pending.push_back(result);
                }
            }
        }
        pending.pop_front();
    }
    return all;
}

} // namespace padbatch::onnx_tools

#endif
