// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ROWS_HPP
#define PADBATCH_ROWS_HPP

#include <padbatch/detail/index_iterator.hpp>
#include <padbatch/extents.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

namespace padbatch::inline PADBATCH_ABI {

/// Where row i of a `basic_rows` is. Strides are in bytes, since the size of a struct need not be a multiple of its
/// members'.
namespace layout {

/// Rows are adjacent, and so are the elements of a row.
struct contiguous {};

/// Rows are a fixed distance apart, the elements of a row adjacent: columns of a `[n, 7]` matrix, members of structs.
struct strided {
    std::ptrdiff_t row_stride;
};

/// Rows are a fixed distance apart, and so are the elements of a row: a column-major matrix.
struct element_strided {
    std::ptrdiff_t row_stride;
    std::ptrdiff_t element_stride;
};

/// Rows are picked by an index, the elements of a row adjacent: flat rows that are not sorted by image.
struct indexed {
    std::ptrdiff_t row_stride;
    const std::int32_t* index;
};

} // namespace layout

/// One row of any rank: its elements, adjacent and in row-major order, and its extents.
template <class T, class E>
class row {
public:
    row(T* data, const E& extents) noexcept : m_data(data), m_extents(extents) {}

    [[nodiscard]] T* data() const noexcept { return m_data; }
    /// The number of elements.
    [[nodiscard]] std::size_t size() const noexcept { return m_extents.size(); }
    [[nodiscard]] const E& extents() const noexcept { return m_extents; }
    [[nodiscard]] std::size_t extent(std::size_t k) const noexcept { return m_extents.extent(k); }
    [[nodiscard]] T& operator[](std::size_t element) const noexcept { return m_data[element]; }
    [[nodiscard]] T* begin() const noexcept { return m_data; }
    [[nodiscard]] T* end() const noexcept { return m_data + size(); }

    /// The element at an index for each extent, such as `mask(0, y, x)`.
    template <class... Index>
        requires(sizeof...(Index) == E::rank)
    [[nodiscard]] T& operator()(Index... index) const noexcept
    {
        std::size_t element = 0;
        std::size_t k = 0;
        ((element = element * m_extents.extent(k++) + static_cast<std::size_t>(index)), ...);
        return m_data[element];
    }

private:
    T* m_data;
    [[no_unique_address]] E m_extents;
};

/// One row of rank 1 whose elements are not adjacent.
template <class T, std::size_t N>
class strided_row {
public:
    strided_row(T* data, std::size_t size, std::ptrdiff_t stride) noexcept
        : m_data(data), m_size(size), m_stride(stride)
    {
    }

    [[nodiscard]] std::size_t size() const noexcept { return N == dynamic ? m_size : N; }
    [[nodiscard]] T& operator[](std::size_t element) const noexcept
    {
        return *detail::offset_by(m_data, m_stride * static_cast<std::ptrdiff_t>(element));
    }
    [[nodiscard]] auto begin() const noexcept { return detail::index_iterator<strided_row>(*this, 0); }
    [[nodiscard]] auto end() const noexcept { return detail::index_iterator<strided_row>(*this, size()); }

private:
    T* m_data;
    std::size_t m_size;
    std::ptrdiff_t m_stride;
};

namespace detail {

template <class T, class E, class Layout>
struct row_reference {
    using type = row<T, E>;
};
template <class T, class Layout>
struct row_reference<T, row_extents<>, Layout> {
    using type = T&;
};
template <class T, std::size_t N, class Layout>
struct row_reference<T, row_extents<N>, Layout> {
    using type = std::span<T, N>;
};
template <class T>
struct row_reference<T, row_extents<>, layout::element_strided> {
    using type = T&;
};
template <class T, std::size_t N>
struct row_reference<T, row_extents<N>, layout::element_strided> {
    using type = strided_row<T, N>;
};

} // namespace detail

/// The rows of one field of one image: n rows of the shape `E`. A view: it owns nothing, and like `std::span` it is
/// read-only if `T` is const.
///
/// A row is a `T&` if `E` is `row_extents<>`, a `std::span<T, N>` if it is `row_extents<N>`, otherwise a `row<T, E>`.
/// Contiguous rows of static extents take 16 bytes.
template <class T, class E, class Layout = layout::contiguous>
class basic_rows {
public:
    using element_type = T;
    using value_type = std::remove_cv_t<T>;
    using extents_type = E;
    using layout_type = Layout;
    using reference = typename detail::row_reference<T, E, Layout>::type;

    static constexpr bool is_contiguous = std::is_same_v<Layout, layout::contiguous>;

    basic_rows() noexcept
        requires is_contiguous
    = default;
    basic_rows(T* data, std::size_t size, const E& extents = {}, const Layout& layout = {}) noexcept
        : m_data(data), m_size(size), m_extents(extents), m_layout(layout)
    {
    }
    /// Rows of `T` as rows of `const T`.
    template <class Other>
        requires(std::is_const_v<T> && std::is_same_v<Other, value_type>)
    basic_rows(const basic_rows<Other, E, Layout>& other) noexcept
        : m_data(other.data()), m_size(other.size()), m_extents(other.extents()), m_layout(other.layout())
    {
    }

