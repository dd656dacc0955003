// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_DETECTION_DETAIL_RLE_ENDS_HPP
#define PADBATCH_DETECTION_DETAIL_RLE_ENDS_HPP

#include <padbatch/detail/simd.hpp>
#include <padbatch/detection/detail/rle_pixels.hpp>
#include <padbatch/detection/run_lengths.hpp>

#include <cstddef>
#include <cstdint>

// Here a mask is the list of the pixels, by number, at which its runs end. The last one is the number of all pixels.
namespace padbatch::inline PADBATCH_ABI::detail {

/// Writes the ends of all runs.
PADBATCH_DETAIL_INLINE void put_ends(std::uint32_t* __restrict to, const std::uint32_t* counts, std::size_t n) noexcept
{
    std::uint32_t at = 0;
    std::size_t k = 0;
    for (; k + 4 <= n; k += 4) { // one sum of four waits for that of the four before it, not each for the last
        const std::uint32_t two = at + (counts[k] + counts[k + 1]);
        to[k] = at + counts[k];
        to[k + 1] = two;
        to[k + 2] = two + counts[k + 2];
        at = two + (counts[k + 2] + counts[k + 3]);
        to[k + 3] = at;
    }
    for (; k < n; ++k) {
        at += counts[k];
        to[k] = at;
    }
}

/// A mask that is compared with many others.
struct rle_object {
    const std::uint32_t* ends = nullptr;
    /// The runs of the object: run k is [ends[2 * k], ends[2 * k + 1]).
    std::size_t size = 0;
    std::uint32_t area = 0;
    rle_edges box{};
};

/// Sets area and box. Which column a pixel is in comes from a product with 1 / height: of numbers up to 2^32 it is off
/// by less than 2^-18, where a pixel's middle is half a pixel, 1 / (2 * height), from the next column.
PADBATCH_DETAIL_INLINE void measure_object(rle_object& object, std::size_t height) noexcept
{
    const auto rows = static_cast<std::int64_t>(height);
    const double columns_each = 1.0 / static_cast<double>(rows);
    const auto column_of = [&](std::int64_t pixel) PADBATCH_DETAIL_INLINE_LAMBDA {
        return static_cast<std::int64_t>((static_cast<double>(pixel) + 0.5) * columns_each);
    };
    std::int64_t top = rows;
    std::int64_t bottom = 0;
    std::int64_t left = -1;
    std::int64_t right = 0;
    std::int64_t wraps = 0;
    std::uint32_t area = 0;
    for (std::size_t k = 0; k < object.size; ++k) {
        const std::int64_t first = object.ends[2 * k];
        const std::int64_t last = std::int64_t{object.ends[2 * k + 1]} - 1;
        if (last < first) {
            continue;
        }
        const std::int64_t x = column_of(first);
        const std::int64_t x_last = column_of(last);
        const std::int64_t y = first - x * rows;
        const std::int64_t y_last = last - x_last * rows;
        top = y < top ? y : top;
        bottom = y_last > bottom ? y_last : bottom;
        wraps |= x_last - x;
        left = left < 0 ? x : left;
        right = x_last + 1; // runs come in the order of columns
        area += static_cast<std::uint32_t>(last - first + 1);
    }
    object.area = area;
    object.box = {};
    if (area != 0) {
        object.box = {static_cast<std::size_t>(left), static_cast<std::size_t>(wraps != 0 ? 0 : top),
                      static_cast<std::size_t>(right), static_cast<std::size_t>(wraps != 0 ? rows : bottom + 1)};
    }
}

/// Prepares the masks of a list; their ends go to `to`. Returns what follows these.
inline std::uint32_t* make_objects(rle_object* objects, std::uint32_t* to, const run_lengths& runs) noexcept
{
    for (std::size_t i = 0; i < runs.size(); ++i) {
        const run_length_view mask = runs[i];
        put_ends(to, mask.counts.data(), mask.counts.size());
        objects[i].ends = to;
        objects[i].size = mask.counts.size() / 2;
        measure_object(objects[i], mask.height);
        to += mask.counts.size();
    }
    return to;
}

} // namespace padbatch::inline PADBATCH_ABI::detail

#endif
