// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/row_columns.hpp>

#include <onnx_tools/model/wording.hpp>
#include <onnx_tools/recognise/integers.hpp>

#include <algorithm>
#include <cstddef>

namespace padbatch::onnx_tools {
namespace {

bool is_of_box(flat_column name)
{
    return name != flat_column::batch && name != flat_column::label && name != flat_column::score;
}

// Whether a column with this name can come from there.
bool fits(flat_column name, column_kind kind)
{
    switch (kind) {
    case column_kind::integer: return name == flat_column::batch || name == flat_column::label;
    case column_kind::image: return name == flat_column::batch;
    case column_kind::label: return name == flat_column::label;
    case column_kind::score: return name == flat_column::score;
    case column_kind::box: return is_of_box(name);
    default: return true;
    }
}

// Whether columns that were joined as a block of four are those of the box.
bool blocks_fit(const flat_columns& names, const std::vector<column_origin>& origins)
{
    const auto may_be_box = [&](std::size_t i) {
        return origins[i].kind == column_kind::unknown || origins[i].kind == column_kind::box;
    };
    for (std::size_t first = 0; first < names.size();) {
        std::size_t end = first + 1;
        while (end < names.size() && may_be_box(first) && may_be_box(end) && !origins[end].value.empty() &&
               origins[end].value == origins[first].value && origins[end].column == origins[end - 1].column + 1) {
            ++end;
        }
        const auto width = end - first;
        const auto at = names.begin() + static_cast<std::ptrdiff_t>(first);
        if (width == 4 && !std::all_of(at, at + static_cast<std::ptrdiff_t>(width), is_of_box)) {
            return false;
        }
        first = end;
    }
    return true;
}

bool all_fit(const flat_columns& names, const std::vector<column_origin>& origins)
{
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (!fits(names[i], origins[i].kind)) {
            return false;
        }
    }
    return blocks_fit(names, origins);
}

// Whether something shows which column is the label and which is the score.
bool tells_labels(const flat_columns& names, const std::vector<column_origin>& origins)
{
    for (std::size_t i = 0; i < names.size(); ++i) {
        const auto kind = origins[i].kind;
        if ((names[i] == flat_column::label && kind != column_kind::unknown) ||
            (names[i] == flat_column::score && kind != column_kind::unknown)) {
            return true;
        }
    }
    return false;
}

// The order of the last two columns, if one of them alone was an integer when it was joined to others of unknown
// widths.
std::optional<bool> label_is_last(const graph_index& index, const std::string& rows)
{
    const auto* node = producer_behind(index, rows, {"Identity", "Cast"}, 16);
    if (!is(node, {"Concat"}) || node->input_size() < 3) {
        return std::nullopt;
    }
    const bool last = was_integer(index, node->input(node->input_size() - 1));
    return last == was_integer(index, node->input(node->input_size() - 2)) ? std::nullopt : std::optional(last);
}

} // namespace

const std::vector<flat_columns>& known_columns(bool with_image)
{
    using enum flat_column;
    static const std::vector<flat_columns> with{{batch, x1, y1, x2, y2, label, score},
                                                {batch, x1, y1, x2, y2, score, label},
                                                {batch, label, score, x1, y1, x2, y2}};
    static const std::vector<flat_columns> without{{x1, y1, x2, y2, score, label},
                                                   {x1, y1, x2, y2, label, score},
                                                   {label, score, x1, y1, x2, y2},
                                                   {score, label, x1, y1, x2, y2}};
    return with_image ? with : without;
}

shown_columns columns_shown(const graph_index& index, const typed_value& rows, bool with_image)
{
    shown_columns shown;
    const auto& known = known_columns(with_image);
    for (std::size_t i = 0; i < known.front().size(); ++i) {
        shown.origins.push_back(origin_of_column(index, rows.name, static_cast<int>(i)));
    }
    for (const auto& names : known) {
        if (all_fit(names, shown.origins)) {
            shown.fitting.push_back(names);
        }
    }
    shown.certain = shown.fitting.size() == 1 && tells_labels(shown.fitting.front(), shown.origins);
    if (shown.certain) {
        return shown;
    }
    if (const auto last = label_is_last(index, rows.name)) {
        const auto ends = *last ? flat_column::label : flat_column::score;
        const auto begins = *last ? flat_column::score : flat_column::label;
        std::erase_if(shown.fitting,
                      [&](const flat_columns& names) { return names.back() != ends || names.end()[-2] != begins; });
        shown.certain = shown.fitting.size() == 1;
    }
    return shown;
}

bool contradicts_nodes(const graph_index& index, const typed_value& rows, const flat_columns& columns)
{
    std::vector<column_origin> origins;
    for (std::size_t i = 0; i < columns.size(); ++i) {
        origins.push_back(origin_of_column(index, rows.name, static_cast<int>(i)));
    }
    const auto last = label_is_last(index, rows.name);
    const bool other_end = last && columns.back() == (*last ? flat_column::score : flat_column::label);
    return other_end || !all_fit(columns, origins);
}

std::string text_of(const flat_columns& columns)
{
    return joined(columns, ",", [](flat_column column) { return name_of(column); });
}

} // namespace padbatch::onnx_tools
