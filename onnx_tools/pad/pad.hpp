// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_PAD_PAD_HPP
#define PADBATCH_ONNX_TOOLS_PAD_PAD_HPP

#include <onnx_tools/plan/pad_plan.hpp>

namespace padbatch::onnx_tools {

/// Carries out `p` on the model that it was made for: appends the nodes that pad, replaces the loose outputs by the
/// count, the padded outputs and the model's other outputs, and records in `metadata_props` what was done.
///
/// With `batching::fixed` nothing else changes, with two exceptions. Internal values that have the name of a new output
/// are renamed, with all their uses. Nodes that only made masks that are left out or not pasted are removed. With
/// `batching::loop` the graph becomes the body of a Loop. The appended nodes have a form that is the same in every
/// opset from 11 on, except for the axes of Squeeze and Unsqueeze.
void pad(onnx::ModelProto& model, const pad_plan& p);

} // namespace padbatch::onnx_tools

#endif
