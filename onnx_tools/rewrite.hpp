// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_REWRITE_HPP
#define PADBATCH_ONNX_TOOLS_REWRITE_HPP

#include <onnx_tools/plan/options.hpp>
#include <onnx_tools/plan/pad_plan.hpp>
#include <onnx_tools/recognise/detections.hpp>

#include <onnx/onnx_pb.h>

/// Pads the outputs of a detection model as the command `onnx-pad-outputs` does: check, recognise, plan, pad, check.
/// `files/model_io.hpp` loads and saves models.
namespace padbatch::onnx_tools {

/// What is known about the model, and what it is to become.
struct rewrite_options {
    recognise_options recognise;
    pad_options pad;
};

/// Pads the outputs of `model` in place, and returns what was done. When it throws, `model` is unchanged, except with
/// `failure::internal`.
///
/// Throws `tool_error`: `failure::usage` for options that do not fit this model or one another; `failure::refused` when
/// the model is not sound, is already padded, is not recognised beyond doubt, or cannot become what is asked for.
pad_plan rewrite(onnx::ModelProto& model, const rewrite_options& options = {});

/// The first half of `rewrite`: checks that `model` is sound, and finds out what its outputs are.
[[nodiscard]] detections examine(const onnx::ModelProto& model, const recognise_options& options = {});
/// The second half, for a model whose outputs are `found`: plans, pads, and checks the result.
pad_plan rewrite(onnx::ModelProto& model, const detections& found, const pad_options& options);

} // namespace padbatch::onnx_tools

#endif
