// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_PAD_OUTPUTS_HPP
#define PADBATCH_ONNX_TOOLS_PAD_OUTPUTS_HPP

#include <onnx_tools/model/node_writer.hpp>
#include <onnx_tools/plan/pad_plan.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace padbatch::onnx_tools {

/// The output that holds field `i` of the plan alone; empty when the field shares one.
[[nodiscard]] std::string own_output(const pad_plan& p, std::size_t i);

/// Makes the outputs that hold several fields from `padded`, the value `[B, M, ...]` of each field.
void join_fields(node_writer& nodes, const pad_plan& p, const std::vector<std::string>& padded);

/// Replaces the outputs of `graph` by the count and the padded outputs, followed by those that are not detections.
void declare_outputs(onnx::GraphProto& graph, const pad_plan& p);

} // namespace padbatch::onnx_tools

#endif
