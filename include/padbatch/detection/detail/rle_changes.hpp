// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_DETECTION_DETAIL_RLE_CHANGES_HPP
#define PADBATCH_DETECTION_DETAIL_RLE_CHANGES_HPP

#include <padbatch/detail/buffer.hpp>
#include <padbatch/detail/simd.hpp>
#include <padbatch/detection/detail/paste_mask.hpp>
#include <padbatch/detection/run_lengths.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>

// Run lengths go down the columns, but masks are stored row by row. So rows are compared with the row above, many
// pixels at a time: most are the same. The few pixels that differ, which begin a run each, are then sorted by column.
namespace padbatch::inline PADBATCH_ABI::detail {

/// Eight bytes, the first of them lowest.
[[nodiscard]] PADBATCH_DETAIL_INLINE std::uint64_t load_eight(const std::uint8_t* from) noexcept
{
    std::uint64_t bytes;
    std::memcpy(&bytes, from, sizeof bytes);
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    bytes = __builtin_bswap64(bytes);
#endif
    return bytes;
}
/// The first `n` of fewer than eight bytes, and zeros.
[[nodiscard]] PADBATCH_DETAIL_INLINE std::uint64_t load_some(const std::uint8_t* from, std::size_t n) noexcept
{
    std::uint64_t bytes = 0;
    for (std::size_t k = 0; k < n; ++k) {
        bytes |= std::uint64_t{from[k]} << (8 * k);
    }
    return bytes;
}

/// Rows of pixels of a byte each, of which those that are not 0 belong to the object.
struct byte_pixels {
    static constexpr std::size_t in_byte = 1;
    /// Writes the numbers of the pixels among eight bytes that are in one row, but not in the other.
    PADBATCH_DETAIL_INLINE static std::uint16_t* put(std::uint64_t now, std::uint64_t above, std::size_t first,
                                                     std::uint16_t* to) noexcept
    {
        std::uint64_t changed = set(now) ^ set(above);
        for (; changed != 0; changed &= changed - 1) {
            *to++ = static_cast<std::uint16_t>(first + static_cast<std::size_t>(__builtin_ctzll(changed)) / 8);
        }
        return to;
    }

private:
    /// The highest bit of each byte that is not 0.
    [[nodiscard]] PADBATCH_DETAIL_INLINE static std::uint64_t set(std::uint64_t bytes) noexcept
    {
        constexpr std::uint64_t low = 0x7F7F7F7F7F7F7F7FU;
        return (((bytes & low) + low) | bytes) & ~low;
    }
};

/// Rows of pixels of a bit each, the first of a byte in its highest bit.
struct bit_pixels {
    static constexpr std::size_t in_byte = 8;
    PADBATCH_DETAIL_INLINE static std::uint16_t* put(std::uint64_t now, std::uint64_t above, std::size_t first,
                                                     std::uint16_t* to) noexcept
    {
        std::uint64_t changed = __builtin_bswap64(now ^ above); // the first pixel highest
        while (changed != 0) {
            const auto k = static_cast<std::size_t>(__builtin_clzll(changed));
            *to++ = static_cast<std::uint16_t>(first + k);
            changed &= ~(std::uint64_t{1} << (63 - k));
        }
        return to;
    }
};

/// Writes the numbers of the pixels in which two rows of `n` bytes differ.
template <class Pixels>
PADBATCH_DETAIL_INLINE std::uint16_t* find_changes(const std::uint8_t* now, const std::uint8_t* above, std::size_t n,
                                                   std::uint16_t* to) noexcept
{
    constexpr std::size_t step = 128;
    std::size_t c = 0;
    for (; c + step <= n; c += step) {
#if defined(__GNUC__)
        // 16 bytes at a time are arithmetic that every processor has, see `block`.
        typedef std::uint64_t pair __attribute__((vector_size(16), aligned(1), may_alias));
        pair differs = {0, 0};
        for (std::size_t k = c; k < c + step; k += sizeof differs) {
            differs |= *reinterpret_cast<const pair*>(now + k) ^ *reinterpret_cast<const pair*>(above + k);
        }
        const std::uint64_t any = differs[0] | differs[1];
#else
        const std::uint64_t any = 1;
#endif
        if (any != 0) {
            for (std::size_t k = c; k < c + step; k += 8) {
                const std::uint64_t a = load_eight(now + k);
                const std::uint64_t b = load_eight(above + k);
                if (a != b) {
                    to = Pixels::put(a, b, k * Pixels::in_byte, to);
                }
            }
        }
    }
    for (; c + 8 <= n; c += 8) {
        const std::uint64_t a = load_eight(now + c);
        const std::uint64_t b = load_eight(above + c);
        if (a != b) {
            to = Pixels::put(a, b, c * Pixels::in_byte, to);
        }
    }
    if (c < n) {
        to = Pixels::put(load_some(now + c, n - c), load_some(above + c, n - c), c * Pixels::in_byte, to);
    }
    return to;
}

/// Adjacent columns of a mask, and the pixels in them that differ from the pixel above. Above the first row, and below
/// the last, there is a row of zeros.
struct change_strip {
    /// Numbers of columns fit 16 bits, and where the changes of so many columns go, a cache.
    static constexpr std::size_t most_columns = 2048;

