// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_DETAIL_SPLIT_ROWS_HPP
#define PADBATCH_DETAIL_SPLIT_ROWS_HPP

#include <padbatch/detail/copy_row.hpp>
#include <padbatch/image.hpp>

#include <cstddef>
#include <type_traits>

namespace padbatch::inline PADBATCH_ABI::detail {

/// Where the rows of one field come from and go to while records are split into their fields.
template <class To, class E, class Rows>
struct split_field {
    To* to;
    Rows from;
    E extents;
};

/// Copies the first `n` records, all fields of one before the next, so that each record is read once.
template <class... To, class... E, class... Rows>
[[gnu::always_inline]] inline void split_rows(std::size_t n, const split_field<To, E, Rows>&... fields) noexcept
{
    for (std::size_t j = 0; j < n; ++j) {
        (copy_row_of(fields.to + j * fields.extents.size(), fields.extents, fields.from, j), ...);
    }
}

/// Copies the first `slots.size()` records of `from`, whose fields are strided or indexed rows of the same records.
template <class... From, class... Slots>
[[gnu::always_inline]] inline void split_image(const image_view<From...>& from,
                                               const image_view<Slots...>& slots) noexcept
{
    split_rows(slots.size(), split_field<typename Slots::rows_type::value_type, typename Slots::rows_type::extents_type,
                                         std::remove_cvref_t<decltype(from[typename Slots::tag{}])>>{
                                 slots[typename Slots::tag{}].data(), from[typename Slots::tag{}],
                                 slots[typename Slots::tag{}].extents()}...);
}

} // namespace padbatch::inline PADBATCH_ABI::detail

#endif
