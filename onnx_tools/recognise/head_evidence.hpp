// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_RECOGNISE_HEAD_EVIDENCE_HPP
#define PADBATCH_ONNX_TOOLS_RECOGNISE_HEAD_EVIDENCE_HPP

#include <onnx_tools/model/graph.hpp>
#include <onnx_tools/recognise/detections.hpp>

#include <onnx/onnx_pb.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

/// What nodes and metadata say about raw heads.
namespace padbatch::onnx_tools {

/// How many classes the metadata of Ultralytics' exporters names; nothing if it names none.
[[nodiscard]] std::optional<std::int64_t> named_classes(const onnx::ModelProto& model);

/// How many keypoints the metadata says an instance has, and of how many numbers, 2 or 3; nothing if it says none.
[[nodiscard]] std::optional<std::pair<std::int64_t, std::int64_t>> keypoint_shape(const onnx::ModelProto& model);

/// Whether boxes were computed from what a convolution gives, or are that: nothing if the nodes show neither.
[[nodiscard]] std::optional<bool> are_decoded(const graph_index& index, std::string_view boxes);

/// Whether boxes are fractions of the image's size, or numbers of pixels, by the last that the nodes compute: a
/// Sigmoid, or a product with constants that no fraction, or no number of pixels, can have. Nothing if they show
/// neither.
[[nodiscard]] std::optional<bool> are_fractions(const graph_index& index, std::string_view boxes);

/// What the nodes show of a head's numbers that are only moved, joined and converted: whether a function that makes
/// scores gives some of them, or a layer gives them as they are and no such function is there.
enum class shown_scores { unknown, logits, scores };
[[nodiscard]] shown_scores scores_among(const graph_index& index, std::string_view numbers);

/// Where the columns of rows are.
struct row_columns_shown {
    /// Whether they are the last dimension, `[B, A, C]`, or the middle one.
    bool columns_last = true;
    /// Whether other columns follow the scores.
    bool further = false;
};

/// What turned the last layer's numbers into scores, by the nodes; nothing if they show none. Of columns that are
/// joined, scores are the last, but for further ones.
[[nodiscard]] std::optional<score_activation> activation_of(const graph_index& index, std::string_view scores,
                                                            const row_columns_shown& where = {});

/// Whether a layer gives the scores as they are.
[[nodiscard]] bool are_logits(const graph_index& index, std::string_view scores, const row_columns_shown& where = {});

/// Whether the first column of boxes is the result of arithmetic, as a place in an image is.
[[nodiscard]] bool are_computed(const graph_index& index, std::string_view boxes, const row_columns_shown& where = {});

/// Whether the nodes take the last class of `scores` away.
[[nodiscard]] bool lost_last_class(const graph_index& index, std::string_view scores);

/// The dimension of rows, 1 or 2, along which the nodes join boxes that are computed and scores that a function gives.
/// Nothing if they show none.
[[nodiscard]] std::optional<std::size_t> shown_columns(const graph_index& index, std::string_view rows,
                                                       bool further = false);

/// Strides of the grids of usual heads.
[[nodiscard]] const std::vector<std::vector<std::int64_t>>& usual_strides();

/// How many cells such grids have on an image.
[[nodiscard]] std::int64_t cells_of(const std::vector<std::int64_t>& strides, const image_extents& image);

/// Whether `anchors` is the number of cells that grids of the usual strides have on an image of this size, once or
/// three times.
[[nodiscard]] bool is_anchor_count(std::int64_t anchors, const image_extents& image);

} // namespace padbatch::onnx_tools

#endif
