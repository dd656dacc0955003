// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_UNPAD_HPP
#define PADBATCH_UNPAD_HPP

#include <padbatch/detail/check_source.hpp>
#include <padbatch/detail/copy_rows.hpp>
#include <padbatch/padded_view.hpp>
#include <padbatch/ragged.hpp>
#include <padbatch/ragged_view.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

namespace padbatch::inline PADBATCH_MODE {

#if PADBATCH_EXCEPTIONS
/// The detections of each image of padded tensors: counts (`[B]` or `[B, 1]`; int32, int64 or float), the capacity M,
/// and the fields. No copy and no allocation: a `padded_view`, whose constructor this is under the name of what it
/// does. Throws `error` where `padded_view::check` fails.
template <detail::contiguous_values Counts, class... Bounds>
[[nodiscard]] auto unpad(Counts&& counts, std::size_t capacity, const Bounds&... values)
{
    return padded_view(static_cast<Counts&&>(counts), capacity, values...);
}
#endif

/// Appends every image of a source to a ragged batch, which keeps its memory: with `clear()` before, a stream of
/// batches does not allocate. Fails like `ragged::try_append`; the images before the one that failed stay.
template <class... Fields, source Source>
[[nodiscard]] status try_unpad_into(ragged<Fields...>& output, const Source& source) noexcept
{
    static_assert(detail::match_fields<typename Source::fields, Fields...>());
    if (status outcome = detail::check_source(source); !outcome.ok()) {
        return outcome;
    }
    if (ragged_access::reads_offsets(output, source)) {
        return {errc::overlap, "a ragged batch cannot be unpadded into itself: copy it first"};
    }
    if (status outcome = output.check(); !outcome.ok()) {
        return outcome;
    }
    for (std::size_t i = 0; i < source.size(); ++i) {
        status outcome = ragged_access::append(output, source.image(i));
        outcome = outcome.ok() ? output.try_end_image() : outcome;
        if (!outcome.ok()) {
            return outcome;
        }
    }
    return {};
}

/// Writes the rows of every image of a source to flat values that the caller owns, one image after the other, and where
/// each image's begin: offsets of `[B + 1]`, from 0 on. The values have room for at least all rows: `source.counts()`
/// of a padded batch has their `total()`. Fails, and writes nothing, when the sizes do not fit.
template <source Source, detail::contiguous_values Offsets, class... Bounds>
[[nodiscard]] status try_unpad_into(Offsets&& offsets, const Source& source, const Bounds&... values) noexcept
{
    using offset = detail::output_value<Offsets>;
    static_assert((!std::is_const_v<typename detail::field_of_values<Bounds>::element_type> && ...),
                  "the values to write are const");
    static_assert(offset_element<offset> && !std::is_const_v<offset>, "offsets are int32 or int64, and are written");
    static_assert(detail::match_fields<typename Source::fields, detail::field_of_values<Bounds>...>());
    if (status outcome = detail::check_source(source); !outcome.ok()) {
        return outcome;
    }
    std::size_t total = 0;
    for (std::size_t i = 0; i < source.size(); ++i) {
        total += source.count(i);
    }
    if (offsets.size() != source.size() + 1) {
        return {errc::size_mismatch, "there is room for {} offsets, and {} images have {}",
                static_cast<std::size_t>(offsets.size()), source.size(), source.size() + 1};
    }
    if (total > detail::highest_number(detail::number_type_of<offset>)) {
        return {errc::size_overflow, "there are {} rows, more than the type of the offsets can hold", total};
    }
    status outcome;
    const auto fits = [&](const auto& bound) {
        using bound_type = std::remove_cvref_t<decltype(bound)>;
        outcome = detail::check_rows<bound_type>(bound.value, bound.row);
        if (outcome.ok() && detail::rows_of<bound_type>(bound.value, bound.row).size() < total) {
            outcome = {errc::size_mismatch, "there is room for {} rows of {}, and there are {}",
                       detail::rows_of<bound_type>(bound.value, bound.row).size(), bound_type::tag::name, total};
        }
        if (outcome.ok()) {
            const auto to = detail::rows_of<bound_type>(bound.value, bound.row);
            const detail::memory_range written{to.data(), to.data() + total * to.row_size(), bound_type::tag::name};
            if (detail::source_overlaps(source, written)) {
                outcome = {errc::overlap, "the values of {} overlap the source's rows: write to other memory",
                           bound_type::tag::name};
            }
        }
        for (std::size_t i = 0; outcome.ok() && i < source.size(); ++i) {
            if (source.count(i) != 0) {
                outcome = detail::check_row_extents<detail::field_of_values<bound_type>>(
                    source.image(i), i, detail::rows_of<bound_type>(bound.value, bound.row).extents());
            }
        }
        return outcome.ok();
    };
    if (!(fits(values) && ...)) {
        return outcome;
    }
    std::size_t first = 0;
    for (std::size_t i = 0; i < source.size(); ++i) {
        offsets.data()[i] = static_cast<offset>(first);
        const auto image = source.image(i);
        const auto copy_field = [&](const auto& bound) {
            using bound_type = std::remove_cvref_t<decltype(bound)>;
            const auto to = detail::rows_of<bound_type>(bound.value, bound.row);
            const auto& from = image[typename bound_type::tag{}];
            for (std::size_t j = 0; j < from.size(); ++j) {
                detail::copy_row_of(to.row_data(first + j), to.extents(), from, j);
            }
        };
        (copy_field(values), ...);
        first += image.size();
    }
    offsets.data()[source.size()] = static_cast<offset>(first);
    return {};
}

#if PADBATCH_EXCEPTIONS
/// The same, thrown as `error`.
template <class Output, source Source, class... Bounds>
void unpad_into(Output&& output, const Source& source, const Bounds&... values)
{
    detail::require(try_unpad_into(output, source, values...));
}

namespace detail {

template <class List>
struct ragged_of;
template <class... Fields>
struct ragged_of<field_list<Fields...>> {
    using type = ragged<field<typename Fields::tag, typename Fields::value_type, typename Fields::extents_type>...>;
};

} // namespace detail

/// A ragged batch of its own with all the fields of a source, such as a padded batch. Throws `error`.
template <source Source>
[[nodiscard]] auto to_ragged(const Source& source)
{
    typename detail::ragged_of<typename Source::fields>::type result;
    unpad_into(result, source);
    return result;
}
#endif

} // namespace padbatch::inline PADBATCH_MODE

#endif
