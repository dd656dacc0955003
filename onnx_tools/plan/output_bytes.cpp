// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/plan/output_bytes.hpp>

#include <cstddef>

namespace padbatch::onnx_tools {

std::optional<output_bytes> count_bytes(element_type element, const std::vector<dimension>& shape,
                                        const std::optional<image_extents>& image)
{
    output_bytes bytes;
    bytes.known = static_cast<std::int64_t>(size_of(element));
    auto total = bytes.known;
    bool complete = true;
    bool empty = false; // whatever the other extents are
    bool fits = true;
    for (std::size_t d = 0; d < shape.size(); ++d) {
        const std::size_t from_end = shape.size() - d;
        auto size = shape[d].size;
        if (size == 0) {
            empty = true;
            continue;
        }
        if (size) {
            fits = fits && !__builtin_mul_overflow(bytes.known, *size, &bytes.known);
        } else {
            bytes.factors.push_back(shape[d].symbol);
            if (image && from_end <= 2) {
                size = from_end == 2 ? image->first : image->second;
            }
        }
        if (size) {
            fits = fits && !__builtin_mul_overflow(total, *size, &total);
        } else if (d != 0) { // a symbol in front is the number of images
            complete = false;
        }
    }
    if (!fits && !empty) {
        return std::nullopt;
    }
    bytes.known = empty ? 0 : bytes.known;
    if (complete) {
        bytes.total = empty ? 0 : total;
    }
    return bytes;
}

} // namespace padbatch::onnx_tools
