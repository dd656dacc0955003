// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_PAD_HPP
#define PADBATCH_PAD_HPP

#include <padbatch/detail/check_source.hpp>
#include <padbatch/detail/drop_rows.hpp>
#include <padbatch/detail/pad_images.hpp>
#include <padbatch/detail/pad_owner.hpp>
#include <padbatch/pad_options.hpp>
#include <padbatch/padded.hpp>
#include <padbatch/padded_view.hpp>
#include <padbatch/source.hpp>

#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>

namespace padbatch::inline PADBATCH_MODE {

namespace detail {

template <class List>
struct source_for;
template <class... Fields>
struct source_for<field_list<Fields...>> {
    /// `x` if it is a source; for a batch of one field also that field's container of images.
    template <class X>
    [[nodiscard]] static decltype(auto) of(const X& x)
    {
        if constexpr (source<X>) {
            return (x);
        } else {
            static_assert(
                sizeof...(Fields) == 1 && requires { x[0]; },
                "this is no source of detections: give each(...), project(...), columns(...), tagged(...), "
                "generated(...), or a padded or ragged batch");
            return (each(typename Fields::tag{}(x)), ...);
        }
    }
};

template <class... Fields, class Source, class... Options>
[[nodiscard]] status check_view(const padded_view<Fields...>& output, const Source& source, examined_source& examined,
                                const Options&... options) noexcept
{
    static_assert(padded_view<Fields...>::is_writable, "the output is const");
    static_assert(match_fields<typename Source::fields, Fields...>());
    static_assert((!std::is_same_v<Options, padding::reuse_t> && ...),
                  "padding::reuse needs an owner, which knows what it held: pad into a padded<...>");
    static_assert((!std::is_same_v<Options, capacity> && ...), "a view's capacity is fixed when it is made");
    if (output.size() != source.size()) [[unlikely]] {
        return {errc::batch_mismatch, "the output is a batch of {}, and the source of {} images", output.size(),
                static_cast<std::size_t>(source.size())};
    }
    if (output.capacity() > highest_number(output.count_type())) [[unlikely]] {
        return {errc::size_overflow, "the capacity is {}, more than the type of the counts can hold",
                output.capacity()};
    }
    if (status outcome = check_source(source); !outcome.ok()) [[unlikely]] {
        return outcome;
    }
    if (status outcome = examine<Fields...>(source, output.capacity(), find_overflow(options...),
                                            {output[typename Fields::tag{}].extents()...}, hull_of(output), examined);
        !outcome.ok()) [[unlikely]] {
        return outcome;
    }
    return examined.overlaps ? check_overlap(output, source) : status();
}

} // namespace detail

/// Why `pad_into` would refuse these, if so. Writes nothing.
template <class... Fields, class Source, class... Options>
[[nodiscard]] status check_pad_into(const padded_view<Fields...>& output, const Source& from, const Options&... options)
{
    decltype(auto) source = detail::source_for<detail::field_list<Fields...>>::of(from);
    typename detail::fill_holder<detail::field_list<Fields...>, Options...>::type fill_values;
    detail::examined_source examined;
    status outcome = detail::check_view(output, source, examined, options...);
    return outcome.ok() ? detail::make_fills(detail::find_fill(options...), fill_values) : outcome;
}

/// `pad_into` that validates nothing: what `check_pad_into` would refuse is undefined behaviour, but rows beyond the
/// capacity, which are dropped from the end. Returns the number of rows copied.
template <class... Fields, class Source, class... Options>
std::size_t pad_into(unchecked_t, const padded_view<Fields...>& output, const Source& from,
                     const Options&... options) noexcept
{
    decltype(auto) source = detail::source_for<detail::field_list<Fields...>>::of(from);
    static_assert(padded_view<Fields...>::is_writable, "the output is const");
    static_assert(detail::match_fields<typename std::remove_cvref_t<decltype(source)>::fields, Fields...>());
    static_assert(((detail::is_fill<Options> || std::is_same_v<Options, overflow::truncate_t>) && ...),
                  "the unchecked form takes fill(...) and overflow::truncate");
    typename detail::fill_holder<detail::field_list<Fields...>, Options...>::type fill_values;
    static_cast<void>(detail::make_fills(detail::find_fill(options...), fill_values));
    using job = detail::pad_job<padded_view<Fields...>, std::remove_cvref_t<decltype(source)>, decltype(fill_values)>;
    return job{output, source, fill_values}.run(detail::choose_first{});
}

/// `pad_into` told by a status: when it fails, nothing has been written. A `pad_result` among the options is set.
template <class... Fields, class Source, class... Options>
[[nodiscard]] status try_pad_into(const padded_view<Fields...>& output, const Source& from, Options&&... options)
{
    static_assert(detail::options_known<Options...>());
    decltype(auto) source = detail::source_for<detail::field_list<Fields...>>::of(from);
    using source_type = std::remove_cvref_t<decltype(source)>;
    using policy = decltype(detail::find_overflow(options...));
    detail::examined_source examined;
    if (status outcome = detail::check_view(output, source, examined, std::as_const(options)...); !outcome.ok())
        [[unlikely]] {
        return outcome;
    }
    typename detail::fill_holder<detail::field_list<Fields...>, Options...>::type fill_values;
    if (status outcome = detail::make_fills(detail::find_fill(options...), fill_values); !outcome.ok()) [[unlikely]] {
        return outcome;
    }
    using job_type = detail::pad_job<padded_view<Fields...>, source_type, decltype(fill_values)>;
    const job_type job{output, source, fill_values};
    pad_result* const result = detail::find_option<pad_result>(options...);
    if constexpr (std::is_same_v<policy, overflow::error_t>) {
        job.run(detail::choose_first{});
        if (result != nullptr) {
            pad_access::set(*result, examined.rows, 0, nullptr);
        }
        return {};
    } else {
        return detail::run_and_drop<policy>(job, source, output.capacity(), examined, result,
                                            detail::find_option<workspace>(options...));
    }
}

/// The same for an owner, which takes the batch's size, and grows where it has to.
template <class... Fields, class Source, class... Options>
[[nodiscard]] status try_pad_into(padded<Fields...>& output, const Source& from, Options&&... options)
{
    decltype(auto) source = detail::source_for<detail::field_list<Fields...>>::of(from);
    return padded_access::pad(output, source, options...);
}

#if PADBATCH_EXCEPTIONS
/// Pads: copies each image's rows to its slot of the output, `[B, M, row...]`, fills what is left of the slot with the
/// pad value, and writes the counts. Reads each row once, writes each byte once, converts nothing unasked, and
/// allocates nothing, unless rows are dropped and there is no `workspace`.
///
/// `source` is any `source`; for a batch of one field also a container of images. Its fields are found by their tags;
/// those that the output lacks are left out. Options, in any order: `overflow::...`, `fill(...)`, a `workspace`.
///
/// Throws `error`, and then nothing has been written: another number of images, more rows than fit, rows of another
/// shape, an output that overlaps the source.
template <class... Fields, class Source, class... Options>
pad_result pad_into(const padded_view<Fields...>& output, const Source& source, Options&&... options)
{
    static_assert((!std::is_same_v<std::remove_cvref_t<Options>, pad_result> && ...),
                  "pad_into returns its result; try_pad_into takes one to set");
    pad_result result;
    detail::require(try_pad_into(output, source, options..., result));
    return result;
}

/// The same into an owner, which takes the batch's size and keeps its memory: once it is large enough, nothing is
/// allocated. M is that of the owner or of the option `capacity`, else the batch's maximum. `padding::reuse` is for
/// owners alone.
template <class... Fields, class Source, class... Options>
pad_result pad_into(padded<Fields...>& output, const Source& source, Options&&... options)
{
    static_assert((!std::is_same_v<std::remove_cvref_t<Options>, pad_result> && ...),
                  "pad_into returns its result; try_pad_into takes one to set");
    pad_result result;
    detail::require(try_pad_into(output, source, options..., result));
    return result;
}

namespace detail {

template <class List>
struct owner_of;
template <class... Fields>
struct owner_of<field_list<Fields...>> {
    using type = padded<field<typename Fields::tag, typename Fields::value_type, typename Fields::extents_type>...>;
};

} // namespace detail

/// Pads into memory of its own, with all the fields of the source; M is the batch's maximum unless `capacity` says
/// otherwise. Of a large batch that is padded with zeros, padding costs nothing: its pages come zeroed and are not
/// touched.
template <class Source, class... Options>
[[nodiscard]] auto pad(const Source& from, Options&&... options)
{
    static_assert(source<Source>,
                  "this is no source of detections: give each(t::boxes(boxes), ...), project(...), columns(...), "
                  "tagged(...), generated(...), or a padded or ragged batch");
    typename detail::owner_of<typename Source::fields>::type result;
    pad_into(result, from, options...);
    return result;
}
#endif

} // namespace padbatch::inline PADBATCH_MODE

#endif
