// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_UNPAD_HPP
#define PADBATCH_UNPAD_HPP

#include <padbatch/counts.hpp>
#include <padbatch/detail/anything.hpp>
#include <padbatch/detail/check_source.hpp>
#include <padbatch/detail/copy_row.hpp>
#include <padbatch/detail/first_failure.hpp>
#include <padbatch/detail/match_fields.hpp>
#include <padbatch/detail/overlap.hpp>
#include <padbatch/element_type.hpp>
#include <padbatch/padded_view.hpp>
#include <padbatch/ragged.hpp>
#include <padbatch/ragged_view.hpp>

#include <cstddef>
#include <type_traits>

namespace padbatch::inline PADBATCH_ABI {

#if PADBATCH_EXCEPTIONS
/// The detections of each image in padded tensors: counts (`[B]` or `[B, 1]`; int32, int64 or float), the capacity M,
/// and the fields. Returns a `padded_view`, whose constructor this is by another name, and neither copies nor
/// allocates. Throws `error` if `padded_view::check` fails.
template <detail::contiguous_values Counts, detail::bound_values... Bounds>
[[nodiscard]] auto unpad(Counts&& counts, std::size_t capacity, const Bounds&... values)
{
    return padded_view(static_cast<Counts&&>(counts), capacity, values...);
}
template <class Never = void>
auto unpad(PADBATCH_DETAIL_ANYTHING)
{
    return padded_view<detail::not_padded<Never>>();
}
#endif

namespace detail {

template <class... Fields, class Source>
[[nodiscard]] status unpad_images(ragged<Fields...>& output, const Source& source, bool replaces) noexcept
{
    static_assert(match_fields<typename Source::fields, Fields...>());
    if (status outcome = check_source(source); !outcome.ok()) {
        return outcome;
    }
    if (ragged_access::reads_offsets(output, source)) {
        return {status_code::overlap, "a ragged batch cannot be unpadded into itself: copy it first"};
    }
    return ragged_access::append(output, source, replaces);
}

} // namespace detail

/// Unpads into a ragged batch: the images of a source take the place of what it held, as with `pad_into`. It keeps its
/// memory: a stream of batches does not allocate. Fails, and changes nothing, like `ragged::try_append`.
template <class... Fields, source Source>
[[nodiscard]] status try_unpad_into(ragged<Fields...>& output, const Source& source) noexcept
{
    return detail::unpad_images(output, source, true);
}

/// Appends the images of a source to those that a ragged batch has. Fails, and appends nothing, like
/// `ragged::try_append`, or if the batch's current image has rows and has not been ended.
template <class... Fields, source Source>
[[nodiscard]] status try_unpad_append(ragged<Fields...>& output, const Source& source) noexcept
{
    return detail::first_failure([&] { return output.check(); },
                                 [&] { return detail::unpad_images(output, source, false); });
}

namespace detail {

/// Checks that the values of `bound` can take all rows of one field of a source, `total` in number.
template <class Source, class Bound>
[[nodiscard]] status check_flat_output(const Source& source, std::size_t total, const Bound& bound) noexcept
{
    if (status outcome = check_rows<Bound>(bound.value, bound.row); !outcome.ok()) {
        return outcome;
    }
    const auto to = rows_of<Bound>(bound.value, bound.row);
    if (to.size() < total) {
        return {status_code::size_mismatch, "there is room for {} rows of {}, but there are {}", to.size(),
                Bound::tag::name, total};
    }
    if (source_overlaps(source, {to.data(), to.data() + total * to.row_size(), Bound::tag::name})) {
        return {status_code::overlap, "the values of {} overlap the source's rows: write to other memory",
                Bound::tag::name};
    }
    for (std::size_t i = 0; i < source.size(); ++i) {
        if (source.count(i) != 0) {
            if (status outcome = check_row_extents<field_of_values<Bound>>(source.image(i), i, to.extents());
                !outcome.ok()) {
                return outcome;
            }
        }
    }
    return {};
}

} // namespace detail

/// Writes the rows of every image of a source to flat values that the caller owns, one image after the other, and the
/// offsets at which each image's begin, `[B + 1]`, starting at 0. The values need room for all rows; the number of rows
/// of a padded batch is `batch.counts().total()`. Fails, and writes nothing, if the sizes do not fit.
template <source Source, detail::contiguous_values Offsets, detail::bound_values... Bounds>
[[nodiscard]] status try_unpad_into(Offsets&& offsets, const Source& source, const Bounds&... values) noexcept
{
    using offset = detail::output_value<Offsets>;
    static_assert((!std::is_const_v<typename detail::field_of_values<Bounds>::element_type> && ...),
                  "the values to write are const");
    static_assert(offset_element<offset> && !std::is_const_v<offset>, "offsets are int32 or int64, and not const");
    static_assert(detail::match_fields<typename Source::fields, detail::field_of_values<Bounds>...>());
    if (status outcome = detail::check_source(source); !outcome.ok()) {
        return outcome;
    }
    std::size_t total = 0;
    for (std::size_t i = 0; i < source.size(); ++i) {
        total += source.count(i);
    }
    if (offsets.size() != source.size() + 1) {
        return {status_code::size_mismatch, "there is room for {} offsets, but {} images have {}",
                static_cast<std::size_t>(offsets.size()), source.size(), source.size() + 1};
    }
    if (total > detail::highest_number(element_type_of<offset>)) {
        return {status_code::size_overflow, "there are {} rows, more than the type of the offsets can hold", total};
    }
    if (status outcome = detail::first_failure([&] { return detail::check_flat_output(source, total, values); }...);
        !outcome.ok()) {
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

template <class Never = void>
[[nodiscard]] status try_unpad_into(PADBATCH_DETAIL_ANYTHING)
{
    static_assert(detail::chosen<Never>,
                  "rows are unpadded into a ragged<...> that is not const, (output, source), or into your own memory, "
                  "(offsets, source, t::boxes(values), ...): what is written to comes first, the source second");
    return {};
}

#if PADBATCH_EXCEPTIONS
/// The throwing form of both.
template <class Output, class Source, class... Bounds>
void unpad_into(Output&& output, const Source& source, const Bounds&... values)
{
    detail::require(try_unpad_into(output, source, values...));
}

/// The throwing form.
template <class... Fields, source Source>
void unpad_append(ragged<Fields...>& output, const Source& source)
{
    detail::require(try_unpad_append(output, source));
}

namespace detail {

template <class List>
struct ragged_of;
template <class... Fields>
struct ragged_of<field_list<Fields...>> {
    using type = ragged<field<typename Fields::tag, typename Fields::value_type, typename Fields::extents_type>...>;
};

} // namespace detail

/// A new ragged batch with all fields of a source, such as a padded batch. Throws `error`.
template <source Source>
[[nodiscard]] auto to_ragged(const Source& source)
{
    typename detail::ragged_of<typename Source::fields>::type result;
    unpad_into(result, source);
    return result;
}
#endif

} // namespace padbatch::inline PADBATCH_ABI

#endif
