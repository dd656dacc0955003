// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_PAD_SETTINGS_HPP
#define PADBATCH_ONNX_TOOLS_PAD_SETTINGS_HPP

#include <onnx_tools/model/graph.hpp>
#include <onnx_tools/plan/pad_plan.hpp>

#include <onnx/onnx_pb.h>

/// Other numbers for the model's own limits and thresholds.
namespace padbatch::onnx_tools {

/// Lets the nodes that read a parameter read a new constant, as the plan says. The old one stays, since other nodes may
/// read it: optimisers merge constants that happen to be equal.
void apply_settings(onnx::GraphProto& graph, const pad_plan& p, fresh_names& fresh);

} // namespace padbatch::onnx_tools

#endif
