// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_RECOGNISE_RECOGNISE_HPP
#define PADBATCH_ONNX_TOOLS_RECOGNISE_RECOGNISE_HPP

#include <onnx_tools/recognise/detections.hpp>

#include <onnx/onnx_pb.h>

namespace padbatch::onnx_tools {

/// Finds out which output of `model` is which field of which image. Each form of outputs has a file of its own in
/// `forms/`, which says how it is recognised.
///
/// Throws `tool_error` with `failure::refused` when the outputs are not detections, or not beyond doubt, or are already
/// padded; with `failure::usage` when `options` do not fit the outputs.
[[nodiscard]] detections recognise(const onnx::ModelProto& model, const recognise_options& options = {});

} // namespace padbatch::onnx_tools

#endif
