// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_RECOGNISE_HEAD_COLUMNS_HPP
#define PADBATCH_ONNX_TOOLS_RECOGNISE_HEAD_COLUMNS_HPP

#include <onnx_tools/model/value_types.hpp>
#include <onnx_tools/recognise/detections.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>

namespace padbatch::onnx_tools {

/// What is known of the rows of a head, `[B, columns, A]` or `[B, A, columns]`.
struct known_of_columns {
    /// Columns besides those of the classes.
    std::int64_t others = 0;
    std::optional<std::int64_t> classes;
    /// Height and width of the image.
    std::optional<image_extents> image;
    /// The dimension that usually has the columns, 1 or 2.
    std::size_t usual = 1;
    /// Whether that is enough where both dimensions are declared and nothing shows another one.
    bool settles = false;
    /// The dimension along which the nodes join boxes and scores.
    std::optional<std::size_t> shown = std::nullopt;
    /// Whether the number of classes is the user's.
    bool is_told = false;
};

struct head_columns {
    /// 1 or 2.
    std::size_t dimension = 0;
    std::int64_t count = 0;
    /// Whether the file declares so many; else running the model has to.
    bool is_declared = true;
};

/// Which dimension of `rows` has the columns, and how many there are: what fits the number of classes, or leaves as
/// many anchors as the grids of the image have cells, or far fewer columns than anchors, unless the nodes show it.
/// Throws `tool_error` with `failure::refused` when nothing shows it.
[[nodiscard]] head_columns columns_of_rows(const typed_value& rows, const known_of_columns& known);

/// The same of class scores that have no other columns, `[B, A, C]` or `[B, C, A]`, beside boxes of `anchors`.
[[nodiscard]] head_columns columns_of_scores(const typed_value& scores, std::optional<std::int64_t> anchors,
                                             std::optional<std::int64_t> classes);

} // namespace padbatch::onnx_tools

#endif
