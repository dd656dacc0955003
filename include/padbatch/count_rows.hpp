// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_COUNT_ROWS_HPP
#define PADBATCH_COUNT_ROWS_HPP

#include <padbatch/convert_counts.hpp>
#include <padbatch/counts.hpp>
#include <padbatch/detail/anything.hpp>
#include <padbatch/detail/first_failure.hpp>
#include <padbatch/element_type.hpp>

#include <cstddef>
#include <type_traits>

namespace padbatch::inline PADBATCH_ABI {

/// Writes the counts of a padded batch that comes without them, from a `[B, M]` tensor of scores or ids: a row is real
/// if `is_real(value)` is true, which must not throw. Fails with `status_code::not_a_prefix` if an image's real rows
/// are not its first ones.
template <detail::contiguous_values R, class IsReal, detail::count_output To>
[[nodiscard]] status try_count_rows(const R& values, std::size_t capacity, const IsReal& is_real, To&& to) noexcept
{
    using T = detail::output_value<To>;
    status outcome = detail::first_failure([&] { return mask_view::check_size(values.size(), to.size(), capacity); },
                                           [&] { return detail::check_highest<T>(capacity); });
    const auto count = [&](std::size_t i) {
        std::size_t n = 0;
        while (n < capacity && is_real(values.data()[i * capacity + n])) {
            ++n;
        }
        return n;
    };
    for (std::size_t i = 0; outcome.ok() && i < to.size(); ++i) {
        const std::size_t n = count(i);
        for (std::size_t j = n; j < capacity; ++j) {
            if (is_real(values.data()[i * capacity + j])) {
                outcome = {status_code::not_a_prefix,
                           "row {} of image {} is real, but row {} is not: real rows must come first", j, i, n};
                break;
            }
        }
    }
    for (std::size_t i = 0; outcome.ok() && i < to.size(); ++i) {
        to.data()[i] = static_cast<T>(count(i));
    }
    return outcome;
}

/// The same for scores, as in exports without a count output: a row is real if its score is above `threshold`.
template <detail::contiguous_values R, detail::count_output To>
[[nodiscard]] status try_count_scores(const R& scores, std::size_t capacity, To&& to, double threshold = 0) noexcept
{
    return try_count_rows(scores, capacity, [threshold](auto score) { return convert<double>(score) > threshold; }, to);
}

/// The same for ids, where -1 marks the first row that is not real.
template <detail::contiguous_values R, detail::count_output To>
[[nodiscard]] status try_count_ids(const R& ids, std::size_t capacity, To&& to) noexcept
{
    static_assert(std::is_signed_v<detail::value_of<const R>>, "ids that end with -1 must be of a signed type");
    return try_count_rows(ids, capacity, [](auto id) { return !(id == static_cast<decltype(id)>(-1)); }, to);
}

namespace detail {

/// For a call whose arguments are none that count rows.
template <class Never>
consteval bool nothing_to_count() noexcept
{
    static_assert(
        chosen<Never>,
        "count_scores(scores, M, counts), count_ids and count_rows read a container of [B, M] values and write "
        "to one of [B] counts that is not const, of int32, int64 or float (for a pointer write "
        "std::span(pointer, size))");
    return false;
}

} // namespace detail

template <class Never = void>
[[nodiscard]] status try_count_rows(PADBATCH_DETAIL_ANYTHING)
{
    static_cast<void>(detail::nothing_to_count<Never>());
    return {};
}
template <class Never = void>
[[nodiscard]] status try_count_scores(PADBATCH_DETAIL_ANYTHING)
{
    static_cast<void>(detail::nothing_to_count<Never>());
    return {};
}
template <class Never = void>
[[nodiscard]] status try_count_ids(PADBATCH_DETAIL_ANYTHING)
{
    static_cast<void>(detail::nothing_to_count<Never>());
    return {};
}

#if PADBATCH_EXCEPTIONS
/// The throwing forms.
template <class R, class IsReal, class To>
void count_rows(const R& values, std::size_t capacity, const IsReal& is_real, To&& to)
{
    detail::require(try_count_rows(values, capacity, is_real, to));
}
template <class R, class To>
void count_scores(const R& scores, std::size_t capacity, To&& to, double threshold = 0)
{
    detail::require(try_count_scores(scores, capacity, to, threshold));
}
template <class R, class To>
void count_ids(const R& ids, std::size_t capacity, To&& to)
{
    detail::require(try_count_ids(ids, capacity, to));
}
#endif

} // namespace padbatch::inline PADBATCH_ABI

#endif
