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
template <class Word>
struct bit_places {
    Word places[256];

    consteval bit_places() noexcept : places{}
    {
        for (unsigned bits = 0; bits < 256; ++bits) {
            unsigned found = 0;
            for (unsigned k = 0; k < 8; ++k) {
                if ((bits >> k & 1U) != 0) {
                    places[bits] |= Word{k} << 4U * found++;
                }
            }
        }
    }
};
template <class Word>
alignas(64) inline constexpr bit_places<Word> places_of_bits{};

// Registers, and, with reduced alignment, the same in memory.
typedef float eight_floats __attribute__((vector_size(32)));
typedef float eight_floats_in_memory __attribute__((vector_size(32), aligned(4), may_alias));
typedef std::int32_t eight_results __attribute__((vector_size(32)));
template <class Number>
struct number_register;
template <>
struct number_register<std::int32_t> {
    using word = std::uint32_t;
    typedef std::uint32_t type __attribute__((vector_size(32)));
    typedef std::uint32_t in_memory __attribute__((vector_size(32), aligned(4), may_alias));
    static constexpr type shifts[] = {{0, 4, 8, 12, 16, 20, 24, 28}};
};
template <>
struct number_register<std::int64_t> {
    using word = std::uint64_t;
    typedef std::uint64_t type __attribute__((vector_size(32)));
    typedef std::uint64_t in_memory __attribute__((vector_size(32), aligned(8), may_alias));
    static constexpr type shifts[] = {{0, 4, 8, 12}, {16, 20, 24, 28}};
};

/// Writes the numbers of the rows whose scores pass, 8 at a time: all 8 places are written, of which the next 8 numbers
/// overwrite those that were too many. `rows` has room for `n`.
template <bool OrEqual, class Number>
[[nodiscard, gnu::noinline, gnu::target("avx2,popcnt")]] std::size_t
rows_over_avx2(const float* scores, std::size_t n, float threshold, Number* rows) noexcept
{
    using numbers = number_register<Number>;
    using word = typename numbers::word;
    constexpr std::size_t parts = sizeof numbers::shifts / sizeof numbers::shifts[0];
    const eight_floats limit = {threshold, threshold, threshold, threshold, threshold, threshold, threshold, threshold};
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
        const word places = places_of_bits<word>.places[bits];
        for (std::size_t part = 0; part < parts; ++part) {
            const typename numbers::type found = ((typename numbers::type{} + places) >> numbers::shifts[part] & word{7}) + static_cast<word>(j);
            *reinterpret_cast<typename numbers::in_memory*>(rows + m + part * 8 / parts) = found;
        }
        m += static_cast<unsigned>(__builtin_popcount(bits));
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
