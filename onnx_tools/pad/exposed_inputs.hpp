// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_PAD_EXPOSED_INPUTS_HPP
#define PADBATCH_ONNX_TOOLS_PAD_EXPOSED_INPUTS_HPP

#include <onnx_tools/model/graph.hpp>
#include <onnx_tools/model/node_writer.hpp>
#include <onnx_tools/plan/pad_plan.hpp>

#include <onnx/onnx_pb.h>

#include <cstdint>
#include <string>

/// What callers choose in each run, by inputs of the padded model.
namespace padbatch::onnx_tools {

/// Appends the nodes that make `p.chosen` from the inputs that `p` plans. What an image gets of an input with a value
/// for each is `planned_input::value`, which nothing makes yet.
void read_exposed(onnx::GraphProto& graph, pad_plan& p, fresh_names& fresh, std::int64_t opset);

/// Makes an image's part of the inputs that have a value for each image; `image` is its number, without dimensions.
void take_exposed(node_writer& nodes, const pad_plan& p, const std::string& image);

/// Declares the inputs in the graph of the padded `model`, with the values of runs that do not choose.
void declare_exposed(onnx::ModelProto& model, const pad_plan& p);

} // namespace padbatch::onnx_tools

#endif
