// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_RECOGNISE_FORMS_NMS_HPP
#define PADBATCH_ONNX_TOOLS_RECOGNISE_FORMS_NMS_HPP

#include <onnx_tools/recognise/detections.hpp>

#include <onnx/onnx_pb.h>

namespace padbatch::onnx_tools {

/// Finds the detections of an export that gives what a NonMaxSuppression selects: the `[n, 3]` of that node (image,
/// class and box), and the boxes `[B, k, 4]` and scores `[B, classes, k]` that the node reads, outputs or not; without
/// such a node, the three outputs of these types. The limit is what the node keeps of a class times the number of
/// classes, where both are known.
///
/// One input of rank 4 tells B. Labels are int64.
///
/// Throws `tool_error` with `failure::refused` when the outputs are not that, or not beyond doubt, and with
/// `failure::usage` when `options.columns` are not the columns of boxes.
[[nodiscard]] detections recognise_nms(const onnx::ModelProto& model, const recognise_options& options);

} // namespace padbatch::onnx_tools

#endif
