// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_SLOTS_HPP
#define PADBATCH_SLOTS_HPP

#include <padbatch/counts.hpp>
#include <padbatch/detail/anything.hpp>
#include <padbatch/detail/fill.hpp>
#include <padbatch/detail/fill_values.hpp>
#include <padbatch/pad_options.hpp>
#include <padbatch/padded.hpp>
#include <padbatch/padded_view.hpp>

#include <cstddef>
#include <tuple>

namespace padbatch::inline PADBATCH_ABI {

namespace detail {

/// Fills the rows of one field of a slot from row `n` on.
template <class Field, class Slot, class Fill>
void fill_from(const Slot& slot, std::size_t n, const Fill& fill_values) noexcept
{
    const auto& rows = slot[typename Field::tag{}];
    const std::size_t row_bytes = rows.row_size() * sizeof(typename Field::value_type);
    auto* const to = reinterpret_cast<std::byte*>(rows.data()) + n * row_bytes;
    const std::size_t bytes = (rows.size() - n) * row_bytes;
    if constexpr (Fill::is_zero) {
        fill_zero<16>(to, bytes);
    } else {
        fill<16>(to, bytes, std::get<field_fill<Field>>(fill_values.fields).pattern);
    }
}

} // namespace detail

/// Finishes a slot to which a producer has written itself, `n` rows of each field of image i: sets the count, and fills
/// the rows behind with the pad values of `pad_values(...)`. A producer that writes to `output.slot(i)[t::boxes]` this
/// way needs no copy at all. Fails, and writes nothing, if there is no image i, if n is above the capacity, or if a
/// type cannot hold the count or a pad value.
///
/// Different slots of one output, a view or an owner, may be finished by different threads at the same time.
template <class... Fields, class... Options>
[[nodiscard]] status try_finish_slot(const padded_view<Fields...>& output, std::size_t i, std::size_t n,
                                     const Options&... options) noexcept
{
    static_assert(padded_view<Fields...>::is_writable, "the output is const");
    static_assert((detail::is_fill<Options> && ...), "the only option here is pad_values(...)");
    if (i >= output.size()) {
        return {status_code::batch_mismatch, "there is no image {} in a batch of {}", i, output.size()};
    }
    if (n > output.capacity()) {
        return {status_code::bad_count,
                "the count of image {} is {}; expected a whole number from 0 to the capacity, {}", i, n,
                output.capacity()};
    }
    if (n > detail::highest_number(output.count_type())) {
        return {status_code::size_overflow, "the count {} is more than the type of the counts can hold", n};
    }
    typename detail::fill_holder<detail::field_list<Fields...>, Options...>::type fill_values;
    if (status outcome = detail::make_fills(detail::find_fill(options...), fill_values); !outcome.ok()) {
        return outcome;
    }
    const auto slot = output.slot(i);
    (detail::fill_from<Fields>(slot, n, fill_values), ...);
    output.set_count(i, n);
    return {};
}

/// The same for an owner, which forgets what it knew of this slot's padding, since the producer may have written there.
template <class... Fields, class... Options>
[[nodiscard]] status try_finish_slot(padded<Fields...>& output, std::size_t i, std::size_t n,
                                     const Options&... options) noexcept
{
    status outcome = try_finish_slot(output.view(), i, n, options...);
    if (outcome.ok()) {
        static_cast<void>(output.slot(i)); // which forgets it
    }
    return outcome;
}

template <class Never = void>
[[nodiscard]] status try_finish_slot(PADBATCH_DETAIL_ANYTHING) noexcept
{
    static_assert(
        detail::chosen<Never>,
        "finish_slot(output, i, n, pad_values(...)) takes a padded<...> that is not const or a padded_view, the "
        "number of the image, and its number of rows");
    return {};
}

#if PADBATCH_EXCEPTIONS
/// The throwing form.
template <class Output, class... Options>
void finish_slot(Output&& output, std::size_t i, std::size_t n, const Options&... options)
{
    detail::require(try_finish_slot(output, i, n, options...));
}
template <class Never = void>
void finish_slot(PADBATCH_DETAIL_ANYTHING)
{
    detail::require(try_finish_slot<Never>());
}
#endif

} // namespace padbatch::inline PADBATCH_ABI

#endif