    std::size_t rows = 0;
    std::size_t columns = 0;
    std::size_t* ends = nullptr;    // of each row, in `found`; [rows + 1]
    std::uint32_t* next = nullptr;  // of each column: its number of changes, then where its next one goes
    std::uint8_t* zeros = nullptr;  // a row
    std::uint16_t* found = nullptr; // row by row, the columns of the changes

    /// Takes memory for this many rows and columns at most.
    [[nodiscard]] bool try_reserve(buffer<std::byte>& scratch, std::size_t most_rows, std::size_t most) noexcept
    {
        const std::size_t end_bytes = (most_rows + 1) * sizeof(std::size_t);
        const std::size_t next_bytes = most * sizeof(std::uint32_t);
        const std::size_t zero_bytes = (most + 7) / 8 * 8;
        if (!scratch.try_reserve(end_bytes + next_bytes + zero_bytes + (most_rows + 1) * most * sizeof *found)) {
            return false;
        }
        std::byte* const at = scratch.data();
        ends = reinterpret_cast<std::size_t*>(at);
        next = reinterpret_cast<std::uint32_t*>(at + end_bytes);
        zeros = reinterpret_cast<std::uint8_t*>(at + end_bytes + next_bytes);
        found = reinterpret_cast<std::uint16_t*>(at + end_bytes + next_bytes + zero_bytes);
        std::memset(zeros, 0, zero_bytes);
        return true;
    }

