// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_RECOGNISE_FORMS_PADDED_HPP
#define PADBATCH_ONNX_TOOLS_RECOGNISE_FORMS_PADDED_HPP

#include <onnx_tools/recognise/detections.hpp>

#include <onnx/onnx_pb.h>

namespace padbatch::onnx_tools {

/// Finds the detections of a model that pads them itself: `[B, M, 6]`; `[B, M, 5]` (box and score) and labels
/// `[B, M]`; or boxes `[B, M, 4]`, scores and labels. Rows that are real become rows of all images in one list, which
/// is then read as `recognise_flat` does.
///
/// Which rows are real is told by an output with their number, if there is one, or else by the first row that the nodes
/// or the scores show to be padding.
///
/// Throws `tool_error` with `failure::refused` when the outputs are not such rows, or not beyond doubt, and with
/// `failure::usage` when `options` do not fit the outputs.
[[nodiscard]] detections recognise_padded(const onnx::ModelProto& model, const recognise_options& options);

/// Whether the outputs have types that this form has, and no other: three dimensions or two, the images first.
[[nodiscard]] bool may_be_padded(const onnx::ModelProto& model);

} // namespace padbatch::onnx_tools

#endif
