// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_PAD_FLAT_BATCH_HPP
#define PADBATCH_ONNX_TOOLS_PAD_FLAT_BATCH_HPP

#include <onnx_tools/model/graph.hpp>
#include <onnx_tools/plan/pad_plan.hpp>

#include <onnx/onnx_pb.h>

#include <cstdint>

namespace padbatch::onnx_tools {

/// Rewrites a graph that has the rows of all images in one list, as `p` says, with `batching::flat`. An image's rows
/// come in descending score; among equal scores, in the order that the list has. Rows that name an image outside the
/// batch are dropped.
void pad_flat(onnx::GraphProto& graph, const pad_plan& p, fresh_names& fresh, std::int64_t opset);

} // namespace padbatch::onnx_tools

#endif
