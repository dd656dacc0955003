// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_RECOGNISE_ROW_COLUMNS_HPP
#define PADBATCH_ONNX_TOOLS_RECOGNISE_ROW_COLUMNS_HPP

#include <onnx_tools/model/graph.hpp>
#include <onnx_tools/model/value_types.hpp>
#include <onnx_tools/recognise/column_origin.hpp>
#include <onnx_tools/recognise/flat_columns.hpp>

#include <string>
#include <vector>

namespace padbatch::onnx_tools {

/// The columns of rows `[n, 7]` (`with_image`) or `[n, 6]`, in the orders that exporters have. The first is the usual
/// one.
[[nodiscard]] const std::vector<flat_columns>& known_columns(bool with_image);

/// What the nodes show about the columns of rows.
struct shown_columns {
    /// Where each column comes from.
    std::vector<column_origin> origins;
    /// The known orders that fit.
    std::vector<flat_columns> fitting;
    /// Whether the nodes show that it is the first of these, and no other.
    bool certain = false;
};
[[nodiscard]] shown_columns columns_shown(const graph_index& index, const typed_value& rows, bool with_image);

/// Whether the nodes show that these cannot be the columns of rows.
[[nodiscard]] bool contradicts_nodes(const graph_index& index, const typed_value& rows, const flat_columns& columns);

/// `x1,y1,x2,y2,score,label`.
[[nodiscard]] std::string text_of(const flat_columns& columns);

} // namespace padbatch::onnx_tools

#endif