    /// Appends where in the mask the changes are, in the order of run lengths, to the `used` numbers of a list. The
    /// strip begins at a row and a column of a mask of `height` rows. Returns whether there was enough memory.
    [[nodiscard]] PADBATCH_DETAIL_INLINE bool sort_into(run_lengths& runs, std::size_t& used, std::size_t row,
                                                        std::size_t column, std::size_t height) const noexcept
    {
        const std::size_t n = ends[rows];
        if (!rle_access::reserve(runs, used, n + 1)) {
            return false;
        }
        std::memset(next, 0, columns * sizeof *next);
        for (std::size_t k = 0; k < n; ++k) {
            ++next[found[k]];
        }
        std::uint32_t sum = 0;
        for (std::size_t c = 0; c < columns; ++c) {
            const std::uint32_t own = next[c];
            next[c] = sum;
            sum += own;
        }
        std::uint32_t* const to = rle_access::data(runs) + used;
        std::size_t k = 0;
        for (std::size_t y = 0; y <= rows; ++y) {
            for (const std::size_t end = ends[y]; k < end; ++k) {
                const std::size_t c = found[k];
                to[next[c]++] = static_cast<std::uint32_t>((column + c) * height + row + y);
            }
        }
        used += n;
        return true;
    }
};

/// Makes run lengths of the numbers of the pixels, behind the list's counts up to `from`, at which runs begin, and adds
/// the mask. There is room for one more. Where a run goes on from the end of a column to the beginning of the next,
/// both are numbered: the same twice.
PADBATCH_DETAIL_INLINE void close_mask(run_lengths& runs, std::size_t from, std::size_t used, std::size_t height,
                                       std::size_t width) noexcept
{
    std::uint32_t* const list = rle_access::data(runs);
    const auto pixels = static_cast<std::uint32_t>(height * width);
    std::uint32_t last = 0;
    std::size_t end = from;
    for (std::size_t k = from; k < used; ++k) {
        const std::uint32_t at = list[k];
        if (k + 1 < used && list[k + 1] == at) {
            ++k;
            continue;
        }
        list[end++] = at - last;
        last = at;
    }
    if (last != pixels) {
        list[end++] = pixels - last;
    }
    rle_access::close(runs, end, height, width);
}

/// Appends the run lengths of a mask of `[height, width]` pixels, in rows of `row_bytes`. Returns whether there was
/// enough memory.
template <class Pixels>
[[nodiscard, gnu::noinline]] inline bool encode_mask(run_lengths& runs, const std::uint8_t* mask, std::size_t height,
                                                     std::size_t width, std::size_t row_bytes,
                                                     buffer<std::byte>& scratch) noexcept
{
    bool done = false;
    with_widest_block([&](auto) PADBATCH_DETAIL_INLINE_LAMBDA {
        change_strip strip;
        const std::size_t most = width < change_strip::most_columns ? width : change_strip::most_columns;
        // Bits behind the last column count, since they may not be zero.
        const std::size_t bytes = (most + Pixels::in_byte - 1) / Pixels::in_byte;
        if (!strip.try_reserve(scratch, height, bytes * Pixels::in_byte)) {
            return;
        }
        strip.rows = height;
        const std::size_t from = runs.counts().size();
        std::size_t used = from;
        for (std::size_t x = 0; x < width; x += strip.columns) {
            strip.columns = width - x < most ? width - x : most;
            const std::size_t n = (strip.columns + Pixels::in_byte - 1) / Pixels::in_byte;
            const std::uint8_t* above = strip.zeros;
            std::uint16_t* to = strip.found;
            for (std::size_t y = 0; y <= height; ++y) {
                std::uint16_t* const first = to;
                const std::uint8_t* const now = y < height ? mask + y * row_bytes + x / Pixels::in_byte : strip.zeros;
                to = find_changes<Pixels>(now, above, n, to);
                while (Pixels::in_byte > 1 && to != first && to[-1] >= strip.columns) {
                    --to;
                }
                strip.ends[y] = static_cast<std::size_t>(to - strip.found);
                above = now;
            }
            if (!strip.sort_into(runs, used, 0, x, height)) {
                return;
            }
        }
        done = rle_access::reserve(runs, used, 1);
        if (done) {
            close_mask(runs, from, used, height, width);
        }
    });
    return done;
}

/// A row of pixels of a region mask, in pieces. Between two lines of the mask, most pieces are all inside or all
/// outside the object, and need not be looked at row by row.
struct region_row {
    static constexpr std::size_t step = 32;

    std::uint8_t values[paste_piece::most];
    std::uint16_t mixed[paste_piece::most / step]; // the pieces that are neither
    std::size_t mixed_count;

    PADBATCH_DETAIL_INLINE void clear() noexcept { std::memset(values, 0, sizeof values); }

    /// Begins with the rows between two lines: finds what kind each piece is, and the changes of those of one kind.
    PADBATCH_DETAIL_INLINE std::uint16_t* enter(const float* __restrict upper, const float* __restrict lower,
                                                std::size_t n, float threshold, std::uint16_t* to) noexcept
    {
        // A pixel is between the two lines, or beyond by up to three roundings: of 2^-24, or of the smallest numbers.
        const float below = threshold * 0.999999F - 1e-30F;
        const float over = threshold * 1.000001F + 1e-30F;
        constexpr float most = std::numeric_limits<float>::max(); // 0 * infinity is no number
        mixed_count = 0;
        for (std::size_t c = 0; c < n; c += step) {
            const std::size_t size = n - c < step ? n - c : step;
            int outside = 1;
            int inside = 1;
            for (std::size_t k = c; k < c + size; ++k) {
                outside &= static_cast<int>(upper[k] < below) & static_cast<int>(upper[k] >= -most) &
                           static_cast<int>(lower[k] < below) & static_cast<int>(lower[k] >= -most);
                inside &= static_cast<int>(upper[k] > over) & static_cast<int>(upper[k] <= most) &
                          static_cast<int>(lower[k] > over) & static_cast<int>(lower[k] <= most);
            }
            if ((outside | inside) == 0) {
                mixed[mixed_count++] = static_cast<std::uint16_t>(c);
                continue;
            }
            std::uint8_t now[step];
            std::memset(now, inside, step);
            to = change(c, now, size, to);
        }
        return to;
    }

