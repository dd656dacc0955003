// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_RECOGNISE_JOINED_COLUMNS_HPP
#define PADBATCH_ONNX_TOOLS_RECOGNISE_JOINED_COLUMNS_HPP

#include <onnx_tools/model/graph.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Rows [n, columns] or [1, n, columns], and the values that nodes joined to make them.
namespace padbatch::onnx_tools {

/// A part of joined columns.
struct column_block {
    std::string value;
    std::int64_t width = 0;
    /// Whether the part itself is `[1, n, width]`.
    bool leading_one = false;
    /// Whether it was an integer.
    bool integer = false;
};

/// What the nodes show of the columns of a value.
struct joined_columns {
    /// The parts that it is joined from, one after the other; empty unless all widths are known.
    std::vector<column_block> blocks;
    /// The parts of the rows before some of them were picked; empty likewise.
    std::vector<column_block> order;
};

/// `width` is the number of columns of `rows`, which are `[1, n, width]` with `leading_one`.
[[nodiscard]] joined_columns find_joined_columns(const graph_index& index, const std::string& rows, bool leading_one,
                                                 std::int64_t width);

/// The part that begins at column `first`; null if no part is just these `width` columns.
[[nodiscard]] const column_block* block_at(const joined_columns& columns, std::int64_t first, std::int64_t width);

/// Whether an Unsqueeze adds `axis` and is known to keep the rows, which its output has along `rows`.
[[nodiscard]] bool adds_axis(const graph_index& index, const onnx::NodeProto& unsqueeze, std::int64_t axis,
                             std::int64_t rows);
/// How many axes an Unsqueeze adds; 0 if that is not known.
[[nodiscard]] int added_axes(const graph_index& index, const onnx::NodeProto& unsqueeze);

} // namespace padbatch::onnx_tools

#endif
