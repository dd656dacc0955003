// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_DETECTION_DETAIL_ROWS_OVER_HPP
#define PADBATCH_DETECTION_DETAIL_ROWS_OVER_HPP

#include <padbatch/detail/simd.hpp>
#include <padbatch/detection/detail/score_order.hpp>
#include <padbatch/rows.hpp>

#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace padbatch::inline PADBATCH_ABI::detail {

/// Whether a score passes a threshold. NaN does not.
template <bool OrEqual>
[[nodiscard]] constexpr bool score_passes(float score, float threshold) noexcept
{
    return OrEqual ? score >= threshold : score > threshold;
}

/// Writes the numbers of the rows [first, scores.size()) whose scores pass behind the `m` that are there, without a
/// branch, and returns how many there are then.
template <bool OrEqual, class Scores, class Number>
[[nodiscard]] std::size_t append_rows_over(const Scores& scores, std::size_t first, float threshold, Number* rows,
                                           std::size_t m) noexcept
{
    const std::size_t n = scores.size();
    for (std::size_t j = first; j < n; ++j) {
        rows[m] = static_cast<Number>(j);
        m += score_passes<OrEqual>(float_at(scores, j), threshold) ? 1U : 0U;
    }
    return m;
}

#if PADBATCH_DETAIL_HAS_AVX2
/// For each set of 8 bits the places of those that are set, in order, 4 bits for each from the lowest.
struct bit_places {
    std::uint32_t places[256];

    consteval bit_places() noexcept : places{}
    {
        for (unsigned bits = 0; bits < 256; ++bits) {
            unsigned found = 0;
            for (unsigned k = 0; k < 8; ++k) {
                if ((bits >> k & 1U) != 0) {
                    places[bits] |= k << 4U * found++;
                }
            }
        }
    }
};
alignas(64) inline constexpr bit_places places_of_bits{};

// Registers, and, with reduced alignment, the same in memory.
typedef float eight_floats __attribute__((vector_size(32)));
typedef float eight_floats_in_memory __attribute__((vector_size(32), aligned(4), may_alias));
typedef std::int32_t eight_results __attribute__((vector_size(32)));
typedef std::uint32_t eight_numbers __attribute__((vector_size(32)));
typedef std::uint32_t eight_numbers_in_memory __attribute__((vector_size(32), aligned(4), may_alias));
typedef std::int32_t four_numbers_in_memory __attribute__((vector_size(16), aligned(4), may_alias));
typedef std::int64_t four_long_numbers __attribute__((vector_size(32)));
typedef std::int64_t four_long_numbers_in_memory __attribute__((vector_size(32), aligned(8), may_alias));

/// Writes the numbers of the rows whose scores pass, 8 at a time: all 8 places are written, of which the next 8 numbers
/// overwrite those that were too many. `rows` has room for `n`; the rows behind the last whole 8 are left to the
/// caller.
template <bool OrEqual>
[[nodiscard, gnu::noinline, gnu::target("avx2,popcnt")]] std::size_t
rows_over_avx2(const float* scores, std::size_t n, float threshold, std::int32_t* rows) noexcept
{
    const eight_floats limit = {threshold, threshold, threshold, threshold, threshold, threshold, threshold, threshold};
    const eight_numbers shifts = {0, 4, 8, 12, 16, 20, 24, 28};
    const eight_numbers low_bits = {7, 7, 7, 7, 7, 7, 7, 7};
    eight_numbers first = {0, 0, 0, 0, 0, 0, 0, 0};
    std::size_t m = 0;
    for (std::size_t j = 0; j + 8 <= n; j += 8) {
        const eight_floats value = *reinterpret_cast<const eight_floats_in_memory*>(scores + j);
        eight_results passes;
        if constexpr (OrEqual) {
            passes = value >= limit;
        } else {
            passes = value > limit;
        }
        const auto bits = static_cast<unsigned>(__builtin_ia32_movmskps256(reinterpret_cast<eight_floats>(passes)));
        const std::uint32_t packed = places_of_bits.places[bits];
        const eight_numbers all = {packed, packed, packed, packed, packed, packed, packed, packed};
        *reinterpret_cast<eight_numbers_in_memory*>(rows + m) = (all >> shifts & low_bits) + first;
        m += static_cast<unsigned>(__builtin_popcount(bits));
        first += 8;
    }
    return m;
}

/// Writes `first` plus each of m numbers, 4 at a time: up to 3 more are written.
[[gnu::noinline, gnu::target("avx2")]] inline void widen_avx2(std::int64_t* to, const std::int32_t* numbers,
                                                              std::size_t m, std::int64_t first) noexcept
{
    for (std::size_t k = 0; k < m; k += 4) {
        const auto four = *reinterpret_cast<const four_numbers_in_memory*>(numbers + k);
        *reinterpret_cast<four_long_numbers_in_memory*>(to + k) =
            __builtin_convertvector(four, four_long_numbers) + first;
    }
}

/// The same numbers as int64. Fewer are widened than are looked at, so they are found as int32, some rows at a time.
template <bool OrEqual>
[[nodiscard]] std::size_t rows_over_avx2(const float* scores, std::size_t n, float threshold,
                                         std::int64_t* rows) noexcept
{
    constexpr std::size_t most = 1024;
    alignas(64) std::int32_t found[most];
    std::size_t m = 0;
    for (std::size_t first = 0; first < n; first += most) {
        const std::size_t size = n - first < most ? n - first : most;
        const std::size_t here = rows_over_avx2<OrEqual>(scores + first, size, threshold, found);
        widen_avx2(rows + m, found, here, static_cast<std::int64_t>(first)); // at most as many as rows, to a whole 4
        m += here;
    }
    return m;
}
#endif

/// Writes the numbers of the rows whose scores pass a threshold, ascending, and returns how many. `rows` has room for
/// all. NaN does not pass.
template <bool OrEqual, class Scores, class Number>
[[nodiscard]] std::size_t rows_over(const Scores& scores, float threshold, Number* rows) noexcept
{
    std::size_t first = 0;
    std::size_t m = 0;
#if PADBATCH_DETAIL_HAS_AVX2
    if constexpr (requires { scores.flat().data(); }) {
        if (__builtin_cpu_supports("avx2") != 0) {
            m = rows_over_avx2<OrEqual>(static_cast<const float*>(scores.data()), scores.size(), threshold, rows);
            first = scores.size() / 8 * 8;
        }
    }
#endif
    return append_rows_over<OrEqual>(scores, first, threshold, rows, m);
}

} // namespace padbatch::inline PADBATCH_ABI::detail

#endif
