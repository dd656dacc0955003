// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_DETECTION_DETAIL_HEAD_TILE_HPP
#define PADBATCH_DETECTION_DETAIL_HEAD_TILE_HPP

#include <padbatch/detail/simd.hpp>
#include <padbatch/detection/detail/head_lanes.hpp>

#include <cstddef>
#include <cstdint>

namespace padbatch::inline PADBATCH_ABI::detail {

// Most anchors are none, so they are told apart first, without looking at their boxes and without transposing anything.
// A score that is no number is never larger, and so never taken.

/// Some columns of one image: element `c * column + a * anchor` is column c of anchor a.
struct head_part {
    const float* data = nullptr;
    std::ptrdiff_t column = 0;
    std::ptrdiff_t anchor = 0;

    [[nodiscard]] const float* address(std::size_t c, std::size_t a) const noexcept
    {
        return data + static_cast<std::ptrdiff_t>(c) * column + static_cast<std::ptrdiff_t>(a) * anchor;
    }
    [[nodiscard]] float at(std::size_t c, std::size_t a) const noexcept { return *address(c, a); }
    /// The part that begins with column c.
    [[nodiscard]] head_part from(std::size_t c) const noexcept
    {
        return {data + static_cast<std::ptrdiff_t>(c) * column, column, anchor};
    }
};

/// Some anchors, of a head whose anchors are adjacent.
struct head_tile {
    static constexpr std::size_t most = 512;
    static constexpr std::size_t step = 4 * lane_count;
    /// So many classes are looked at in one go.
    static constexpr std::size_t group = 8;

    float best[most];
    /// Where to look for the class of the best score: the first one of its group. No class in front of it is as good.
    std::int32_t first[most];
    std::uint16_t passing[most];

    /// The largest of four numbers and of those in `Count` rows. (No loop, which GCC would leave as one at -O2.)
    template <std::size_t Count>
    [[nodiscard]] PADBATCH_DETAIL_INLINE static head_lanes best_of_rows(const float* rows, std::ptrdiff_t column,
                                                                        head_lanes now) noexcept
    {
        now = larger(load_lanes(rows), now);
        if constexpr (Count > 1) {
            return best_of_rows<Count - 1>(rows + column, column, now);
        } else {
            return now;
        }
    }

    /// Takes `Count` rows, beginning with class c, of four anchors.
    template <std::size_t Count>
    PADBATCH_DETAIL_INLINE void take_lanes(const float* rows, std::ptrdiff_t column, std::int32_t c,
                                           std::size_t a) noexcept
    {
        const head_lanes before = load_lanes(best + a);
        const head_lanes now = best_of_rows<Count>(rows, column, before);
        store_lanes(first + a, now > before ? lanes_of(c) : load_lanes(first + a));
        store_lanes(best + a, now);
    }

    template <std::size_t Count>
    PADBATCH_DETAIL_INLINE void take_rows(const float* rows, std::ptrdiff_t column, std::int32_t c,
                                          std::size_t n) noexcept
    {
        std::size_t a = 0;
        for (; a + lane_count <= n; a += lane_count) {
            take_lanes<Count>(rows + a, column, c, a);
        }
        for (; a < n; ++a) {
            for (std::size_t k = 0; k < Count; ++k) {
                const float score = rows[static_cast<std::ptrdiff_t>(k) * column + static_cast<std::ptrdiff_t>(a)];
                first[a] = score > best[a] ? c : first[a];
                best[a] = score > best[a] ? score : best[a];
            }
        }
    }

    /// Finds which of n anchors have a class above `limit`: their number is returned, `passing` has their places.
    [[nodiscard]] std::size_t find(const float* scores, std::ptrdiff_t column, std::size_t classes, std::size_t n,
                                   float limit) noexcept
    {
        for (std::size_t a = 0; a < n; ++a) {
            best[a] = -__builtin_inff();
            first[a] = 0;
        }
        std::size_t c = 0;
        for (; c + group <= classes; c += group) {
            take_rows<group>(scores + static_cast<std::ptrdiff_t>(c) * column, column, static_cast<std::int32_t>(c), n);
        }
        const auto last = static_cast<std::int32_t>(c);
        for (; c < classes; ++c) {
            take_rows<1>(scores + static_cast<std::ptrdiff_t>(c) * column, column, last, n);
        }
        std::size_t count = 0;
        std::size_t a = 0;
        for (; a + step <= n; a += step) { // most anchors are none
            head_mask above{};
            for (std::size_t k = 0; k < step; k += lane_count) {
                above |= load_lanes(best + a + k) > lanes_of(limit);
            }
            if (any_lane(above)) {
                count = list(a, a + step, limit, count);
            }
        }
        return list(a, n, limit, count);
    }

private:
    PADBATCH_DETAIL_INLINE std::size_t list(std::size_t from, std::size_t to, float limit, std::size_t count) noexcept
    {
        for (std::size_t a = from; a < to; ++a) { // no branch on what the scores are
            passing[count] = static_cast<std::uint16_t>(a);
            count += best[a] > limit ? 1U : 0U;
        }
        return count;
    }
};

/// Whether any of n adjacent numbers is above `limit`.
[[nodiscard]] inline bool any_above(const float* numbers, std::size_t n, float limit) noexcept
{
    constexpr std::size_t step = 4 * lane_count;
    std::size_t c = 0;
    for (; c + step <= n; c += step) {
        head_mask above{};
        for (std::size_t k = 0; k < step; k += lane_count) {
            above |= load_lanes(numbers + c + k) > lanes_of(limit);
        }
        if (any_lane(above)) {
            return true;
        }
    }
    for (; c < n; ++c) {
        if (numbers[c] > limit) {
            return true;
        }
    }
    return false;
}

/// The largest of n adjacent numbers, and where the first such one is; minus infinity and 0 if there is none above
/// that.
struct head_largest {
    float score;
    std::size_t label;

    head_largest(const float* numbers, std::size_t n) noexcept : score(-__builtin_inff()), label(0)
    {
        head_lanes most = lanes_of(score);
        std::size_t c = 0;
        for (; c + lane_count <= n; c += lane_count) {
            most = larger(load_lanes(numbers + c), most);
        }
        for (std::size_t k = 0; k < lane_count; ++k) {
            score = most[k] > score ? most[k] : score;
        }
        for (; c < n; ++c) {
            score = numbers[c] > score ? numbers[c] : score;
        }
        while (label + 1 < n && numbers[label] != score) {
            ++label;
        }
    }
};

} // namespace padbatch::inline PADBATCH_ABI::detail

#endif
