// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_RECOGNISE_FORMS_LOOSE_COLUMNS_HPP
#define PADBATCH_ONNX_TOOLS_RECOGNISE_FORMS_LOOSE_COLUMNS_HPP

#include <onnx_tools/model/graph.hpp>
#include <onnx_tools/model/value_types.hpp>
#include <onnx_tools/recognise/flat_columns.hpp>
#include <onnx_tools/recognise/forms/loose_parts.hpp>
#include <onnx_tools/recognise/joined_columns.hpp>

#include <vector>

/// Which column, or which list, of one image's rows is the label, and which the score.
namespace padbatch::onnx_tools {

/// Boxes with their scores.
inline const flat_columns boxes_and_score{flat_column::x1, flat_column::y1, flat_column::x2, flat_column::y2,
                                          flat_column::score};

/// Whether the columns were put in another order after they were joined.
[[nodiscard]] bool are_moved(const graph_index& index, const loose_value& boxes);
/// The columns of joined rows, as the nodes show them: which part is the box, and which of the others was an integer.
/// Empty if they do not.
[[nodiscard]] flat_columns columns_as_joined(const graph_index& index, const loose_value& boxes);

/// Refuses joined rows of which nobody has said what the columns are, and nothing shows it. Throws `undecided`.
[[noreturn]] void refuse_columns(const loose_value& boxes);
/// One of the label and the score is beside the boxes, and the other in a list of its own. Throws `undecided`.
[[noreturn]] void refuse_column_and_list(const loose_value& boxes, const loose_value& list);
/// The labels and the scores are lists of one type. Throws `undecided` where the user can tell them apart.
void require_told_apart(const graph_index& index, const std::vector<typed_value>& outputs, const image_parts& parts);

/// Throws `tool_error` with `failure::usage` unless `names` are the columns of one image's rows.
void require_box_columns(const flat_columns& names);
/// The user may know what the nodes do not show, but not against what they show: throws `tool_error` with
/// `failure::refused`.
void require_as_shown(const flat_columns& names, const loose_value& boxes, const joined_columns& known);

} // namespace padbatch::onnx_tools

#endif
