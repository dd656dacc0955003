// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_DETECTION_GATHER_HPP
#define PADBATCH_DETECTION_GATHER_HPP

#include <padbatch/detail/contiguous.hpp>
#include <padbatch/detail/first_failure.hpp>
#include <padbatch/detection/detail/batch_overlap.hpp>
#include <padbatch/detection/detail/each_image.hpp>
#include <padbatch/detection/detail/gather_checked.hpp>
#include <padbatch/detection/detail/keep_rows.hpp>
#include <padbatch/detection/detail/score_order.hpp>
#include <padbatch/fields.hpp>
#include <padbatch/ragged.hpp>
#include <padbatch/source.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <tuple>
#include <type_traits>
#include <utility>

/// Rows by their numbers, such as those that `nms` and `select_rows` return: in place (`keep_listed`), into a batch of
/// its own (`gather_rows`), and for one image into the caller's memory (`gather_rows_into`).
///
/// The numbers of a whole batch are a list for each image: a container of containers of integers, such as
/// `std::vector<row_numbers>`, or a ragged batch of integers with the tag `t::values`. Numbers count from 0 within
/// their image, in any order, and may be repeated.
namespace padbatch::inline PADBATCH_ABI {

namespace detail {

template <class Lists>
concept lists_in_batch = requires(const Lists& lists) { lists.image(0)[t::values]; };

/// The list of image i.
template <class Lists>
[[nodiscard]] auto list_of(const Lists& lists, std::size_t i) noexcept
{
    if constexpr (lists_in_batch<Lists>) {
        const auto numbers = lists.image(i)[t::values];
        return std::span<const value_of<decltype(numbers.flat())>>(numbers.flat());
    } else {
        const auto& numbers = lists[i];
        static_assert(contiguous_values<decltype(numbers)>,
                      "a list for each image is a contiguous container of row numbers: std::vector<row_numbers>, or a "
                      "ragged batch with t::values");
        return std::span<const value_of<decltype(numbers)>>(numbers.data(), numbers.size());
    }
}

template <class Lists>
consteval bool are_lists() noexcept
{
    using number = std::remove_const_t<typename decltype(list_of(std::declval<const Lists&>(), 0))::element_type>;
    static_assert(std::is_integral_v<number> && !std::is_same_v<number, bool>, "row numbers are integers");
    return true;
}

/// Checks that there is a list of row numbers for each image.
template <class Batch, class Lists>
[[nodiscard]] status check_lists(const Batch& batch, const Lists& lists) noexcept
{
    if (static_cast<std::size_t>(lists.size()) != batch.size()) {
        return {status_code::batch_mismatch, "there are {} lists of row numbers for {} images",
                static_cast<std::size_t>(lists.size()), batch.size()};
    }
    for (std::size_t i = 0; i < batch.size(); ++i) {
        const std::size_t n = batch.count(i);
        const auto list = list_of(lists, i);
        if (!are_row_numbers(list.data(), list.size(), n)) {
            const status why = check_row_numbers(list, n);
            return {why.code(), "image {}: {}", i, why.message()};
        }
    }
    return {};
}

/// Which rows of an image are listed; see `keep_rows`.
template <class Lists>
struct listed_choice {
    static constexpr bool ascending = false;
    const Lists& lists;

