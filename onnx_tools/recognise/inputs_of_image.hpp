// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_RECOGNISE_INPUTS_OF_IMAGE_HPP
#define PADBATCH_ONNX_TOOLS_RECOGNISE_INPUTS_OF_IMAGE_HPP

#include <onnx_tools/model/graph.hpp>
#include <onnx_tools/recognise/detections.hpp>

namespace padbatch::onnx_tools {

/// Finds out which inputs of a model of one image belong to the image. Those are the image itself and whatever else has
/// rank 2 or more and a first extent of 1, or the image's own symbol there; the others are shared. If `found` does not
/// know the images yet, it does then. Throws `tool_error` with `failure::usage` when `options` name an input that the
/// model does not have, or one twice.
void find_inputs_of_image(const graph_index& index, const recognise_options& options, detections& found);

} // namespace padbatch::onnx_tools

#endif
