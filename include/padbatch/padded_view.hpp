// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_PADDED_VIEW_HPP
#define PADBATCH_PADDED_VIEW_HPP

#include <padbatch/counts.hpp>
#include <padbatch/detail/anything.hpp>
#include <padbatch/detail/field_memory.hpp>
#include <padbatch/detail/first_failure.hpp>
#include <padbatch/element_type.hpp>
#include <padbatch/image.hpp>
#include <padbatch/tensor_ref.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

namespace padbatch::inline PADBATCH_ABI {

/// One whole field of a padded batch: `[B, M, row...]`, contiguous. A view.
template <class T, class E>
class padded_field {
public:
    padded_field(T* data, std::size_t batch, std::size_t capacity, const E& extents) noexcept
        : m_data(data), m_batch(batch), m_capacity(capacity), m_extents(extents)
    {
    }

    [[nodiscard]] T* data() const noexcept { return m_data; }
    /// The number of elements, B * M * row size.
    [[nodiscard]] std::size_t size() const noexcept { return m_batch * m_capacity * m_extents.size(); }
    [[nodiscard]] T* begin() const noexcept { return m_data; }
    [[nodiscard]] T* end() const noexcept { return m_data + size(); }
    /// Row j of image i, real or padding: a number, a `std::span` or a `row`, as in `basic_rows`.
    [[nodiscard]] auto operator()(std::size_t i, std::size_t j) const noexcept -> typename basic_rows<T, E>::reference
    {
        return basic_rows<T, E>(m_data, m_batch * m_capacity, m_extents)[i * m_capacity + j];
    }
    [[nodiscard]] const E& extents() const noexcept { return m_extents; }

    static constexpr std::size_t rank = 2 + E::rank;
    /// B, M and the extents of a row.
    [[nodiscard]] std::array<std::int64_t, rank> shape() const noexcept
    {
        return detail::shape_of<std::int64_t>(m_extents, m_batch, m_capacity);
    }

    /// The same memory as a tensor, for adapters.
    [[nodiscard]] auto ref() const noexcept
        requires element<T>
    {
        using void_type = std::conditional_t<std::is_const_v<T>, const void, void>;
        const auto all = shape();
        return basic_tensor_ref<void_type>(m_data, std::span<const std::int64_t>(all));
    }

private:
    T* m_data;
    std::size_t m_batch;
    std::size_t m_capacity;
    [[no_unique_address]] E m_extents;
};

/// A padded batch in memory that someone else owns: each field `[B, M, row...]`, contiguous, and a count for each
/// image. Rows from the count on are padding. It is what `unpad` returns, what `pad_into` fills, and a source for it.
///
/// Copying it copies pointers; getting image i neither allocates nor copies.
template <class... Fields>
class padded_view : private detail::field_memory<Fields>... {
    static_assert(sizeof...(Fields) > 0, "a batch has at least one field, named by its tag: t::boxes(boxes)");
    static_assert(detail::tags_differ<Fields...>, "each field of a batch needs a tag of its own");

public:
    using fields = detail::field_list<Fields...>;
    using image_type = image_view<detail::field_rows<Fields>...>;

    /// Whether `pad_into` can write here: none of the fields is const.
    static constexpr bool is_writable = (!std::is_const_v<typename Fields::element_type> && ...);

    padded_view() noexcept = default;

    /// Checks that these are a padded batch. Fails if a count is out of range, or if a field does not have as many
    /// elements as `[B, M, row...]`, where B is the number of counts.
    template <detail::contiguous_values Counts, class... Bounds>
    [[nodiscard]] static status check(const Counts& counts, std::size_t capacity, const Bounds&... values) noexcept
    {
        return detail::first_failure(
            [&] { return counts_view::check(counts, capacity); },
            [&] { return check_sizes(static_cast<std::size_t>(counts.size()), capacity, values...); });
    }

    /// The same for an output, whose counts have yet to be written.
    template <class... Bounds>
    [[nodiscard]] static status check_sizes(std::size_t batch, std::size_t capacity, const Bounds&... values) noexcept
    {
        return detail::first_failure([&] { return check_size<Fields>(batch, capacity, values); }...);
    }

