// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_TAGGED_HPP
#define PADBATCH_TAGGED_HPP

#include <padbatch/columns.hpp>
#include <padbatch/detail/anything.hpp>
#include <padbatch/detail/first_failure.hpp>
#include <padbatch/detail/split_rows.hpp>
#include <padbatch/row_index.hpp>
#include <padbatch/source.hpp>

#include <cstddef>
#include <tuple>
#include <type_traits>

namespace padbatch::inline PADBATCH_ABI {

namespace detail {

/// One field of flat rows: the first row, and the distance between rows.
template <class Tag, class T, class Target, class E>
struct flat_field {
    using tag = Tag;
    using element_type = T;
    using extents_type = E;
    using field_type = field<Tag, Target, E>;

    const T* data = nullptr;
    std::ptrdiff_t row_stride = 0;
    E row{};
};

template <class Bound>
using flat_field_of =
    flat_field<typename Bound::tag, typename bound_rows<Bound>::value_type,
               target_of<Bound, typename bound_rows<Bound>::value_type>, typename bound_rows<Bound>::extents_type>;
template <class T, class Bound>
using flat_column_of = flat_field<typename Bound::tag, T, target_of<Bound, T>, typename Bound::extents_type>;

/// A `row_index`, as a variable or as a temporary.
template <class X>
concept row_index_argument = std::is_same_v<std::remove_cvref_t<X>, row_index>;

} // namespace detail

/// Flat rows with a batch index, where a `row_index` tells which rows belong to which image; made by `tagged` and
/// `tagged_columns`.
template <class Index, class... Fields>
class tagged_source {
    static_assert(detail::tags_differ<Fields...>, "each field of a batch needs a tag of its own");

public:
    using fields = detail::field_list<typename Fields::field_type...>;
    using image_type =
        image_view<tagged_rows<typename Fields::tag, basic_rows<const typename Fields::element_type,
                                                                typename Fields::extents_type, layout::indexed>>...>;

    tagged_source(unchecked_t, Index&& index, const Fields&... rows) noexcept
        : m_index(static_cast<Index&&>(index)), m_fields(rows...), m_given(m_index.given_rows())
    {
    }

    [[nodiscard]] std::size_t size() const noexcept { return m_index.size(); }
    [[nodiscard]] std::size_t count(std::size_t i) const noexcept { return m_index.count(i); }
    [[nodiscard]] image_type image(std::size_t i) const noexcept
    {
        const auto order = m_index.rows_of(i);
        return std::apply(
            [order](const Fields&... f) {
                return image_type(
                    tagged_rows<typename Fields::tag, basic_rows<const typename Fields::element_type,
                                                                 typename Fields::extents_type, layout::indexed>>{
                        {f.data, order.size(), f.row, {f.row_stride, order.data()}}}...);
            },
            m_fields);
    }
    [[nodiscard]] auto begin() const noexcept { return detail::first_image(*this); }
    [[nodiscard]] auto end() const noexcept { return detail::behind_images(*this); }

    /// Checks that the index has not been rebuilt for another number of rows.
    [[nodiscard]] status check() const noexcept
    {
        if (m_index.given_rows() != m_given) {
            return {status_code::field_mismatch,
                    "the index was rebuilt for {} rows, but the fields have {}: call tagged(...) again",
                    m_index.given_rows(), m_given};
        }
        return {};
    }

    [[nodiscard]] bool overlaps(const void* first, const void* last) const noexcept
    {
        return std::apply(
            [&](const Fields&... f) {
                return (
                    detail::rows_overlap(
                        basic_rows<const typename Fields::element_type, typename Fields::extents_type, layout::strided>(
                            f.data, m_index.given_rows(), f.row, {f.row_stride}),
                        first, last) ||
                    ...);
            },
            m_fields);
    }

    /// Copies the first `slots.size()` rows of image i, all fields of one row before the next.
    template <class... Slots>
    [[gnu::always_inline]] inline void copy_to(std::size_t i, const image_view<Slots...>& slots) const noexcept
    {
        if (m_index.is_sorted() && !slots.empty()) {
            detail::split_image(adjacent_image(i), slots);
        } else {
            detail::split_image(image(i), slots);
        }
    }

private:
    Index m_index;
    std::tuple<Fields...> m_fields;
    std::size_t m_given;

