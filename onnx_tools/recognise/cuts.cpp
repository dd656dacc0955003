// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/cuts.hpp>

#include <onnx_tools/recognise/walk.hpp>

#include <limits>
#include <string_view>
#include <vector>

namespace padbatch::onnx_tools {
namespace {

// `value` as the result of a Slice of rows [0, constant) along the first axis.
row_cut as_cut(const graph_index& index, std::string_view value)
{
    const auto* node = index.producer(origin(index, value));
    if (node == nullptr || node->op_type() != "Slice" || node->input_size() < 3) {
        return {};
    }
    const auto input_is = [&](int i, std::int64_t expected) {
        if (i >= node->input_size() || node->input(i).empty()) {
            return true; // absent means all axes from the first on, in steps of one
        }
        const auto values = index.constant_integers(node->input(i));
        return values && values->size() == 1 && values->front() == expected;
    };
    const auto ends = index.constant_integers(node->input(2));
    // Exporters write "all rows" as an end of 2^31 - 1 or 2^63 - 1.
    if (!input_is(1, 0) || !input_is(3, 0) || !input_is(4, 1) || !ends || ends->size() != 1 || ends->front() < 1 ||
        ends->front() >= std::numeric_limits<std::int32_t>::max()) {
        return {};
    }
    return {node, ends->front()};
}

row_cut cut_of_gather(const graph_index& index, const onnx::NodeProto& node)
{
    return is(&node, {"Gather", "GatherND", "GatherElements"}) && node.input_size() > 1 ? as_cut(index, node.input(1))
                                                                                        : row_cut();
}

// What a value depends on through `node`, other than through a shape alone.
std::vector<std::string_view> dependencies(const onnx::NodeProto& node)
{
    return is(&node, {"Shape", "Size"}) ? std::vector<std::string_view>() : values_read(node);
}

// Whether `indices` come from a NonZero, as in a boolean selection: each row is picked at most once.
bool is_selection(const graph_index& index, std::string_view indices)
{
    const auto* node = producer_behind(
        index, indices,
        {"Identity", "Cast", "Transpose", "Squeeze", "Unsqueeze", "Reshape", "Flatten", "Gather", "Split"}, 7);
    return is(node, {"NonZero"});
}

} // namespace

row_bound bound_of(const graph_index& index, const std::string& value)
{
    row_bound bound;
    const auto lower = [&](const row_cut& cut) {
        if (!bound.limit || cut.rows < bound.limit->rows) {
            bound.limit = row_limit{cut.rows, describe(*cut.node)};
        }
    };
    std::string_view at = value;
    for (int steps = 0; steps < 64; ++steps) { // wrappers add a few nodes; the bound is for graphs with a cycle
        const auto* node = index.producer(at);
        if (node == nullptr || node->input_size() == 0) {
            break;
        }
        if (is(node, {"Gather", "GatherND"})) {
            const auto cut = cut_of_gather(index, *node);
            if (cut.node != nullptr && integer_attribute(*node, "axis", 0) == 0) {
                bound.cut = cut.node;
                lower(cut);
                break;
            }
            if (node->input_size() < 2 || !is_selection(index, node->input(1))) {
                break;
            }
        } else if (node->op_type() == "Slice") {
            if (const auto cut = as_cut(index, at); cut.node != nullptr) {
                lower(cut);
            }
        } else if (!is(node, {"Identity", "Cast", "Clip", "Compress"})) {
            break;
        }
        at = node->input(0);
    }
    return bound;
}

row_cut nearest_cut(const graph_index& index, const std::string& value)
{
    row_cut cut;
    walk_up(index, value, [&](const onnx::NodeProto& node) -> std::vector<std::string_view> {
        if (cut.node == nullptr) {
            cut = cut_of_gather(index, node);
        }
        return cut.node == nullptr ? dependencies(node) : std::vector<std::string_view>();
    });
    return cut;
}

std::set<const onnx::NodeProto*> all_cuts(const graph_index& index, const std::string& value)
{
    std::set<const onnx::NodeProto*> cuts;
    walk_up(index, value, [&](const onnx::NodeProto& node) {
        if (const auto cut = cut_of_gather(index, node); cut.node != nullptr) {
            cuts.insert(cut.node);
        }
        return dependencies(node);
    });
    return cuts;
}

} // namespace padbatch::onnx_tools
