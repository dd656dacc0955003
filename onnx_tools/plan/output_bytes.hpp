// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_PLAN_OUTPUT_BYTES_HPP
#define PADBATCH_ONNX_TOOLS_PLAN_OUTPUT_BYTES_HPP

#include <onnx_tools/model/value_types.hpp>
#include <onnx_tools/recognise/detections.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace padbatch::onnx_tools {

/// How many bytes an output has.
struct output_bytes {
    /// The bytes of an element times the extents that are known.
    std::int64_t known = 0;
    /// The symbols of the unknown extents, to be multiplied with it.
    std::vector<std::string> factors;
    /// All bytes: `known` if only the number of images is missing, which counts as one; otherwise, for masks, the bytes
    /// at the image size that the inputs declare.
    std::optional<std::int64_t> total;
};

/// The bytes of an output `[B, ...]`. `image` is the height and width that stand in for its last two extents where
/// these are open, if that is known. Nothing when there are more than 2^63 - 1 bytes.
[[nodiscard]] std::optional<output_bytes> count_bytes(element_type element, const std::vector<dimension>& shape,
                                                      const std::optional<image_extents>& image);

} // namespace padbatch::onnx_tools

#endif
