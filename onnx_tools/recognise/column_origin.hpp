// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_RECOGNISE_COLUMN_ORIGIN_HPP
#define PADBATCH_ONNX_TOOLS_RECOGNISE_COLUMN_ORIGIN_HPP

#include <onnx_tools/model/graph.hpp>

#include <onnx/onnx_pb.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Where the columns of rows come from. Rows of detections are joined from columns, and what a column is, is often seen
/// only where it was made: labels are integers there, and a NonMaxSuppression selects image, class and box.
namespace padbatch::onnx_tools {

enum class column_kind {
    unknown,
    integer, ///< whole numbers of some kind
    image,   ///< the image that a NonMaxSuppression selects from
    label,   ///< the class that a NonMaxSuppression selects, or the place of the best score
    box,     ///< boxes that a NonMaxSuppression selects from
    score,   ///< scores that it selects by, or that are compared with a threshold to pick the rows
};

struct column_origin {
    column_kind kind = column_kind::unknown;
    /// The NonMaxSuppression in question, or null.
    const onnx::NodeProto* suppression = nullptr;
    /// The values by which rows were picked or sorted on the way, the last first: equal ones show that columns of two
    /// values are those of the same rows.
    std::vector<std::string_view> picks;
    /// The value and its column at the end of the way, or where the column was lost sight of the part of joined columns
    /// that it was in; no value if there is neither.
    std::string_view value;
    int column = 0;
};

/// Where column `column` of `value` comes from. A value of rank 1 is its own column 0.
[[nodiscard]] column_origin origin_of_column(const graph_index& index, std::string_view value, int column);

/// The last extent of a value, which is the number of columns, 1 for a list without columns. Nothing if it is not
/// known.
[[nodiscard]] std::optional<int> columns_of(const graph_index& index, std::string_view value);

} // namespace padbatch::onnx_tools

#endif
