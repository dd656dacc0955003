// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/row_origin.hpp>

#include <onnx_tools/model/ranks.hpp>
#include <onnx_tools/recognise/cuts.hpp>

#include <algorithm>
#include <optional>
#include <string>

namespace padbatch::onnx_tools {
namespace {

bool selects_inside(const onnx::GraphProto& graph, int depth = 0)
{
    return std::any_of(graph.node().begin(), graph.node().end(), [&](const onnx::NodeProto& node) {
        bool inside = is(&node, {"NonMaxSuppression", "NonZero"});
        for_each_subgraph(node, [&](const onnx::GraphProto& sub) {
            inside = inside || (depth < 8 && selects_inside(sub, depth + 1));
        });
        return inside;
    });
}

class origin_finder {
public:
    explicit origin_finder(const graph_index& index) : m_index(index), m_ranks(index) {}

    row_origin find(std::string_view value, std::int64_t axis, int depth)
    {
        const auto* node = m_index.producer(value);
        if (node == nullptr || depth > 64 || ++m_steps > 4000) { // a broken graph may have a cycle
            return {};
        }
        if (is(node, {"NonMaxSuppression", "NonZero", "Compress"})) {
            return {node, nullptr};
        }
        if (is(node, {"If", "Loop"})) {
            bool inside = false;
            for_each_subgraph(*node, [&](const onnx::GraphProto& sub) { inside = inside || selects_inside(sub); });
            return {inside ? node : nullptr, nullptr};
        }
        if (node->input_size() == 0) {
            return {};
        }
        const auto first = [&](std::optional<std::int64_t> along) {
            return along ? find(node->input(0), *along, depth + 1) : row_origin();
        };
        if (is(node, {"Identity", "Cast", "Clip", "Abs", "Neg", "Floor", "Ceil", "Round", "Exp", "Log", "Sqrt",
                      "Sigmoid", "Relu", "Softmax", "Not", "Slice", "Split"})) {
            return first(axis);
        }
        if (is(node, {"Add", "Sub", "Mul", "Div", "Min", "Max", "Pow", "Mod", "Where", "Greater", "Less", "Equal"})) {
            return of_any(*node, axis, depth);
        }
        if (is(node, {"Squeeze", "Unsqueeze"})) {
            return first(axis_before(m_index, *node, axis));
        }
        if (is(node, {"Transpose"})) {
            const auto* perm = attribute(*node, "perm");
            return first(perm != nullptr && axis < perm->ints_size()
                             ? std::optional<std::int64_t>(perm->ints(static_cast<int>(axis)))
                             : std::nullopt);
        }
        if (is(node, {"Concat"})) {
            return of_concat(*node, axis, depth);
        }
        if (is(node, {"TopK"})) { // of a constant number there are always as many
            return node->input_size() > 1 && !m_index.constant_integers(node->input(1)) ? first(axis) : row_origin();
        }
        if (is(node, {"Reshape", "Flatten"})) { // where to is not looked at: there are no other rows
            const auto rank = m_ranks.rank_of(node->input(0));
            return rank ? first(*rank <= 2 ? 0 : axis) : row_origin();
        }
        if (is(node, {"Gather", "GatherND", "GatherElements"}) && node->input_size() > 1) {
            return of_gather(*node, axis, depth);
        }
        return {};
    }

private:
    row_origin of_any(const onnx::NodeProto& node, std::int64_t axis, int depth)
    {
        row_origin any;
        for (const auto& input : node.input()) {
            const auto own = find(input, axis, depth + 1);
            any.selection = any.selection != nullptr ? any.selection : own.selection;
            any.padding = any.padding != nullptr ? any.padding : own.padding;
        }
        return any;
    }

    row_origin of_concat(const onnx::NodeProto& node, std::int64_t axis, int depth)
    {
        auto along = integer_attribute(node, "axis", 0);
        if (along < 0) {
            const auto rank = m_ranks.rank_of(node.output(0));
            if (!rank) {
                return {};
            }
            along += *rank;
        }
        auto found = of_any(node, axis, depth);
        if (along == axis && std::any_of(node.input().begin(), node.input().end(),
                                         [&](const auto& input) { return is_constant(input); })) {
            found.padding = &node;
        }
        return found;
    }

    [[nodiscard]] bool is_constant(std::string_view value) const
    {
        return m_index.initializer(origin(m_index, value)) != nullptr ||
               is(producer_behind(m_index, value, {"Identity", "Cast", "Unsqueeze", "Squeeze", "Reshape", "Expand"},
                                  16),
                  {"Constant", "ConstantOfShape"});
    }

    row_origin of_gather(const onnx::NodeProto& node, std::int64_t axis, int depth)
    {
        auto along =
            is(&node, {"GatherND"}) ? integer_attribute(node, "batch_dims", 0) : integer_attribute(node, "axis", 0);
        if (along < 0) {
            along += m_ranks.rank_of(node.input(0)).value_or(0);
        }
        if (along == axis) {
            const bool elements = is(&node, {"GatherElements"});
            return find(node.input(1), elements || is(&node, {"GatherND"}) ? axis : 0, depth + 1);
        }
        const auto columns = m_ranks.rank_of(node.input(1));
        const bool dropped = is(&node, {"Gather"}) && along < axis && columns == 0;
        return along > axis || dropped || is(&node, {"GatherElements"})
                   ? find(node.input(0), axis + (dropped ? 1 : 0), depth + 1)
                   : row_origin();
    }

    const graph_index& m_index;
    rank_finder m_ranks;
    int m_steps = 0;
};

} // namespace

row_origin find_row_origin(const graph_index& index, std::string_view value, std::int64_t axis)
{
    return origin_finder(index).find(value, axis, 0);
}

} // namespace padbatch::onnx_tools
