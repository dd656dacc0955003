// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_DETECTION_DETAIL_PROTOTYPE_MASK_HPP
#define PADBATCH_DETECTION_DETAIL_PROTOTYPE_MASK_HPP

#include <padbatch/detection/detail/mask_scan.hpp>
#include <padbatch/detection/detail/paste_mask.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace padbatch::inline PADBATCH_ABI::detail {

/// Prototypes `[count, height, width]` of one image, of which rows and columns of a window are used.
struct prototype_planes {
    const float* data = nullptr;
    std::size_t count = 0;
    std::size_t height = 0;
    std::size_t width = 0;
    std::size_t top = 0;
    std::size_t left = 0;
    /// The size of the window.
    std::size_t rows = 0;
    std::size_t columns = 0;
};

/// Sets the window to the part of the prototypes that an image has which was letterboxed: as `scale_masks` of
/// Ultralytics 8.3.0, in doubles, cut to whole cells toward zero. Products are stored, so that they are not fused with
/// the difference.
inline void letterbox_window(prototype_planes& planes, std::size_t height, std::size_t width) noexcept
{
    const double gain_y = static_cast<double>(planes.height) / static_cast<double>(height);
    const double gain_x = static_cast<double>(planes.width) / static_cast<double>(width);
    const double gain = gain_x < gain_y ? gain_x : gain_y;
    const volatile double down = static_cast<double>(height) * gain;
    const volatile double across = static_cast<double>(width) * gain;
    const double pad_y = (static_cast<double>(planes.height) - down) / 2;
    const double pad_x = (static_cast<double>(planes.width) - across) / 2;
    const auto whole = [](double value) { return value > 0 ? static_cast<std::size_t>(value) : std::size_t{0}; };
    const auto below = [&](double value, std::size_t most) { return whole(value) < most ? whole(value) : most; };
    planes.top = whole(pad_y);
    planes.left = whole(pad_x);
    planes.rows = below(static_cast<double>(planes.height) - pad_y, planes.height) - planes.top;
    planes.columns = below(static_cast<double>(planes.width) - pad_x, planes.width) - planes.left;
}

/// Cells resized to pixels along one axis: `interpolate(mode="bilinear", align_corners=False)` of PyTorch, in floats,
/// in its order of operations (`area_pixel_compute_source_index` in aten/src/ATen/native/UpSample.h).
struct resized_axis {
    std::size_t cells = 0;
    float scale = 0;

    resized_axis(std::size_t from, std::size_t to) noexcept
        : cells(from), scale(static_cast<float>(from) / static_cast<float>(to))
    {
    }

    /// Where the centre of pixel i is among the cells. The product is stored, so that it is rounded on its own: GCC
    /// turns one of doubles, rounded to float, back into one of floats, and fuses it with the difference where it may.
    [[nodiscard]] PADBATCH_DETAIL_INLINE pasted_place place(std::size_t i) const noexcept
    {
        const volatile float along = scale * (static_cast<float>(static_cast<std::int32_t>(i)) + 0.5F);
        const float exact = along - 0.5F;
        const float at = exact < 0 ? 0 : exact;
        const auto most = static_cast<std::int32_t>(cells - 1);
        const auto whole = static_cast<std::int32_t>(at);
        const std::int32_t cell = whole < most ? whole : most;
        const float rest = at - static_cast<float>(cell);
        return {cell, rest < 1 ? rest : 1.0F};
    }
    /// The cell after it, or itself at the border.
    [[nodiscard]] PADBATCH_DETAIL_INLINE std::size_t next(std::int32_t cell) const noexcept
    {
        const std::size_t after = static_cast<std::size_t>(cell) + 1;
        return after < cells ? after : cells - 1;
    }

