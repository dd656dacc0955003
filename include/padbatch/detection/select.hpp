// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_DETECTION_SELECT_HPP
#define PADBATCH_DETECTION_SELECT_HPP

#include <padbatch/detail/first_failure.hpp>
#include <padbatch/detection/at_most.hpp>
#include <padbatch/detection/conditions.hpp>
#include <padbatch/detection/detail/batch_overlap.hpp>
#include <padbatch/detection/detail/choose_rows.hpp>
#include <padbatch/detection/detail/keep_rows.hpp>
#include <padbatch/detection/detail/score_order.hpp>
#include <padbatch/detection/row_numbers.hpp>
#include <padbatch/fields.hpp>
#include <padbatch/source.hpp>

#include <cstddef>
#include <cstdint>
#include <tuple>
#include <type_traits>
#include <utility>

/// Choosing rows by conditions, and putting them in order. `select_rows` keeps the rows that pass all its conditions,
/// in the order in which they are:
///
///     select_rows(batch, score_above(0.25F), label_in(classes), highest_scores(100));
///
/// On a batch it works in place, on all fields in one call; on one image's rows it gives their numbers. Scores are
/// float, labels integers. A score of NaN passes no threshold. Costs O(n), of which the threshold on scores takes less
/// than a nanosecond for each row; `sort_by_score` costs four passes over n keys.
namespace padbatch::inline PADBATCH_ABI {

namespace detail {

template <class T>
inline constexpr bool is_select_argument = is_condition<T> || is_batch_option<T> || is_fill<T> || bound_values<T>;

/// A compile error, with the reason, for arguments that `select_rows` does not take.
template <class... Arguments>
consteval bool select_arguments_known() noexcept
{
    static_assert((is_select_argument<std::remove_cvref_t<Arguments>> && ...),
                  "an argument of select_rows is a condition: score_above(...), score_at_least(...), label_in(...), "
                  "score_above_of_label(...), highest_scores(...), rows_where(...); or a workspace and, for a batch, "
                  "parallel(...) and pad_values(...)");
    static_assert((is_condition<std::remove_cvref_t<Arguments>> || ...),
                  "select_rows needs a condition, such as score_above(0.5F): without one all rows would be kept");
    static_assert(
        (std::size_t{0} + ... + (is_threshold<std::remove_cvref_t<Arguments>> ? 1 : 0)) < 2 &&
            (std::size_t{0} + ... + (std::is_same_v<std::remove_cvref_t<Arguments>, highest_scores> ? 1 : 0)) < 2,
        "a threshold of all scores, and highest_scores(...), can be given once");
    return batch_options_fit<Arguments...>();
}

template <class Tag, class List>
struct rows_of_tag;
template <class Tag, class... TaggedRows>
struct rows_of_tag<Tag, field_list<TaggedRows...>> {
    template <class Found>
    struct rows {
        using type = typename Found::rows_type;
    };
    using found = field_of<Tag, field_list<TaggedRows...>>;
    using type = typename std::conditional_t<std::is_void_v<found>, std::type_identity<void>, rows<found>>::type;
};
/// The rows of a field of an image, or void.
template <class Tag, class Image>
using rows_in_image = typename rows_of_tag<Tag, typename Image::tags>::type;
/// The image of a batch, of whatever kind.
template <class Batch>
using image_of_batch = std::remove_cvref_t<decltype(std::declval<std::remove_reference_t<Batch>&>().image(0))>;

template <class Image, class... Arguments>
consteval bool image_can_be_chosen_from() noexcept
{
    constexpr bool scores_needed = (needs_scores<Arguments> || ...);
    constexpr bool labels_needed = (needs_labels<Arguments> || ...);
    return can_be_chosen_from<scores_needed, labels_needed, rows_in_image<t::scores_t, Image>,
                              rows_in_image<t::labels_t, Image>>();
}

/// Which rows of an image of a batch pass; see `keep_rows`.
template <class... Arguments>
struct condition_choice {
    static constexpr bool ascending = true;
    std::tuple<const Arguments&...> arguments;

