// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_MODEL_CHECK_HPP
#define PADBATCH_ONNX_TOOLS_MODEL_CHECK_HPP

#include <onnx/onnx_pb.h>

#include <string>
#include <vector>

namespace padbatch::onnx_tools {

/// What is wrong with `model`, one sentence each; empty when nothing is. In every graph and subgraph, each value that
/// is read must be defined there or in an enclosing graph, and no two values and no two nodes of one graph may share a
/// name. Nodes of standard operators must have outputs, and inputs unless the operator can do without. Each output of
/// the model must be produced, and listed once. The outputs that its metadata names as padded must declare their
/// element types; others need not, since runtimes infer them.
///
/// Nothing else is asked of operators, so the check also holds for those, and versions, newer than this program.
[[nodiscard]] std::vector<std::string> complaints(const onnx::ModelProto& model);

} // namespace padbatch::onnx_tools

#endif
