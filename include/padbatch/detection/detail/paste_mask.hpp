// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_DETECTION_DETAIL_PASTE_MASK_HPP
#define PADBATCH_DETECTION_DETAIL_PASTE_MASK_HPP

#include <padbatch/detail/fill.hpp>
#include <padbatch/detection/detail/rounded.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace padbatch::inline PADBATCH_ABI::detail {

/// The largest side of a region mask: beyond it a float cannot hold the number of a cell.
inline constexpr std::size_t most_cells = std::size_t{1} << 24;
/// Boxes that reach beyond this, in pixels, are taken to be garbage. Below it every sum here is exact.
inline constexpr float farthest_pixel = 1073741824.0F; // 2^30

/// Where a region mask is placed along one axis of the image. A cell of zeros is added at either end of the mask, so
/// that cell k is value k - 1.
struct pasted_axis {
    /// The numbers of the image's pixels before the box, inside it and behind it.
    std::size_t before = 0;
    std::size_t size = 0;
    std::size_t behind = 0;
    /// The position in the resized mask of the first pixel inside the box.
    double first = 0;
    /// Cells per pixel.
    double scale = 0;
};

/// A cell, and the weight of the next one.
struct pasted_place {
    std::int32_t cell;
    float weight;
};

/// Torchvision's arithmetic: boxes grow about their centre, in floats, and are cut to whole pixels, toward zero; the
/// mask is resized to last - first + 1 pixels. A product that a compiler might fuse with the next sum is rounded on its
/// own: fused, a box could end at another pixel.
[[nodiscard]] inline pasted_axis make_pasted_axis(float low, float high, float growth, std::size_t cells,
                                                  std::size_t pixels) noexcept
{
    const float half = (high - low) * 0.5F;
    const float centre = (high + low) * 0.5F;
    const float reach = rounded_product(half, growth);
    const float from = centre - reach;
    const float to = centre + reach;
    const bool sane = from > -farthest_pixel && from < farthest_pixel && to > -farthest_pixel && to < farthest_pixel;
    if (!sane) { // NaN and infinity too
        return {};
    }
    const auto first = static_cast<std::int64_t>(from);
    const auto end = static_cast<std::int64_t>(to) + 1;
    const std::size_t before = first < 0 ? 0 : static_cast<std::size_t>(first);
    if (end <= first || end <= 0 || before >= pixels) {
        return {};
    }
    pasted_axis axis;
    axis.before = before;
    axis.behind = static_cast<std::size_t>(end) < pixels ? pixels - static_cast<std::size_t>(end) : 0;
    axis.size = pixels - before - axis.behind;
    axis.first = static_cast<double>(static_cast<std::int64_t>(before) - first);
    axis.scale = static_cast<double>(static_cast<float>(cells + 2) / static_cast<float>(end - first));
    return axis;
}

/// Where the centre of pixel i of the box is among the cells.
[[nodiscard]] PADBATCH_DETAIL_INLINE pasted_place place_of(const pasted_axis& axis, std::size_t i) noexcept
{
    const double exact = (axis.first + static_cast<double>(i) + 0.5) * axis.scale - 0.5;
    const double at = exact < 0 ? 0 : exact;
    const auto cell = static_cast<std::int32_t>(at);
    return {cell, static_cast<float>(at - static_cast<double>(cell))};
}

/// A region mask, `[height, width]`.
struct region_mask {
    const float* data;
    std::size_t height;
    std::size_t width;
};

/// Some columns of an image, and lines of the mask resized to them. What is the same for all rows of pixels is computed
/// once.
struct paste_piece {
    static constexpr std::size_t most = 512;

    std::size_t size;
    std::int32_t first_cell;
    std::int32_t cells;
    std::int32_t cell[most]; // of each column, counted from `first_cell`
    float weight[most];
    float lines[2][most];
    float values[most + 1]; // of one row of cells

    /// Takes as many columns as fit, starting at column `from` of the box.
    PADBATCH_DETAIL_INLINE void place(const pasted_axis& x, std::size_t from) noexcept
    {
        const std::size_t all = x.size - from;
        size = all < most ? all : most;
        first_cell = place_of(x, from).cell;
        for (std::size_t c = 0; c < size; ++c) {
            const pasted_place at = place_of(x, from + c);
            cell[c] = at.cell - first_cell;
            weight[c] = at.weight;
        }
        while (cell[size - 1] >= static_cast<std::int32_t>(most)) { // a mask that is far wider than its box
            --size;
        }
        cells = cell[size - 1] + 2;
    }

    /// Resizes row `row` of the mask's cells to these columns.
    PADBATCH_DETAIL_INLINE void make_line(const region_mask& mask, std::int64_t row, float* __restrict line) noexcept
    {
        if (row < 1 || row > static_cast<std::int64_t>(mask.height)) {
            std::memset(line, 0, size * sizeof(float));
            return;
        }
        const float* const from = mask.data + static_cast<std::size_t>(row - 1) * mask.width;
        for (std::int32_t k = 0; k < cells; ++k) {
            const std::int64_t column = std::int64_t{first_cell} + k - 1;
            values[k] = column >= 0 && column < static_cast<std::int64_t>(mask.width) ? from[column] : 0.0F;
        }
        for (std::size_t c = 0; c < size; ++c) {
            line[c] = (1.0F - weight[c]) * values[cell[c]] + weight[c] * values[cell[c] + 1];
        }
    }
};

