// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_DETECTION_DETAIL_MOVE_ROWS_HPP
#define PADBATCH_DETECTION_DETAIL_MOVE_ROWS_HPP

#include <padbatch/detail/simd.hpp>

#include <cstddef>
#include <cstring>

namespace padbatch::inline PADBATCH_ABI::detail {

/// Copies row `rows[j]` of `Bytes` bytes to place j, for j in [first, m). The number of bytes is a constant, so that a
/// row is moved by a register or two. In place, rows move forward only. (Fields are moved one after the other: writing
/// all of them row by row takes half as long again, since stores go to one line of the cache after the other.)
template <std::size_t Bytes, class Number>
void move_rows(std::byte* to, const std::byte* from, const Number* rows, std::size_t first, std::size_t m) noexcept
{
    if constexpr (Bytes != 0) {
        keep_loop(to); // GCC warns of rows beyond a small vector's end, which m does not reach
        for (std::size_t j = first; j < m; ++j) {
            std::memcpy(to + j * Bytes, from + static_cast<std::size_t>(rows[j]) * Bytes, Bytes);
        }
    }
}

} // namespace padbatch::inline PADBATCH_ABI::detail

#endif
