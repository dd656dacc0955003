// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_PLAN_PLAN_HPP
#define PADBATCH_ONNX_TOOLS_PLAN_PLAN_HPP

#include <onnx_tools/plan/options.hpp>
#include <onnx_tools/plan/pad_plan.hpp>
#include <onnx_tools/recognise/detections.hpp>

#include <onnx/onnx_pb.h>

namespace padbatch::onnx_tools {

/// Works out how `model`, whose outputs are `source`, is padded with `options`.
///
/// Throws `tool_error`: `failure::usage` for options that do not fit this model or one another, `failure::refused` when
/// the row limit is not known, a name is taken by an input or another output, or the model cannot become what is asked
/// for.
[[nodiscard]] pad_plan plan(const onnx::ModelProto& model, const detections& source, const pad_options& options = {});

} // namespace padbatch::onnx_tools

#endif