/// Writes a pixel: the probability itself, or whether it reaches the threshold.
PADBATCH_DETAIL_INLINE void put_pixel(float& to, float value, float /*threshold*/) noexcept
{
    to = value;
}
PADBATCH_DETAIL_INLINE void put_pixel(std::uint8_t& to, float value, float threshold) noexcept
{
    to = value >= threshold ? 1 : 0;
}

/// Writes one row of pixels, between two lines. The inner loop is one that GCC vectorises even at -O2.
template <class T>
PADBATCH_DETAIL_INLINE void blend_lines(T* __restrict to, const float* __restrict above, const float* __restrict below,
                                        std::size_t n, float weight, float threshold) noexcept
{
    constexpr std::size_t step = 32;
    const float rest = 1.0F - weight;
    std::size_t c = 0;
    for (; c + step <= n; c += step) {
        for (std::size_t k = 0; k < step; ++k) {
            put_pixel(to[c + k], rest * above[c + k] + weight * below[c + k], threshold);
        }
    }
    for (; c < n; ++c) {
        put_pixel(to[c], rest * above[c] + weight * below[c], threshold);
    }
}

/// Writes the pixels inside the box; `full` is the first pixel of the image.
template <class T>
PADBATCH_DETAIL_INLINE void paste_inside(T* full, std::size_t image_width, const region_mask& mask,
                                         const pasted_axis& x, const pasted_axis& y, float threshold) noexcept
{
    paste_piece piece; // 10 KB, not initialised
    for (std::size_t from = 0; from < x.size; from += piece.size) {
        piece.place(x, from);
        float* above = piece.lines[0];
        float* below = piece.lines[1];
        std::int64_t row = -2; // of the line above
        for (std::size_t i = 0; i < y.size; ++i) {
            const pasted_place at = place_of(y, i);
            if (at.cell == row + 1) {
                float* const used = above;
                above = below;
                below = used;
                piece.make_line(mask, at.cell + std::int64_t{1}, below);
            } else if (at.cell != row) {
                piece.make_line(mask, at.cell, above);
                piece.make_line(mask, at.cell + std::int64_t{1}, below);
            }
            row = at.cell;
            blend_lines(full + (y.before + i) * image_width + x.before + from, above, below, piece.size, at.weight,
                        threshold);
        }
    }
}

/// From this size on, runs of zeros are written past the caches, if the whole output is: the run between two rows of a
/// box is often no longer than a kilobyte.
inline constexpr std::size_t stream_run = 512;

template <std::size_t Width>
PADBATCH_DETAIL_INLINE void clear(std::byte* to, std::size_t bytes, bool streams) noexcept
{
    if (streams && bytes >= stream_run) {
        std::byte* end = to + bytes;
        keep_loop(end); // without it GCC 12 warns that a part might be larger than the whole
        stream_zero(to, static_cast<std::size_t>(end - to));
    } else {
        fill_zero<Width>(to, bytes);
    }
}

/// Clears the pixels outside a box that is not empty, in runs from the end of one of its rows to the beginning of the
/// next.
template <std::size_t Width>
PADBATCH_DETAIL_INLINE void clear_outside(std::byte* full, std::size_t row_bytes, std::size_t pixel_bytes,
                                          const pasted_axis& x, const pasted_axis& y, bool streams) noexcept
{
    const std::size_t left = x.before * pixel_bytes;
    const std::size_t right = x.behind * pixel_bytes;
    std::byte* row = full + y.before * row_bytes;
    clear<Width>(full, y.before * row_bytes + left, streams);
    for (std::size_t i = 1; i < y.size; ++i, row += row_bytes) {
        clear<Width>(row + row_bytes - right, right + left, streams);
    }
    clear<Width>(row + row_bytes - right, right + y.behind * row_bytes, streams);
}

/// How full masks are written.
struct paste_rules {
    float threshold = 0.5F;
    /// The memory is already zero.
    bool zeroed = false;
    /// Zeros are written past the caches.
    bool streams = false;
};

/// Writes one full mask, `[height, width]`, from a region mask and its box, x1, y1, x2, y2. `T` is float or uint8. Not
/// inlined, so that all batches share it.
template <class T>
[[gnu::noinline]] inline void paste_mask(T* full, std::size_t height, std::size_t width, const float (&box)[4],
                                         const region_mask& mask, const paste_rules& rules) noexcept
{
    // Torchvision takes one growth for both axes, that of the mask's width.
    const auto growth = static_cast<float>(static_cast<double>(mask.width + 2) / static_cast<double>(mask.width));
    const pasted_axis x = make_pasted_axis(box[0], box[2], growth, mask.width, width);
    const pasted_axis y = make_pasted_axis(box[1], box[3], growth, mask.height, height);
    auto* const bytes = reinterpret_cast<std::byte*>(full);
    with_widest_block([&](auto block_width) PADBATCH_DETAIL_INLINE_LAMBDA {
        constexpr std::size_t w = decltype(block_width)::value;
        if (x.size == 0 || y.size == 0) {
            if (!rules.zeroed) {
                clear<w>(bytes, height * width * sizeof(T), rules.streams);
            }
            return;
        }
        if (!rules.zeroed) {
            clear_outside<w>(bytes, width * sizeof(T), sizeof(T), x, y, rules.streams);
        }
        paste_inside(full, width, mask, x, y, rules.threshold);
    });
}

} // namespace padbatch::inline PADBATCH_ABI::detail

#endif
