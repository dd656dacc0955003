// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_IMAGE_COLUMNS_HPP
#define PADBATCH_IMAGE_COLUMNS_HPP

#include <padbatch/columns.hpp>
#include <padbatch/detail/first_failure.hpp>
#include <padbatch/detail/split_rows.hpp>
#include <padbatch/source.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <tuple>
#include <type_traits>

namespace padbatch::inline PADBATCH_ABI {

namespace detail {

/// The whole rows, `[width]`, of a matrix that an adapter knows.
struct whole_rows {
    using tag = t::values_t;
    using extents_type = padbatch::row_extents<dynamic>;
    using of_type = void;
    [[nodiscard]] static extents_type row_of(std::size_t width) noexcept
    {
        return extents_type{std::array<std::size_t, 1>{width}};
    }
};

/// The rows of one image's matrix, contiguous or of an adapter.
template <class X>
[[nodiscard]] auto matrix_rows(const X& x, std::size_t width) noexcept
{
    if constexpr (has_rows_traits<X>) {
        return rows_of<whole_rows>(x, whole_rows::row_of(width));
    } else {
        static_assert(
            contiguous_values<const X>,
            "an image's flat rows are contiguous memory with data() and size(), such as a vector of numbers or "
            "of arrays, or a matrix whose adapter is included");
        matrix<matrix_element<X>> values;
        static_cast<void>(make_matrix(x, width, values));
        return basic_rows<const matrix_element<X>, padbatch::row_extents<dynamic>>(values.data, values.rows,
                                                                                   whole_rows::row_of(width));
    }
}
template <class X>
[[nodiscard]] status check_matrix_rows(const X& x, std::size_t width) noexcept
{
    if constexpr (has_rows_traits<X>) {
        return check_rows<whole_rows>(x, whole_rows::row_of(width));
    } else {
        matrix<matrix_element<X>> values;
        return make_matrix(x, width, values);
    }
}

/// The columns of one field, of rows of `T` with a layout. The elements of a row-major matrix's row are adjacent.
template <class T, class E, class Layout>
struct columns_in {
    using rows_type = basic_rows<const T, E, layout::strided>;
    [[nodiscard]] static rows_type rows(const T* data, std::size_t n, const E& extents, std::size_t first,
                                        std::ptrdiff_t stride, const Layout& /*layout*/) noexcept
    {
        return {n == 0 ? data : data + first, n, extents, {stride}};
    }
};
template <class T, class E>
struct columns_in<T, E, layout::element_strided> {
    static_assert(E::rank <= 1, "rows of several extents are columns of a row-major matrix only");
    using rows_type = basic_rows<const T, E, layout::element_strided>;
    [[nodiscard]] static rows_type rows(const T* data, std::size_t n, const E& extents, std::size_t first,
                                        std::ptrdiff_t /*stride*/, const layout::element_strided& layout) noexcept
    {
        return {n == 0 ? data : offset_by(data, layout.element_stride * static_cast<std::ptrdiff_t>(first)), n, extents,
                layout};
    }
};

} // namespace detail

/// Flat rows of each image in a container of its own, whose columns are the fields; made by `columns`.
template <class Images, class... Bounds>
class image_columns_source {
    static_assert(detail::tags_differ<Bounds...>, "each field of a batch needs a tag of its own");
    using item = std::remove_cvref_t<decltype(std::declval<const Images&>()[0])>;
    using matrix = decltype(detail::matrix_rows(std::declval<const item&>(), 0));
    using T = typename matrix::value_type;
    template <class Bound>
    using columns_of = detail::columns_in<T, typename Bound::extents_type, typename matrix::layout_type>;

public:
    using fields = detail::field_list<typename detail::column_field<T, Bounds>::field_type...>;
    using image_type = image_view<tagged_rows<typename Bounds::tag, typename columns_of<Bounds>::rows_type>...>;

