// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_RECOGNISE_ONE_IMAGE_HPP
#define PADBATCH_ONNX_TOOLS_RECOGNISE_ONE_IMAGE_HPP

#include <onnx_tools/recognise/detections.hpp>

#include <onnx/onnx_pb.h>

namespace padbatch::onnx_tools {

/// Rows in one list as the fields of the one image that a model takes, the best first: what a Loop over images needs.
/// Rows of any other image are dropped. `batch` is then the number of images that the model declares. Anything else,
/// and lists of models that take any number of images, are returned as they are.
[[nodiscard]] detections as_fields_of_image(const onnx::ModelProto& model, detections found);

} // namespace padbatch::onnx_tools

#endif
