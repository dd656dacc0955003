// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_COLUMNS_HPP
#define PADBATCH_COLUMNS_HPP

#include <padbatch/counts.hpp>
#include <padbatch/detail/anything.hpp>
#include <padbatch/detail/first_failure.hpp>
#include <padbatch/detail/split_rows.hpp>
#include <padbatch/source.hpp>

#include <array>
#include <cstddef>
#include <tuple>
#include <type_traits>

namespace padbatch::inline PADBATCH_ABI {

namespace detail {

/// One field, in columns of a matrix of `T`.
template <class T, class Bound>
struct column_field {
    using tag = typename Bound::tag;
    using columns = std::remove_cvref_t<decltype(std::declval<const Bound&>().value)>;
    using E = typename Bound::extents_type;
    static_assert(E::rank != 0 || columns::count == 1,
                  "this field has one number a row: name one column, as in t::scores(col<4>)");
    static_assert(!E::is_static || E{}.size() == columns::count,
                  "this field's rows have another number of elements than there are columns: boxes are cols<FIRST, 4>");
    static_assert(std::is_void_v<typename Bound::of_type>,
                  ".of<T>() is for rows of a class type, and columns are numbers");
    using field_type = field<tag, target_of<Bound, T>, E>;
};

/// The extents of the rows in columns. A single dynamic extent is the number of columns.
template <class Bound>
[[nodiscard]] typename Bound::extents_type column_extents(const Bound& bound) noexcept
{
    using E = typename Bound::extents_type;
    if constexpr (E::rank == 1 && !E::is_static) {
        return E{std::array<std::size_t, 1>{std::remove_cvref_t<decltype(bound.value)>::count}};
    } else {
        return bound.row;
    }
}

/// Checks that the columns of `Bound` are in a matrix of this width, and fit its rows.
template <class Bound>
[[nodiscard]] status check_column(const Bound& bound, std::size_t width) noexcept
{
    using columns = std::remove_cvref_t<decltype(bound.value)>;
    if (columns::first + columns::count > width) {
        return {status_code::bad_argument,
                "{} is in columns {} to {}, but a row has {} columns",
                Bound::tag::name,
                columns::first,
                columns::first + columns::count - 1,
                width};
    }
    if (const std::size_t size = column_extents(bound).size(); size != columns::count) {
        return {status_code::row_mismatch,
                "{} is in {} columns, but its rows have {} elements (give their extents, as in "
                "t::keypoints(cols<5, 51>, 17, 3))",
                Bound::tag::name, columns::count, size};
    }
    return {};
}

/// A row-major matrix of numbers.
template <class T>
struct matrix {
    const T* data = nullptr;
    std::size_t rows = 0;
    std::size_t width = 0;

    [[nodiscard]] const void* end() const noexcept { return data + rows * width; }
};

/// Checks that `values` are a matrix of this width, and sets `result` to it.
template <class Values, class T>
[[nodiscard]] status make_matrix(const Values& values, std::size_t width, matrix<T>& result) noexcept
{
    using parts = value_parts<std::remove_cv_t<value_of<const Values>>>;
    if (width == 0) {
        return {status_code::bad_argument, "a row must have at least one column"};
    }
    const std::size_t size = values.size() * parts::count;
    if (size % width != 0) {
        return {status_code::size_mismatch, "there are {} values, which is not a multiple of the {} columns of a row",
                size, width};
    }
    result = {reinterpret_cast<const T*>(values.data()), size / width, width};
    return {};
}

template <class Values>
using matrix_element = typename value_parts<std::remove_cv_t<value_of<const Values>>>::element;

/// The same, and checks the columns of all fields.
template <class Values, class T, class... Bounds>
[[nodiscard]] status check_matrix(const Values& values, std::size_t width, matrix<T>& result,
                                  const Bounds&... columns) noexcept
{
    return first_failure([&] { return make_matrix(values, width, result); },
                         [&] { return check_column(columns, width); }...);
}

/// The rows of image i begin at row i * M of a padded tensor.
struct slot_rows {
    counts_view counts;
    std::size_t capacity = 0;

