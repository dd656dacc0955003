// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/forms/loose_nodes.hpp>

#include <onnx_tools/model/wording.hpp>
#include <onnx_tools/recognise/box_format.hpp>
#include <onnx_tools/recognise/integers.hpp>

#include <algorithm>
#include <utility>

namespace padbatch::onnx_tools {
namespace {

std::int64_t place_of_column(const flat_columns& names, flat_column column)
{
    return std::find(names.begin(), names.end(), column) - names.begin();
}

} // namespace

joined_columns joined_in(const graph_index& index, const loose_value& boxes)
{
    return find_joined_columns(index, boxes.output->name, boxes.leading_one, boxes.shape.back().size.value_or(0));
}

loose_writer::loose_writer(const onnx::ModelProto& model, const graph_index& index, fresh_names& fresh)
    : m_index(index), m_nodes(m_scratch, fresh, standard_opset(model))
{
}

std::vector<onnx::NodeProto> loose_writer::nodes() const
{
    return {m_scratch.node().begin(), m_scratch.node().end()};
}

// The value under the nodes that put a leading 1 there, or the trailing one of a single column.
std::string loose_writer::peel(std::string value, bool& leading_one, bool& column,
                               std::optional<element_type>* integers) const
{
    for (int steps = 0; steps < 64; ++steps) { // a broken graph may have a cycle
        const auto* node = m_index.producer(value);
        if (node == nullptr || node->input_size() == 0 || m_index.producer(node->input(0)) == nullptr) {
            break;
        }
        if (is(node, {"Unsqueeze"})) {
            const std::int64_t rows = leading_one ? 1 : 0;
            const bool front = leading_one && adds_axis(m_index, *node, 0, rows);
            const bool back = column && adds_axis(m_index, *node, rows + 1, rows);
            if ((!front && !back) || added_axes(m_index, *node) != (front ? 1 : 0) + (back ? 1 : 0)) {
                break;
            }
            leading_one = leading_one && !front;
            column = column && !back;
        } else if (integers != nullptr && is(node, {"Cast"}) && integer_type(m_index, node->input(0))) {
            *integers = integer_type(m_index, node->input(0));
        } else if (!is(node, {"Identity"})) {
            break;
        }
        value = node->input(0);
    }
    return value;
}

std::string loose_writer::flattened(std::string value, bool leading_one, bool column, const std::string& name)
{
    if (leading_one) {
        value = m_nodes.squeeze(name + "/of_image", value, 0);
    }
    return column ? m_nodes.squeeze(name + "/column", value, 1) : value;
}

// A field that is a part of joined columns. Labels become integers, as those of rows in one list do.
loose_field loose_writer::from_block(field kind, const column_block& block, element_type element,
                                     std::vector<dimension> shape)
{
    std::optional<element_type> integers;
    const bool converted = kind == field::labels && is_floating(element);
    bool leading_one = block.leading_one;
    bool column = true;
    const auto value = peel(block.value, leading_one, column, converted ? &integers : nullptr);
    const std::string name(name_of(kind));
    auto result = flattened(value, leading_one, column, name);
    if (converted && !integers) {
        integers = element_type::int64;
        result = m_nodes.cast(name + "/integers", result, element_type::int64);
    }
    return {kind, std::move(result), integers.value_or(element), std::move(shape)};
}

loose_field loose_writer::whole(field kind, const loose_value& value)
{
    auto shape = value.shape;
    bool column = (kind == field::labels || kind == field::scores) && shape.size() == 2;
    if (column) {
        shape.pop_back();
    }
    bool leading_one = value.leading_one;
    const auto& name = value.output->name;
    const auto inner = peel(name, leading_one, column, nullptr);
    auto result = flattened(inner, leading_one, column, std::string(name_of(kind)));
    if (result != name) {
        m_sources[result] = quoted(name);
    }
    return {kind, std::move(result), *value.output->type.element, std::move(shape)};
}

// The rows [n, columns] of an output.
std::string loose_writer::rows_of(const loose_value& boxes)
{
    auto& rows = m_rows[boxes.output->name];
    rows = rows.empty() ? flattened(boxes.output->name, boxes.leading_one, false, "rows") : rows;
    return rows;
}

loose_field loose_writer::one_column(field kind, const flat_columns& names, const loose_value& boxes,
                                     const joined_columns& known)
{
    const auto place = place_of_column(names, kind == field::labels ? flat_column::label : flat_column::score);
    const auto element = *boxes.output->type.element;
    const std::vector<dimension> shape{boxes.shape.front()};
    const std::string what = "column " + std::to_string(place) + " of " + quoted(boxes.output->name);
    if (const auto* block = block_at(known, place, 1)) {
        auto f = from_block(kind, *block, element, shape);
        m_sources[f.value] = what;
        return f;
    }
    const std::string name(name_of(kind));
    loose_field f{kind, m_nodes.gather(name + "/column", rows_of(boxes), m_nodes.integer(place), 1), element, shape};
    if (kind == field::labels) {
        f.value = m_nodes.cast(name + "/integers", f.value, element_type::int64);
        f.element = element_type::int64;
    }
    m_sources[f.value] = what;
    return f;
}

loose_field loose_writer::box_columns(const flat_columns& names, const loose_value& boxes, const joined_columns& known)
{
    const auto element = *boxes.output->type.element;
    const std::vector<dimension> shape{boxes.shape.front(), {4, ""}};
    const bool middle = has(names, flat_column::cx);
    std::vector<std::int64_t> places;
    for (const auto column : middle ? center_and_size : corners) {
        places.push_back(place_of_column(names, column));
    }
    const bool in_order = places[1] == places[0] + 1 && places[2] == places[1] + 1 && places[3] == places[2] + 1;
    std::string value;
    const auto* block = in_order ? block_at(known, places[0], 4) : nullptr;
    if (block != nullptr || names.size() == 4) {
        bool leading_one = block != nullptr ? block->leading_one : boxes.leading_one;
        bool column = false;
        const auto inner = peel(block != nullptr ? block->value : boxes.output->name, leading_one, column, nullptr);
        value = flattened(inner, leading_one, false, "boxes");
    }
    if (value.empty() || (names.size() == 4 && !in_order)) {
        value = m_nodes.gather("boxes/columns", value.empty() ? rows_of(boxes) : value, m_nodes.integers(places), 1);
    }
    if (middle) {
        value = to_corners(m_nodes, value, box_format::cxcywh, element, 1);
    }
    m_sources[value] = names.size() == 4
                           ? quoted(boxes.output->name)
                           : "the columns " + joined(places, ", ", [](std::int64_t i) { return std::to_string(i); }) +
                                 " of " + quoted(boxes.output->name);
    return {field::boxes, value, element, shape};
}

} // namespace padbatch::onnx_tools
