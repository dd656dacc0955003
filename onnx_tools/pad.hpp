#ifndef PADBATCH_ONNX_TOOLS_PAD_HPP
#define PADBATCH_ONNX_TOOLS_PAD_HPP

#include <onnx_tools/plan.hpp>

namespace padbatch::onnx_tools {

/// Carries out `p` on the model that it was made for: appends the nodes that pad, replaces the loose outputs by
/// `num_detections`, the padded fields and the model's other outputs, and records in `metadata_props` what was done.
///
/// Nothing else changes, but for internal values that have the name of a new output: these are renamed with all their
/// uses. The nodes appended are Shape, Gather, Slice, Sub, ConstantOfShape, Concat, Reshape, ReduceMax, Cast and
/// Constant, in a form that is the same in every opset from 11 on.
void pad(onnx::ModelProto& model, const pad_plan& p);

} // namespace padbatch::onnx_tools

#endif
