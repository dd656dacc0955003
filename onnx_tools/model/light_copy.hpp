// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_MODEL_LIGHT_COPY_HPP
#define PADBATCH_ONNX_TOOLS_MODEL_LIGHT_COPY_HPP

#include <onnx/onnx_pb.h>

/// Copies of what a graph says, without the elements of large tensors.
namespace padbatch::onnx_tools {

/// `model` to be read, without its functions. Of tensors over 64 KiB it has shape and type only.
[[nodiscard]] onnx::ModelProto light_copy(const onnx::ModelProto& model);

/// The same for a part of it. `to` is empty before.
void copy_lightly(const onnx::GraphProto& graph, onnx::GraphProto& to);
void copy_lightly(const onnx::NodeProto& node, onnx::NodeProto& to);

} // namespace padbatch::onnx_tools

#endif