    image_columns_source(const Images& images, std::size_t width, const Bounds&... columns) noexcept
        : m_images(&images), m_width(width), m_columns(columns...)
    {
    }

    [[nodiscard]] std::size_t size() const noexcept { return m_images->size(); }
    [[nodiscard]] std::size_t count(std::size_t i) const noexcept { return rows(i).size(); }
    [[nodiscard]] image_type image(std::size_t i) const noexcept
    {
        const matrix all = rows(i);
        const std::ptrdiff_t stride = row_stride(all);
        return std::apply(
            [&](const Bounds&... bound) {
                return image_type(tagged_rows<typename Bounds::tag, typename columns_of<Bounds>::rows_type>{
                    columns_of<Bounds>::rows(all.data(), all.size(), detail::column_extents(bound),
                                             std::remove_cvref_t<decltype(bound.value)>::first, stride,
                                             all.layout())}...);
            },
            m_columns);
    }
    [[nodiscard]] auto begin() const noexcept { return detail::first_image(*this); }
    [[nodiscard]] auto end() const noexcept { return detail::behind_images(*this); }

    /// Checks that the columns are within the rows.
    [[nodiscard]] status check() const noexcept
    {
        if (m_width == 0) {
            return {status_code::bad_argument, "a row must have at least one column"};
        }
        return std::apply(
            [&](const Bounds&... bound) {
                return detail::first_failure([&] { return detail::check_column(bound, m_width); }...);
            },
            m_columns);
    }
    /// Whether image i's values are whole rows, and why not.
    [[nodiscard]] bool is_whole(std::size_t i) const noexcept { return check(i).ok(); }
    [[nodiscard]] status check(std::size_t i) const noexcept
    {
        return detail::check_matrix_rows<item>((*m_images)[i], m_width);
    }

    /// Copies the first `slots.size()` rows of image i, all fields of one row before the next.
    template <class... Slots>
    [[gnu::always_inline]] inline void copy_to(std::size_t i, const image_view<Slots...>& slots) const noexcept
    {
        detail::split_image(image(i), slots);
    }

private:
    const Images* m_images;
    std::size_t m_width;
    std::tuple<Bounds...> m_columns;

    [[nodiscard]] matrix rows(std::size_t i) const noexcept
    {
        decltype(auto) x = (*m_images)[i];
        static_assert(
            std::is_lvalue_reference_v<decltype(x)> || std::is_trivially_destructible_v<item>,
            "indexing this container makes a temporary copy of an image's rows, which would be gone before it "
            "is read: give a container that holds them");
        return detail::matrix_rows<item>(x, m_width);
    }
    [[nodiscard]] static std::ptrdiff_t row_stride(const matrix& all) noexcept
    {
        if constexpr (matrix::is_contiguous) {
            return static_cast<std::ptrdiff_t>(all.row_size() * sizeof(T));
        } else {
            return all.layout().row_stride;
        }
    }
};

/// A source from flat rows of each image in a container of its own, `[n, width]`, whose columns are the fields, as
/// several threads or models make them, one image each:
///
///     std::vector<std::vector<float>> images;
///     pad(columns(images, 6, t::boxes(cols<0, 4>), t::scores(col<4>), t::labels(col<5>).as<std::int32_t>()))
///
/// An image is a contiguous container of numbers or of arrays of them, row-major, or a matrix that an adapter knows.
/// The containers have to live as long as the source does.
template <class Images, detail::bound_values... Bounds>
    requires(detail::image_container<std::remove_cvref_t<Images>> && sizeof...(Bounds) > 0)
[[nodiscard]] auto columns(Images&& images, std::size_t width, const Bounds&... columns)
{
    static_assert(std::is_lvalue_reference_v<Images>,
                  "the containers of the images would be gone before they are read: "
                  "give a variable");
    return image_columns_source<std::remove_cvref_t<Images>, Bounds...>(images, width, columns...);
}

} // namespace padbatch::inline PADBATCH_ABI

#endif
