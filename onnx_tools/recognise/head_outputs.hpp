// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_RECOGNISE_HEAD_OUTPUTS_HPP
#define PADBATCH_ONNX_TOOLS_RECOGNISE_HEAD_OUTPUTS_HPP

#include <onnx_tools/recognise/detections.hpp>
#include <onnx_tools/recognise/raw_head.hpp>
#include <onnx_tools/recognise/row_list.hpp>

#include <onnx/onnx_pb.h>

namespace padbatch::onnx_tools {

/// Whether the user, or the metadata beside the outputs, say which head a model has.
[[nodiscard]] bool names_head(const onnx::ModelProto& model, const row_list& list, const recognise_options& options);

/// Finds a head of YOLO or DETR among the outputs of a model: `list` is what is known of it. Throws as
/// `recognise_raw()` does.
[[nodiscard]] found_head find_head_of_outputs(const onnx::ModelProto& model, const row_list& list,
                                              const recognise_options& options);

} // namespace padbatch::onnx_tools

#endif