    [[nodiscard]] auto adjacent_image(std::size_t i) const noexcept
    {
        const auto order = m_index.rows_of(i);
        return std::apply(
            [order](const Fields&... f) {
                return image_view(
                    tagged_rows<typename Fields::tag, basic_rows<const typename Fields::element_type,
                                                                 typename Fields::extents_type, layout::strided>>{
                        {detail::offset_by(f.data, f.row_stride * order[0]), order.size(), f.row, {f.row_stride}}}...);
            },
            m_fields);
    }
};

namespace detail {

template <class Bound>
[[nodiscard]] status check_tagged_field(const row_index& index, const Bound& bound) noexcept
{
    if (status outcome = check_rows<Bound>(bound.value, bound.row); !outcome.ok()) {
        return outcome;
    }
    if (const std::size_t n = rows_of<Bound>(bound.value, bound.row).size(); n != index.given_rows()) {
        return {status_code::field_mismatch, "{} has {} rows, but there are {} batch indices", Bound::tag::name, n,
                index.given_rows()};
    }
    return {};
}

template <class Bound>
[[nodiscard]] flat_field_of<Bound> make_flat_field(const Bound& bound) noexcept
{
    const auto rows = rows_of<Bound>(bound.value, bound.row);
    static_assert(all_outlive_call<decltype(Bound::value)>());
    static_assert(std::remove_cvref_t<decltype(rows)>::is_contiguous, "flat rows must be adjacent");
    return {rows.data(), static_cast<std::ptrdiff_t>(rows.row_size() * sizeof(*rows.data())), rows.extents()};
}

template <class T, class Bound>
[[nodiscard]] flat_column_of<T, Bound> make_flat_column(const matrix<T>& values, const Bound& bound) noexcept
{
    static_cast<void>(column_field<T, Bound>{});
    const std::size_t first = std::remove_cvref_t<decltype(bound.value)>::first;
    return {values.rows == 0 ? values.data : values.data + first, static_cast<std::ptrdiff_t>(values.width * sizeof(T)),
            column_extents(bound)};
}

} // namespace detail

/// Returns why `tagged` would fail: a field whose number of rows is not the number of batch indices.
template <class... Bounds>
[[nodiscard]] status check_tagged(const row_index& index, const Bounds&... values) noexcept
{
    return detail::first_failure([&] { return detail::check_tagged_field(index, values); }...);
}

/// Returns why `tagged_columns` would fail.
template <detail::contiguous_values Values, class... Bounds>
[[nodiscard]] status check_tagged_columns(const row_index& index, const Values& values, std::size_t width,
                                          const Bounds&... columns) noexcept
{
    detail::matrix<detail::matrix_element<Values>> matrix;
    status outcome = detail::check_matrix(values, width, matrix, columns...);
    if (outcome.ok() && matrix.rows != index.given_rows()) {
        return {status_code::field_mismatch, "there are {} rows, but {} batch indices", matrix.rows,
                index.given_rows()};
    }
    return outcome;
}

template <detail::row_index_argument Index, detail::bound_values... Bounds>
[[nodiscard]] auto tagged(unchecked_t, Index&& index, const Bounds&... values) noexcept
{
    return tagged_source<Index, detail::flat_field_of<Bounds>...>(unchecked, static_cast<Index&&>(index),
                                                                  detail::make_flat_field(values)...);
}

template <detail::row_index_argument Index, detail::contiguous_values Values, detail::bound_values... Bounds>
[[nodiscard]] auto tagged_columns(unchecked_t, Index&& index, const Values& values, std::size_t width,
                                  const Bounds&... columns) noexcept
{
    using T = detail::matrix_element<Values>;
    detail::matrix<T> matrix;
    static_cast<void>(detail::make_matrix(values, width, matrix));
    return tagged_source<Index, detail::flat_column_of<T, Bounds>...>(unchecked, static_cast<Index&&>(index),
                                                                      detail::make_flat_column(matrix, columns)...);
}

#if PADBATCH_EXCEPTIONS
/// A source from one tensor for each field, with the rows of all images, and a batch index for each row:
///
///     tagged(row_index(batch_ids, 8), t::boxes(boxes), t::scores(scores))
///
/// An index that is a variable is held by reference, so that it can be rebuilt without an allocation. Throws `error` if
/// `check_tagged` fails.
template <detail::row_index_argument Index, detail::bound_values... Bounds>
[[nodiscard]] auto tagged(Index&& index, const Bounds&... values)
{
    detail::require(check_tagged(index, values...));
    return padbatch::tagged(unchecked, static_cast<Index&&>(index), values...);
}

/// The same for flat rows (`[n, width]`, row-major) whose columns are the fields:
///
///     tagged_columns(row_index(values, 7, col<0>, 8), values, 7, t::boxes(cols<1, 4>),
///                    t::labels(col<5>).as<std::int64_t>(), t::scores(col<6>))
template <detail::row_index_argument Index, detail::contiguous_values Values, detail::bound_values... Bounds>
[[nodiscard]] auto tagged_columns(Index&& index, Values&& values, std::size_t width, const Bounds&... columns)
{
    static_assert(detail::all_outlive_call<Values>());
    detail::require(check_tagged_columns(index, values, width, columns...));
    return padbatch::tagged_columns(unchecked, static_cast<Index&&>(index), values, width, columns...);
}
#endif

template <class Never = void>
auto tagged(PADBATCH_DETAIL_ANYTHING)
{
    static_assert(detail::chosen<Never>,
                  "tagged(row_index(ids, batch), t::boxes(boxes), ...) takes a row_index and a tag for each field");
}
template <class Never = void>
auto tagged_columns(PADBATCH_DETAIL_ANYTHING)
{
    static_assert(
        detail::chosen<Never>,
        "tagged_columns(row_index(values, 7, col<0>, batch), values, 7, t::boxes(cols<1, 4>), ...) takes a "
        "row_index, flat rows, the number of columns and a tag for each field: the rows are a container (for a "
        "pointer write std::span(pointer, size))");
}

} // namespace padbatch::inline PADBATCH_ABI

#endif
