// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_RAGGED_VIEW_HPP
#define PADBATCH_RAGGED_VIEW_HPP

#include <padbatch/counts.hpp>
#include <padbatch/detail/anything.hpp>
#include <padbatch/detail/field_memory.hpp>
#include <padbatch/detail/first_failure.hpp>
#include <padbatch/image.hpp>

#include <cstddef>
#include <type_traits>

namespace padbatch::inline PADBATCH_ABI {

/// A ragged batch in memory that someone else owns: for each field the rows of all images, one image after the other,
/// and the offsets at which each image's rows begin. (Also known as jagged, nested, CSR, row splits.) A source for
/// `pad_into`.
///
/// Copying it copies pointers; getting image i neither allocates nor copies.
template <class... Fields>
class ragged_view : private detail::field_memory<Fields>... {
    static_assert(sizeof...(Fields) > 0, "a batch has at least one field, named by its tag: t::boxes(boxes)");
    static_assert(detail::tags_differ<Fields...>, "each field of a batch needs a tag of its own");

public:
    using fields = detail::field_list<Fields...>;
    using image_type = image_view<detail::field_rows<Fields>...>;

    ragged_view() noexcept = default;

    /// Checks that these are a ragged batch. Fails for bad offsets, and for offsets beyond the rows of a field.
    template <detail::contiguous_values Offsets, class... Bounds>
    [[nodiscard]] static status check(const Offsets& offsets, const Bounds&... values) noexcept
    {
        return detail::first_failure([&] { return check_field<Fields>(offsets, values); }...);
    }

    /// Takes the offsets (`[B + 1]`) and the fields in order: `ragged_view(offsets, t::boxes(boxes),
    /// t::scores(scores))`, each a contiguous container of rows or of elements.
    template <detail::contiguous_values Offsets, class... Bounds>
        requires(sizeof...(Bounds) == sizeof...(Fields))
    ragged_view(unchecked_t, const Offsets& offsets, const Bounds&... values) noexcept
        : detail::field_memory<Fields>{memory_of<Fields>(values)}..., m_offsets(unchecked, offsets)
    {
    }

#if PADBATCH_EXCEPTIONS
    /// Throws `error` if `check` fails.
    template <detail::contiguous_values Offsets, class... Bounds>
        requires(sizeof...(Bounds) == sizeof...(Fields))
    ragged_view(Offsets&& offsets, const Bounds&... values) : ragged_view(unchecked, offsets, values...)
    {
        static_assert(detail::all_outlive_call<Offsets>());
        detail::require(check(offsets, values...));
    }
#endif

    /// Takes memory that has been checked.
    ragged_view(unchecked_t, const offsets_view& offsets, const detail::field_memory<Fields>&... memory) noexcept
        : detail::field_memory<Fields>(memory)..., m_offsets(offsets)
    {
    }

    /// Converts a view that may write to a read-only one.
    template <class... Other>
        requires detail::are_const_of<detail::field_list<Other...>, detail::field_list<Fields...>>
    ragged_view(const ragged_view<Other...>& other) noexcept
        : detail::field_memory<Fields>{other[typename Fields::tag{}].data(),
                                       other[typename Fields::tag{}].extents()}...,
          m_offsets(other.offsets())
    {
    }

    /// B, the number of images.
    [[nodiscard]] std::size_t size() const noexcept { return m_offsets.size(); }
    [[nodiscard]] const offsets_view& offsets() const noexcept { return m_offsets; }
    /// The number of rows of image i.
    [[nodiscard]] std::size_t count(std::size_t i) const noexcept { return m_offsets.count(i); }
    /// The rows of image i.
    [[nodiscard]] image_type image(std::size_t i) const noexcept
    {
        return image_type(rows_at<Fields>(m_offsets[i], m_offsets.count(i))...);
    }

    /// The rows of one field, from row 0 to the last offset.
    template <field_tag Tag>
    [[nodiscard]] auto operator[](const Tag&) const noexcept
    {
        using found = detail::field_of<Tag, fields>;
        static_assert(!std::is_void_v<found>, "this batch has no field with this tag");
        return rows_at<found>(0, m_offsets[size()]).rows;
    }

    [[nodiscard]] auto begin() const noexcept { return detail::index_iterator<ragged_view>(*this, 0); }
    [[nodiscard]] auto end() const noexcept { return detail::index_iterator<ragged_view>(*this, size()); }

    /// Whether any row overlaps `[first, last)`.
    [[nodiscard]] bool overlaps(const void* first, const void* last) const noexcept
    {
        const std::size_t from = m_offsets[0];
        const std::size_t n = m_offsets[size()] - from;
        return (detail::rows_overlap(rows_at<Fields>(from, n).rows, first, last) || ...);
    }

private:
    offsets_view m_offsets;

    template <class Field>
    [[nodiscard]] detail::field_rows<Field> rows_at(std::size_t first, std::size_t n) const noexcept
    {
        const auto& memory = static_cast<const detail::field_memory<Field>&>(*this);
        return {{memory.data + first * memory.row.size(), n, memory.row}};
    }

    template <class Field, class Bound>
    [[nodiscard]] static detail::field_memory<Field> memory_of(const Bound& bound) noexcept
    {
        const auto rows = detail::rows_of_field<Field>(bound);
        return {rows.data(), detail::extents_cast<typename Field::extents_type>(rows.extents())};
    }

    template <class Field, class Offsets, class Bound>
    [[nodiscard]] static status check_field(const Offsets& offsets, const Bound& bound) noexcept
    {
        std::size_t n = 0;
        if (status outcome = detail::check_field_rows<Field>(bound, n); !outcome.ok()) {
            return outcome;
        }
        return offsets_view::check(offsets, n);
    }
};

template <detail::contiguous_values Offsets, detail::bound_values... Bounds>
ragged_view(Offsets&&, const Bounds&...) -> ragged_view<detail::field_of_values<Bounds>...>;
template <detail::contiguous_values Offsets, detail::bound_values... Bounds>
ragged_view(unchecked_t, const Offsets&, const Bounds&...) -> ragged_view<detail::field_of_values<Bounds>...>;

namespace detail {

template <class Never>
struct not_ragged : field<t::values_t, float> {
    static_assert(
        chosen<Never>,
        "a ragged_view is made from offsets and named fields, ragged_view(offsets, t::boxes(boxes), ...): the "
        "offsets are a container of int32 or int64 (for a pointer write std::span(offsets, batch + 1))");
};

} // namespace detail

template <class Never = void>
ragged_view(PADBATCH_DETAIL_ANYTHING) -> ragged_view<detail::not_ragged<Never>>;

} // namespace padbatch::inline PADBATCH_ABI

#endif