    /// The first of `n` pixels that any of the cells from `cell` on has a part in.
    [[nodiscard]] std::size_t first_touched(std::size_t cell, std::size_t n) const noexcept
    {
        return first_where(n, [&](std::size_t i) { return next(place(i).cell) >= cell; });
    }
    /// The first of `n` pixels that only the cells from `cell` on have a part in.
    [[nodiscard]] std::size_t first_beyond(std::size_t cell, std::size_t n) const noexcept
    {
        return first_where(n, [&](std::size_t i) { return static_cast<std::size_t>(place(i).cell) >= cell; });
    }

private:
    template <class Test>
    [[nodiscard]] static std::size_t first_where(std::size_t n, const Test& test) noexcept
    {
        std::size_t low = 0;
        while (low < n) {
            const std::size_t middle = low + (n - low) / 2;
            if (test(middle)) {
                n = middle;
            } else {
                low = middle + 1;
            }
        }
        return low;
    }
};

/// What is made of one mask: cells outside the given ones count as 0, pixels outside the given ones are 0.
struct prototype_part {
    pixel_range cells_x;
    pixel_range cells_y;
    pixel_range x;
    pixel_range y;
};

/// Adds up the prototypes, each times its coefficient, in `Step` adjacent cells.
template <std::size_t Step>
PADBATCH_DETAIL_INLINE void sum_cells(float* __restrict to, const float* __restrict coefficients, std::size_t count,
                                      const float* __restrict from, std::size_t plane) noexcept
{
    float sums[Step] = {};
    for (std::size_t p = 0; p < count; ++p, from += plane) {
        const float times = coefficients[p];
        for (std::size_t k = 0; k < Step; ++k) {
            sums[k] += times * from[k];
        }
    }
    for (std::size_t k = 0; k < Step; ++k) {
        to[k] = sums[k];
    }
}

/// Some columns of the pixels, and lines of the mask resized to them, as in `paste_piece`.
struct prototype_piece {
    static constexpr std::size_t most = 512;

    std::size_t size;
    std::size_t first_cell;
    std::size_t cells;
    std::int32_t cell[most]; // of each column, counted from `first_cell`
    float weight[most];
    float lines[2][most];
    float values[most + 1]; // of one row of cells

    /// Takes as many columns as fit, from `from` to `end`.
    PADBATCH_DETAIL_INLINE void place(const resized_axis& x, std::size_t from, std::size_t end) noexcept
    {
        size = end - from < most ? end - from : most;
        const std::int32_t first = x.place(from).cell;
        for (std::size_t c = 0; c < size; ++c) {
            const pasted_place at = x.place(from + c);
            cell[c] = at.cell - first;
            weight[c] = at.weight;
        }
        while (cell[size - 1] >= static_cast<std::int32_t>(most)) { // prototypes that are far wider than the image
            --size;
        }
        first_cell = static_cast<std::size_t>(first);
        cells = static_cast<std::size_t>(cell[size - 1]) + 2;
    }

    PADBATCH_DETAIL_INLINE void make_line(const prototype_planes& planes, const float* coefficients,
                                          const prototype_part& part, std::size_t row, float* __restrict line) noexcept
    {
        if (row < part.cells_y.begin || row >= part.cells_y.end) {
            std::memset(line, 0, size * sizeof(float));
            return;
        }
        const std::size_t begin = first_cell < part.cells_x.begin ? part.cells_x.begin : first_cell;
        const std::size_t end = first_cell + cells < part.cells_x.end ? first_cell + cells : part.cells_x.end;
        std::memset(values, 0, cells * sizeof(float));
        const std::size_t plane = planes.height * planes.width;
        const float* const from = planes.data + (planes.top + row) * planes.width + planes.left;
        std::size_t k = begin;
        for (; k + 32 <= end; k += 32) {
            sum_cells<32>(values + (k - first_cell), coefficients, planes.count, from + k, plane);
        }
        for (; k + 8 <= end; k += 8) {
            sum_cells<8>(values + (k - first_cell), coefficients, planes.count, from + k, plane);
        }
        if (k < end && end - begin >= 8) { // the last eight, some of them again
            sum_cells<8>(values + (end - 8 - first_cell), coefficients, planes.count, from + (end - 8), plane);
            k = end;
        }
        for (; k < end; ++k) {
            sum_cells<1>(values + (k - first_cell), coefficients, planes.count, from + k, plane);
        }
        if (first_cell + cells > planes.columns) { // behind the last cell is the last cell again
            values[cells - 1] = values[cells - 2];
        }
        for (std::size_t c = 0; c < size; ++c) {
            line[c] = (1.0F - weight[c]) * values[cell[c]] + weight[c] * values[cell[c] + 1];
        }
    }
};

