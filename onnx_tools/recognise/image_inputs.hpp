// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_RECOGNISE_IMAGE_INPUTS_HPP
#define PADBATCH_ONNX_TOOLS_RECOGNISE_IMAGE_INPUTS_HPP

#include <onnx_tools/model/graph.hpp>
#include <onnx_tools/model/value_types.hpp>
#include <onnx_tools/recognise/detections.hpp>

#include <optional>
#include <vector>

namespace padbatch::onnx_tools {

/// Whether an image input of this shape has its channels last, `[.., H, W, 3]`, as some preprocessing wants them, so
/// that the last two extents are not height and width. Channels are 1 or 3.
[[nodiscard]] bool has_channels_last(const std::vector<dimension>& shape);

/// The largest height and width that the image inputs declare; nothing when one of them leaves its size open, or when
/// there are none. Image inputs are those of rank 3 and 4 that a caller must supply; other inputs, such as a threshold
/// or the sizes of images, do not count.
[[nodiscard]] std::optional<image_extents> declared_image_size(const graph_index& index);

} // namespace padbatch::onnx_tools

#endif
