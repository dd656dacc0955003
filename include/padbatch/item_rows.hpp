// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ITEM_ROWS_HPP
#define PADBATCH_ITEM_ROWS_HPP

#include <padbatch/detail/index_iterator.hpp>
#include <padbatch/rows.hpp>

#include <cstddef>
#include <type_traits>
#include <utility>

namespace padbatch::inline PADBATCH_ABI {

/// How to read a value of another library as one row of a field. An adapter specialises it with `using element`, the
/// type of the elements if `.of<T>()` does not say another, `template <class E> static E extents(const V&)`, `template
/// <class T, class E> static status check(const V&, const E&, const char* name)`, and `template <class T, class Use>
/// static void pieces(const V&, const Use&)`, which calls `use(pointer, n)` for adjacent elements, in order.
template <class V>
struct row_traits {};

namespace detail {

/// Row j: a value that is computed as it is, something else as `Reader` sees it.
template <class Reader, class Items, class Access, class E>
[[nodiscard]] decltype(auto) item_row(const Items& items, std::size_t j, const Access& access,
                                      const E& extents) noexcept
{
    if constexpr (std::is_lvalue_reference_v<decltype(access(items[j]))>) {
        return Reader::row(access(items[j]), extents);
    } else {
        return access(items[j]);
    }
}

} // namespace detail

/// Rows that do not lie in one piece of memory: row j is what `Access` makes of item j of a container. That may be a
/// reference, to something that holds a row, or a value, which is computed whenever it is read. `Reader` knows how a
/// row is read from it.
///
/// Read-only. A row is a `const T&`, a span or a `row`, as in `basic_rows`; a computed one is the value itself.
template <class Reader, class Items, class Access>
class item_rows {
    static constexpr bool is_computed =
        !std::is_lvalue_reference_v<decltype(std::declval<const Access&>()(std::declval<const Items&>()[0]))>;

public:
    using value_type = typename Reader::element;
    using element_type = const value_type;
    using extents_type = typename Reader::extents_type;
    using reference = decltype(detail::item_row<Reader>(std::declval<const Items&>(), 0, std::declval<const Access&>(),
                                                        std::declval<const extents_type&>()));

    static constexpr bool is_contiguous = false;

    item_rows(const Items& items, std::size_t size, const extents_type& extents, const Access& access) noexcept
        : m_items(items), m_size(size), m_extents(extents), m_access(access)
    {
    }

    [[nodiscard]] std::size_t size() const noexcept { return m_size; }
    [[nodiscard]] bool empty() const noexcept { return m_size == 0; }
    [[nodiscard]] const extents_type& extents() const noexcept { return m_extents; }
    /// The number of elements of one row.
    [[nodiscard]] std::size_t row_size() const noexcept { return m_extents.size(); }

    [[nodiscard]] reference operator[](std::size_t j) const noexcept
    {
        return detail::item_row<Reader>(m_items, j, m_access, m_extents);
    }

    /// Calls `use(pointer, n)` for the adjacent elements of row j, in order; the pointers are good until it returns.
    template <class Use>
    void pieces(std::size_t j, const Use& use) const noexcept
    {
        auto&& value = m_access(m_items[j]);
        Reader::pieces(value, m_extents, use);
    }

    /// Whether a row may share a byte with `[first, last)`.
    [[nodiscard]] bool overlaps(const void* first, const void* last) const noexcept
    {
        bool found = false;
        for (std::size_t j = 0; j < m_size; ++j) {
            auto&& item = m_items[j];
            if constexpr (std::is_lvalue_reference_v<decltype(m_items[j])>) {
                const auto* const address = reinterpret_cast<const std::byte*>(__builtin_addressof(item));
                found = found || detail::ranges_overlap(address, address + sizeof(item), first, last);
            }
            if constexpr (!is_computed || !Reader::is_value) {
                pieces(j, [&](const auto* data, std::size_t n) {
                    found = found || detail::ranges_overlap(data, data + n, first, last);
                });
            }
        }
        return found;
    }

    /// The first `n` rows; n <= size().
    [[nodiscard]] item_rows first(std::size_t n) const noexcept { return {m_items, n, m_extents, m_access}; }

    [[nodiscard]] auto begin() const noexcept { return detail::index_iterator<item_rows>(*this, 0); }
    [[nodiscard]] auto end() const noexcept { return detail::index_iterator<item_rows>(*this, m_size); }

private:
    Items m_items;
    std::size_t m_size;
    [[no_unique_address]] extents_type m_extents;
    [[no_unique_address]] Access m_access;
};

namespace detail {

template <class Reader, class Items, class Access>
[[nodiscard]] bool rows_overlap(const item_rows<Reader, Items, Access>& rows, const void* first,
                                const void* last) noexcept
{
    return rows.overlaps(first, last);
}

} // namespace detail

} // namespace padbatch::inline PADBATCH_ABI

#endif