    template <class Batch>
    [[nodiscard]] status check(const Batch& batch) const noexcept
    {
        if (status outcome = check_lists(batch, lists); !outcome.ok()) {
            return outcome;
        }
        for (std::size_t i = 0; i < batch.size(); ++i) {
            const auto list = list_of(lists, i);
            if (list.size() > batch.count(i)) {
                return {status_code::too_many_rows,
                        "image {} has {} rows, but its list has {} numbers: in place no more rows can be kept than "
                        "there are; gather_rows makes another batch",
                        i, batch.count(i), list.size()};
            }
            if (status outcome = check_apart(batch, std::as_bytes(list), "a list of row numbers"); !outcome.ok()) {
                return outcome;
            }
        }
        return {};
    }
    [[nodiscard]] std::size_t scratch_bytes(std::size_t /*n*/) const noexcept { return 0; }
    template <class Image>
    [[nodiscard]] std::size_t operator()(const Image& /*image*/, std::size_t i, std::int32_t* kept,
                                         std::byte* /*scratch*/) const noexcept
    {
        const auto list = list_of(lists, i);
        for (std::size_t j = 0; j < list.size(); ++j) {
            kept[j] = static_cast<std::int32_t>(list[j]);
        }
        return list.size();
    }
};

template <class List>
struct owner_of_fields;
template <class... Fields>
struct owner_of_fields<field_list<Fields...>> {
    using type = ragged<field<typename Fields::tag, typename Fields::value_type, typename Fields::extents_type>...>;
};
/// The ragged owner of a batch's fields.
template <class Batch>
using gathered_batch = typename owner_of_fields<typename Batch::fields>::type;

template <class... Options>
consteval bool gather_options_known() noexcept
{
    static_assert((std::is_same_v<std::remove_cvref_t<Options>, workspace> && ...),
                  "gather_rows takes a workspace as its only option");
    static_assert((!std::is_same_v<Options, workspace> && ...),
                  "a workspace is a variable, which keeps the memory of the call");
    return true;
}

/// Rows of one field, by numbers.
template <class TaggedRows>
[[nodiscard]] auto indexed_rows(const TaggedRows& field, const std::int32_t* numbers, std::size_t m) noexcept
{
    const auto& rows = field.rows;
    using rows_type = std::remove_cvref_t<decltype(rows)>;
    using T = const typename rows_type::value_type;
    using indexed = basic_rows<T, typename rows_type::extents_type, layout::indexed>;
    return tagged_rows<typename TaggedRows::tag, indexed>{
        indexed(rows.data(), m, rows.extents(),
                layout::indexed{static_cast<std::ptrdiff_t>(rows.row_size() * sizeof(T)), numbers})};
}

template <class... Fields, class Batch, class Lists>
[[nodiscard]] status append_listed(ragged<Fields...>& out, const Batch& batch, const Lists& lists,
                                   std::int32_t* numbers) noexcept
{
    for (std::size_t i = 0; i < batch.size(); ++i) {
        const auto list = list_of(lists, i);
        for (std::size_t j = 0; j < list.size(); ++j) {
            numbers[j] = static_cast<std::int32_t>(list[j]);
        }
        const auto image = batch.image(i);
        const auto rows_of_field = [&]<class Tag>(Tag tag) {
            using rows_type = std::remove_cvref_t<decltype(image[tag])>;
            return indexed_rows(tagged_rows<Tag, rows_type>{image[tag]}, numbers, list.size());
        };
        const image_view listed(rows_of_field(typename Fields::tag{})...);
        if (status outcome = first_failure([&] { return out.try_append(listed); }, [&] { return out.try_end_image(); });
            !outcome.ok()) {
            return outcome;
        }
    }
    return {};
}

/// How many arguments stand before the numbers.
template <class... Arguments>
consteval std::size_t place_of_numbers() noexcept
{
    std::size_t place = 0;
    static_cast<void>(((bound_values<Arguments> ? (++place, true) : false) && ...));
    return place;
}

template <std::size_t First, class Tuple, std::size_t... I>
[[nodiscard]] auto image_of_some(const Tuple& arguments, std::index_sequence<I...> /*places*/) noexcept
{
    return image_of(std::get<First + I>(arguments)...);
}
template <std::size_t First, class Tuple, std::size_t... I>
[[nodiscard]] status check_some_rows(const Tuple& arguments, std::index_sequence<I...> /*places*/) noexcept
{
    const auto check = [](const auto& values) {
        return check_rows<std::remove_cvref_t<decltype(values)>>(values.value, values.row);
    };
    return first_failure([&] { return check(std::get<First + I>(arguments)); }...);
}

template <class Inputs>
struct gather_image;
template <class... Out>
struct gather_image<image_view<Out...>> {
    template <class Number, class... In>
    [[nodiscard]] static status run(const image_view<Out...>& outputs, std::span<const Number> numbers,
                                    const image_view<In...>& inputs) noexcept
    {
        using output_type = image_view<Out...>;
        using input_type = image_view<In...>;
        static_assert(sizeof...(Out) == sizeof...(In),
                      "a field is read that is not written: name the same fields before and behind the numbers");
        if constexpr ((can_be_gathered<typename Out::tag, output_type, input_type>() && ...)) {
            static_assert((!std::is_const_v<typename Out::rows_type::element_type> && ...),
                          "the fields before the numbers are written, so they are not const");
            const std::size_t n = inputs.size();
            const std::size_t m = numbers.size();
            const auto check_size = [n](std::size_t size, const char* name) -> status {
                if (size != n) {
                    return {status_code::field_mismatch, "{} has {} rows, but the first field has {}", name, size, n};
                }
                return {};
            };
            status outcome = first_failure(
                [&] { return check_size(inputs[typename In::tag{}].size(), In::tag::name); }...,
                [&] { return check_row_numbers(numbers, n); },
                [&] { return check_gathered_field<typename Out::tag>(outputs, inputs, m); }...,
                [&] { return check_gathered_apart<typename Out::tag>(outputs, inputs, std::as_bytes(numbers), m); }...);
            if (outcome.ok()) {
                (gather_field(outputs[typename Out::tag{}], inputs[typename Out::tag{}], numbers.data(), m), ...);
            }
            return outcome;
        }
    }
};

template <class... Tagged>
[[nodiscard]] const image_view<Tagged...>& plain_image(const made_image<Tagged...>& image) noexcept
{
    return image;
}

} // namespace detail

/// The non-throwing form of `keep_listed`. A failure changes nothing.
template <detail::detection_batch Batch, class Lists, class... Options>
[[nodiscard]] status try_keep_listed(Batch&& batch, const Lists& lists, Options&&... options)
{
    static_assert(((detail::is_batch_option<Options> || detail::is_fill<std::remove_cvref_t<Options>>) && ...),
                  "an option of keep_listed is parallel(...), a workspace or, for a padded view, pad_values(...)");
    static_assert(detail::are_lists<Lists>() && detail::batch_options_fit<Options...>());
    if constexpr (detail::rows_can_be_dropped<Batch>()) {
        return detail::keep_rows(batch, detail::listed_choice<Lists>{lists}, options...);
    }
}

/// The non-throwing form of `gather_rows` for a batch, into an owner of the batch's fields, whose images are replaced
/// and whose memory is used again. A list that is wrong leaves `out` as it was; if there is not enough memory, or rows
/// have another shape than `out` was made for, it has no images.
template <class... Fields, detail::detection_batch Batch, class Lists, class... Options>
[[nodiscard]] status try_gather_rows(ragged<Fields...>& out, const Batch& batch, const Lists& lists,
                                     Options&&... options) noexcept
{
    static_assert(std::is_same_v<ragged<Fields...>, detail::gathered_batch<Batch>>,
                  "rows of a batch are gathered into a ragged owner of the same fields, in the same order");
    static_assert(detail::gather_options_known<Options...>() && detail::are_lists<Lists>());
    if (status outcome = detail::first_failure([&] { return detail::check_batch(batch); },
                                               [&] { return detail::check_lists(batch, lists); });
        !outcome.ok()) {
        return outcome;
    }
    if (detail::ragged_access::reads_offsets(out, batch)) {
        return {status_code::overlap,
                "rows are gathered from the batch that they are written to: write to another one"};
    }
    std::size_t all = 0;
    std::size_t longest = 0;
    for (std::size_t i = 0; i < batch.size(); ++i) {
        const auto list = detail::list_of(lists, i);
        all += list.size();
        longest = list.size() > longest ? list.size() : longest;
        status outcome = detail::first_failure(
            [&] { return detail::check_row_number(batch.count(i)); },
            [&] { return detail::check_apart(out, std::as_bytes(list), "a list of row numbers"); },
            [&] { return detail::check_images_apart(out, batch.image(i)); });
        if (!outcome.ok()) {
            return outcome;
        }
    }
    detail::scratch_memory memory(options...);
    if (status outcome = memory.reserve(longest * sizeof(std::int32_t)); !outcome.ok()) {
        return outcome;
    }
    out.clear();
    status outcome = detail::append_listed(out, batch, lists, reinterpret_cast<std::int32_t*>(memory.data()));
    if (!outcome.ok()) {
        out.clear();
    }
    return outcome;
}

/// The non-throwing form of `gather_rows_into`. A failure writes nothing.
template <detail::bound_values First, class... Arguments>
[[nodiscard]] status try_gather_rows_into(const First& first, const Arguments&... arguments) noexcept
{
    constexpr std::size_t place = detail::place_of_numbers<First, Arguments...>();
    static_assert(place <= sizeof...(Arguments),
                  "the row numbers stand between the fields that are written and those that are read: "
                  "gather_rows_into(t::boxes(out), numbers, t::boxes(in))");
    if constexpr (place <= sizeof...(Arguments)) {
        constexpr std::make_index_sequence<place> before{};
        constexpr std::make_index_sequence<sizeof...(Arguments) - place> behind{};
        const auto all = std::tuple<const First&, const Arguments&...>(first, arguments...);
        const auto& numbers = std::get<place>(all);
        static_assert(detail::contiguous_values<decltype(numbers)>,
                      "row numbers are a contiguous container of integers");
        using number = detail::value_of<decltype(numbers)>;
        static_assert(std::is_integral_v<number> && !std::is_same_v<number, bool>, "row numbers are integers");
        if (status outcome = detail::first_failure([&] { return detail::check_some_rows<0>(all, before); },
                                                   [&] { return detail::check_some_rows<place + 1>(all, behind); });
            !outcome.ok()) {
            return outcome;
        }
        const auto outputs = detail::image_of_some<0>(all, before);
        const auto inputs = detail::image_of_some<place + 1>(all, behind);
        using output_type = std::remove_cvref_t<decltype(detail::plain_image(outputs))>;
        return detail::gather_image<output_type>::run(
            detail::plain_image(outputs), std::span<const std::remove_const_t<number>>(numbers.data(), numbers.size()),
            detail::plain_image(inputs));
    }
}

#if PADBATCH_EXCEPTIONS
/// Keeps the listed rows of each image of a batch, in place, in the order of their list, which has at most as many
/// numbers as the image has rows. What lies behind them is filled as by `select_rows`. Options: `parallel(loop)`, a
/// workspace, `pad_values(...)` for a padded view. Throws `error`, having changed nothing, if a number is none of a
/// row, there are more or fewer lists than images, or a list is in the batch itself.
template <detail::detection_batch Batch, class Lists, class... Options>
void keep_listed(Batch&& batch, const Lists& lists, Options&&... options)
{
    detail::require(try_keep_listed(static_cast<Batch&&>(batch), lists, options...));
}

/// The listed rows of each image of a batch, in the order of their list, as a ragged batch of its own.
template <detail::detection_batch Batch, class Lists, class... Options>
[[nodiscard]] detail::gathered_batch<Batch> gather_rows(const Batch& batch, const Lists& lists, Options&&... options)
{
    detail::gathered_batch<Batch> out;
    detail::require(try_gather_rows(out, batch, lists, options...));
    return out;
}
/// The same into `out`, which keeps its memory.
template <class... Fields, detail::detection_batch Batch, class Lists, class... Options>
void gather_rows(ragged<Fields...>& out, const Batch& batch, const Lists& lists, Options&&... options)
{
    detail::require(try_gather_rows(out, batch, lists, options...));
}

/// Copies rows of one image into memory: row `numbers[j]` becomes row j, in all fields.
///
///     gather_rows_into(t::boxes(some), t::scores(some_scores), kept, t::boxes(boxes), t::scores(scores));
///
/// What is written is contiguous and has room for as many rows as there are numbers; more is left as it is. What is
/// read may be in any container, `[n, ...]`, of the same element types. Allocates nothing. Throws `error`, having
/// written nothing, if a number is not that of a row, if there is too little room, or if what is written overlaps what
/// is read.
template <detail::bound_values First, class... Arguments>
void gather_rows_into(const First& first, const Arguments&... arguments)
{
    detail::require(try_gather_rows_into(first, arguments...));
}
#endif

} // namespace padbatch::inline PADBATCH_ABI

#endif
