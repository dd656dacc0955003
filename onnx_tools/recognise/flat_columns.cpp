// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/flat_columns.hpp>

#include <onnx_tools/error.hpp>
#include <onnx_tools/model/wording.hpp>

#include <algorithm>
#include <set>
#include <string>
#include <utility>

namespace padbatch::onnx_tools {
namespace {

constexpr words<flat_column, 11> column_names{{
    {flat_column::batch, "batch"},
    {flat_column::x1, "x1"},
    {flat_column::y1, "y1"},
    {flat_column::x2, "x2"},
    {flat_column::y2, "y2"},
    {flat_column::cx, "cx"},
    {flat_column::cy, "cy"},
    {flat_column::w, "w"},
    {flat_column::h, "h"},
    {flat_column::label, "label"},
    {flat_column::score, "score"},
}};

bool has_all(const flat_columns& in, const flat_columns& wanted)
{
    return std::all_of(wanted.begin(), wanted.end(), [&](flat_column column) { return has(in, column); });
}

bool has_any(const flat_columns& in, const flat_columns& wanted)
{
    return std::any_of(wanted.begin(), wanted.end(), [&](flat_column column) { return has(in, column); });
}

} // namespace

std::string_view name_of(flat_column column) noexcept
{
    return word_for(column_names, column);
}

std::optional<flat_column> column_from_name(std::string_view name) noexcept
{
    return value_for(column_names, name);
}

flat_columns all_columns()
{
    flat_columns columns;
    for (const auto& [column, name] : column_names) {
        columns.push_back(column);
    }
    return columns;
}

bool has(const flat_columns& columns, flat_column column)
{
    return std::find(columns.begin(), columns.end(), column) != columns.end();
}

void require_columns(const flat_columns& given, bool boxes_alone)
{
    const auto refuse = [&](const std::string& what) {
        throw tool_error(failure::usage,
                         {"`columns` " + what,
                          boxes_alone
                              ? "x1, y1, x2 and y2, or cx, cy, w and h, in the order in which the boxes have them"
                              : "x1, y1, x2 and y2, or cx, cy, w and h; label; score; and batch, unless another output "
                                "holds the image of each row",
                          boxes_alone ? "name the four columns of the boxes, such as y1,x1,y2,x2"
                                      : "name every column once, such as batch,x1,y1,x2,y2,label,score"});
    };
    if (std::set(given.begin(), given.end()).size() != given.size()) {
        refuse("names a column twice");
    }
    if (has_all(given, corners) == has_all(given, center_and_size) ||
        (has_any(given, corners) && has_any(given, center_and_size))) {
        refuse("does not name the four columns of a box");
    }
    if (boxes_alone && given.size() != 4) {
        refuse("names " + std::to_string(given.size()) + " columns, but the boxes of a NonMaxSuppression have 4");
    }
    if (!boxes_alone && !has_all(given, {flat_column::label, flat_column::score})) {
        refuse(std::string("names no ") + (has(given, flat_column::score) ? "label" : "score"));
    }
}

} // namespace padbatch::onnx_tools
