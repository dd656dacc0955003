// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_RECOGNISE_HEAD_EVIDENCE_HPP
#define PADBATCH_ONNX_TOOLS_RECOGNISE_HEAD_EVIDENCE_HPP

#include <onnx_tools/model/graph.hpp>
#include <onnx_tools/recognise/detections.hpp>

#include <onnx/onnx_pb.h>

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

/// What nodes and metadata say about raw heads.
namespace padbatch::onnx_tools {

/// How many classes the metadata of Ultralytics' exporters names; nothing if it names none.
[[nodiscard]] std::optional<std::int64_t> named_classes(const onnx::ModelProto& model);

/// How many keypoints the metadata says an instance has, and of how many numbers, 2 or 3; nothing if it says none.
[[nodiscard]] std::optional<std::pair<std::int64_t, std::int64_t>> keypoint_shape(const onnx::ModelProto& model);

/// Whether boxes were computed from what a convolution gives, or are that: nothing if the nodes show neither.
[[nodiscard]] std::optional<bool> are_decoded(const graph_index& index, std::string_view boxes);

/// What turned the last layer's numbers into scores, by the nodes; nothing if they show none.
[[nodiscard]] std::optional<score_activation> activation_of(const graph_index& index, std::string_view scores);

/// Whether `anchors` is the number of cells that grids of the usual strides have on an image of this size, once or
/// three times.
[[nodiscard]] bool is_anchor_count(std::int64_t anchors, const image_extents& image);

} // namespace padbatch::onnx_tools

#endif
