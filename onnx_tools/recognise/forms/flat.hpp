// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_RECOGNISE_FORMS_FLAT_HPP
#define PADBATCH_ONNX_TOOLS_RECOGNISE_FORMS_FLAT_HPP

#include <onnx_tools/recognise/detections.hpp>

#include <onnx/onnx_pb.h>

namespace padbatch::onnx_tools {

/// Finds the detections of an export that has the rows of all images in one output `[n, columns]`. The columns are
/// `options.columns`; without that, seven (batch, x1, y1, x2, y2, label and score) or six (x1, y1, x2, y2, score and
/// label) with another output, `[n]` or `[n, 1]`, for the image of each row.
///
/// B is the first extent of the one input of rank 4. Labels are int64, whatever the type of the rows. The graph does
/// not show a limit.
///
/// Throws `tool_error` with `failure::refused` when the outputs are not that, or not beyond doubt, and with
/// `failure::usage` when `options.columns` are not the columns of such rows.
[[nodiscard]] detections recognise_flat(const onnx::ModelProto& model, const recognise_options& options);

} // namespace padbatch::onnx_tools

#endif
