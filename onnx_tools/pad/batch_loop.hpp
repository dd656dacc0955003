// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_PAD_BATCH_LOOP_HPP
#define PADBATCH_ONNX_TOOLS_PAD_BATCH_LOOP_HPP

#include <onnx_tools/model/graph.hpp>
#include <onnx_tools/plan/pad_plan.hpp>

#include <onnx/onnx_pb.h>

#include <cstdint>

namespace padbatch::onnx_tools {

/// Makes a model of one image the body of a Loop over the images of a batch, as `p`, with `batching::loop`, says. Each
/// image's rows are padded inside the body, so that the Loop can stack them. The weights go there too, since runtimes
/// only prepare weights in the graph that uses them. `fresh` knows the names of the whole graph.
void pad_in_loop(onnx::GraphProto& graph, const pad_plan& p, fresh_names& fresh, std::int64_t opset);

} // namespace padbatch::onnx_tools

#endif
