// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_MODEL_PRUNE_HPP
#define PADBATCH_ONNX_TOOLS_MODEL_PRUNE_HPP

#include <onnx/onnx_pb.h>

#include <string>
#include <unordered_set>

namespace padbatch::onnx_tools {

/// The values of `graph` that its outputs depend on.
[[nodiscard]] std::unordered_set<std::string> values_in_use(const onnx::GraphProto& graph);

/// Removes from `graph` the nodes and initializers that made values of `before` and that no output depends on any more,
/// and what describes those values. What had no use before stays, unless
/// it reads what is removed.
void remove_unused(onnx::GraphProto& graph, const std::unordered_set<std::string>& before);

} // namespace padbatch::onnx_tools

#endif
