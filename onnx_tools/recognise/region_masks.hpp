// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_RECOGNISE_REGION_MASKS_HPP
#define PADBATCH_ONNX_TOOLS_RECOGNISE_REGION_MASKS_HPP

#include <onnx_tools/model/graph.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace padbatch::onnx_tools {

/// The masks of one image before they are pasted into it: what the mask head gives for each box's region.
struct region_masks {
    /// `[n, 1, h, w]`, one for each row of the image's detections, in their order.
    std::string value;
    /// h and w, if the graph shows them.
    std::optional<std::pair<std::int64_t, std::int64_t>> size;
};

/// Finds the region masks that `masks`, an output of a Mask R-CNN, is pasted from. torchvision's exports paste in a
/// Loop over the rows, whose body captures the region masks with a margin, `Pad(region masks)`. Nothing when the graph
/// is built differently.
[[nodiscard]] std::optional<region_masks> find_region_masks(const graph_index& index, const std::string& masks);

} // namespace padbatch::onnx_tools

#endif
