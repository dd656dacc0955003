// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_RECOGNISE_PADDED_ROWS_HPP
#define PADBATCH_ONNX_TOOLS_RECOGNISE_PADDED_ROWS_HPP

#include <onnx_tools/model/node_writer.hpp>
#include <onnx_tools/recognise/detections.hpp>
#include <onnx_tools/recognise/flat_columns.hpp>
#include <padbatch/element_type.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// Nodes that take the real rows out of outputs that are padded already.
namespace padbatch::onnx_tools {

/// Where the real rows of an image end.
enum class row_ends {
    counted,      ///< an output has their number
    all,          ///< nowhere: all rows are real
    before_label, ///< before the first label of -1
    before_score, ///< before the first score that is not above 0
};

/// `[B, M, columns]`, or `[B, M]` if it is one column.
struct padded_part {
    std::string name;
    element_type element = element_type::float32;
    bool is_column = false;
};

/// Outputs that are padded already.
struct padded_rows {
    std::vector<padded_part> parts;
    /// Those of all parts, side by side.
    flat_columns columns;
    row_ends ends = row_ends::all;
    /// `[B]` or `[B, 1]`, with `row_ends::counted`.
    std::string count;
    /// M, if it is known.
    std::optional<std::int64_t> rows;
    /// The input whose first extent is B, and its dimension that is the height; the width follows.
    std::string images;
    std::int64_t height = 2;
    /// What the numbers of boxes are that `columns` calls corners.
    box_format boxes = box_format::xyxy;
    bool normalised = false;
};

/// The real rows of all images in one list.
struct real_rows {
    std::string rows;  ///< `[n, columns]`
    std::string image; ///< `[n]`, int64
    flat_columns columns;
};

/// The type of these rows: one that holds every number of each part.
[[nodiscard]] element_type common_type(const padded_rows& source);

[[nodiscard]] real_rows write_real_rows(node_writer& nodes, const padded_rows& source);

} // namespace padbatch::onnx_tools

#endif
