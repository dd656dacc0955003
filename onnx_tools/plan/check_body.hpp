// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_PLAN_CHECK_BODY_HPP
#define PADBATCH_ONNX_TOOLS_PLAN_CHECK_BODY_HPP

#include <onnx/onnx_pb.h>

namespace padbatch::onnx_tools {

/// Throws `tool_error` with `failure::refused` when the graph of `model` could not be the body of a Loop, although
/// runtimes may take it as a graph: its subgraphs are nested too deeply, or it uses operators of a domain that the
/// model does not import.
void check_body(const onnx::ModelProto& model);

} // namespace padbatch::onnx_tools

#endif
