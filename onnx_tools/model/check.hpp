// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_MODEL_CHECK_HPP
#define PADBATCH_ONNX_TOOLS_MODEL_CHECK_HPP

#include <onnx/onnx_pb.h>

#include <string>
#include <vector>

namespace padbatch::onnx_tools {

/// What is wrong with `model`, one sentence each; empty when nothing is. In every graph and subgraph: each value that
/// is read is defined there or around it, no two values and no two nodes of one graph have the same name; and each
/// output of the model is produced, once. The outputs that its metadata name as padded say their element types; others
/// need not, since runtimes infer them.
///
/// This goes by structure alone, so that it holds for operators and versions newer than this program.
[[nodiscard]] std::vector<std::string> complaints(const onnx::ModelProto& model);

} // namespace padbatch::onnx_tools

#endif
