// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_PYTHON_ARRAYS_PAD_ROWS_HPP
#define PADBATCH_PYTHON_ARRAYS_PAD_ROWS_HPP

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

/// Padding of one field whose rows are blocks of bytes. Nothing here knows Python.
namespace padbatch::python {

/// Where the rows of one image are: the first row, or the row that `index` counts from, and the bytes from one to the
/// next.
struct image_rows {
    const std::byte* data;
    std::ptrdiff_t stride;
    const std::int32_t* index;
};

/// The rows of one field of all images.
struct field_rows {
    std::size_t row_bytes = 0;
    /// The rows of each image follow one another without gaps.
    bool adjacent = true;
    std::vector<image_rows> images;
};

/// Where a field goes, `[B, M, row...]`.
struct pad_target {
    std::byte* data = nullptr;
    /// The memory is all zeros already, and so is the padding.
    bool is_zero = false;
    /// The bytes of one element of padding; empty for zero.
    std::string pad_value;
};

/// Chooses the rows with the best scores, in their order, of each image that has more than `capacity`; `kept` gets
/// their numbers, and nothing for the other images. Returns false for scores that are not float16, float32 or float64.
[[nodiscard]] bool choose_rows(const field_rows& scores, const std::string& type,
                               const std::vector<std::size_t>& counts, std::size_t capacity,
                               std::vector<std::vector<std::int32_t>>& kept);

/// Copies the rows of each image to its slot, fills the rest of the slot, and writes the counts. An image with too many
/// rows keeps those that `kept` names, else the first ones.
void pad_rows(const field_rows& rows, const std::vector<std::size_t>& counts, std::size_t capacity,
              const std::vector<std::vector<std::int32_t>>& kept, const pad_target& to, std::int32_t* counts_to);

} // namespace padbatch::python

#endif