    /// Takes counts (`[B]` or `[B, 1]`), the capacity M, and the fields in order: `padded_view(counts, 100,
    /// t::boxes(boxes), t::scores(scores))`, each a contiguous container of rows or of elements.
    template <detail::contiguous_values Counts, class... Bounds>
        requires(sizeof...(Bounds) == sizeof...(Fields))
    padded_view(unchecked_t, Counts&& counts, std::size_t capacity, const Bounds&... values) noexcept
        : detail::field_memory<Fields>{memory_of<Fields>(values)}..., m_batch(static_cast<std::size_t>(counts.size())),
          m_capacity(capacity), m_counts(const_cast<void*>(static_cast<const void*>(counts.data()))),
          m_count_type(element_type_of<detail::value_of<std::remove_reference_t<Counts>>>)
    {
        static_assert(detail::all_outlive_call<Counts>());
        static_assert(count_element<detail::value_of<std::remove_reference_t<Counts>>>,
                      "counts are int32, int64 or float");
        static_assert(!is_writable || !std::is_const_v<detail::value_of<std::remove_reference_t<Counts>>>,
                      "fields that can be written need counts that can be written");
    }

#if PADBATCH_EXCEPTIONS
    /// Throws `error` if `check` fails.
    template <detail::contiguous_values Counts, class... Bounds>
        requires(sizeof...(Bounds) == sizeof...(Fields))
    padded_view(Counts&& counts, std::size_t capacity, const Bounds&... values)
        : padded_view(unchecked, static_cast<Counts&&>(counts), capacity, values...)
    {
        detail::require(check(counts, capacity, values...));
    }
#endif

    /// Converts a view that may write to a read-only one.
    template <class... Other>
        requires detail::are_const_of<detail::field_list<Other...>, detail::field_list<Fields...>>
    padded_view(const padded_view<Other...>& other) noexcept
        : padded_view(other.size(), other.capacity(), other.m_counts, other.m_count_type,
                      detail::field_memory<Fields>{other[typename Fields::tag{}].data(),
                                                   other[typename Fields::tag{}].extents()}...)
    {
    }

    /// Takes memory that has been checked: counts of one of the count types, and each field's first element.
    padded_view(unchecked_t, std::size_t batch, std::size_t capacity, void* counts, element_type count_type,
                const detail::field_memory<Fields>&... memory) noexcept
        : padded_view(batch, capacity, counts, count_type, memory...)
    {
    }

    /// B, the number of images.
    [[nodiscard]] std::size_t size() const noexcept { return m_batch; }
    /// M, the number of rows of each image, real ones and padding.
    [[nodiscard]] std::size_t capacity() const noexcept { return m_capacity; }
    [[nodiscard]] counts_view counts() const noexcept { return {m_counts, m_count_type, m_batch}; }
    /// The number of real rows of image i.
    [[nodiscard]] std::size_t count(std::size_t i) const noexcept
    {
        return static_cast<std::size_t>(detail::read_number(m_counts, m_count_type, i));
    }

    /// The real rows of image i.
    [[nodiscard]] image_type image(std::size_t i) const noexcept { return rows_at(i, count(i)); }

    /// All M rows of image i, for a producer that writes there itself and then sets their number with `set_count`.
    /// Different slots may be written by different threads.
    [[nodiscard]] image_type slot(std::size_t i) const noexcept { return rows_at(i, m_capacity); }

    /// Sets the count of image i to `n`, at most M, which is not checked. Does not touch the rows; `finish_slot` also
    /// fills those behind the count, and checks. Different threads may set the counts of different images.
    void set_count(std::size_t i, std::size_t n) const noexcept
        requires is_writable
    {
        detail::write_number(m_counts, m_count_type, i, n);
    }

    /// One whole field: `[B, M, row...]`.
    template <field_tag Tag>
    [[nodiscard]] auto operator[](const Tag&) const noexcept
    {
        using found = detail::field_of<Tag, fields>;
        static_assert(!std::is_void_v<found>, "this batch has no field with this tag");
        const auto& memory = static_cast<const detail::field_memory<found>&>(*this);
        return padded_field<typename found::element_type, typename found::extents_type>(memory.data, m_batch,
                                                                                        m_capacity, memory.row);
    }

    [[nodiscard]] auto begin() const noexcept { return detail::index_iterator<padded_view>(*this, 0); }
    [[nodiscard]] auto end() const noexcept { return detail::index_iterator<padded_view>(*this, m_batch); }

    /// The address and the type of the counts: int32, int64 or float32.
    [[nodiscard]] void* count_data() const noexcept { return m_counts; }
    [[nodiscard]] element_type count_type() const noexcept { return m_count_type; }

private:
    template <class...>
    friend class padded_view;

