// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_RECOGNISE_BOX_CONVERSION_HPP
#define PADBATCH_ONNX_TOOLS_RECOGNISE_BOX_CONVERSION_HPP

#include <onnx_tools/model/graph.hpp>
#include <onnx_tools/recognise/detections.hpp>

#include <onnx/onnx_pb.h>

#include <cstdint>
#include <string>
#include <string_view>

/// Boxes in a format that the user names become corners x1, y1, x2, y2 in pixels.
namespace padbatch::onnx_tools {

/// Throws `tool_error` with `failure::usage` when `options` name a format, and columns that say how boxes are written
/// too.
void require_one_box_format(const recognise_options& options);

/// Throws `tool_error` with `failure::refused` when the nodes show that `boxes` are not what `options` say. `which` is
/// what messages call them.
void require_shown_format(const graph_index& index, std::string_view boxes, const std::string& which,
                          const recognise_options& options);

/// The dimension of an image input that is its height; the next one is its width. Throws `tool_error` with
/// `failure::refused` when the input does not show it, or is no image.
[[nodiscard]] std::int64_t height_dimension(const graph_index& index, const std::string& input);

/// What is done to boxes by `options`, in words; empty if nothing is.
[[nodiscard]] std::string conversion_text(const recognise_options& options);

/// Converts the boxes of `found` by nodes that padding adds first. Throws `tool_error` with `failure::refused` when the
/// nodes show other boxes than the user says, or, if the user says nothing, others than corners. Rows that are padded
/// already must have been converted before. `model` must have been made readable.
void convert_boxes(const onnx::ModelProto& model, const recognise_options& options, detections& found);

} // namespace padbatch::onnx_tools

#endif
