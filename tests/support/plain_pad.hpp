// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_TESTS_SUPPORT_PLAIN_PAD_HPP
#define PADBATCH_TESTS_SUPPORT_PLAIN_PAD_HPP

#include <tests/support/tensor.hpp>

#include <algorithm>
#include <cstring>
#include <vector>

namespace padbatch::test {

/// What padding means, written as plainly as possible: one field of all images, `[n_i, row...]` each, becomes `[B,
/// rows, row...]`, in which `pad_value` (the bytes of one element) fills what is missing. With rows of rank 3, `[C, H,
/// W]`, images may differ in H and W: the result has the largest of each.
inline tensor plain_pad(const std::vector<tensor>& images, std::int64_t rows, const std::vector<char>& pad_value)
{
    tensor padded;
    padded.type = images.front().type;
    padded.shape = images.front().shape;
    for (const auto& image : images) {
        for (std::size_t d = 1; d < padded.shape.size(); ++d) {
            padded.shape[d] = std::max(padded.shape[d], image.shape[d]);
        }
    }
    padded.shape[0] = rows;
    padded.shape.insert(padded.shape.begin(), static_cast<std::int64_t>(images.size()));
    std::size_t elements = 1;
    for (const auto extent : padded.shape) {
        elements *= static_cast<std::size_t>(extent);
    }
    const std::size_t size = element_size(padded.type);
    padded.bytes.resize(elements * size);
    for (std::size_t i = 0; i < elements; ++i) {
        std::memcpy(padded.bytes.data() + i * size, pad_value.data(), size);
    }
    for (std::size_t b = 0; b < images.size(); ++b) {
        const auto& image = images[b];
        std::vector<std::int64_t> at(image.shape.size(), 0); // counts through the image's elements
        for (std::size_t from = 0; from < image.bytes.size(); from += size) {
            if (at[0] < rows) {
                std::size_t to = b;
                for (std::size_t d = 0; d < at.size(); ++d) {
                    to = to * static_cast<std::size_t>(padded.shape[d + 1]) + static_cast<std::size_t>(at[d]);
                }
                std::memcpy(padded.bytes.data() + to * size, image.bytes.data() + from, size);
            }
            for (std::size_t d = at.size(); d > 0; --d) { // counts on, the last dimension first
                if (++at[d - 1] < image.shape[d - 1]) {
                    break;
                }
                at[d - 1] = 0;
            }
        }
    }
    return padded;
}

} // namespace padbatch::test

#endif
