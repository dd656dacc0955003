// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/joined_columns.hpp>

#include <onnx_tools/model/ranks.hpp>
#include <onnx_tools/model/value_types.hpp>
#include <onnx_tools/recognise/cuts.hpp>
#include <onnx_tools/recognise/integers.hpp>

#include <cstddef>

namespace padbatch::onnx_tools {
namespace {

bool joins_last_axis(const onnx::NodeProto& concat, bool leading_one)
{
    const auto axis = integer_attribute(concat, "axis", 0);
    return axis == -1 || axis == (leading_one ? 2 : 1);
}

class column_finder {
public:
    explicit column_finder(const graph_index& index) : m_index(index) {}

    // The parts of joined columns, one after the other, a width of 0 where it is not known; false if the nodes do not
    // join any.
    bool add_blocks(const std::string& value, bool leading_one, std::vector<column_block>& to, int depth) const
    {
        const auto* node = m_index.producer(value);
        if (node == nullptr || depth > 16 || node->input_size() == 0) {
            return false;
        }
        if (is(node, {"Identity"})) {
            return add_blocks(node->input(0), leading_one, to, depth + 1);
        }
        if (is(node, {"Unsqueeze"}) && leading_one && added_axes(m_index, *node) == 1 &&
            adds_axis(m_index, *node, 0, 1)) {
            return add_blocks(node->input(0), false, to, depth + 1);
        }
        if (!is(node, {"Concat"}) || !joins_last_axis(*node, leading_one)) {
            return false;
        }
        for (const auto& part : node->input()) {
            std::vector<column_block> inside;
            if (!add_blocks(part, leading_one, inside, depth + 1)) {
                to.push_back({part, width_of(part, leading_one ? 2 : 1), leading_one});
                continue;
            }
            std::int64_t width = 0;
            bool known = true;
            for (const auto& block : inside) {
                width += block.width;
                known = known && block.width != 0;
            }
            if (known && width == 4) { // boxes that were put together before
                to.push_back({part, width, leading_one});
            } else {
                to.insert(to.end(), inside.begin(), inside.end());
            }
        }
        return true;
    }

    // The parts of `rows`, if all of their widths are known.
    [[nodiscard]] std::vector<column_block> blocks_of(const std::string& rows, bool leading_one,
                                                      std::int64_t width) const
    {
        std::vector<column_block> blocks;
        if (!add_blocks(rows, leading_one, blocks, 0)) {
            return {};
        }
        std::int64_t sum = 0;
        std::int64_t unknown = 0;
        for (const auto& block : blocks) {
            sum += block.width;
            unknown += block.width == 0 ? 1 : 0;
        }
        for (auto& block : blocks) {
            block.width = block.width == 0 && unknown == 1 ? width - sum : block.width;
            block.integer = was_integer(m_index, block.value);
        }
        return unknown <= 1 && (unknown == 1 ? sum < width : sum == width) ? blocks : std::vector<column_block>();
    }

    // How many elements a value has along `axis`, its last; 0 if that is not known.
    [[nodiscard]] std::int64_t width_of(std::string_view value, std::int64_t axis, int depth = 0) const
    {
        for (const auto& info : m_index.graph().value_info()) {
            if (info.name() == value) {
                const auto shape = declared_type(info).shape;
                if (shape.size() == static_cast<std::size_t>(axis) + 1 && shape.back().size) {
                    return *shape.back().size;
                }
            }
        }
        const auto* node = m_index.producer(value);
        if (node == nullptr || depth > 16 || node->input_size() == 0) {
            return 0;
        }
        const auto along = integer_attribute(*node, "axis", is(node, {"TopK"}) ? -1 : 0);
        const bool is_last = along == -1 || along == axis;
        const auto integers = [&](int input) {
            return input < node->input_size() ? m_index.constant_integers(node->input(input)) : std::nullopt;
        };
        if (is(node, {"Identity", "Cast", "Neg", "Abs", "Sigmoid", "Exp", "Log", "Sqrt", "Floor", "Ceil", "Round",
                      "Clip", "Relu"})) {
            return width_of(node->input(0), axis, depth + 1);
        }
        if (is(node, {"NonMaxSuppression"})) {
            return axis == 1 ? 3 : 0;
        }
        if (is(node, {"Unsqueeze"}) && adds_axis(m_index, *node, axis, axis - 1)) {
            return 1;
        }
        if (is(node, {"Squeeze", "Unsqueeze"})) {
            const auto before = axis_before(m_index, *node, axis);
            return before ? width_of(node->input(0), *before, depth + 1) : 0;
        }
        if (is(node, {"Split"}) && is_last) {
            return part_of_split(*node, value, axis, depth);
        }
        if (is(node, {"Gather"})) {
            const auto places = integers(1);
            return is_last                   ? (places && rank_finder(m_index).rank_of(node->input(1)) == 1
                                                    ? static_cast<std::int64_t>(places->size())
                                                    : 0)
                   : along == 0 && axis == 1 ? width_of(node->input(0), axis, depth + 1)
                                             : 0;
        }
        if (is(node, {"TopK"})) {
            const auto kept = integers(1);
            return is_last && kept && kept->size() == 1 ? kept->front() : 0;
        }
        if (is(node, {"ArgMax", "ReduceMax"})) {
            const auto given = is(node, {"ArgMax"}) ? std::optional(std::vector{along}) : axes_of(m_index, *node);
            const bool keeps = integer_attribute(*node, "keepdims", 1) == 1;
            return keeps && given && given->size() == 1 && (given->front() == -1 || given->front() == axis) ? 1 : 0;
        }
        if (is(node, {"Slice"})) {
            const auto starts = integers(1);
            const auto ends = integers(2);
            const auto axes = integers(3);
            const bool one = starts && ends && axes && starts->size() == 1 && ends->size() == 1 && axes->size() == 1 &&
                             node->input_size() < 5 && starts->front() >= 0 && ends->front() == starts->front() + 1;
            return one && (axes->front() == axis || axes->front() == -1) ? 1 : 0;
        }
        if (is(node, {"Reshape"})) {
            const auto shape = integers(1);
            return shape && shape->size() == static_cast<std::size_t>(axis) + 1 && shape->back() > 0 ? shape->back()
                                                                                                     : 0;
        }
        return 0;
    }

