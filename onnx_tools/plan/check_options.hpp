// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_PLAN_CHECK_OPTIONS_HPP
#define PADBATCH_ONNX_TOOLS_PLAN_CHECK_OPTIONS_HPP

#include <onnx_tools/plan/options.hpp>
#include <onnx_tools/recognise/detections.hpp>

namespace padbatch::onnx_tools {

/// Throws `tool_error` when `options` do not fit one another or a model whose outputs are `source`: `failure::usage`,
/// or `failure::refused` if another model would be needed.
void check_options(const detections& source, const pad_options& options);

} // namespace padbatch::onnx_tools

#endif
