// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/forms/loose_parts.hpp>

#include <onnx_tools/recognise/joined_columns.hpp>
#include <onnx_tools/recognise/walk.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

namespace padbatch::onnx_tools {

bool loose_sorter::has_leading_one(const typed_value& output) const
{
    const auto& shape = output.type.shape;
    if (output.type.rank.value_or(0) < 2) {
        return false;
    }
    if (!shape.empty() && shape.front().size) {
        return *shape.front().size == 1;
    }
    const auto* node = producer_behind(m_index, output.name, {"Identity", "Cast"}, 16);
    if (is(node, {"Unsqueeze"}) && adds_axis(m_index, *node, 0, 1)) {
        return true;
    }
    // The user says so, and a run fails if it is not so.
    return m_options.from == export_kind::fields;
}

std::vector<dimension> shape_of(const typed_value& output, bool leading_one)
{
    auto shape = output.type.shape;
    shape.resize(static_cast<std::size_t>(*output.type.rank));
    if (leading_one) {
        shape.erase(shape.begin());
    }
    return shape;
}

std::optional<loose_value> loose_sorter::boxes_of(const typed_value& output) const
{
    const auto& type = output.type;
    if (!type.element || !is_floating(*type.element) || (type.rank != 2 && type.rank != 3)) {
        return std::nullopt;
    }
    const bool leading_one = type.rank == 3;
    if (leading_one && !has_leading_one(output)) {
        return std::nullopt;
    }
    loose_value value{&output, leading_one, shape_of(output, leading_one)};
    const auto& width = value.shape.back().size;
    const bool fits = m_options.columns ? width.value_or(0) == static_cast<std::int64_t>(m_options.columns->size())
                                        : width && *width >= 4 && *width <= 6;
    return fits ? std::optional(std::move(value)) : std::nullopt;
}

std::optional<image_parts> loose_sorter::sorted(const std::vector<const typed_value*>& outputs,
                                                const row_origin& origin) const
{
    image_parts parts;
    for (const auto* output : outputs) {
        if (auto boxes = boxes_of(*output)) {
            parts.boxes.push_back(std::move(*boxes));
        }
    }
    if (parts.boxes.size() != 1) {
        return std::nullopt;
    }
    const auto& boxes = parts.boxes.front();
    for (const auto* output : outputs) {
        if (output != boxes.output) {
            sort_in(*output, boxes, origin, parts);
        }
    }
    return parts;
}

void loose_sorter::sort_in(const typed_value& output, const loose_value& boxes, const row_origin& origin,
                           image_parts& parts) const
{
    const auto& type = output.type;
    if (!type.element || !type.rank || *type.rank == 0) {
        parts.others.push_back(&output);
        return;
    }
    const bool leading_one = boxes.leading_one && has_leading_one(output);
    loose_value value{&output, leading_one, shape_of(output, leading_one)};
    const auto& rows = value.shape.front().size;
    const auto& rows_of_boxes = boxes.shape.front().size;
    // A fixed extent where the boxes vary, such as the 2 of an image's size, is no number of rows.
    const bool has_rows = rows ? rows == rows_of_boxes : !rows_of_boxes || type.shape.empty();
    const auto rank = value.shape.size();
    const auto& last = value.shape.back().size;
    const bool one_number = rank == 1 || (rank == 2 && last == 1);
    if (has_rows && one_number && *type.element != element_type::boolean) {
        (is_floating(*type.element) ? parts.floats : parts.integers).push_back(std::move(value));
    } else if (has_rows && rank == 3 && last == 3 && is_floating(*type.element)) {
        parts.more.emplace_back(field::keypoints, std::move(value));
    } else if (has_rows && (rank == 3 || rank == 4) && follows_selection(output, origin)) {
        parts.more.emplace_back(field::masks, std::move(value));
    } else {
        parts.others.push_back(&output);
    }
}

bool loose_sorter::follows_selection(const typed_value& output, const row_origin& origin) const
{
    if (origin.selection == nullptr) {
        return false;
    }
    const auto& made = origin.selection->output();
    return dependents_of(m_index, std::vector<std::string_view>(made.begin(), made.end())).count(output.name) != 0;
}

} // namespace padbatch::onnx_tools
