// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/image_inputs.hpp>

#include <algorithm>
#include <cstddef>

namespace padbatch::onnx_tools {
namespace {

bool is_channels(const dimension& extent)
{
    return extent.size == 1 || extent.size == 3;
}

} // namespace

bool has_channels_last(const std::vector<dimension>& shape)
{
    const std::size_t rank = shape.size();
    return rank >= 3 && !is_channels(shape[rank - 3]) && is_channels(shape[rank - 1]);
}

std::optional<image_extents> declared_image_size(const graph_index& index)
{
    std::optional<image_extents> largest;
    for (const auto* input : index.required_inputs()) {
        const auto shape = declared_type(*input).shape;
        if (shape.size() != 3 && shape.size() != 4) {
            continue;
        }
        const std::size_t first = shape.size() - (has_channels_last(shape) ? 3 : 2);
        const auto& height = shape[first].size;
        const auto& width = shape[first + 1].size;
        if (!height || !width) {
            return std::nullopt;
        }
        largest = largest ? image_extents(std::max(largest->first, *height), std::max(largest->second, *width))
                          : image_extents(*height, *width);
    }
    return largest;
}

} // namespace padbatch::onnx_tools