    // The Concat that joined the columns of the rows which `value` holds, picked or not.
    [[nodiscard]] const onnx::NodeProto* join_of(std::string_view value) const
    {
        for (int steps = 0; steps < 32; ++steps) {
            const auto* node = m_index.producer(value);
            if (node == nullptr || node->input_size() == 0) {
                return nullptr;
            }
            const auto axis = integer_attribute(*node, "axis", 0);
            if (is(node, {"Concat"})) {
                return (axis == -1 || axis > 0) && node->input_size() >= 2 ? node : nullptr;
            }
            const bool picks = is(node, {"Gather", "Compress"}) && axis == 0;
            const bool slices = is(node, {"Slice"}) && node->input_size() > 3 &&
                                m_index.constant_integers(node->input(3)) == std::vector<std::int64_t>{0};
            if (!picks && !slices && !is(node, {"Identity", "Cast", "GatherND", "Unsqueeze", "Squeeze"})) {
                return nullptr;
            }
            value = node->input(0);
        }
        return nullptr;
    }

private:
    // The width of one of the results of a Split.
    [[nodiscard]] std::int64_t part_of_split(const onnx::NodeProto& node, std::string_view value, std::int64_t axis,
                                             int depth) const
    {
        std::vector<std::int64_t> sizes;
        if (const auto* given = attribute(node, "split")) {
            sizes.assign(given->ints().begin(), given->ints().end());
        } else if (const auto held = node.input_size() > 1 ? m_index.constant_integers(node.input(1)) : std::nullopt) {
            sizes = *held;
        }
        for (int i = 0; i < node.output_size() && !sizes.empty(); ++i) {
            if (node.output(i) == value) {
                return static_cast<std::size_t>(i) < sizes.size() ? sizes[static_cast<std::size_t>(i)] : 0;
            }
        }
        const auto whole = node.input_size() == 1 ? width_of(node.input(0), axis, depth + 1) : 0;
        return whole % node.output_size() == 0 ? whole / node.output_size() : 0;
    }

    const graph_index& m_index;
};

} // namespace

joined_columns find_joined_columns(const graph_index& index, const std::string& rows, bool leading_one,
                                   std::int64_t width)
{
    const column_finder finder(index);
    joined_columns found;
    found.blocks = finder.blocks_of(rows, leading_one, width);
    found.order = found.blocks;
    if (const auto* node = finder.join_of(rows); node != nullptr && found.order.empty()) {
        for (const bool with_one : {false, true}) {
            if (found.order.empty()) {
                found.order = finder.blocks_of(node->output(0), with_one, width);
            }
        }
    }
    return found;
}

const column_block* block_at(const joined_columns& columns, std::int64_t first, std::int64_t width)
{
    std::int64_t at = 0;
    for (const auto& block : columns.blocks) {
        if (at == first) {
            return block.width == width ? &block : nullptr;
        }
        at += block.width;
    }
    return nullptr;
}

bool adds_axis(const graph_index& index, const onnx::NodeProto& unsqueeze, std::int64_t axis, std::int64_t rows)
{
    return axis_before(index, unsqueeze, rows).has_value() && !axis_before(index, unsqueeze, axis);
}

int added_axes(const graph_index& index, const onnx::NodeProto& unsqueeze)
{
    const auto axes = axes_of(index, unsqueeze);
    return axes ? static_cast<int>(axes->size()) : 0;
}

} // namespace padbatch::onnx_tools
