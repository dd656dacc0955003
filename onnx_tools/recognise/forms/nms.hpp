// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_RECOGNISE_FORMS_NMS_HPP
#define PADBATCH_ONNX_TOOLS_RECOGNISE_FORMS_NMS_HPP

#include <onnx_tools/recognise/detections.hpp>

#include <onnx/onnx_pb.h>

namespace padbatch::onnx_tools {

/// Finds the detections of an export that gives what a NonMaxSuppression selects: the `[n, 3]` of that node (image,
/// class and box), and the boxes `[B, k, 4]` and scores `[B, classes, k]` that the node reads, whether or not they are
/// outputs; without such a node, the three outputs of these types. The limit is what the node keeps per class times the
/// number of classes, if both are known.
///
/// B is the first extent of the one input of rank 4. Labels are int64.
///
/// Throws `tool_error` with `failure::refused` when the outputs are not that, or not beyond doubt, and with
/// `failure::usage` when `options.columns` are not the columns of boxes.
[[nodiscard]] detections recognise_nms(const onnx::ModelProto& model, const recognise_options& options);

} // namespace padbatch::onnx_tools

#endif
