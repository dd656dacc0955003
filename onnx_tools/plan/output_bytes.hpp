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
    /// The bytes of the extents that are known, multiplied.
    std::int64_t known = 0;
    /// The symbols of those that are not, to multiply with.
    std::vector<std::string> factors;
    /// All bytes: `known` when nothing is missing but the number of images, which counts as one; else, for masks, those
    /// at the image size that the inputs declare.
    std::optional<std::int64_t> total;
};

/// The bytes of an output `[B, ...]`. `image` is the height and width that its last two extents have where they are
/// open, if that is known. Nothing when they are more than 2^63 - 1.
[[nodiscard]] std::optional<output_bytes> count_bytes(element_type element, const std::vector<dimension>& shape,
                                                      const std::optional<image_extents>& image);

} // namespace padbatch::onnx_tools

#endif