    /// The first element of the first row; for indexed rows, of the memory that rows are picked from.
    [[nodiscard]] T* data() const noexcept { return m_data; }
    /// The number of rows.
    [[nodiscard]] std::size_t size() const noexcept { return m_size; }
    [[nodiscard]] bool empty() const noexcept { return m_size == 0; }
    [[nodiscard]] const E& extents() const noexcept { return m_extents; }
    [[nodiscard]] const Layout& layout() const noexcept { return m_layout; }
    /// The number of elements of one row.
    [[nodiscard]] std::size_t row_size() const noexcept { return m_extents.size(); }

    /// The address of row i.
    [[nodiscard]] T* row_data(std::size_t i) const noexcept
    {
        if constexpr (is_contiguous) {
            return m_data + i * m_extents.size();
        } else if constexpr (std::is_same_v<Layout, layout::indexed>) {
            return detail::offset_by(m_data, m_layout.row_stride * m_layout.index[i]);
        } else {
            return detail::offset_by(m_data, m_layout.row_stride * static_cast<std::ptrdiff_t>(i));
        }
    }

    [[nodiscard]] reference operator[](std::size_t i) const noexcept
    {
        T* const first = row_data(i);
        if constexpr (E::rank == 0) {
            return *first;
        } else if constexpr (std::is_same_v<Layout, layout::element_strided>) {
            static_assert(E::rank == 1, "only rows of rank 1 can have elements that are not adjacent");
            return reference(first, m_extents.size(), m_layout.element_stride);
        } else if constexpr (E::rank == 1) {
            return reference(first, m_extents.size());
        } else {
            return reference(first, m_extents);
        }
    }

    /// All elements of all rows.
    [[nodiscard]] std::span<T> flat() const noexcept
        requires is_contiguous
    {
        return {m_data, m_size * m_extents.size()};
    }

    /// The first `n` rows; n <= size().
    [[nodiscard]] basic_rows first(std::size_t n) const noexcept { return {m_data, n, m_extents, m_layout}; }

    [[nodiscard]] auto begin() const noexcept { return detail::index_iterator<basic_rows>(*this, 0); }
    [[nodiscard]] auto end() const noexcept { return detail::index_iterator<basic_rows>(*this, m_size); }

private:
    T* m_data = nullptr;
    std::size_t m_size = 0;
    [[no_unique_address]] E m_extents{};
    [[no_unique_address]] Layout m_layout{};
};

/// Adjacent rows.
template <class T, std::size_t... E>
using rows = basic_rows<T, row_extents<E...>>;
/// Rows that are a fixed distance apart, such as some columns of a matrix.
template <class T, std::size_t... E>
using strided_rows = basic_rows<T, row_extents<E...>, layout::strided>;

static_assert(sizeof(rows<float, 4>) == sizeof(void*) + sizeof(std::size_t));

namespace detail {

/// A layout with gaps, or another order, between rows or elements.
template <class Layout>
concept non_contiguous_layout = !std::is_same_v<Layout, layout::contiguous>;

/// Whether `[a, a_end)` and `[b, b_end)` share a byte. Compared as numbers, since the pointers belong to different
/// objects.
[[nodiscard]] inline bool ranges_overlap(const void* a, const void* a_end, const void* b, const void* b_end) noexcept
{
    const auto a_first = reinterpret_cast<std::uintptr_t>(a);
    const auto b_first = reinterpret_cast<std::uintptr_t>(b);
    return a_first < reinterpret_cast<std::uintptr_t>(b_end) && b_first < reinterpret_cast<std::uintptr_t>(a_end) &&
           a != a_end && b != b_end;
}

/// Whether rows may share a byte with `[first, last)`. The gaps between strided rows count as part of them.
template <class T, class E, class L>
[[nodiscard]] bool rows_overlap(const basic_rows<T, E, L>& rows, const void* first, const void* last) noexcept
{
    if constexpr (std::is_same_v<L, layout::contiguous>) {
        return ranges_overlap(rows.data(), rows.data() + rows.size() * rows.row_size(), first, last);
    } else {
        if (rows.empty() || rows.row_size() == 0) {
            return false;
        }
        const auto row_bytes = static_cast<std::ptrdiff_t>(rows.row_size() * sizeof(T));
        if constexpr (std::is_same_v<L, layout::indexed>) {
            for (std::size_t i = 0; i < rows.size(); ++i) {
                if (ranges_overlap(rows.row_data(i), offset_by(rows.row_data(i), row_bytes), first, last)) {
                    return true;
                }
            }
            return false;
        } else { // from the lowest to the highest byte, whichever way the strides go
            std::ptrdiff_t along = row_bytes - static_cast<std::ptrdiff_t>(sizeof(T));
            if constexpr (std::is_same_v<L, layout::element_strided>) {
                along = rows.layout().element_stride * static_cast<std::ptrdiff_t>(rows.row_size() - 1);
            }
            const std::ptrdiff_t down = rows.layout().row_stride * static_cast<std::ptrdiff_t>(rows.size() - 1);
            const std::ptrdiff_t low = (along < 0 ? along : 0) + (down < 0 ? down : 0);
            const std::ptrdiff_t high = (along > 0 ? along : 0) + (down > 0 ? down : 0);
            return ranges_overlap(offset_by(rows.data(), low),
                                  offset_by(rows.data(), high + static_cast<std::ptrdiff_t>(sizeof(T))), first, last);
        }
    }
}

} // namespace detail

} // namespace padbatch::inline PADBATCH_ABI

#endif
