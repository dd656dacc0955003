// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_PAD_FIXED_BATCH_HPP
#define PADBATCH_ONNX_TOOLS_PAD_FIXED_BATCH_HPP

#include <onnx_tools/model/graph.hpp>
#include <onnx_tools/plan/pad_plan.hpp>

#include <onnx/onnx_pb.h>

#include <cstdint>

namespace padbatch::onnx_tools {

/// Pads the rows of each image, which the graph has image by image, and joins them into a batch, as `p`, with
/// `batching::fixed`, says. `fresh` knows the names of the whole graph.
void pad_fixed(onnx::GraphProto& graph, const pad_plan& p, fresh_names& fresh, std::int64_t opset);

} // namespace padbatch::onnx_tools

#endif
