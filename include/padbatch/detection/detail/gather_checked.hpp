// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_DETECTION_DETAIL_GATHER_CHECKED_HPP
#define PADBATCH_DETECTION_DETAIL_GATHER_CHECKED_HPP

#include <padbatch/detail/contiguous.hpp>
#include <padbatch/detail/copy_row.hpp>
#include <padbatch/detail/first_failure.hpp>
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

/// Whether each of these is the number of one of n rows.
template <class Number>
[[nodiscard]] bool are_row_numbers(const Number* numbers, std::size_t m, std::size_t n) noexcept
{
    // The highest bit is set by a number below 0, and by n - 1 minus a number that is too large. (n is below 2^63.)
    std::uint64_t bad = 0;
    std::uint64_t bad_too = 0;
    const auto look = [n](Number number) noexcept {
        const auto wide = static_cast<std::uint64_t>(number);
        return wide | (static_cast<std::uint64_t>(n) - 1 - wide);
    };
    std::size_t j = 0;
    for (; j + 2 <= m; j += 2) {
        bad |= look(numbers[j]);
        bad_too |= look(numbers[j + 1]);
    }
    if (j < m) {
        bad |= look(numbers[j]);
    }
    return ((bad | bad_too) >> 63U) == 0;
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
    const bool shared =
        spans_overlap(numbers, mine) || (rows_share(inputs[typename In::tag{}], mine) || ...) ||
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
        static_assert(requires(const to_type& rows) { rows.flat(); },
                      "rows are gathered into contiguous memory: a vector, a span, a slot of a batch");
        static_assert(std::is_same_v<typename to_type::value_type, typename from_type::value_type>,
                      "a field is written with another element type than it is read: nothing is converted here");
    }
    return true;
}

/// Gathers rows, which have been checked: in one pass over all fields, if their extents are constants.
template <class Number, class Inputs, class... Out>
void gather_checked(const image_view<Out...>& outputs, const Number* numbers, std::size_t m,
                    const Inputs& inputs) noexcept
{
    const auto is_plain = []<class Tag>(Tag /*tag*/) {
        using from_type = std::remove_cvref_t<decltype(std::declval<const Inputs&>()[Tag{}])>;
        return std::bool_constant<from_type::extents_type::is_static && requires(const from_type& rows) {
            rows.flat();
        }>();
    };
    if constexpr ((decltype(is_plain(typename Out::tag{}))::value && ...)) {
        const auto move_of = [&]<class Tag>(Tag tag) {
            const auto from = inputs[tag];
            using from_type = std::remove_cvref_t<decltype(from)>;
            constexpr typename from_type::extents_type extents{};
            return field_move<extents.size() * sizeof(typename from_type::value_type)>{
                reinterpret_cast<std::byte*>(outputs[tag].data()), reinterpret_cast<const std::byte*>(from.data())};
        };
        move_rows(numbers, 0, m, move_of(typename Out::tag{})...);
    } else {
        const auto gather = [&]<class Tag>(Tag tag) {
            const auto to = outputs[tag];
            const auto from = inputs[tag];
            for (std::size_t j = 0; j < m; ++j) {
                copy_row_of(to.row_data(j), to.extents(), from, static_cast<std::size_t>(numbers[j]));
            }
        };
        (gather(typename Out::tag{}), ...);
    }
}

} // namespace padbatch::inline PADBATCH_ABI::detail

#endif
