// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_DETECTION_DETAIL_MASK_SCAN_HPP
#define PADBATCH_DETECTION_DETAIL_MASK_SCAN_HPP

#include <padbatch/detail/simd.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

// Which pixels of a mask are set, that is, are not 0. A NaN is set, -0.0 is not.

namespace padbatch::inline PADBATCH_ABI::detail {

/// Whether any of 64 bytes of pixels is set.
template <class T>
[[nodiscard]] PADBATCH_DETAIL_INLINE bool any_of_line(const T* from) noexcept
{
    std::uint64_t words[8];
    std::memcpy(words, from, sizeof words);
    std::uint64_t all = 0;
    for (const std::uint64_t word : words) {
        all |= word;
    }
    return (all & (std::is_same_v<T, float> ? 0x7FFFFFFF7FFFFFFFU : ~std::uint64_t{0})) != 0;
}

/// The first pixel that is set, or `n`.
template <class T>
[[nodiscard]] inline std::size_t first_set(const T* from, std::size_t n) noexcept
{
    constexpr std::size_t line = 64 / sizeof(T);
    std::size_t c = 0;
    while (c + line <= n && !any_of_line(from + c)) {
        c += line;
    }
    while (c < n && from[c] == 0) {
        ++c;
    }
    return c;
}

/// One more than the last pixel that is set, or 0.
template <class T>
[[nodiscard]] inline std::size_t end_of_set(const T* from, std::size_t n) noexcept
{
    constexpr std::size_t line = 64 / sizeof(T);
    while (n >= line && !any_of_line(from + n - line)) {
        n -= line;
    }
    while (n > 0 && from[n - 1] == 0) {
        --n;
    }
    return n;
}

/// The first and last columns and rows with a pixel that is set.
struct set_extent {
    bool any = false;
    std::size_t left = 0;
    std::size_t top = 0;
    std::size_t right = 0;
    std::size_t bottom = 0;
};

/// Reads all pixels outside the result, and little of what is inside.
template <class T>
[[nodiscard]] inline set_extent extent_of_set(const T* mask, std::size_t height, std::size_t width) noexcept
{
    set_extent found;
    const std::size_t first = first_set(mask, height * width);
    if (first == height * width) {
        return found;
    }
    const std::size_t last = end_of_set(mask, height * width) - 1;
    found.any = true;
    found.top = first / width;
    found.bottom = last / width;
    std::size_t left = first % width;
    std::size_t end = last % width + 1;
    for (std::size_t y = found.top; y <= found.bottom; ++y) {
        const T* const row = mask + y * width;
        left = first_set(row, left); // of those that are further to the left
        if (end < width) {
            end += end_of_set(row + end, width - end);
        }
    }
    found.left = left;
    found.right = end - 1;
    return found;
}

/// The number of pixels that are set.
[[nodiscard]] inline std::size_t count_set(const std::uint8_t* from, std::size_t n) noexcept
{
    std::size_t total = 0;
    with_widest_block([&](auto /*width*/) PADBATCH_DETAIL_INLINE_LAMBDA {
        constexpr std::size_t step = 64;
        std::size_t c = 0;
        while (c + step <= n) {
            std::uint8_t sums[step] = {};
            for (std::size_t round = 0; round < 255 && c + step <= n; ++round, c += step) {
                for (std::size_t k = 0; k < step; ++k) {
                    sums[k] = static_cast<std::uint8_t>(sums[k] + (from[c + k] != 0 ? 1 : 0));
                }
            }
            for (const std::uint8_t sum : sums) {
                total += sum;
            }
        }
        for (; c < n; ++c) {
            total += from[c] != 0 ? 1 : 0;
        }
    });
    return total;
}
[[nodiscard]] inline std::size_t count_set(const float* from, std::size_t n) noexcept
{
    std::size_t total = 0;
    with_widest_block([&](auto /*width*/) PADBATCH_DETAIL_INLINE_LAMBDA {
        constexpr std::size_t step = 32;
        constexpr std::size_t rounds = std::size_t{1} << 24;
        std::size_t c = 0;
        while (c + step <= n) {
            std::int32_t sums[step] = {};
            for (std::size_t round = 0; round < rounds && c + step <= n; ++round, c += step) {
                for (std::size_t k = 0; k < step; ++k) {
                    sums[k] += from[c + k] != 0 ? 1 : 0;
                }
            }
            for (const std::int32_t sum : sums) {
                total += static_cast<std::size_t>(sum);
            }
        }
        for (; c < n; ++c) {
            total += from[c] != 0 ? 1 : 0;
        }
    });
    return total;
}

/// The whole numbers from `begin` to `end`, without it.
struct pixel_range {
    std::size_t begin = 0;
    std::size_t end = 0;
    [[nodiscard]] bool empty() const noexcept { return begin >= end; }
};

/// The first whole number that is not below `value`, at most `n`.
[[nodiscard]] PADBATCH_DETAIL_INLINE std::size_t rounded_up(float value, std::size_t n) noexcept
{
    if (!(value > 0)) {
        return 0;
    }
    if (value >= static_cast<float>(n)) {
        return n;
    }
    const auto whole = static_cast<std::size_t>(value);
    return whole + (static_cast<float>(whole) < value ? 1 : 0);
}

/// The pixels of `n` with low <= pixel < high; none if either is NaN.
[[nodiscard]] inline pixel_range pixels_between(float low, float high, std::size_t n) noexcept
{
    if (!(low < high)) {
        return {};
    }
    return {rounded_up(low, n), rounded_up(high, n)};
}

/// Clears what is outside of columns x and rows y.
template <class T>
inline void clear_around(T* mask, std::size_t height, std::size_t width, const pixel_range& x,
                         const pixel_range& y) noexcept
{
    const auto clear_pixels = [mask](std::size_t from, std::size_t to) {
        if (to > from) { // all of the memory's bits: 0 and 0.0
            std::memset(static_cast<void*>(mask + from), 0, (to - from) * sizeof(T));
        }
    };
    if (x.empty() || y.empty()) {
        clear_pixels(0, height * width);
        return;
    }
    // From the end of one row's range to the beginning of the next one's.
    std::size_t from = 0;
    for (std::size_t row = y.begin; row < y.end; ++row) {
        clear_pixels(from, row * width + x.begin);
        from = row * width + x.end;
    }
    clear_pixels(from, height * width);
}

} // namespace padbatch::inline PADBATCH_ABI::detail

#endif
