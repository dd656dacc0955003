// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_DETECTION_DETAIL_MOVE_ROWS_HPP
#define PADBATCH_DETECTION_DETAIL_MOVE_ROWS_HPP

#include <padbatch/config.hpp>

#include <cstddef>
#include <cstring>

namespace padbatch::inline PADBATCH_ABI::detail {

/// Where rows of one field are, each of `Bytes` bytes, and where they go. The number of bytes is part of the type: a
/// row is then moved by a register or two.
template <std::size_t Bytes>
struct field_move {
    std::byte* to;
    const std::byte* from;

    void operator()(std::size_t j, std::size_t row) const noexcept
    {
        if constexpr (Bytes != 0) {
            std::memcpy(to + j * Bytes, from + row * Bytes, Bytes);
        }
    }
};

/// Copies row `rows[j]` to place j, for j in [first, m), in all fields in one pass. In place, rows move forward only.
template <class Number, class... Moves>
void move_rows(const Number* rows, std::size_t first, std::size_t m, Moves... moves) noexcept
{
    for (std::size_t j = first; j < m; ++j) {
        const auto row = static_cast<std::size_t>(rows[j]);
        (moves(j, row), ...);
    }
}

} // namespace padbatch::inline PADBATCH_ABI::detail

#endif
