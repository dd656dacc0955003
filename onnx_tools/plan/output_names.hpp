// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_PLAN_OUTPUT_NAMES_HPP
#define PADBATCH_ONNX_TOOLS_PLAN_OUTPUT_NAMES_HPP

#include <onnx_tools/plan/pad_plan.hpp>

#include <onnx/onnx_pb.h>

namespace padbatch::onnx_tools {

/// Checks the names of the padded outputs: each is plain text, differs from the others, and is not the name of an input
/// of `graph` or of an output that stays. Throws `tool_error` with `failure::usage` or, for the last two,
/// `failure::refused`.
void require_free_names(const onnx::GraphProto& graph, const pad_plan& p);

} // namespace padbatch::onnx_tools

#endif
