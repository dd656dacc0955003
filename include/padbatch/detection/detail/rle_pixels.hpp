// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_DETECTION_DETAIL_RLE_PIXELS_HPP
#define PADBATCH_DETECTION_DETAIL_RLE_PIXELS_HPP

#include <padbatch/detail/simd.hpp>
#include <padbatch/detection/run_lengths.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace padbatch::inline PADBATCH_ABI::detail {

/// A place in a mask that moves along its runs.
struct rle_cursor {
    std::size_t height;
    std::size_t x = 0;
    std::size_t y = 0;

    PADBATCH_DETAIL_INLINE void move(std::uint32_t n) noexcept
    {
        y += n;
        if (y >= height) { // mostly by less than a column
            y -= height;
            ++x;
            if (y >= height) {
                const auto columns = static_cast<std::uint32_t>(y) / static_cast<std::uint32_t>(height);
                x += columns;
                y -= columns * height;
            }
        }
    }
};

/// The smallest box around the pixels of an object, its edges behind the last ones; empty if there are none.
struct rle_edges {
    std::size_t left = 0;
    std::size_t top = 0;
    std::size_t right = 0;
    std::size_t bottom = 0;
};

/// Calls `use(x, y, n)` for each run of the object, of n > 0 pixels from row y of column x on, and returns the box
/// around them.
template <class Use>
PADBATCH_DETAIL_INLINE rle_edges for_each_run(const run_length_view& runs, const Use& use) noexcept
{
    const std::size_t height = runs.height;
    rle_cursor at{height};
    rle_edges edges{runs.width, height, 0, 0};
    for (std::size_t k = 0; k + 1 < runs.counts.size(); k += 2) {
        at.move(runs.counts[k]);
        const std::uint32_t n = runs.counts[k + 1];
        if (n == 0) {
            continue;
        }
        use(at.x, at.y, n);
        const bool one_column = at.y + n <= height;
        const std::size_t top = one_column ? at.y : 0;
        const std::size_t bottom = one_column ? at.y + n : height;
        edges.left = at.x < edges.left ? at.x : edges.left;
        edges.top = top < edges.top ? top : edges.top;
        edges.bottom = bottom > edges.bottom ? bottom : edges.bottom;
        at.move(n);
        edges.right = at.x + (at.y != 0 ? 1 : 0); // runs come in the order of columns
    }
    return edges.right == 0 ? rle_edges{} : edges;
}

/// Writes a row of pixels, which holds where it differs from the row above.
PADBATCH_DETAIL_INLINE void add_row(std::uint8_t* row, const std::uint8_t* above, std::size_t n) noexcept
{
    constexpr std::size_t step = 64;
    std::size_t c = 0;
    for (; c + step <= n; c += step) {
        for (std::size_t k = c; k < c + step; k += 8) {
            std::uint64_t a;
            std::uint64_t b;
            std::memcpy(&a, row + k, 8);
            std::memcpy(&b, above + k, 8);
            a ^= b;
            std::memcpy(row + k, &a, 8);
        }
    }
    for (; c + 8 <= n; c += 8) {
        std::uint64_t a;
        std::uint64_t b;
        std::memcpy(&a, row + c, 8);
        std::memcpy(&b, above + c, 8);
        a ^= b;
        std::memcpy(row + c, &a, 8);
    }
    for (; c < n; ++c) {
        row[c] = static_cast<std::uint8_t>(row[c] ^ above[c]);
    }
}

/// Writes the pixels of one mask, 0 or 1. First it marks the pixels that differ from the one above; then each row of
/// the object's box is added to the next.
[[gnu::noinline]] inline void decode_mask(std::uint8_t* to, const run_length_view& runs) noexcept
{
    const std::size_t height = runs.height;
    const std::size_t width = runs.width;
    std::memset(to, 0, height * width);
    const auto mark = [&](std::size_t x, std::size_t y) PADBATCH_DETAIL_INLINE_LAMBDA {
        std::uint8_t& pixel = to[y * width + x];
        pixel = static_cast<std::uint8_t>(pixel ^ 1);
    };
    const rle_edges box =
        for_each_run(runs, [&](std::size_t x, std::size_t y, std::size_t n) PADBATCH_DETAIL_INLINE_LAMBDA {
            mark(x, y);
            std::size_t end = y + n;
            for (; end > height; end -= height) { // the run goes on in the next column
                mark(++x, 0);
            }
            if (end < height) {
                mark(x, end);
            }
        });
    with_widest_block([&](auto) PADBATCH_DETAIL_INLINE_LAMBDA {
        const std::size_t last = box.bottom < height ? box.bottom : height - 1; // whose marks become zeros
        for (std::size_t y = box.top + 1; y <= last; ++y) {
            std::uint8_t* const row = to + y * width + box.left;
            add_row(row, row - width, box.right - box.left);
        }
    });
}

} // namespace padbatch::inline PADBATCH_ABI::detail

#endif
