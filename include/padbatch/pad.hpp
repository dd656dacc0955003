// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_PAD_HPP
#define PADBATCH_PAD_HPP

#include <padbatch/counts.hpp>
#include <padbatch/detail/anything.hpp>
#include <padbatch/detail/check_source.hpp>
#include <padbatch/detail/drop_rows.hpp>
#include <padbatch/detail/examine.hpp>
#include <padbatch/detail/fill_values.hpp>
#include <padbatch/detail/first_failure.hpp>
#include <padbatch/detail/match_fields.hpp>
#include <padbatch/detail/overlap.hpp>
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

namespace padbatch::inline PADBATCH_ABI {

namespace detail {

template <class List>
struct source_for;
template <class... Fields>
struct source_for<field_list<Fields...>> {
    /// `x` if it is a source; for a batch of one field, `x` may also be that field's container of images.
    template <class X>
    [[nodiscard]] static decltype(auto) of(const X& x)
    {
        if constexpr (source<X>) {
            return (x);
        } else {
            static_assert(
                sizeof...(Fields) == 1 && image_container<X>,
                "this is not a source of detections: give each(...), project(...), columns(...), tagged(...), "
                "generated(...), or a padded or ragged batch; or, for a batch of one field, a container with random "
                "access, whose item i is image i's rows (a map is none)");
            return (each(typename Fields::tag{}(x)), ...);
        }
    }
};

/// Checks everything but the pad values before `pad_into` writes to a view.
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
        return {status_code::batch_mismatch, "the output has {} images, but the source has {}", output.size(),
                static_cast<std::size_t>(source.size())};
    }
    if (output.capacity() > highest_number(output.count_type())) [[unlikely]] {
        return {status_code::size_overflow, "the capacity is {}, more than the type of the counts can hold",
                output.capacity()};
    }
    return first_failure([&] { return check_source(source); },
                         [&] {
                             return examine<Fields...>(source, output.capacity(), find_overflow(options...),
                                                       {output[typename Fields::tag{}].extents()...}, hull_of(output),
                                                       examined);
                         },
                         [&] { return examined.overlaps ? check_overlap(output, source) : status(); });
}

} // namespace detail

/// Returns why `pad_into` would fail. Writes nothing.
template <class... Fields, class Source, class... Options>
[[nodiscard]] status check_pad_into(const padded_view<Fields...>& output, const Source& from, const Options&... options)
{
    decltype(auto) source = detail::source_for<detail::field_list<Fields...>>::of(from);
    typename detail::fill_holder<detail::field_list<Fields...>, Options...>::type fill_values;
    detail::examined_source examined;
    return detail::first_failure([&] { return detail::check_view(output, source, examined, options...); },
                                 [&] { return detail::make_fills(detail::find_fill(options...), fill_values); });
}

/// `pad_into` that validates nothing: input that `check_pad_into` would refuse is undefined behaviour, except rows
/// beyond the capacity, which are dropped. Returns the number of rows copied.
template <class... Fields, class Source, class... Options>
std::size_t pad_into(unchecked_t, const padded_view<Fields...>& output, const Source& from,
                     const Options&... options) noexcept
{
    decltype(auto) source = detail::source_for<detail::field_list<Fields...>>::of(from);
    static_assert(padded_view<Fields...>::is_writable, "the output is const");
    static_assert(detail::match_fields<typename std::remove_cvref_t<decltype(source)>::fields, Fields...>());
    static_assert(((detail::is_fill<Options> || std::is_same_v<Options, overflow::truncate_t>) && ...),
                  "the unchecked form takes pad_values(...) and overflow::truncate");
    typename detail::fill_holder<detail::field_list<Fields...>, Options...>::type fill_values;
    static_cast<void>(detail::make_fills(detail::find_fill(options...), fill_values));
    using job = detail::pad_job<padded_view<Fields...>, std::remove_cvref_t<decltype(source)>, decltype(fill_values)>;
    return job{output, source, fill_values}.run(detail::choose_first{});
}

/// The non-throwing form of `pad_into`. A failure writes nothing. Sets a `pad_result` that is among the options.
template <class... Fields, class Source, class... Options>
[[nodiscard]] status try_pad_into(const padded_view<Fields...>& output, const Source& from, Options&&... options)
{
    static_assert(detail::options_known<Options...>());
    decltype(auto) source = detail::source_for<detail::field_list<Fields...>>::of(from);
    using source_type = std::remove_cvref_t<decltype(source)>;
    using policy = decltype(detail::find_overflow(options...));
    typename detail::fill_holder<detail::field_list<Fields...>, Options...>::type fill_values;
    detail::examined_source examined;
    if (status outcome = detail::first_failure(
            [&] { return detail::check_view(output, source, examined, std::as_const(options)...); },
            [&] { return detail::make_fills(detail::find_fill(options...), fill_values); });
        !outcome.ok()) {
        return outcome;
    }
    using job_type = detail::pad_job<padded_view<Fields...>, source_type, decltype(fill_values)>;
    const job_type job{output, source, fill_values};
    pad_result* const result = detail::find_option<pad_result>(options...);
    if constexpr (std::is_same_v<policy, overflow::error_t>) {
        job.run(detail::choose_first{});
        if (result != nullptr) {
            detail::pad_access::set(*result, examined.rows, 0, nullptr);
        }
        return {};
    } else {
        return detail::run_and_drop<policy>(job, source, output.capacity(), examined, result,
                                            detail::find_option<workspace>(options...));
    }
}

