// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_CONVERT_COUNTS_HPP
#define PADBATCH_CONVERT_COUNTS_HPP

#include <padbatch/counts.hpp>
#include <padbatch/error.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <type_traits>

/// The ways to say how many rows each image has, and the ways from one to the other:
///
///     counts      [B]       2 0 3            int32, int64, float
///     offsets     [B + 1]   0 2 2 5          int32, int64
///     row ids     [n]       0 0 2 2 2        int32, int64: the image of each row, ascending
///     mask        [B, M]    110 000 111      bool or uint8: which rows of each image are real
///
/// Each is a view whose constructor validates it once; what converts a view can only fail for the size of the output.
/// `to_...` throws `error`, `try_to_...` returns a `status`; both write nothing then.
namespace padbatch::inline PADBATCH_MODE {

/// The image of each row, ascending. A view whose ids were found to be so.
class row_ids_view {
public:
    row_ids_view() noexcept = default;

    /// Why `values` are no row ids of a batch of this size, if so: `errc::bad_batch_index`.
    template <detail::contiguous_values R>
        requires offset_element<detail::value_of<const R>>
    [[nodiscard]] static status check(const R& values, std::size_t batch) noexcept
    {
        std::int64_t before = 0;
        for (std::size_t j = 0; j < values.size(); ++j) {
            const std::int64_t id = values.data()[j];
            if (id < 0 || static_cast<std::uint64_t>(id) >= batch) {
                return {errc::bad_batch_index,
                        "the id of row {} is {}; expected is 0 to {}, one less than the batch size", j, id,
                        static_cast<std::int64_t>(batch) - 1};
            }
            if (id < before) {
                return {errc::bad_batch_index,
                        "the id of row {} is {}, after {}: row ids ascend (for rows in any order there is row_index)",
                        j, id, before};
            }
            before = id;
        }
        return {};
    }

    template <detail::contiguous_values R>
        requires offset_element<detail::value_of<const R>>
    row_ids_view(unchecked_t, const R& values, std::size_t batch) noexcept
        : m_data(values.data()), m_type(detail::number_type_of<detail::value_of<const R>>), m_size(values.size()),
          m_batch(batch)
    {
    }
#if PADBATCH_EXCEPTIONS
    /// Throws `error` where `check` fails.
    template <detail::contiguous_values R>
        requires offset_element<detail::value_of<const R>>
    row_ids_view(const R& values, std::size_t batch) : row_ids_view(unchecked, values, batch)
    {
        detail::require(check(values, batch));
    }
#endif

    /// The number of rows.
    [[nodiscard]] std::size_t size() const noexcept { return m_size; }
    /// The number of images.
    [[nodiscard]] std::size_t batch() const noexcept { return m_batch; }
    [[nodiscard]] std::size_t operator[](std::size_t j) const noexcept
    {
        return static_cast<std::size_t>(detail::read_number(m_data, m_type, j));
    }

private:
    const void* m_data = nullptr;
    detail::number_type m_type = detail::number_type::int32;
    std::size_t m_size = 0;
    std::size_t m_batch = 0;
};

namespace detail {

template <class T>
concept mask_element = std::same_as<std::remove_cv_t<T>, bool> || std::same_as<std::remove_cv_t<T>, std::uint8_t>;

} // namespace detail

/// Which rows of a padded batch are real, `[B, M]`. A view in which each image's real rows were found to be its first
/// ones.
class mask_view {
public:
    mask_view() noexcept = default;

    /// Why `values` are no such mask, if so: `errc::size_mismatch`, `errc::not_a_prefix`.
    template <detail::contiguous_values R>
        requires detail::mask_element<detail::value_of<const R>>
    [[nodiscard]] static status check(const R& values, std::size_t batch, std::size_t capacity) noexcept
    {
        if (status outcome = check_size(values.size(), batch, capacity); !outcome.ok()) {
            return outcome;
        }
        for (std::size_t i = 0; i < batch; ++i) {
            for (std::size_t j = 1; j < capacity; ++j) {
                if (values.data()[i * capacity + j] && !values.data()[i * capacity + j - 1]) {
                    return {errc::not_a_prefix, "row {} of image {} is real, and row {} is not: real rows come first",
                            j, i, j - 1};
                }
            }
        }
        return {};
    }
    template <detail::contiguous_values R>
        requires detail::mask_element<detail::value_of<const R>>
    mask_view(unchecked_t, const R& values, std::size_t batch, std::size_t capacity) noexcept
        : m_data(reinterpret_cast<const unsigned char*>(values.data())), m_batch(batch), m_capacity(capacity)
    {
    }
#if PADBATCH_EXCEPTIONS
    /// Throws `error` where `check` fails.
    template <detail::contiguous_values R>
        requires detail::mask_element<detail::value_of<const R>>
    mask_view(const R& values, std::size_t batch, std::size_t capacity) : mask_view(unchecked, values, batch, capacity)
    {
        detail::require(check(values, batch, capacity));
    }
#endif