PADBATCH_DETAIL_INLINE void put_positive(float& to, float value) noexcept
{
    to = value;
}
PADBATCH_DETAIL_INLINE void put_positive(std::uint8_t& to, float value) noexcept
{
    to = value > 0 ? 1 : 0;
}

/// One row of pixels, between two lines, as `blend_lines`.
template <class T>
PADBATCH_DETAIL_INLINE void blend_positive(T* __restrict to, const float* __restrict above,
                                           const float* __restrict below, std::size_t n, float weight) noexcept
{
    constexpr std::size_t step = 32;
    const float rest = 1.0F - weight;
    std::size_t c = 0;
    for (; c + step <= n; c += step) {
        for (std::size_t k = 0; k < step; ++k) {
            put_positive(to[c + k], rest * above[c + k] + weight * below[c + k]);
        }
    }
    for (; c < n; ++c) {
        put_positive(to[c], rest * above[c] + weight * below[c]);
    }
}

/// Writes one full mask, `[height, width]`: whether the sum is above 0 or, if `T` is float, the sum itself. Not
/// inlined, so that all batches share it.
template <class T>
[[gnu::noinline]] inline void make_prototype_mask(T* full, std::size_t height, std::size_t width,
                                                  const prototype_planes& planes, const float* coefficients,
                                                  const prototype_part& part, bool streams) noexcept
{
    auto* const bytes = reinterpret_cast<std::byte*>(full);
    with_widest_block([&](auto block_width) PADBATCH_DETAIL_INLINE_LAMBDA {
        constexpr std::size_t w = decltype(block_width)::value;
        if (part.x.empty() || part.y.empty() || part.cells_x.empty() || part.cells_y.empty()) {
            clear<w>(bytes, height * width * sizeof(T), streams);
            return;
        }
        pasted_axis outside_x;
        outside_x.before = part.x.begin;
        outside_x.behind = width - part.x.end;
        pasted_axis outside_y;
        outside_y.before = part.y.begin;
        outside_y.size = part.y.end - part.y.begin;
        outside_y.behind = height - part.y.end;
        clear_outside<w>(bytes, width * sizeof(T), sizeof(T), outside_x, outside_y, streams);

        const resized_axis x(planes.columns, width);
        const resized_axis y(planes.rows, height);
        prototype_piece piece; // 10 KB, not initialised
        for (std::size_t from = part.x.begin; from < part.x.end; from += piece.size) {
            piece.place(x, from, part.x.end);
            float* above = piece.lines[0];
            float* below = piece.lines[1];
            std::int32_t row = -2; // of the line above
            for (std::size_t i = part.y.begin; i < part.y.end; ++i) {
                const pasted_place at = y.place(i);
                if (at.cell == row + 1) {
                    float* const used = above;
                    above = below;
                    below = used;
                    piece.make_line(planes, coefficients, part, y.next(at.cell), below);
                } else if (at.cell != row) {
                    piece.make_line(planes, coefficients, part, static_cast<std::size_t>(at.cell), above);
                    piece.make_line(planes, coefficients, part, y.next(at.cell), below);
                }
                row = at.cell;
                blend_positive(full + i * width + from, above, below, piece.size, at.weight);
            }
        }
    });
}

} // namespace padbatch::inline PADBATCH_ABI::detail

#endif
