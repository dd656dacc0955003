// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_DETECTION_DETAIL_GATHER_CHECKED_HPP
#define PADBATCH_DETECTION_DETAIL_GATHER_CHECKED_HPP

#include <padbatch/detail/contiguous.hpp>
#include <padbatch/detail/copy_row.hpp>
#include <padbatch/detail/first_failure.hpp>
#include <padbatch/detail/simd.hpp>
#include <padbatch/detection/detail/batch_overlap.hpp>
#include <padbatch/detection/detail/move_rows.hpp>
#include <padbatch/error.hpp>
#include <padbatch/fields.hpp>
#include <padbatch/image.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

namespace padbatch::inline PADBATCH_ABI::detail {

#if defined(__GNUC__)
typedef std::uint64_t four_words __attribute__((vector_size(32), aligned(8), may_alias));
#endif

/// Whether each of these is the number of one of n rows.
template <class Number>
[[nodiscard]] PADBATCH_DETAIL_INLINE bool all_are_rows(const Number* numbers, std::size_t m, std::size_t n) noexcept
{
    // The highest bit is set by a number below 0, and by n - 1 minus a number that is too large. (n is below 2^63.)
    const std::uint64_t last = std::uint64_t{n} - 1;
    std::size_t j = 0;
    std::uint64_t bad = 0;
#if defined(__GNUC__)
    if constexpr (sizeof(Number) == 8) {
        four_words bad_four = {0, 0, 0, 0};
        for (; j + 4 <= m; j += 4) {
            const four_words four = *reinterpret_cast<const four_words*>(numbers + j);
            bad_four |= four | (last - four);
        }
        bad = bad_four[0] | bad_four[1] | bad_four[2] | bad_four[3];
    }
#endif
    for (; j < m; ++j) {
        const auto number = static_cast<std::uint64_t>(numbers[j]);
        bad |= number | (last - number);
    }
    return bad >> 63U == 0;
}
#if PADBATCH_DETAIL_HAS_AVX2
template <class Number>
[[nodiscard, gnu::noinline, gnu::target("avx2")]] bool all_are_rows_avx2(const Number* numbers, std::size_t m,
                                                                         std::size_t n) noexcept
{
    return all_are_rows(numbers, m, n);
}
#endif
template <class Number>
[[nodiscard]] bool are_row_numbers(const Number* numbers, std::size_t m, std::size_t n) noexcept
{
#if PADBATCH_DETAIL_HAS_AVX2
    if (m >= 64 && __builtin_cpu_supports("avx2") != 0) {
        return all_are_rows_avx2(numbers, m, n);
    }
#endif
    return all_are_rows(numbers, m, n);
}

/// Refuses numbers that are not those of n rows.
template <class Number>
[[nodiscard]] status check_row_numbers(std::span<const Number> numbers, std::size_t n) noexcept
{
    if (are_row_numbers(numbers.data(), numbers.size(), n)) {
        return {};
    }
    std::size_t j = 0;
    while (are_row_numbers(numbers.data() + j, 1, n)) {
        ++j;
    }
    return {status_code::bad_argument, "row number {} of the list is {}, but there are {} rows, from 0 on", j,
            static_cast<std::int64_t>(numbers[j]), n};
}

/// The rows' memory, in place where they are contiguous; otherwise from the first byte to the last.
template <class T, class E, class Layout>
[[nodiscard]] bool rows_share(const basic_rows<T, E, Layout>& rows, std::span<const std::byte> memory) noexcept
{
    return rows_overlap(rows, memory.data(), memory.data() + memory.size());
}
template <class Reader, class Items, class Access>
[[nodiscard]] bool rows_share(const item_rows<Reader, Items, Access>& rows, std::span<const std::byte> memory) noexcept
{
    for (std::size_t j = 0; j < rows.size(); ++j) {
        bool shared = false;
        rows.pieces(j, [&](const auto* data, std::size_t n) {
            shared = shared || spans_overlap(std::as_bytes(std::span(data, n)), memory);
        });
        if (shared) {
            return true;
        }
    }
    return false;
}

/// Checks one field of the output against the field of the same tag of the input.
template <class Tag, class Outputs, class Inputs>
[[nodiscard]] status check_gathered_field(const Outputs& outputs, const Inputs& inputs, std::size_t m) noexcept
{
    const auto to = outputs[Tag{}];
    const auto from = inputs[Tag{}];
    if (to.size() < m) {
        return {status_code::size_mismatch, "{} has room for {} rows, but {} are gathered", Tag::name, to.size(), m};
    }
    if (from.size() != 0 && to.row_size() != from.row_size()) {
        return {status_code::row_mismatch, "a row of {} has {} elements where it is read, but {} where it is written",
                Tag::name, from.row_size(), to.row_size()};
    }
    return {};
}

/// The first m rows of an output field, as bytes.
template <class Rows>
[[nodiscard]] std::span<const std::byte> written_rows(const Rows& rows, std::size_t m) noexcept
{
    return std::as_bytes(rows.first(m).flat());
}

/// Refuses an output field that shares memory with the numbers, an input, or another output.
template <class Tag, class... In, class... Out>
[[nodiscard]] status check_gathered_apart(const image_view<Out...>& outputs, const image_view<In...>& inputs,
                                          std::span<const std::byte> numbers, std::size_t m) noexcept
{
    const std::span<const std::byte> mine = written_rows(outputs[Tag{}], m);
    const auto is_other = [&](const auto& rows, auto is_same) {
        return !is_same && spans_overlap(written_rows(rows, m), mine);
    };
    const bool shared = spans_overlap(numbers, mine) || (rows_share(inputs[typename In::tag{}], mine) || ...) ||
                        (is_other(outputs[typename Out::tag{}], std::is_same<typename Out::tag, Tag>()) || ...);
    if (shared) {
        return {status_code::overlap, "{} is written to memory that is read, or that another field is written to",
                Tag::name};
    }
    return {};
}

template <class Tag, class Outputs, class Inputs>
consteval bool can_be_gathered() noexcept
{
    using to_type = std::remove_cvref_t<decltype(std::declval<const Outputs&>()[Tag{}])>;
    static_assert(!std::is_void_v<field_of<Tag, typename Inputs::tags>>,
                  "each field that is written needs one with the same tag that is read: gather_rows_into("
                  "t::boxes(out), numbers, t::boxes(in))");
    if constexpr (!std::is_void_v<field_of<Tag, typename Inputs::tags>>) {
        using from_type = std::remove_cvref_t<decltype(std::declval<const Inputs&>()[Tag{}])>;
        static_assert(
            requires(const to_type& rows) { rows.flat(); },
            "rows are gathered into contiguous memory: a vector, a span, a slot of a batch");
        static_assert(std::is_same_v<typename to_type::value_type, typename from_type::value_type>,
                      "a field is written with another element type than it is read: nothing is converted here");
    }
    return true;
}

/// Gathers rows of one field, which have been checked.
template <class T, class E, class From, class Number>
void gather_field(const basic_rows<T, E>& to, const From& from, const Number* numbers, std::size_t m) noexcept
{
    if constexpr (From::extents_type::is_static && requires { from.flat(); }) {
        constexpr typename From::extents_type extents{};
        move_rows<extents.size() * sizeof(T)>(reinterpret_cast<std::byte*>(to.data()),
                                              reinterpret_cast<const std::byte*>(from.data()), numbers, 0, m);
    } else {
        for (std::size_t j = 0; j < m; ++j) {
            copy_row_of(to.row_data(j), to.extents(), from, static_cast<std::size_t>(numbers[j]));
        }
    }
}

} // namespace padbatch::inline PADBATCH_ABI::detail

#endif