    [[nodiscard]] std::size_t size() const noexcept { return counts.size(); }
    [[nodiscard]] std::size_t count(std::size_t i) const noexcept { return counts[i]; }
    [[nodiscard]] std::size_t first(std::size_t i) const noexcept { return i * capacity; }
};

/// The rows of image i begin at its offset.
struct offset_rows {
    offsets_view offsets;

    [[nodiscard]] std::size_t size() const noexcept { return offsets.size(); }
    [[nodiscard]] std::size_t count(std::size_t i) const noexcept { return offsets.count(i); }
    [[nodiscard]] std::size_t first(std::size_t i) const noexcept { return offsets[i]; }
};

} // namespace detail

/// Flat rows whose columns are the fields, as many detectors return them: `[n, 6]` with offsets, or `[B, M, 6]` with
/// counts. Made by `columns` and `padded_columns`. Its images are views, and it is a source: padding reads each row
/// once.
template <class T, class Place, class... Bounds>
class column_source {
    static_assert(detail::tags_differ<Bounds...>, "each field of a batch needs a tag of its own");

public:
    using fields = detail::field_list<typename detail::column_field<T, Bounds>::field_type...>;
    using image_type = image_view<
        tagged_rows<typename Bounds::tag, basic_rows<const T, typename Bounds::extents_type, layout::strided>>...>;

    column_source() noexcept = default;
    column_source(unchecked_t, const detail::matrix<T>& values, const Place& place, const Bounds&... columns) noexcept
        : m_values(values), m_place(place), m_columns(columns...)
    {
    }

    [[nodiscard]] std::size_t size() const noexcept { return m_place.size(); }
    [[nodiscard]] std::size_t count(std::size_t i) const noexcept { return m_place.count(i); }
    [[nodiscard]] image_type image(std::size_t i) const noexcept
    {
        const std::size_t n = m_place.count(i);
        const T* const first = n == 0 ? nullptr : m_values.data + m_place.first(i) * m_values.width;
        const layout::strided stride{static_cast<std::ptrdiff_t>(m_values.width * sizeof(T))};
        return std::apply(
            [&](const Bounds&... bound) {
                return image_type(tagged_rows<typename Bounds::tag,
                                              basic_rows<const T, typename Bounds::extents_type, layout::strided>>{
                    {n == 0 ? first : first + std::remove_cvref_t<decltype(bound.value)>::first, n,
                     detail::column_extents(bound), stride}}...);
            },
            m_columns);
    }
    [[nodiscard]] auto begin() const noexcept { return detail::index_iterator<column_source>(*this, 0); }
    [[nodiscard]] auto end() const noexcept { return detail::index_iterator<column_source>(*this, size()); }

    [[nodiscard]] bool overlaps(const void* first, const void* last) const noexcept
    {
        return detail::ranges_overlap(m_values.data, m_values.end(), first, last);
    }

