// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_PLAN_PLAN_EXPOSED_HPP
#define PADBATCH_ONNX_TOOLS_PLAN_PLAN_EXPOSED_HPP

#include <onnx_tools/plan/options.hpp>
#include <onnx_tools/plan/pad_plan.hpp>
#include <onnx_tools/recognise/detections.hpp>

#include <onnx/onnx_pb.h>

namespace padbatch::onnx_tools {

/// Throws `tool_error` with `failure::usage` if what `options` leave to callers does not fit the other options, or a
/// model whose outputs are `source`.
void check_exposed(const detections& source, const pad_options& options);

/// Plans the inputs by which callers choose. Everything else is in `p` already. Throws `tool_error` if an input or an
/// output has the name of one of them, or if a value that a run gets without a choice is more than M.
void plan_exposed(const onnx::GraphProto& graph, const pad_options& options, pad_plan& p);

} // namespace padbatch::onnx_tools

#endif
