// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_RECOGNISE_FORMS_FLAT_HPP
#define PADBATCH_ONNX_TOOLS_RECOGNISE_FORMS_FLAT_HPP

#include <onnx_tools/recognise/recognise.hpp>

namespace padbatch::onnx_tools {

/// Finds the detections of an export that has the rows of all images in one list. Which kind it is, `options.from`
/// says, since types alone do not.
///
/// `flat`: one output `[n, columns]`. The columns are `options.columns`; else seven, batch, x1, y1, x2, y2, label and
/// score, or six, x1, y1, x2, y2, score and label, with another output, `[n]` or `[n, 1]`, for the image of each row.
///
/// `nms`: the `[n, 3]` of a NonMaxSuppression node (image, class and box), and the boxes `[B, k, 4]` and scores
/// `[B, classes, k]` that the node reads, outputs or not; without such a node, the three outputs of these types. The
/// limit is what the node keeps of a class times the number of classes, where both are known.
///
/// In both, one input of rank 4 tells B. Labels are int64, whatever the type of the rows.
///
/// Throws `tool_error` with `failure::refused` when the outputs are not that, or not beyond doubt, with
/// `failure::usage` when `options.columns` are no columns of such rows.
[[nodiscard]] detections recognise_flat(const onnx::ModelProto& model, const recognise_options& options);

} // namespace padbatch::onnx_tools

#endif