    /// Goes on to the next row: finds the changes of the other pieces.
    PADBATCH_DETAIL_INLINE std::uint16_t* find(const float* __restrict upper, const float* __restrict lower,
                                               std::size_t n, float weight, float threshold, std::uint16_t* to) noexcept
    {
        for (std::size_t m = 0; m < mixed_count; ++m) {
            const std::size_t c = mixed[m];
            std::uint8_t now[step];
            const std::size_t size = n - c < step ? n - c : step;
            blend_lines(now, upper + c, lower + c, size, weight, threshold);
            to = change(c, now, size, to);
        }
        return to;
    }

private:
    /// Finds the changes of one piece.
    PADBATCH_DETAIL_INLINE std::uint16_t* change(std::size_t c, const std::uint8_t* now, std::size_t n,
                                                 std::uint16_t* to) noexcept
    {
        std::uint16_t* const first = to;
        to = find_changes<byte_pixels>(now, values + c, n, to);
        if (to != first) {
            for (std::uint16_t* k = first; k != to; ++k) {
                *k = static_cast<std::uint16_t>(*k + c);
            }
            std::memcpy(values + c, now, n);
        }
        return to;
    }
};

/// Appends the run lengths of the full mask, `[height, width]`, of a region mask and its box, x1, y1, x2, y2: those of
/// what `paste_mask` writes, whose arithmetic it is. Only pixels inside the box are computed, and no more than two rows
/// of them are stored. Returns whether there was enough memory.
[[nodiscard, gnu::noinline]] inline bool encode_region(run_lengths& runs, std::size_t height, std::size_t width,
                                                       const float (&box)[4], const region_mask& mask, float threshold,
                                                       buffer<std::byte>& scratch) noexcept
{
    const auto growth = static_cast<float>(static_cast<double>(mask.width + 2) / static_cast<double>(mask.width));
    const pasted_axis x = make_pasted_axis(box[0], box[2], growth, mask.width, width);
    const pasted_axis y = make_pasted_axis(box[1], box[3], growth, mask.height, height);
    bool done = false;
    with_widest_block([&](auto) PADBATCH_DETAIL_INLINE_LAMBDA {
        const std::size_t from = runs.counts().size();
        std::size_t used = from;
        if (x.size != 0 && y.size != 0) {
            change_strip strip;
            const std::size_t most = x.size < paste_piece::most ? x.size : paste_piece::most;
            if (!strip.try_reserve(scratch, y.size, most)) {
                return;
            }
            strip.rows = y.size;
            paste_piece piece; // 10 KB, not initialised
            region_row pixels;
            for (std::size_t column = 0; column < x.size; column += piece.size) {
                piece.place(x, column);
                strip.columns = piece.size;
                float* upper = piece.lines[0];
                float* lower = piece.lines[1];
                std::int64_t row = -2; // of the upper line
                pixels.clear();
                std::uint16_t* to = strip.found;
                for (std::size_t i = 0; i < y.size; ++i) {
                    const pasted_place at = place_of(y, i);
                    const bool moves = at.cell != row;
                    if (at.cell == row + 1) {
                        float* const old = upper;
                        upper = lower;
                        lower = old;
                        piece.make_line(mask, at.cell + std::int64_t{1}, lower);
                    } else if (moves) {
                        piece.make_line(mask, at.cell, upper);
                        piece.make_line(mask, at.cell + std::int64_t{1}, lower);
                    }
                    row = at.cell;
                    if (moves) {
                        to = pixels.enter(upper, lower, piece.size, threshold, to);
                    }
                    to = pixels.find(upper, lower, piece.size, at.weight, threshold, to);
                    strip.ends[i] = static_cast<std::size_t>(to - strip.found);
                }
                to = find_changes<byte_pixels>(strip.zeros, pixels.values, piece.size, to);
                strip.ends[y.size] = static_cast<std::size_t>(to - strip.found);
                if (!strip.sort_into(runs, used, y.before, x.before + column, height)) {
                    return;
                }
            }
        }
        done = rle_access::reserve(runs, used, 1);
        if (done) {
            close_mask(runs, from, used, height, width);
        }
    });
    return done;
}

} // namespace padbatch::inline PADBATCH_ABI::detail

#endif
