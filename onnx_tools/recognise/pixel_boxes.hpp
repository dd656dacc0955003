// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_RECOGNISE_PIXEL_BOXES_HPP
#define PADBATCH_ONNX_TOOLS_RECOGNISE_PIXEL_BOXES_HPP

#include <onnx_tools/model/graph.hpp>
#include <onnx_tools/recognise/detections.hpp>

#include <string>
#include <string_view>

namespace padbatch::onnx_tools {

/// Why the boxes may be in something other than pixels of the image that is the model's input, `[.., H, W]`; empty when
/// the graph shows that they are. It does where the input reaches the first layer without a Transpose, resized at most
/// once, and the boxes are those of the kept rows, scaled back column by column if the image was resized.
///
/// With rows of all images in one list, only what became of boxes after they were picked is looked at.
[[nodiscard]] std::string doubt_about_pixels(const graph_index& index, const detections& source);

/// Whether columns of `rows` were computed after the rows were picked, as where a wrapper divides boxes.
[[nodiscard]] bool changes_picked_columns(const graph_index& index, std::string_view rows);

} // namespace padbatch::onnx_tools

#endif
