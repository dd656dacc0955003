// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_DETECTION_DETAIL_SCORE_ORDER_HPP
#define PADBATCH_DETECTION_DETAIL_SCORE_ORDER_HPP

#include <padbatch/detail/copy_row.hpp>
#include <padbatch/error.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>

namespace padbatch::inline PADBATCH_ABI::detail {

/// A row's number, and a key by which rows are put in order.
struct keyed_row {
    std::uint32_t key;
    std::int32_t row;
};

/// The key of a score: a larger score has a smaller key, equal scores (and 0 and -0) have equal ones, and NaN has the
/// largest.
[[nodiscard]] inline std::uint32_t descending_key(float score) noexcept
{
    if (score != score) {
        return 0xFFFFFFFFU;
    }
    const float whole = score == 0.0F ? 0.0F : score; // -0 is 0
    std::uint32_t bits = 0;
    std::memcpy(&bits, &whole, sizeof bits);
    const std::uint32_t ascending = (bits & 0x80000000U) != 0 ? ~bits : bits | 0x80000000U;
    return ~ascending;
}

/// Sorts by key; rows of equal keys keep their order. `other` has room for `n` too. The result is in `rows`.
inline void sort_by_key(keyed_row* rows, keyed_row* other, std::size_t n) noexcept
{
    if (n < 48) {
        for (std::size_t i = 1; i < n; ++i) {
            const keyed_row moving = rows[i];
            std::size_t j = i;
            for (; j > 0 && rows[j - 1].key > moving.key; --j) {
                rows[j] = rows[j - 1];
            }
            rows[j] = moving;
        }
        return;
    }
    // By one byte after the other, from the lowest; bytes that all keys share are passed over.
    std::uint32_t starts[4][256] = {};
    for (std::size_t j = 0; j < n; ++j) {
        const std::uint32_t key = rows[j].key;
        ++starts[0][key & 255U];
        ++starts[1][(key >> 8U) & 255U];
        ++starts[2][(key >> 16U) & 255U];
        ++starts[3][key >> 24U];
    }
    keyed_row* from = rows;
    keyed_row* to = other;
    for (unsigned byte = 0; byte < 4; ++byte) {
        std::uint32_t* const start = starts[byte];
        if (start[(rows[0].key >> (8U * byte)) & 255U] == n) {
            continue;
        }
        std::uint32_t sum = 0;
        for (unsigned value = 0; value < 256; ++value) {
            const std::uint32_t count = start[value];
            start[value] = sum;
            sum += count;
        }
        for (std::size_t j = 0; j < n; ++j) {
            to[start[(from[j].key >> (8U * byte)) & 255U]++] = from[j];
        }
        keyed_row* const used = from;
        from = to;
        to = used;
    }
    if (from != rows) {
        std::memcpy(static_cast<void*>(rows), static_cast<const void*>(from), n * sizeof(keyed_row));
    }
}

/// Number j of rows of one float each, which may be unaligned or anywhere.
template <class Rows>
[[nodiscard]] float float_at(const Rows& rows, std::size_t j) noexcept
{
    float value = 0;
    copy_row_of(&value, padbatch::row_extents<>{}, rows, j);
    return value;
}

/// Number j of rows of one integer each, as int64.
template <class Rows>
[[nodiscard]] std::int64_t integer_at(const Rows& rows, std::size_t j) noexcept
{
    typename Rows::value_type value{};
    copy_row_of(&value, padbatch::row_extents<>{}, rows, j);
    return static_cast<std::int64_t>(value);
}

/// Rows are numbered by int32.
[[nodiscard]] inline status check_row_number(std::size_t n) noexcept
{
    if (n > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max())) {
        return {status_code::too_many_rows, "there are {} rows; at most 2^31 - 1 can be chosen from", n};
    }
    return {};
}

/// Writes the rows' numbers in the order of their scores, the highest first; of equal scores the earlier row is first,
/// and NaN is last. `order` and `other` have room for all.
template <class Scores>
void order_by_score(const Scores& scores, keyed_row* order, keyed_row* other) noexcept
{
    const std::size_t n = scores.size();
    for (std::size_t j = 0; j < n; ++j) {
        order[j] = {descending_key(float_at(scores, j)), static_cast<std::int32_t>(j)};
    }
    sort_by_key(order, other, n);
}

} // namespace padbatch::inline PADBATCH_ABI::detail

#endif
