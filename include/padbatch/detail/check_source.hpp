// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_DETAIL_CHECK_SOURCE_HPP
#define PADBATCH_DETAIL_CHECK_SOURCE_HPP

#include <padbatch/detail/pad_images.hpp>
#include <padbatch/source.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <tuple>
#include <type_traits>

namespace padbatch::inline PADBATCH_MODE::detail {

/// Whether a source's field can be copied into an output's; if not, compiling ends here with the reason.
template <class Out, class In>
consteval bool match_field() noexcept
{
    static_assert(!std::is_void_v<In>,
                  "the output has a field (see Out above) that the source lacks: name it in the source, "
                  "as in each(t::boxes(boxes), t::scores(scores)), or leave it out of the output");
    if constexpr (!std::is_void_v<In>) {
        static_assert(std::is_same_v<typename Out::value_type, typename In::value_type>,
                      "a field has another element type in the output (see Out above) than in the source (see In): "
                      "nothing is converted unasked; write t::labels(x).as<std::int32_t>() in the source, or give the "
                      "output that type, as in labels<std::int64_t>");
        static_assert(may_be_same<typename Out::extents_type, typename In::extents_type>(),
                      "a field has rows of another shape in the output (see Out above) than in the source (see In)");
    }
    return true;
}
template <class List, class... Fields>
consteval bool match_fields() noexcept
{
    return (match_field<Fields, field_of<typename Fields::tag, List>>() && ...);
}

template <class... Options>
consteval bool options_known() noexcept
{
    static_assert(
        (is_pad_option<std::remove_cvref_t<Options>> && ...),
        "an option of pad_into is one of overflow::..., capacity::..., fill(...), padding::reuse, a workspace");
    static_assert((std::size_t{0} + ... + (is_overflow<std::remove_cvref_t<Options>> ? 1 : 0)) < 2 &&
                      (std::size_t{0} + ... + (is_fill<std::remove_cvref_t<Options>> ? 1 : 0)) < 2 &&
                      (std::size_t{0} + ... + (std::is_same_v<std::remove_cvref_t<Options>, capacity> ? 1 : 0)) < 2,
                  "overflow::..., capacity::... and fill(...) can be given once; fill takes several fields");
    static_assert(((!std::is_same_v<Options, workspace> && !std::is_same_v<Options, pad_result>) && ...),
                  "a workspace and a pad_result are variables, which keep what they are given");
    return true;
}

/// The largest count of a source.
template <class Source>
[[nodiscard]] std::size_t largest_count(const Source& source) noexcept
{
    std::size_t most = 0;
    for (std::size_t i = 0; i < source.size(); ++i) {
        const std::size_t n = source.count(i);
        most = n > most ? n : most;
    }
    return most;
}

/// The extents that a field's rows have in a source: those of the first image that has any; `otherwise` without images.
template <class Field, class Source>
[[nodiscard]] auto extents_in(const Source& source, const typename Field::extents_type& otherwise) noexcept
{
    using E = typename Field::extents_type;
    if constexpr (E::is_static) {
        return E{};
    } else {
        std::size_t first = 0;
        while (first < source.size() && source.count(first) == 0) {
            ++first;
        }
        if (first == source.size()) {
            if (source.size() == 0) {
                return otherwise;
            }
            first = 0;
        }
        const auto image = source.image(first); // holds the rows whose extents are read
        const E found = extents_cast<E>(image[typename Field::tag{}].extents());
        return source.count(first) == 0 && found.size() == 0 ? otherwise : found;
    }
}

template <class Field, class Image>
[[nodiscard]] status check_row_extents(const Image& image, std::size_t i,
                                       const typename Field::extents_type& expected) noexcept
{
    using E = typename Field::extents_type;
    const auto& rows = image[typename Field::tag{}];
    using From = std::remove_cvref_t<decltype(rows.extents())>;
    if constexpr (!(E::is_static && From::is_static)) {
        if (!expected.same_as(rows.extents())) {
            std::size_t all[2][E::rank + 1] = {};
            rows.extents().copy_to(all[0]);
            expected.copy_to(all[1]);
            return {errc::row_mismatch,
                    "image {} has rows of {} in {}; expected are {}, as in the output and in all images "
                    "of a batch",
                    i,
                    std::span<const std::size_t>(all[0], E::rank),
                    Field::tag::name,
                    std::span<const std::size_t>(all[1], E::rank)};
        }
    }
    return {};
}

/// Compares as numbers: the pointers belong to different objects.
[[nodiscard]] inline bool is_below(const void* a, const void* b) noexcept
{
    return reinterpret_cast<std::uintptr_t>(a) < reinterpret_cast<std::uintptr_t>(b);
}

template <class... TaggedRows>
[[nodiscard]] bool image_overlaps(const image_view<TaggedRows...>& image, const void* first, const void* last) noexcept
{
    return (rows_overlap(image[typename TaggedRows::tag{}], first, last) || ...);
}

/// Memory that an output writes.
struct memory_range {
    const void* first = nullptr;
    const void* last = nullptr;
    const char* name = "";
};

/// What one look at all images of a source finds out.
struct examined_source {
    std::size_t rows = 0;    // that are copied
    std::size_t dropped = 0; // that do not fit
    std::size_t longest = 0; // the most rows of an image that has too many
    bool overlaps = false;   // some rows may lie in the memory that is written
};

/// Looks at all images of a source that was checked: whether they are what an output of `capacity` rows can take, and
/// whether they may lie in the `written` memory. `extents` are those of the output's rows.
template <class... Fields, class Source, class Policy>
[[nodiscard]] status examine(const Source& source, std::size_t capacity, Policy /*policy*/,
                             const std::tuple<typename Fields::extents_type...>& extents, const memory_range& written,
                             examined_source& result) noexcept
{
    constexpr bool checks_extents = !(Fields::extents_type::is_static && ...);
    constexpr bool checks_overlap = !requires { source.overlaps(written.first, written.last); };
    const std::size_t size = source.size();
    examined_source found;
    for (std::size_t i = 0; i < size; ++i) {
        const std::size_t n = source.count(i);
        if (n > capacity) [[unlikely]] {
            if constexpr (std::is_same_v<Policy, overflow::error_t>) {
                return {errc::too_many_rows,
                        "image {} has {} rows, and the capacity is {}: make it larger, or say which rows to drop with "
                        "overflow::truncate or overflow::top_scores",
                        i, n, capacity};
            } else {
                found.dropped += n - capacity;
                found.longest = n > found.longest ? n : found.longest;
            }
        }
        found.rows += n < capacity ? n : capacity;
        if constexpr (checks_extents || checks_overlap) {
            const auto image = source.image(i);
            if constexpr (checks_extents) {
                if (n != 0) {
                    status outcome;
                    static_cast<void>(
                        ((outcome = check_row_extents<Fields>(image, i, std::get<index_in<Fields, Fields...>>(extents)),
                          outcome.ok()) &&
                         ...));
                    if (!outcome.ok()) [[unlikely]] {
                        return outcome;
                    }
                }
            }
            if constexpr (checks_overlap) {
                found.overlaps |= image_overlaps(image, written.first, written.last);
            }
        }
    }
    if constexpr (!checks_overlap) {
        found.overlaps = source.overlaps(written.first, written.last);
    }
    result = found;
    return {};
}

/// Whether the source as a whole and each of its images are what they should be. Before this, nothing else is asked.
template <class Source>
[[nodiscard]] status check_source(const Source& source) noexcept
{
    if constexpr (requires { source.check(); }) {
        if (status outcome = source.check(); !outcome.ok()) [[unlikely]] {
            return outcome;
        }
    }
    if constexpr (requires { source.is_whole(0); }) {
        for (std::size_t i = 0; i < source.size(); ++i) {
            if (!source.is_whole(i)) [[unlikely]] {
                return source.check(i);
            }
        }
    }
    return {};
}

/// Whether any row of a source lies in the memory.
template <class Source>
[[nodiscard]] bool source_overlaps(const Source& source, const memory_range& written) noexcept
{
    if constexpr (requires { source.overlaps(written.first, written.last); }) {
        return source.overlaps(written.first, written.last);
    } else {
        bool found = false;
        for (std::size_t i = 0; i < source.size(); ++i) {
            const auto image = source.image(i);
            found |= image_overlaps(image, written.first, written.last);
        }
        return found;
    }
}

template <class... Fields>
[[nodiscard]] const void* end_of_counts(const padded_view<Fields...>& output) noexcept
{
    return static_cast<const std::byte*>(output.count_data()) +
           output.size() * (output.count_type() == number_type::int64 ? 8 : 4);
}

/// What encloses the counts and all fields of an output.
template <class... Fields>
[[nodiscard]] memory_range hull_of(const padded_view<Fields...>& output) noexcept
{
    memory_range hull{output.count_data(), end_of_counts(output)};
    const auto widen = [&hull](const void* first, const void* last) {
        hull.first = is_below(first, hull.first) ? first : hull.first;
        hull.last = is_below(hull.last, last) ? last : hull.last;
    };
    (widen(output[typename Fields::tag{}].begin(), output[typename Fields::tag{}].end()), ...);
    return hull;
}

/// Which part of an output shares memory with a source, if any.
template <class... Fields, class Source>
[[nodiscard, gnu::noinline]] status check_overlap(const padded_view<Fields...>& output, const Source& source) noexcept
{
    const memory_range ranges[] = {
        {output.count_data(), end_of_counts(output), "counts"},
        {output[typename Fields::tag{}].begin(), output[typename Fields::tag{}].end(), Fields::tag::name}...};
    for (const memory_range& range : ranges) {
        if (source_overlaps(source, range)) {
            return {errc::overlap, "the output's {} overlap the source's rows: pad into other memory", range.name};
        }
    }
    return {};
}

/// Whether a pad value is one that the field can hold; sets it.
template <class T, class Value>
[[nodiscard]] status convert_fill(const char* name, const Value& value, raw_value<T>& to) noexcept
{
    if constexpr (std::is_same_v<T, Value>) {
        to.set(value);
    } else {
        static_assert(element<T> && element<Value>,
                      "the pad value has another type than the field; it is one number, for all elements of a row");
        const T result = convert<T>(value);
        to.set(result);
        if constexpr (std::is_integral_v<T>) {
            bool same = false;
            if constexpr (std::is_same_v<T, bool>) {
                same = value == Value{0} || value == Value{1};
            } else if constexpr (std::is_floating_point_v<Value>) {
                same = static_cast<double>(result) == static_cast<double>(value) &&
                       static_cast<double>(value) < 2.0 * static_cast<double>(std::make_unsigned_t<T>{1}
                                                                              << (std::numeric_limits<T>::digits - 1));
            } else {
                same = static_cast<Value>(result) == value && (result < T{0}) == (value < Value{0});
            }
            if (!same) {
                return {errc::bad_argument, "the pad value {} of {} is none that its type, {}, can hold",
                        static_cast<double>(value), name, name_of(element_type_of<T>)};
            }
        }
    }
    return {};
}

template <class Field, class... Bounds>
[[nodiscard]] status make_fill(const fill_t<Bounds...>& given, field_fill<Field>& result) noexcept
{
    status outcome;
    const auto take = [&](const auto& bound) {
        using tag = typename std::remove_cvref_t<decltype(bound)>::tag;
        if constexpr (std::is_same_v<tag, typename Field::tag>) {
            outcome = convert_fill(tag::name, bound.value, result.value);
        }
    };
    std::apply([&](const auto&... bound) { (take(bound), ...); }, given.values);
    if (sizeof...(Bounds) != 0) {
        result.pattern = fill_pattern(result.value.bytes, sizeof(result.value.bytes));
    }
    return outcome;
}

/// What holds the pad values that the options give.
template <class List, class... Options>
struct fill_holder;
template <class... Fields, class... Options>
struct fill_holder<field_list<Fields...>, Options...> {
    using type = std::conditional_t<(is_fill<std::remove_cvref_t<Options>> || ...), given_fill<Fields...>, zero_fill>;
};

/// Sets the pad values of all fields.
inline status make_fills(const fill_t<>& /*given*/, zero_fill& /*values*/) noexcept
{
    return {};
}
template <class... Fields, class... Bounds>
[[nodiscard]] status make_fills(const fill_t<Bounds...>& given, given_fill<Fields...>& values) noexcept
{
    static_assert(((times_named<typename Bounds::tag, Fields...> == 1) && ...),
                  "a pad value is given for a field that the output lacks");
    static_assert(tags_differ<Bounds...>, "a field's pad value is given twice");
    status outcome;
    static_cast<void>(((outcome = make_fill(given, std::get<field_fill<Fields>>(values.fields)), outcome.ok()) && ...));
    return outcome;
}

} // namespace padbatch::inline PADBATCH_MODE::detail

#endif