    template <class Batch>
    [[nodiscard]] status check(const Batch& batch) const noexcept
    {
        return std::apply(
            [&](const auto&... each) {
                return first_failure(
                    [&] { return check_condition(each); }...,
                    [&] { return check_apart(batch, memory_of_condition(each), "the list of a condition"); }...);
            },
            arguments);
    }
    [[nodiscard]] std::size_t scratch_bytes(std::size_t n) const noexcept
    {
        return choose_scratch_bytes<Arguments...>(n);
    }
    template <class Image>
    [[nodiscard]] std::size_t operator()(const Image& image, std::size_t /*i*/, std::int32_t* kept,
                                         std::byte* scratch) const noexcept
    {
        return std::apply([&](const auto&... each) { return choose_rows(image, kept, scratch, each...); }, arguments);
    }
};

/// All rows of an image in the order of their scores.
struct score_choice {
    static constexpr bool ascending = false;
    std::size_t most;

    template <class Batch>
    [[nodiscard]] status check(const Batch& /*batch*/) const noexcept
    {
        return {};
    }
    [[nodiscard]] std::size_t scratch_bytes(std::size_t n) const noexcept { return 2 * n * sizeof(keyed_row); }
    template <class Image>
    [[nodiscard]] std::size_t operator()(const Image& image, std::size_t /*i*/, std::int32_t* kept,
                                         std::byte* scratch) const noexcept
    {
        const std::size_t n = image.size();
        auto* const order = reinterpret_cast<keyed_row*>(scratch);
        order_by_score(image[t::scores], order, order + n);
        const std::size_t m = most < n ? most : n;
        for (std::size_t j = 0; j < m; ++j) {
            kept[j] = order[j].row;
        }
        return m;
    }
};

/// The fields among the arguments.
template <class Argument>
[[nodiscard]] auto if_bound(Argument& argument) noexcept
{
    if constexpr (bound_values<Argument>) {
        return std::tuple<const Argument&>(argument);
    } else {
        return std::tuple<>();
    }
}

template <class... Bounds>
[[nodiscard]] status check_all_rows(const Bounds&... values) noexcept
{
    return first_failure([&] { return check_rows<Bounds>(values.value, values.row); }...);
}

/// Checks that all fields of an image have the same number of rows, at most as many as int32 can number.
template <class... TaggedRows>
[[nodiscard]] status check_image_rows(const image_view<TaggedRows...>& image) noexcept
{
    const std::size_t n = image.size();
    const auto check = [&](std::size_t size, const char* name) -> status {
        if (size != n) {
            return {status_code::field_mismatch, "{} has {} rows, but the first field has {}", name, size, n};
        }
        return {};
    };
    return first_failure([&] { return check_row_number(n); },
                         [&] { return check(image[typename TaggedRows::tag{}].size(), TaggedRows::tag::name); }...);
}

/// Refuses fields of an image, and lists of conditions, in the memory that the numbers are written to.
template <class... TaggedRows, class... Arguments>
[[nodiscard]] status check_not_kept(const row_numbers& kept, const image_view<TaggedRows...>& image,
                                    const Arguments&... arguments) noexcept
{
    const auto own = std::as_bytes(std::span(kept.data(), kept.size()));
    if ((rows_overlap(image[typename TaggedRows::tag{}], own.data(), own.data() + own.size()) || ...) ||
        (spans_overlap(memory_of_condition(arguments), own) || ...)) {
        return {status_code::overlap, "what is read is in the list that is written to: give another row_numbers"};
    }
    return {};
}

template <class Image, class... Arguments>
[[nodiscard]] status select_of_image(row_numbers& kept, const Image& image, Arguments&... arguments) noexcept
{
    static_assert(image_can_be_chosen_from<Image, Arguments...>());
    const std::size_t n = image.size();
    scratch_memory memory(arguments...);
    if (status outcome = first_failure(
            [&] { return check_image_rows(image); }, [&] { return check_condition(arguments); }...,
            [&] { return check_not_kept(kept, image, arguments...); },
            [&] { return memory.reserve(choose_scratch_bytes<Arguments...>(n)); }, [&] { return kept.try_resize(n); });
        !outcome.ok()) {
        return outcome;
    }
    return kept.try_resize(choose_rows(image, kept.data(), memory.data(), arguments...));
}

template <bool IsBatch, class... Options>
consteval bool sort_options_known() noexcept
{
    static_assert(((is_at_most<Options> || is_batch_option<Options> || is_fill<std::remove_cvref_t<Options>>) && ...),
                  "an option of sort_by_score is one of at_most(...), a workspace and, for a batch, parallel(...) and "
                  "pad_values(...)");
    static_assert(IsBatch ||
                      !((is_parallel<std::remove_cvref_t<Options>> || is_fill<std::remove_cvref_t<Options>>) || ...),
                  "parallel(...) and pad_values(...) are for a batch");
    return batch_options_fit<Options...>();
}

} // namespace detail

/// The non-throwing form of `select_rows` on one image's rows. A failure leaves `kept` with as many numbers as before.
/// Allocates nothing if `kept` and a workspace have been used for as many rows before; only `highest_scores` needs the
/// workspace.
template <detail::bound_values First, class... Arguments>
[[nodiscard]] status try_select_rows(row_numbers& kept, const First& first, Arguments&&... arguments) noexcept
{
    static_assert(detail::select_arguments_known<First, Arguments...>());
    static_assert(!(detail::is_parallel<std::remove_cvref_t<Arguments>> || ...) &&
                      !(detail::is_fill<std::remove_cvref_t<Arguments>> || ...),
                  "parallel(...) and pad_values(...) are for a batch: one image's rows are taken in one go, and their "
                  "numbers returned");
    const auto fields = std::tuple_cat(std::tuple<const First&>(first), detail::if_bound(arguments)...);
    if (status outcome = std::apply([](const auto&... values) { return detail::check_all_rows(values...); }, fields);
        !outcome.ok()) {
        return outcome;
    }
    return std::apply(
        [&](const auto&... values) { return detail::select_of_image(kept, image_of(values...), arguments...); },
        fields);
}

/// The non-throwing form on a whole batch, in place. A failure changes nothing.
template <detail::detection_batch Batch, class... Arguments>
[[nodiscard]] status try_select_rows(Batch&& batch, Arguments&&... arguments)
{
    static_assert(detail::select_arguments_known<Arguments...>());
    static_assert(!(detail::bound_values<Arguments> || ...),
                  "a batch has its fields: select_rows(batch, conditions...)");
    if constexpr (detail::rows_can_be_dropped<Batch>()) {
        static_assert(
            detail::image_can_be_chosen_from<detail::image_of_batch<Batch>, std::remove_cvref_t<Arguments>...>());
        return detail::keep_rows(batch, detail::condition_choice<std::remove_cvref_t<Arguments>...>{{arguments...}},
                                 arguments...);
    }
}

/// The non-throwing form of `sort_by_score` on one image's scores.
template <detail::bound_values Scores, class... Options>
[[nodiscard]] status try_sort_by_score(row_numbers& order, const Scores& scores, Options&&... options) noexcept
{
    static_assert(std::is_same_v<typename Scores::tag, t::scores_t>, "sort_by_score sorts by t::scores");
    static_assert(detail::sort_options_known<false, Options...>());
    if (status outcome = detail::check_rows<Scores>(scores.value, scores.row); !outcome.ok()) {
        return outcome;
    }
    const auto image = image_of(scores);
    static_assert(detail::image_can_be_chosen_from<std::remove_cv_t<decltype(image)>, highest_scores>());
    const std::size_t n = image.size();
    const detail::score_choice choice{detail::rows_at_most(options...)};
    detail::scratch_memory memory(options...);
    if (status outcome =
            detail::first_failure([&] { return detail::check_row_number(n); },
                                  [&] { return memory.reserve(choice.scratch_bytes(n) + n * sizeof(std::int32_t)); },
                                  [&] { return order.try_resize(n); });
        !outcome.ok()) {
        return outcome;
    }
    auto* const rows = reinterpret_cast<std::int32_t*>(memory.data() + choice.scratch_bytes(n));
    const std::size_t m = choice(image, 0, rows, memory.data());
    for (std::size_t j = 0; j < m; ++j) {
        order[j] = rows[j];
    }
    return order.try_resize(m);
}

/// The non-throwing form on a whole batch, in place. A failure changes nothing.
template <detail::detection_batch Batch, class... Options>
[[nodiscard]] status try_sort_by_score(Batch&& batch, Options&&... options)
{
    static_assert(detail::sort_options_known<true, Options...>());
    if constexpr (detail::rows_can_be_dropped<Batch>()) {
        static_assert(detail::image_can_be_chosen_from<detail::image_of_batch<Batch>, highest_scores>());
        return detail::keep_rows(batch, detail::score_choice{detail::rows_at_most(options...)}, options...);
    }
}

#if PADBATCH_EXCEPTIONS
/// The numbers of one image's rows that pass all conditions, ascending: `select_rows(t::scores(s), t::labels(l),
/// score_above(0.5F), label_in(list))`. The fields are those that the conditions need, in any container, `[n, ...]`.
/// Options: a workspace. Throws `error` if the fields have different numbers of rows, or a threshold is not finite.
template <detail::bound_values First, class... Arguments>
[[nodiscard]] row_numbers select_rows(const First& first, Arguments&&... arguments)
{
    row_numbers kept;
    detail::require(try_select_rows(kept, first, arguments...));
    return kept;
}
/// The same into `kept`, which keeps its memory.
template <detail::bound_values First, class... Arguments>
void select_rows(row_numbers& kept, const First& first, Arguments&&... arguments)
{
    detail::require(try_select_rows(kept, first, arguments...));
}

/// Keeps the rows of each image of a batch that pass all conditions, in place: they stand at the front of their image,
/// in all fields, in the order in which they were. A padded owner's rows behind them get the owner's pad values, a
/// view's zeros or those of `pad_values(...)`; a ragged batch closes up. Options: `parallel(loop)`, a workspace. Throws
/// `error`, having changed nothing, if a threshold is not finite, or the list of a condition is in the batch itself.
template <detail::detection_batch Batch, class... Arguments>
void select_rows(Batch&& batch, Arguments&&... arguments)
{
    detail::require(try_select_rows(static_cast<Batch&&>(batch), arguments...));
}

/// The numbers of one image's rows in the order of their scores, the highest first; equal scores stay in their order,
/// and NaN is last. Options: `at_most(k)`, a workspace.
template <detail::bound_values Scores, class... Options>
[[nodiscard]] row_numbers sort_by_score(const Scores& scores, Options&&... options)
{
    row_numbers order;
    detail::require(try_sort_by_score(order, scores, options...));
    return order;
}
/// The same into `order`, which keeps its memory.
template <detail::bound_values Scores, class... Options>
void sort_by_score(row_numbers& order, const Scores& scores, Options&&... options)
{
    detail::require(try_sort_by_score(order, scores, options...));
}

/// Sorts the rows of each image of a batch, in place. Options besides: `parallel(loop)`, and for the rows that
/// `at_most(k)` drops from a padded view, `pad_values(...)`.
template <detail::detection_batch Batch, class... Options>
void sort_by_score(Batch&& batch, Options&&... options)
{
    detail::require(try_sort_by_score(static_cast<Batch&&>(batch), options...));
}
#endif

} // namespace padbatch::inline PADBATCH_ABI

#endif
