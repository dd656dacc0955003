// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_DETAIL_TOP_ROWS_HPP
#define PADBATCH_DETAIL_TOP_ROWS_HPP

#include <padbatch/element_type.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>
#include <utility>

namespace padbatch::inline PADBATCH_ABI::detail {

/// The unsigned integer that orders scores of type `T`.
template <class T>
using score_key = std::conditional_t<(sizeof(T) > 4), std::uint64_t, std::uint32_t>;

/// A number that is larger for a higher score, equal for equal scores, and 0 for NaN.
template <element T>
[[nodiscard]] constexpr score_key<T> key_of(T score) noexcept
{
    using key = score_key<T>;
    constexpr key top = key{1} << (sizeof(key) * 8 - 1);
    if constexpr (half<T>) {
        return key_of(convert<float>(score));
    } else if constexpr (std::floating_point<T>) {
        const key bits = __builtin_bit_cast(key, score + T{0}); // -0 becomes 0
        if ((bits & ~top) > __builtin_bit_cast(key, std::numeric_limits<T>::infinity())) {
            return 0; // NaN
        }
        return (bits & top) != 0 ? ~bits : bits | top;
    } else if constexpr (std::signed_integral<T>) {
        return static_cast<key>(static_cast<std::make_signed_t<key>>(score)) ^ top;
    } else {
        return static_cast<key>(score);
    }
}

/// The `rank`-th largest of n keys, where the largest has rank 1, by quickselect; reorders them. 1 <= rank <= n.
template <class Key>
[[nodiscard]] Key largest(Key* keys, std::size_t n, std::size_t rank) noexcept
{
    std::size_t low = 0;
    std::size_t high = n - 1;
    const std::size_t wanted = rank - 1;
    while (low < high) {
        const Key a = keys[low];
        const Key b = keys[low + (high - low) / 2];
        const Key c = keys[high];
        const Key pivot = a < b ? (b < c ? b : (a < c ? c : a)) : (a < c ? a : (b < c ? c : b));
        std::size_t i = low;
        std::size_t j = high;
        while (true) {
            while (keys[i] > pivot) {
                ++i;
            }
            while (keys[j] < pivot) {
                --j;
            }
            if (i >= j) {
                break;
            }
            std::swap(keys[i], keys[j]);
            ++i;
            --j;
        }
        // The keys in [low, j] are not smaller than the pivot, those in (j, high] not larger.
        if (i == j && wanted == i) {
            return keys[i];
        }
        if (wanted <= j) {
            high = j;
        } else {
            low = j + 1;
        }
    }
    return keys[low];
}

/// The key of score j, which need not be aligned, as in a packed struct.
template <class Scores>
[[nodiscard]] auto key_at(const Scores& scores, std::size_t j) noexcept
{
    if constexpr (requires { scores.row_data(j); }) {
        typename Scores::value_type score;
        std::memcpy(&score, static_cast<const void*>(scores.row_data(j)), sizeof score);
        return key_of(score);
    } else {
        return key_of<typename Scores::value_type>(scores[j]);
    }
}

/// Writes the numbers of the `m` rows with the highest scores to `kept`, in ascending order; of equal scores the
/// earlier wins. m < scores.size(); `keys` has room for a key for each score.
template <class Scores, class Key>
void top_rows(const Scores& scores, std::size_t m, Key* keys, std::int32_t* kept) noexcept
{
    if (m == 0) {
        return;
    }
    const std::size_t n = scores.size();
    for (std::size_t j = 0; j < n; ++j) {
        keys[j] = key_at(scores, j);
    }
    const Key lowest_kept = largest(keys, n, m);
    std::size_t above = 0;
    for (std::size_t j = 0; j < n; ++j) {
        above += keys[j] > lowest_kept ? 1U : 0U;
    }
    std::size_t equal = m - above;
    std::size_t count = 0;
    for (std::size_t j = 0; j < n && count < m; ++j) {
        const Key key = key_at(scores, j); // `keys` are in another order now
        if (key > lowest_kept || (key == lowest_kept && equal != 0)) {
            equal -= key == lowest_kept ? 1U : 0U;
            kept[count++] = static_cast<std::int32_t>(j);
        }
    }
}

} // namespace padbatch::inline PADBATCH_ABI::detail

#endif
