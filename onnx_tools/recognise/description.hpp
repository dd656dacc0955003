// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_RECOGNISE_DESCRIPTION_HPP
#define PADBATCH_ONNX_TOOLS_RECOGNISE_DESCRIPTION_HPP

#include <onnx_tools/recognise/detections.hpp>
#include <onnx_tools/recognise/graph_outputs.hpp>
#include <onnx_tools/recognise/readings.hpp>

namespace padbatch::onnx_tools {

/// Describes the outputs, read as `r`: fields, row limit, score threshold, family, and the inputs that hold the images.
[[nodiscard]] detections describe(const graph_outputs& outputs, const reading& r);

} // namespace padbatch::onnx_tools

#endif