    template <class... Slots>
    [[gnu::always_inline]] inline void copy_to(std::size_t i, const image_view<Slots...>& slots) const noexcept
    {
        detail::split_image(image(i), slots);
    }

private:
    detail::matrix<T> m_values;
    Place m_place;
    std::tuple<Bounds...> m_columns;
};

/// Returns why `columns` would fail: a size that is not a multiple of the width, columns beyond it, bad offsets.
template <detail::contiguous_values Values, detail::contiguous_values Offsets, detail::bound_values... Bounds>
[[nodiscard]] status check_columns(const Values& values, std::size_t width, const Offsets& offsets,
                                   const Bounds&... columns) noexcept
{
    detail::matrix<detail::matrix_element<Values>> matrix;
    return detail::first_failure([&] { return detail::check_matrix(values, width, matrix, columns...); },
                                 [&] { return offsets_view::check(offsets, matrix.rows); });
}

template <detail::contiguous_values Values, detail::contiguous_values Offsets, detail::bound_values... Bounds>
[[nodiscard]] auto columns(unchecked_t, const Values& values, std::size_t width, const Offsets& offsets,
                           const Bounds&... columns) noexcept
{
    detail::matrix<detail::matrix_element<Values>> matrix;
    static_cast<void>(detail::make_matrix(values, width, matrix));
    return column_source<detail::matrix_element<Values>, detail::offset_rows, Bounds...>(
        unchecked, matrix, {offsets_view(unchecked, offsets)}, columns...);
}

/// Returns why `padded_columns` would fail: as above, or a count out of range, or a number of rows that is not B * M.
template <detail::contiguous_values Values, detail::contiguous_values Counts, detail::bound_values... Bounds>
[[nodiscard]] status check_padded_columns(const Values& values, std::size_t width, const Counts& counts,
                                          std::size_t capacity, const Bounds&... columns) noexcept
{
    detail::matrix<detail::matrix_element<Values>> matrix;
    status outcome = detail::check_matrix(values, width, matrix, columns...);
    if (!outcome.ok()) {
        return outcome;
    }
    if (capacity == 0 ? matrix.rows != 0 : matrix.rows % capacity != 0 || matrix.rows / capacity != counts.size()) {
        return {status_code::size_mismatch, "there are {} rows; expected {} images of {} rows", matrix.rows,
                static_cast<std::size_t>(counts.size()), capacity};
    }
    return counts_view::check(counts, capacity);
}

template <detail::contiguous_values Values, detail::contiguous_values Counts, detail::bound_values... Bounds>
[[nodiscard]] auto padded_columns(unchecked_t, const Values& values, std::size_t width, const Counts& counts,
                                  std::size_t capacity, const Bounds&... columns) noexcept
{
    detail::matrix<detail::matrix_element<Values>> matrix;
    static_cast<void>(detail::make_matrix(values, width, matrix));
    return column_source<detail::matrix_element<Values>, detail::slot_rows, Bounds...>(
        unchecked, matrix, {counts_view(unchecked, counts), capacity}, columns...);
}

#if PADBATCH_EXCEPTIONS
/// The rows of flat `values` (`[n, width]`, row-major) as detections, whose columns are the fields:
///
///     auto batch = columns(values, 6, offsets, t::boxes(cols<0, 4>), t::scores(col<4>),
///                          t::labels(col<5>).as<std::int32_t>());
///
/// `values` and `offsets` (`[B + 1]`, int32 or int64) are contiguous containers that have to live as long as the source
/// does. Throws `error` if `check_columns` fails.
template <detail::contiguous_values Values, detail::contiguous_values Offsets, detail::bound_values... Bounds>
[[nodiscard]] auto columns(Values&& values, std::size_t width, Offsets&& offsets, const Bounds&... columns)
{
    static_assert(detail::all_outlive_call<Values, Offsets>());
    detail::require(check_columns(values, width, offsets, columns...));
    return padbatch::columns(unchecked, values, width, offsets, columns...);
}

/// The same for `values` of `[B, M, width]` and the counts of the images; `capacity` is M. Throws `error` if
/// `check_padded_columns` fails.
template <detail::contiguous_values Values, detail::contiguous_values Counts, detail::bound_values... Bounds>
[[nodiscard]] auto padded_columns(Values&& values, std::size_t width, Counts&& counts, std::size_t capacity,
                                  const Bounds&... columns)
{
    static_assert(detail::all_outlive_call<Values, Counts>());
    detail::require(check_padded_columns(values, width, counts, capacity, columns...));
    return padbatch::padded_columns(unchecked, values, width, counts, capacity, columns...);
}
#endif

template <class Never = void>
auto columns(PADBATCH_DETAIL_ANYTHING)
{
    static_assert(
        detail::chosen<Never>,
        "columns(values, 6, offsets, t::boxes(cols<0, 4>), ...) takes flat rows, the number of columns, offsets "
        "and a tag for each field: values and offsets are containers (for a pointer write std::span(pointer, "
        "size))");
}
template <class Never = void>
auto padded_columns(PADBATCH_DETAIL_ANYTHING)
{
    static_assert(detail::chosen<Never>,
                  "padded_columns(values, 6, counts, 100, t::boxes(cols<0, 4>), ...) takes padded rows, the number of "
                  "columns, counts, the capacity M and a tag for each field: values and counts are containers (for a "
                  "pointer write std::span(pointer, size))");
}

} // namespace padbatch::inline PADBATCH_ABI

#endif
