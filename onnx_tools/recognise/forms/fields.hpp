// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_RECOGNISE_FORMS_FIELDS_HPP
#define PADBATCH_ONNX_TOOLS_RECOGNISE_FORMS_FIELDS_HPP

#include <onnx_tools/recognise/detections.hpp>

#include <onnx/onnx_pb.h>

namespace padbatch::onnx_tools {

/// Finds the detections of an export that has outputs for each image: boxes, labels, scores, ...
///
/// Goes by the outputs' element types and ranks, and by the structure that every torchvision detection model ends in:
/// an image's scores and labels are gathered with one `Slice` of the kept rows, whose constant end is the row limit,
/// and its boxes with the same one a few nodes up. Where both are known, they must agree. `options.fields`, if given,
/// decides what the outputs are. Outputs in other shapes are made into these (see loose.hpp).
///
/// Throws `tool_error` with `failure::refused` when the outputs are not detections, or not beyond doubt, and with
/// `failure::usage` when `options` do not fit the outputs.
[[nodiscard]] detections recognise_fields(const onnx::ModelProto& model, const recognise_options& options);

} // namespace padbatch::onnx_tools

#endif