    std::size_t m_batch = 0;
    std::size_t m_capacity = 0;
    void* m_counts = nullptr;
    element_type m_count_type = element_type::int32;

    padded_view(std::size_t batch, std::size_t capacity, void* counts, element_type count_type,
                const detail::field_memory<Fields>&... memory) noexcept
        : detail::field_memory<Fields>(memory)..., m_batch(batch), m_capacity(capacity), m_counts(counts),
          m_count_type(count_type)
    {
    }

    template <class Field>
    [[nodiscard]] detail::field_rows<Field> field_rows_at(std::size_t i, std::size_t n) const noexcept
    {
        const auto& memory = static_cast<const detail::field_memory<Field>&>(*this);
        return {{memory.data + i * m_capacity * memory.row.size(), n, memory.row}};
    }
    [[nodiscard]] image_type rows_at(std::size_t i, std::size_t n) const noexcept
    {
        return image_type(field_rows_at<Fields>(i, n)...);
    }

    template <class Field, class Bound>
    [[nodiscard]] static detail::field_memory<Field> memory_of(const Bound& bound) noexcept
    {
        const auto rows = detail::rows_of_field<Field>(bound);
        return {rows.data(), detail::extents_cast<typename Field::extents_type>(rows.extents())};
    }

    template <class Field, class Bound>
    [[nodiscard]] static status check_size(std::size_t batch, std::size_t capacity, const Bound& bound) noexcept
    {
        std::size_t n = 0;
        if (status outcome = detail::check_field_rows<Field>(bound, n); !outcome.ok()) {
            return outcome;
        }
        const std::size_t factors[] = {batch, capacity, detail::rows_of_field<Field>(bound).row_size(),
                                       sizeof(typename Field::value_type)};
        std::size_t bytes = 0;
        if (status outcome = detail::multiply_sizes(factors, Field::tag::name, bytes); !outcome.ok()) {
            return outcome;
        }
        if (n != batch * capacity) {
            return {status_code::size_mismatch,
                    "{} has {} rows, but {} images of {} rows are {}",
                    Field::tag::name,
                    n,
                    batch,
                    capacity,
                    batch * capacity};
        }
        return {};
    }
};

template <detail::contiguous_values Counts, detail::bound_values... Bounds>
padded_view(Counts&&, std::size_t, const Bounds&...)
    -> padded_view<detail::maybe_const_field<std::is_const_v<detail::value_of<std::remove_reference_t<Counts>>>,
                                             detail::field_of_values<Bounds>>...>;
template <detail::contiguous_values Counts, detail::bound_values... Bounds>
padded_view(unchecked_t, Counts&&, std::size_t, const Bounds&...)
    -> padded_view<detail::maybe_const_field<std::is_const_v<detail::value_of<std::remove_reference_t<Counts>>>,
                                             detail::field_of_values<Bounds>>...>;

namespace detail {

template <class Never>
struct not_padded : field<t::values_t, float> {
    static_assert(chosen<Never>,
                  "a padded batch is made from counts, the capacity M and named fields, (counts, 100, t::boxes(boxes), "
                  "...): the counts are a container of int32, int64 or float (for a pointer write std::span(counts, "
                  "batch))");
};

} // namespace detail

template <class Never = void>
padded_view(PADBATCH_DETAIL_ANYTHING) -> padded_view<detail::not_padded<Never>>;

#if PADBATCH_EXCEPTIONS
/// A padded batch to be written: like the constructor, but the counts need not be valid yet. Throws `error` if
/// `padded_view::check_sizes` fails.
template <detail::contiguous_values Counts, detail::bound_values... Bounds>
[[nodiscard]] auto padded_output(Counts&& counts, std::size_t capacity, const Bounds&... values)
{
    const padded_view result(unchecked, static_cast<Counts&&>(counts), capacity, values...);
    static_assert(std::remove_cvref_t<decltype(result)>::is_writable, "an output's counts and fields are not const");
    detail::require(result.check_sizes(static_cast<std::size_t>(counts.size()), capacity, values...));
    return result;
}
template <class Never = void>
auto padded_output(PADBATCH_DETAIL_ANYTHING)
{
    return padded_view<detail::not_padded<Never>>();
}
#endif

} // namespace padbatch::inline PADBATCH_ABI

#endif
