// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/forms/loose_columns.hpp>

#include <onnx_tools/error.hpp>
#include <onnx_tools/model/wording.hpp>
#include <onnx_tools/recognise/column_origin.hpp>
#include <onnx_tools/recognise/forms/loose_nodes.hpp>
#include <onnx_tools/recognise/moved_columns.hpp>
#include <onnx_tools/recognise/row_columns.hpp>
#include <onnx_tools/recognise/undecided.hpp>

#include <algorithm>
#include <cstddef>
#include <utility>

namespace padbatch::onnx_tools {
namespace {

const flat_columns score_last{flat_column::x1, flat_column::y1,    flat_column::x2,
                              flat_column::y2, flat_column::label, flat_column::score};
const flat_columns label_last{flat_column::x1, flat_column::y1,    flat_column::x2,
                              flat_column::y2, flat_column::score, flat_column::label};

const flat_columns boxes_and_label{flat_column::x1, flat_column::y1, flat_column::x2, flat_column::y2,
                                   flat_column::label};

recognise_options with_columns(const flat_columns& columns)
{
    recognise_options said;
    said.columns = columns;
    return said;
}

} // namespace

bool are_moved(const graph_index& index, const loose_value& boxes)
{
    return moves_columns(index, boxes.output->name, boxes.leading_one ? 3 : 2) != nullptr;
}

flat_columns columns_as_joined(const graph_index& index, const loose_value& boxes)
{
    if (are_moved(index, boxes)) {
        return {};
    }
    const auto& order = joined_in(index, boxes).order;
    const auto width = *boxes.shape.back().size;
    const auto is_single = [](const column_block& block) { return block.width == 1; };
    const auto first_singles = std::find_if_not(order.begin(), order.end(), is_single) - order.begin();
    flat_columns names;
    const auto add_box = [&] { names.insert(names.end(), corners.begin(), corners.end()); };
    const auto add_single = [&](const column_block& block) {
        names.push_back(block.integer ? flat_column::label : flat_column::score);
    };
    if (order.size() == 2 && order[0].width == 5 && !order[0].integer && is_single(order[1]) && order[1].integer) {
        return label_last; // boxes with their scores
    }
    if (first_singles == width) { // the box first
        const auto box_end = order.begin() + 4;
        if (std::any_of(order.begin(), box_end, [](const auto& block) { return block.integer; })) {
            return {};
        }
        add_box();
        std::for_each(box_end, order.end(), add_single);
    } else {
        for (const auto& block : order) {
            if (block.width == 4) {
                add_box();
            } else if (is_single(block)) {
                add_single(block);
            } else {
                return {};
            }
        }
    }
    auto once = names;
    std::sort(once.begin(), once.end());
    const bool repeats = std::adjacent_find(once.begin(), once.end()) != once.end();
    return repeats || names.size() != static_cast<std::size_t>(width) ? flat_columns() : names;
}

void refuse_columns(const loose_value& boxes)
{
    if (*boxes.shape.back().size == 5) {
        throw undecided({"nothing shows that the last column of the output " + text_of(*boxes.output) + " is the score",
                         "columns that are joined from boxes and scores", "name the columns"},
                        {with_columns(boxes_and_score)});
    }
    throw undecided({"nothing shows which of the last two columns of the output " + text_of(*boxes.output) +
                         " is the label, and which the score",
                     "columns that are joined from scores and integer labels", "name the columns"},
                    {with_columns(label_last), with_columns(score_last)});
}

void refuse_column_and_list(const loose_value& boxes, const loose_value& list)
{
    throw undecided({"nothing shows which of the last column of the output " + text_of(*boxes.output) + " and " +
                         text_of(*list.output) + " is the label, and which the score",
                     "labels that are integers, or were before they were converted", "name the columns of the first"},
                    {with_columns(boxes_and_score), with_columns(boxes_and_label)});
}

// Outputs are named from the first one on.
void require_told_apart(const graph_index& index, const std::vector<typed_value>& outputs, const image_parts& parts)
{
    const auto is_part = [&](const typed_value& output) {
        return &output == parts.boxes.front().output || &output == parts.floats[0].output ||
               &output == parts.floats[1].output;
    };
    if (outputs.size() < 3 || !std::all_of(outputs.begin(), outputs.begin() + 3, is_part)) {
        return;
    }
    recognise_options first;
    first.fields.emplace();
    if (outputs.size() > 3) {
        first.batch = 1;
    }
    auto second = first;
    second.fields.emplace();
    for (const auto& output : outputs) {
        if (is_part(output)) {
            const bool box = &output == parts.boxes.front().output;
            const bool front = &output == parts.floats[0].output;
            first.fields->push_back(box ? field::boxes : front ? field::labels : field::scores);
            second.fields->push_back(box ? field::boxes : front ? field::scores : field::labels);
        }
    }
    const auto is_score = [&](const loose_value& list) {
        return origin_of_column(index, list.output->name, 0).kind == column_kind::score;
    };
    std::vector<recognise_options> sayings;
    if (!is_score(parts.floats[0])) {
        sayings.push_back(std::move(first));
    }
    if (!is_score(parts.floats[1])) {
        sayings.push_back(std::move(second));
    }
    throw undecided({"nothing shows which of the outputs " + text_of(*parts.floats[0].output) + " and " +
                         text_of(*parts.floats[1].output) + " holds the labels, and which the scores",
                     "labels that are integers, or were before they were converted", "name the outputs"},
                    std::move(sayings));
}

void require_box_columns(const flat_columns& names)
{
    const auto all = [&](const flat_columns& wanted) {
        return std::all_of(wanted.begin(), wanted.end(), [&](flat_column column) { return has(names, column); });
    };
    auto once = names;
    std::sort(once.begin(), once.end());
    const bool repeats = std::adjacent_find(once.begin(), once.end()) != once.end();
    const auto others = static_cast<std::size_t>(std::count_if(names.begin(), names.end(), [](flat_column column) {
        return column == flat_column::label || column == flat_column::score;
    }));
    if (repeats || all(corners) == all(center_and_size) || names.size() != 4 + others) {
        misused("`columns` " + text_of(names) + " are not the columns of one image's rows",
                "x1, y1, x2 and y2, or cx, cy, w and h; and label and score where they are joined to the boxes",
                "name every column of that output once, such as x1,y1,x2,y2,score,label");
    }
}

void require_as_shown(const flat_columns& names, const loose_value& boxes, const joined_columns& known)
{
    std::size_t at = 0;
    for (const auto& block : known.order) {
        const bool conflict = block.width == 1 && block.integer && at < names.size() &&
                              names[at] != flat_column::label && has(names, flat_column::label);
        const auto first = names.begin() + static_cast<std::ptrdiff_t>(std::min(at, names.size()));
        const bool splits =
            block.width == 4 && at + 4 <= names.size() && std::any_of(first, first + 4, [](flat_column column) {
                return column == flat_column::label || column == flat_column::score;
            });
        if (splits) {
            throw tool_error(failure::refused,
                             {"`columns` " + text_of(names) + ": the output " + text_of(*boxes.output) +
                                  " has its boxes in other columns, since these four were joined as one",
                              "the columns in the order in which the model has them", "correct `columns`"});
        }
        if (conflict) {
            throw tool_error(failure::refused,
                             {"`columns` " + text_of(names) + ": the output " + text_of(*boxes.output) +
                                  " has its labels in another column, since that was an integer before it was "
                                  "joined",
                              "the columns in the order in which the model has them", "correct `columns`"});
        }
        at += static_cast<std::size_t>(block.width);
    }
}

} // namespace padbatch::onnx_tools