    /// The number of images.
    [[nodiscard]] std::size_t size() const noexcept { return m_batch; }
    [[nodiscard]] std::size_t capacity() const noexcept { return m_capacity; }
    /// The number of real rows of image i.
    [[nodiscard]] std::size_t count(std::size_t i) const noexcept
    {
        std::size_t n = 0;
        while (n < m_capacity && m_data[i * m_capacity + n] != 0) {
            ++n;
        }
        return n;
    }

    /// Whether `values` elements are `[batch, capacity]`.
    [[nodiscard]] static status check_size(std::size_t values, std::size_t batch, std::size_t capacity) noexcept
    {
        if (capacity == 0 ? values != 0 : values % capacity != 0 || values / capacity != batch) {
            return {errc::size_mismatch, "there are {} values; expected are {} images of {} rows", values, batch,
                    capacity};
        }
        return {};
    }

private:
    const unsigned char* m_data = nullptr;
    std::size_t m_batch = 0;
    std::size_t m_capacity = 0;
};

namespace detail {

[[nodiscard]] inline status check_output_size(const char* what, std::size_t found, std::size_t expected) noexcept
{
    if (found != expected) {
        return {errc::size_mismatch, "there is room for {} {}, and there are {}", found, what, expected};
    }
    return {};
}

/// Whether a type can hold a number up to `most`.
template <class T>
[[nodiscard]] status check_highest(std::size_t most) noexcept
{
    if (most > highest_number(number_type_of<T>)) {
        return {errc::size_overflow, "{} is more than the output's type can hold", most};
    }
    return {};
}

/// How many images a description is of, and how many rows each has.
[[nodiscard]] inline std::size_t count_in(const counts_view& from, std::size_t i) noexcept
{
    return from[i];
}
[[nodiscard]] inline std::size_t count_in(const offsets_view& from, std::size_t i) noexcept
{
    return from.count(i);
}
[[nodiscard]] inline std::size_t count_in(const mask_view& from, std::size_t i) noexcept
{
    return from.count(i);
}

/// The rows of all images; the largest number there is where they do not fit.
template <class From>
[[nodiscard]] std::size_t total_of(const From& from) noexcept
{
    std::size_t total = 0;
    for (std::size_t i = 0; i < from.size(); ++i) {
        if (__builtin_add_overflow(total, count_in(from, i), &total)) {
            return std::numeric_limits<std::size_t>::max();
        }
    }
    return total;
}

} // namespace detail

/// A description of a batch that has a count for each image: counts, offsets or a mask.
template <class T>
concept counted = std::same_as<T, counts_view> || std::same_as<T, offsets_view> || std::same_as<T, mask_view>;

/// Writes a count for each image, `[B]`.
template <counted From, detail::contiguous_values To>
    requires count_element<detail::output_value<To>>
[[nodiscard]] status try_to_counts(const From& from, To&& to) noexcept
{
    using T = detail::output_value<To>;
    if (status outcome = detail::check_output_size("counts", to.size(), from.size()); !outcome.ok()) {
        return outcome;
    }
    std::size_t most = 0;
    for (std::size_t i = 0; i < from.size(); ++i) {
        const std::size_t n = detail::count_in(from, i);
        most = n > most ? n : most;
    }
    if (status outcome = detail::check_highest<T>(most); !outcome.ok()) {
        return outcome;
    }
    for (std::size_t i = 0; i < from.size(); ++i) {
        to.data()[i] = static_cast<T>(detail::count_in(from, i));
    }
    return {};
}
template <detail::contiguous_values To>
    requires count_element<detail::output_value<To>>
[[nodiscard]] status try_to_counts(const row_ids_view& from, To&& to) noexcept
{
    using T = detail::output_value<To>;
    status outcome = detail::check_output_size("counts", to.size(), from.batch());
    outcome = outcome.ok() ? detail::check_highest<T>(from.size()) : outcome;
    if (outcome.ok()) {
        for (T& n : to) {
            n = T{0};
        }
        for (std::size_t j = 0; j < from.size(); ++j) {
            to.data()[from[j]] += T{1};
        }
    }
    return outcome;
}

/// Writes where each image's rows begin, `[B + 1]`, from 0 on.
template <counted From, detail::contiguous_values To>
    requires offset_element<detail::output_value<To>>
[[nodiscard]] status try_to_offsets(const From& from, To&& to) noexcept
{
    using T = detail::output_value<To>;
    status outcome = detail::check_output_size("offsets", to.size(), from.size() + 1);
    outcome = outcome.ok() ? detail::check_highest<T>(detail::total_of(from)) : outcome;
    if (outcome.ok()) {
        std::size_t first = 0;
        for (std::size_t i = 0; i < from.size(); ++i) {
            to.data()[i] = static_cast<T>(first);
            first += detail::count_in(from, i);
        }
        to.data()[from.size()] = static_cast<T>(first);
    }
    return outcome;
}
template <detail::contiguous_values To>
    requires offset_element<detail::output_value<To>>
[[nodiscard]] status try_to_offsets(const row_ids_view& from, To&& to) noexcept
{
    using T = detail::output_value<To>;
    status outcome = detail::check_output_size("offsets", to.size(), from.batch() + 1);
    outcome = outcome.ok() ? detail::check_highest<T>(from.size()) : outcome;
    if (outcome.ok()) {
        std::size_t j = 0;
        for (std::size_t i = 0; i <= from.batch(); ++i) {
            while (j < from.size() && from[j] < i) {
                ++j;
            }
            to.data()[i] = static_cast<T>(j);
        }
    }
    return outcome;
}

/// Writes the image of each row, `[n]`.
template <counted From, detail::contiguous_values To>
    requires offset_element<detail::output_value<To>>
[[nodiscard]] status try_to_row_ids(const From& from, To&& to) noexcept
{
    using T = detail::output_value<To>;
    status outcome = detail::check_output_size("row ids", to.size(), detail::total_of(from));
    outcome = outcome.ok() ? detail::check_highest<T>(from.size()) : outcome;
    if (outcome.ok()) {
        std::size_t j = 0;
        for (std::size_t i = 0; i < from.size(); ++i) {
            for (std::size_t n = detail::count_in(from, i); n != 0; --n) {
                to.data()[j++] = static_cast<T>(i);
            }
        }
    }
    return outcome;
}

/// Writes which rows are real, `[B, M]`, where M is `capacity`; `errc::bad_count` when an image has more rows.
template <counted From, detail::contiguous_values To>
    requires detail::mask_element<detail::output_value<To>>
[[nodiscard]] status try_to_mask(const From& from, std::size_t capacity, To&& to) noexcept
{
    using T = detail::output_value<To>;
    status outcome = mask_view::check_size(to.size(), from.size(), capacity);
    for (std::size_t i = 0; outcome.ok() && i < from.size(); ++i) {
        if (detail::count_in(from, i) > capacity) {
            outcome = {errc::bad_count, "image {} has {} rows, and the mask has {} for each image", i,
                       detail::count_in(from, i), capacity};
        }
    }
    if (outcome.ok()) {
        for (std::size_t i = 0; i < from.size(); ++i) {
            const std::size_t n = detail::count_in(from, i);
            for (std::size_t j = 0; j < capacity; ++j) {
                to.data()[i * capacity + j] = static_cast<T>(j < n);
            }
        }
    }
    return outcome;
}

template <detail::contiguous_values To>
    requires detail::mask_element<detail::output_value<To>>
[[nodiscard]] status try_to_mask(const row_ids_view& from, std::size_t capacity, To&& to) noexcept
{
    using T = detail::output_value<To>;
    status outcome = mask_view::check_size(to.size(), from.batch(), capacity);
    std::size_t n = 0;
    for (std::size_t j = 0; outcome.ok() && j < from.size(); ++j) {
        n = j != 0 && from[j] == from[j - 1] ? n + 1 : 1;
        if (n > capacity) {
            outcome = {errc::bad_count, "image {} has more rows than the {} that the mask has for each", from[j],
                       capacity};
        }
    }
    for (std::size_t k = 0; outcome.ok() && k < to.size(); ++k) {
        to.data()[k] = T{0};
    }
    for (std::size_t j = 0; outcome.ok() && j < from.size(); ++j) {
        n = j != 0 && from[j] == from[j - 1] ? n + 1 : 0;
        to.data()[from[j] * capacity + n] = T{1};
    }
    return outcome;
}

#if PADBATCH_EXCEPTIONS
/// The same, thrown as `error`.
template <class From, class To>
void to_counts(const From& from, To&& to)
{
    detail::require(try_to_counts(from, to));
}
template <class From, class To>
void to_offsets(const From& from, To&& to)
{
    detail::require(try_to_offsets(from, to));
}
template <class From, class To>
void to_row_ids(const From& from, To&& to)
{
    detail::require(try_to_row_ids(from, to));
}
template <class From, class To>
void to_mask(const From& from, std::size_t capacity, To&& to)
{
    detail::require(try_to_mask(from, capacity, to));
}
#endif

} // namespace padbatch::inline PADBATCH_MODE

#endif