/// The same for an owner, which takes the batch's size and grows if it must.
template <class... Fields, class Source, class... Options>
[[nodiscard]] status try_pad_into(padded<Fields...>& output, const Source& from, Options&&... options)
{
    decltype(auto) source = detail::source_for<detail::field_list<Fields...>>::of(from);
    return detail::padded_access::pad(output, source, options...);
}

namespace detail {

/// For a call of `pad_into` that fits none of its forms.
template <class Never>
consteval bool no_output() noexcept
{
    static_assert(chosen<Never>,
                  "pad_into(output, source) writes to its first argument: a padded<...> that is a variable and not "
                  "const, or a padded_view; check_pad_into and pad_into(unchecked, ...) take a padded_view only");
    return false;
}

} // namespace detail

template <class Never = void>
[[nodiscard]] status check_pad_into(PADBATCH_DETAIL_ANYTHING)
{
    static_cast<void>(detail::no_output<Never>());
    return {};
}
template <class Never = void>
[[nodiscard]] status try_pad_into(PADBATCH_DETAIL_ANYTHING)
{
    static_cast<void>(detail::no_output<Never>());
    return {};
}

#if PADBATCH_EXCEPTIONS
/// Pads: copies each image's rows to its slot of the output, `[B, M, row...]`, fills the rest of the slot with the pad
/// value, and writes the counts. Reads each row once, writes each byte once, converts nothing without `.as<T>()`, and
/// allocates nothing, unless rows are dropped and there is no `workspace`.
///
/// `source` is any `source`; for a batch of one field it may also be a container of images. Fields are matched by tag;
/// fields that the output lacks are left out. Options, in any order: `overflow::...`, `pad_values(...)`, a `workspace`.
///
/// Throws `error`, having written nothing, if the numbers of images differ, if an image has more rows than fit, if rows
/// have another shape, or if the output overlaps the source.
///
/// Different threads may pad into outputs of disjoint memory, such as some images each of one batch, and from one
/// source.
template <class... Fields, class Source, class... Options>
pad_result pad_into(const padded_view<Fields...>& output, const Source& source, Options&&... options)
{
    static_assert((!std::is_same_v<std::remove_cvref_t<Options>, pad_result> && ...),
                  "pad_into returns its result; try_pad_into takes one to set");
    pad_result result;
    detail::require(try_pad_into(output, source, options..., result));
    return result;
}

/// The same into an owner, which takes the batch's size and keeps its memory: once that is large enough, nothing is
/// allocated. M is given by the option `capacity`, else by the owner, else by the largest count of the batch. Only
/// owners take `padding::reuse`. Not while another thread uses the owner.
template <class... Fields, class Source, class... Options>
pad_result pad_into(padded<Fields...>& output, const Source& source, Options&&... options)
{
    static_assert((!std::is_same_v<std::remove_cvref_t<Options>, pad_result> && ...),
                  "pad_into returns its result; try_pad_into takes one to set");
    pad_result result;
    detail::require(try_pad_into(output, source, options..., result));
    return result;
}

template <class Never = void>
pad_result pad_into(PADBATCH_DETAIL_ANYTHING)
{
    static_cast<void>(detail::no_output<Never>());
    return {};
}

namespace detail {

template <class List>
struct owner_of;
template <class... Fields>
struct owner_of<field_list<Fields...>> {
    using type = padded<field<typename Fields::tag, typename Fields::value_type, typename Fields::extents_type>...>;
};

} // namespace detail

/// Pads into new memory, with all fields of the source; M is the largest count of the batch unless `capacity` says
/// otherwise. In a large batch that is padded with zeros, the padding costs nothing: its pages come zeroed from the
/// system and are not touched.
template <class Source, class... Options>
[[nodiscard]] auto pad(const Source& from, Options&&... options)
{
    static_assert(source<Source>,
                  "this is not a source of detections: give each(t::boxes(boxes), ...), project(...), columns(...), "
                  "tagged(...), generated(...), or a padded or ragged batch");
    typename detail::owner_of<typename Source::fields>::type result;
    pad_into(result, from, options...);
    return result;
}
#endif

} // namespace padbatch::inline PADBATCH_ABI

#endif
