// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_RECOGNISE_PADDED_EVIDENCE_HPP
#define PADBATCH_ONNX_TOOLS_RECOGNISE_PADDED_EVIDENCE_HPP

#include <onnx_tools/model/graph.hpp>
#include <onnx_tools/recognise/detections.hpp>

#include <onnx/onnx_pb.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// What nodes and metadata say about outputs that are padded already.
namespace padbatch::onnx_tools {

/// Which of the two last columns of joined rows is the label: the one that was an integer when they were joined, behind
/// a box.
enum class last_columns { unknown, score_label, label_score };
[[nodiscard]] last_columns last_columns_of(const graph_index& index, std::string_view rows);

/// What boxes are by the nodes that make them: two corners that share a center or an anchor, what a NonMaxSuppression
/// reads, or the distance of two corners beside their middle or the first of them. Which of x and y comes first is not
/// shown by any node; exports have x first.
enum class shown_boxes { unknown, two_corners, center_and_extents, corner_and_extents };
[[nodiscard]] shown_boxes boxes_of(const graph_index& index, std::string_view boxes);

/// Whether the nodes fill the rows of `value` that are left over with `number`.
[[nodiscard]] bool is_filled_with(const graph_index& index, std::string_view value, double number);

/// The node that picked the rows of `value`: a TopK, a NonMaxSuppression or an operator with such a name. Null if the
/// nodes do not show one.
[[nodiscard]] const onnx::NodeProto* picked_by(const graph_index& index, std::string_view value);

/// A node above `value` that may leave an image with fewer rows than others: a NonMaxSuppression, a NonZero, or an
/// operator that is not ONNX's. Null if there is none.
[[nodiscard]] const onnx::NodeProto* dropping_node(const graph_index& index, std::string_view value);

/// Whether scores are what a Sigmoid or a Softmax gives, so that none of them is 0 for another reason than its size.
[[nodiscard]] bool are_above_zero(const graph_index& index, std::string_view scores);

/// The scores that were joined to rows, as their last column or the one before it; empty if the nodes do not show them.
[[nodiscard]] std::string_view score_column_of(const graph_index& index, std::string_view rows, bool last);

/// How many rows of each image `value` has, padding included: the constant of the TopK that picks them, or the extent
/// of what they are written into.
[[nodiscard]] std::optional<row_limit> padded_rows_of(const graph_index& index, std::string_view value);

/// Whether `count` is how many of `rows` pass a comparison.
[[nodiscard]] bool is_count_of(const graph_index& index, std::string_view count,
                               const std::vector<std::string_view>& rows);

/// The node above `value` that reads one image of a batch, by its constant position, where the batch of `input` is
/// open. Null if there is none: then the nodes hold for any number of images.
[[nodiscard]] const onnx::NodeProto* built_batch(const graph_index& index, const std::string& input,
                                                 std::string_view value);

/// What the metadata of Ultralytics' exports says.
enum class ultralytics_export {
    none,    ///< it is not one of finished detections
    nms,     ///< `nms=True`: rows x1, y1, x2, y2, score, label, filled up with zeros
    end2end, ///< a model that needs no NonMaxSuppression: the same rows, all of them real
};
[[nodiscard]] ultralytics_export ultralytics_rows(const onnx::ModelProto& model);

} // namespace padbatch::onnx_tools

#endif
