// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_PAD_IMAGE_ROWS_HPP
#define PADBATCH_ONNX_TOOLS_PAD_IMAGE_ROWS_HPP

#include <onnx_tools/model/node_writer.hpp>
#include <onnx_tools/plan/pad_plan.hpp>

#include <string>
#include <vector>

namespace padbatch::onnx_tools {

/// Detections while nodes are being appended: the values that hold their rows, all with the same number of rows.
struct row_values {
    /// One for each of the plan's fields.
    std::vector<std::string> fields;
    /// Further values with a row for each detection.
    std::vector<std::string> more;
    /// The image that the boxes lie in, or a batch of images of one size. Its last two extents are height and width, or
    /// the two before the last.
    std::string image;
    int image_rank = 0;
    bool channels_last = false;
    /// What names of nodes say about where this is, such as `/0`.
    std::string where;
};

/// `value`, scores, in a type that every runtime sorts, which float16 is not.
[[nodiscard]] std::string sortable(node_writer& nodes, const std::string& name, const planned_field& scores,
                                   const std::string& value);
/// Makes a run fail if the fields have different numbers of rows, which dropping rows would hide.
void require_equal_counts(node_writer& nodes, const pad_plan& p, row_values& rows);
/// The places of the labels, one-dimensional, that are among `chosen.labels`, or that are not if these are dropped.
[[nodiscard]] std::string places_of_classes(node_writer& nodes, const class_choice& chosen, const std::string& labels,
                                            const std::string& at);

/// The places of the scores, one-dimensional, that are above `p.score_above`, or at least what callers choose.
[[nodiscard]] std::string places_of_high_scores(node_writer& nodes, const pad_plan& p, const std::string& scores,
                                                const std::string& at);

/// Drops rows by their labels, if the plan says so and does not do it at the cuts.
void drop_classes(node_writer& nodes, const pad_plan& p, row_values& rows);

/// Drops rows with scores below `p.score_above`, or below what callers choose, if the plan says so and does not do it
/// at the cuts.
void drop_low_scores(node_writer& nodes, const pad_plan& p, row_values& rows);
/// Keeps M rows, if there can be more, or as many as callers choose, unless the cuts do that: the best ones, which are
/// the first where rows come in descending score.
void cut_rows(node_writer& nodes, const pad_plan& p, row_values& rows);
/// Converts the elements as the plan says: masks above the threshold, boxes divided by the image's size, other types.
void convert_rows(node_writer& nodes, const pad_plan& p, row_values& rows);

/// The number of rows, as a one-dimensional tensor of one element, or as one without dimensions.
[[nodiscard]] std::string row_count(node_writer& nodes, const pad_plan& p, const row_values& rows);
[[nodiscard]] std::string scalar_row_count(node_writer& nodes, const pad_plan& p, const row_values& rows);

/// The extents of one row of a field: a constant if they are known, otherwise those of `value`. Empty when a row is one
/// element.
[[nodiscard]] std::string row_extents(node_writer& nodes, const planned_field& f, const std::string& value);
/// Rows that are all padding, as many as `missing`, a one-dimensional tensor, says. `row` is what `row_extents`
/// returns.
[[nodiscard]] std::string padding_rows(node_writer& nodes, const planned_field& f, const std::string& missing,
                                       const std::string& row, const std::string& where);

/// The shape of padded rows: `front`, then the extents of a row. `row` is what `row_extents` returns.
[[nodiscard]] std::string padded_shape(node_writer& nodes, const planned_field& f, std::vector<std::int64_t> front,
                                       const std::string& row);

} // namespace padbatch::onnx_tools

#endif
