// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_MODEL_SORT_HPP
#define PADBATCH_ONNX_TOOLS_MODEL_SORT_HPP

#include <onnx/onnx_pb.h>

#include <vector>

namespace padbatch::onnx_tools {

/// Positions of the nodes of `graph` in an order in which each comes after those whose values it, or a subgraph of it,
/// reads; otherwise in the order that they have. Nodes on a cycle, and those that depend on them, are left out.
[[nodiscard]] std::vector<int> sorted_positions(const onnx::GraphProto& graph);

/// Brings the nodes of `graph` into that order, unless it has a cycle. Runtimes sort the nodes of a model, but not
/// those of a Loop's body.
void sort_nodes(onnx::GraphProto& graph);

} // namespace padbatch::onnx_tools

#endif
