// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_DETAIL_COPY_ROW_HPP
#define PADBATCH_DETAIL_COPY_ROW_HPP

#include <padbatch/element_type.hpp>
#include <padbatch/item_rows.hpp>
#include <padbatch/rows.hpp>

#include <array>
#include <cstddef>
#include <cstring>
#include <type_traits>

namespace padbatch::inline PADBATCH_ABI::detail {

/// Copies one row, whose elements are adjacent in both places, and converts them if the types differ.
template <class E, class To, class From>
[[gnu::always_inline]] inline void copy_row(To* to, const From* from, const E& extents) noexcept
{
    if constexpr (std::is_same_v<To, From>) {
        if constexpr (E::is_static) {
            std::memcpy(static_cast<void*>(to), static_cast<const void*>(from), sizeof(To) * E{}.size());
        } else if (extents.size() != 0) {
            std::memcpy(static_cast<void*>(to), static_cast<const void*>(from), sizeof(To) * extents.size());
        }
    } else {
        const std::size_t size = extents.size();
        for (std::size_t k = 0; k < size; ++k) { // by memcpy: a struct may be packed, and rows need not be aligned
            std::remove_const_t<From> element;
            std::memcpy(&element, from + k, sizeof element);
            const To converted = convert<To>(element);
            std::memcpy(static_cast<void*>(to + k), &converted, sizeof converted);
        }
    }
}

/// Copies row `j` of `from`, which has any layout.
template <class To, class E, class From, class FromE, class Layout>
[[gnu::always_inline]] inline void copy_row_of(To* to, const E& extents, const basic_rows<From, FromE, Layout>& from,
                                               std::size_t j) noexcept
{
    if constexpr (std::is_same_v<Layout, layout::element_strided>) {
        const auto* element = static_cast<const std::remove_const_t<From>*>(from.row_data(j));
        for (std::size_t k = 0; k < extents.size(); ++k) {
            copy_row(to + k, element, padbatch::row_extents<>{});
            element = offset_by(element, from.layout().element_stride);
        }
    } else {
        copy_row(to, static_cast<const std::remove_const_t<From>*>(from.row_data(j)), extents);
    }
}

/// Copies row `j` of rows that are read item by item.
template <class To, class E, class Reader, class Items, class Access>
inline void copy_row_of(To* to, const E& /*extents*/, const item_rows<Reader, Items, Access>& from,
                        std::size_t j) noexcept
{
    from.pieces(j, [&to](const auto* data, std::size_t n) {
        if constexpr (Reader::is_adjacent && Reader::extents_type::is_static) {
            copy_row(to, data, typename Reader::extents_type{});
        } else {
            copy_row(to, data, padbatch::row_extents<dynamic>{std::array<std::size_t, 1>{n}});
        }
        to += n;
    });
}

} // namespace padbatch::inline PADBATCH_ABI::detail

#endif
