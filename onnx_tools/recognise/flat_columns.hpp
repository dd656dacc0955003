// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_RECOGNISE_FLAT_COLUMNS_HPP
#define PADBATCH_ONNX_TOOLS_RECOGNISE_FLAT_COLUMNS_HPP

#include <onnx_tools/recognise/detections.hpp>

#include <optional>
#include <string_view>
#include <vector>

namespace padbatch::onnx_tools {

using flat_columns = std::vector<flat_column>;

/// The two ways to write a box.
inline const flat_columns corners{flat_column::x1, flat_column::y1, flat_column::x2, flat_column::y2};
inline const flat_columns center_and_size{flat_column::cx, flat_column::cy, flat_column::w, flat_column::h};

/// The name of a column, such as `x1`, and the column with a name.
[[nodiscard]] std::string_view name_of(flat_column column) noexcept;
[[nodiscard]] std::optional<flat_column> column_from_name(std::string_view name) noexcept;
/// All columns, in the order of the enumeration.
[[nodiscard]] flat_columns all_columns();

[[nodiscard]] bool has(const flat_columns& columns, flat_column column);

/// Throws `tool_error` with `failure::usage` unless `given` are the columns of detections (each once; one way to write
/// a box, a label and a score) or, with `boxes_alone`, the four columns of a box.
void require_columns(const flat_columns& given, bool boxes_alone);

} // namespace padbatch::onnx_tools

#endif
