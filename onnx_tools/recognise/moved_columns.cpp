// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/moved_columns.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>

namespace padbatch::onnx_tools {
namespace {

bool is_last(std::int64_t axis, int rank)
{
    return axis == -1 || axis == rank - 1;
}

// Whether a Gather, Slice or Split takes some of the columns.
bool takes_columns(const graph_index& index, const onnx::NodeProto& node, int rank)
{
    if (is(&node, {"Gather"})) {
        return node.input_size() > 1 && is_last(integer_attribute(node, "axis", 0), rank) &&
               index.constant_integers(node.input(1));
    }
    if (is(&node, {"Split"})) {
        return is_last(integer_attribute(node, "axis", 0), rank);
    }
    const auto axes = is(&node, {"Slice"}) ? axes_of(index, node, 3) : std::nullopt;
    return axes && std::any_of(axes->begin(), axes->end(), [&](auto axis) { return is_last(axis, rank); });
}

// Whether a Concat joins nothing but columns of one value.
bool joins_anew(const graph_index& index, const onnx::NodeProto& concat, int rank)
{
    std::string_view from;
    return std::all_of(concat.input().begin(), concat.input().end(), [&](const std::string& part) {
        const auto* node = producer_behind(index, part, {"Identity", "Cast", "Unsqueeze", "Squeeze", "Reshape"}, 16);
        if (node == nullptr || !takes_columns(index, *node, rank)) {
            return false;
        }
        const auto own = origin(index, node->input(0));
        from = from.empty() ? own : from;
        return own == from;
    });
}

} // namespace

const onnx::NodeProto* moves_columns(const graph_index& index, std::string_view rows, int rank)
{
    for (int steps = 0; steps < 64; ++steps) { // a broken graph may have a cycle
        const auto* node = index.producer(rows);
        if (node == nullptr || node->input_size() == 0) {
            return nullptr;
        }
        if (takes_columns(index, *node, rank)) {
            return node;
        }
        int data = 0;
        if (is(node, {"Concat"})) {
            if (is_last(integer_attribute(*node, "axis", 0), rank)) {
                return joins_anew(index, *node, rank) ? node : nullptr;
            }
        } else if (is(node, {"Squeeze", "Unsqueeze"})) {
            const auto axes = axes_of(index, *node, 1);
            const int change = axes ? static_cast<int>(axes->size()) : 0;
            rank += is(node, {"Squeeze"}) ? change : -change;
        } else if (is(node, {"Where"})) {
            data = node->input_size() > 2 && index.constant(node->input(1)) != nullptr ? 2 : 1;
        } else if (!is(node, {"Identity", "Cast", "Clip", "Gather", "GatherElements", "Compress", "Slice"})) {
            return nullptr; // the rank above is not known
        }
        if (node->input_size() <= data) {
            return nullptr;
        }
        rows = node->input(data);
    }
    return nullptr;
}

} // namespace padbatch::onnx_tools
