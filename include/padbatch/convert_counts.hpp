// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_CONVERT_COUNTS_HPP
#define PADBATCH_CONVERT_COUNTS_HPP

#include <padbatch/counts.hpp>
#include <padbatch/detail/first_failure.hpp>
#include <padbatch/error.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <type_traits>

/// The ways to say how many rows each image has, and conversions between them:
///
///     counts      [B]       2 0 3            int32, int64, float
///     offsets     [B + 1]   0 2 2 5          int32, int64
///     row ids     [n]       0 0 2 2 2        int32, int64: the image of each row, ascending
///     mask        [B, M]    110 000 111      bool or uint8: which rows of each image are real
///
/// Each is a view whose constructor validates it once, so that a conversion can fail only because of its output.
/// `to_...` throws `error`, `try_to_...` returns a `status`; a failure writes nothing.
namespace padbatch::inline PADBATCH_ABI {

/// A view of the image of each row. The ids have been checked: they are images of the batch, in ascending order.
class row_ids_view {
public:
    row_ids_view() noexcept = default;

    /// Checks that `values` are row ids of a batch of this size. Fails with `status_code::bad_batch_index`.
    template <class R>
    [[nodiscard]] static status check(const R& values, std::size_t batch) noexcept
    {
        if constexpr (detail::holds_offsets<R>()) {
            return check_ids(std::span(values.data(), static_cast<std::size_t>(values.size())), batch);
        } else {
            return {};
        }
    }

    template <class R>
    row_ids_view(unchecked_t, const R& values, std::size_t batch) noexcept : m_batch(batch)
    {
        if constexpr (detail::holds_offsets<R>()) {
            m_data = values.data();
            m_type = element_type_of<detail::value_of<const R>>;
            m_size = values.size();
        }
    }
#if PADBATCH_EXCEPTIONS
    /// Throws `error` if `check` fails.
    template <class R>
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
    element_type m_type = element_type::int32;
    std::size_t m_size = 0;
    std::size_t m_batch = 0;

    template <class T>
    [[nodiscard]] static status check_ids(std::span<T> values, std::size_t batch) noexcept
    {
        std::int64_t before = 0;
        for (std::size_t j = 0; j < values.size(); ++j) {
            const std::int64_t id = values[j];
            if (id < 0 || static_cast<std::uint64_t>(id) >= batch) {
                return {status_code::bad_batch_index,
                        "the id of row {} is {}; expected 0 to {}, one less than the batch size", j, id,
                        static_cast<std::int64_t>(batch) - 1};
            }
            if (id < before) {
                return {status_code::bad_batch_index,
                        "the id of row {} is {}, after {}: row ids must ascend (row_index takes rows in any order)", j,
                        id, before};
            }
            before = id;
        }
        return {};
    }
};

namespace detail {

template <class T>
concept mask_element = std::same_as<std::remove_cv_t<T>, bool> || std::same_as<std::remove_cv_t<T>, std::uint8_t>;
template <class R>
concept mask_values = contiguous_values<const R> && mask_element<value_of<const R>>;

/// Contiguous memory that counts, offsets (or row ids) or a mask are written to.
template <class To>
concept count_output = contiguous_values<To> && count_element<output_value<To>>;
template <class To>
concept offset_output = contiguous_values<To> && offset_element<output_value<To>>;
template <class To>
concept mask_output = contiguous_values<To> && mask_element<output_value<To>>;

} // namespace detail

/// A view of which rows of a padded batch are real, `[B, M]`. It has been checked: each image's real rows are its first
/// ones.
class mask_view {
public:
    mask_view() noexcept = default;

    /// Checks that `values` are such a mask. Fails with `status_code::size_mismatch` or `status_code::not_a_prefix`.
    template <detail::mask_values R>
    [[nodiscard]] static status check(const R& values, std::size_t batch, std::size_t capacity) noexcept
    {
        if (status outcome = check_size(values.size(), batch, capacity); !outcome.ok()) {
            return outcome;
        }
        for (std::size_t i = 0; i < batch; ++i) {
            for (std::size_t j = 1; j < capacity; ++j) {
                if (values.data()[i * capacity + j] && !values.data()[i * capacity + j - 1]) {
                    return {status_code::not_a_prefix,
                            "row {} of image {} is real, but row {} is not: real rows must come first", j, i, j - 1};
                }
            }
        }
        return {};
    }
    template <detail::mask_values R>
    mask_view(unchecked_t, const R& values, std::size_t batch, std::size_t capacity) noexcept
        : m_data(reinterpret_cast<const unsigned char*>(values.data())), m_batch(batch), m_capacity(capacity)
    {
    }
#if PADBATCH_EXCEPTIONS
    /// Throws `error` if `check` fails.
    template <detail::mask_values R>
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

    /// Checks that `values` elements are as many as `[batch, capacity]` has. Fails with `status_code::size_mismatch`.
    [[nodiscard]] static status check_size(std::size_t values, std::size_t batch, std::size_t capacity) noexcept
    {
        if (capacity == 0 ? values != 0 : values % capacity != 0 || values / capacity != batch) {
            return {status_code::size_mismatch, "there are {} values; expected {} images of {} rows", values, batch,
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
        return {status_code::size_mismatch, "there is room for {} {}, but there are {}", found, what, expected};
    }
    return {};
}

/// Checks that the type can hold numbers up to `most`.
template <class T>
[[nodiscard]] status check_highest(std::size_t most) noexcept
{
    if (most > highest_number(element_type_of<T>)) {
        return {status_code::size_overflow, "{} is more than the output's type can hold", most};
    }
    return {};
}

/// The number of rows of image i.
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

/// The number of rows of all images; `SIZE_MAX` if it is too large for any number.
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

/// A description of a batch with a count for each image: counts, offsets or a mask.
template <class T>
concept counted = std::same_as<T, counts_view> || std::same_as<T, offsets_view> || std::same_as<T, mask_view>;

/// Writes the count of each image, `[B]`.
template <counted From, detail::count_output To>
[[nodiscard]] status try_to_counts(const From& from, To&& to) noexcept
{
    using T = detail::output_value<To>;
    std::size_t most = 0;
    for (std::size_t i = 0; i < from.size(); ++i) {
        const std::size_t n = detail::count_in(from, i);
        most = n > most ? n : most;
    }
    status outcome = detail::first_failure([&] { return detail::check_output_size("counts", to.size(), from.size()); },
                                           [&] { return detail::check_highest<T>(most); });
    for (std::size_t i = 0; outcome.ok() && i < from.size(); ++i) {
        to.data()[i] = static_cast<T>(detail::count_in(from, i));
    }
    return outcome;
}
template <detail::count_output To>
[[nodiscard]] status try_to_counts(const row_ids_view& from, To&& to) noexcept
{
    using T = detail::output_value<To>;
    status outcome = detail::first_failure([&] { return detail::check_output_size("counts", to.size(), from.batch()); },
                                           [&] { return detail::check_highest<T>(from.size()); });
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

/// Writes where each image's rows begin, `[B + 1]`, starting at 0.
template <counted From, detail::offset_output To>
[[nodiscard]] status try_to_offsets(const From& from, To&& to) noexcept
{
    using T = detail::output_value<To>;
    status outcome =
        detail::first_failure([&] { return detail::check_output_size("offsets", to.size(), from.size() + 1); },
                              [&] { return detail::check_highest<T>(detail::total_of(from)); });
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
template <detail::offset_output To>
[[nodiscard]] status try_to_offsets(const row_ids_view& from, To&& to) noexcept
{
    using T = detail::output_value<To>;
    status outcome =
        detail::first_failure([&] { return detail::check_output_size("offsets", to.size(), from.batch() + 1); },
                              [&] { return detail::check_highest<T>(from.size()); });
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
template <counted From, detail::offset_output To>
[[nodiscard]] status try_to_row_ids(const From& from, To&& to) noexcept
{
    using T = detail::output_value<To>;
    status outcome =
        detail::first_failure([&] { return detail::check_output_size("row ids", to.size(), detail::total_of(from)); },
                              [&] { return detail::check_highest<T>(from.size()); });
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

/// Writes which rows are real, `[B, M]`, where M is `capacity`. Fails with `status_code::bad_count` if an image has
/// more rows.
template <counted From, detail::mask_output To>
[[nodiscard]] status try_to_mask(const From& from, std::size_t capacity, To&& to) noexcept
{
    using T = detail::output_value<To>;
    status outcome = mask_view::check_size(to.size(), from.size(), capacity);
    for (std::size_t i = 0; outcome.ok() && i < from.size(); ++i) {
        if (detail::count_in(from, i) > capacity) {
            outcome = {status_code::bad_count, "image {} has {} rows, but the mask has {} for each image", i,
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

template <detail::mask_output To>
[[nodiscard]] status try_to_mask(const row_ids_view& from, std::size_t capacity, To&& to) noexcept
{
    using T = detail::output_value<To>;
    status outcome = mask_view::check_size(to.size(), from.batch(), capacity);
    std::size_t n = 0;
    for (std::size_t j = 0; outcome.ok() && j < from.size(); ++j) {
        n = j != 0 && from[j] == from[j - 1] ? n + 1 : 1;
        if (n > capacity) {
            outcome = {status_code::bad_count, "image {} has more than the {} rows that the mask has for each image",
                       from[j], capacity};
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
namespace detail {

/// A compile error, with the reason, if a conversion does not take its arguments.
template <bool Takes>
consteval bool takes_conversion() noexcept
{
    static_assert(Takes,
                  "to_counts, to_offsets, to_row_ids and to_mask read a counts_view, offsets_view, row_ids_view or "
                  "mask_view, their first argument, and write to their last, a container that is not const (for a "
                  "pointer write std::span(pointer, size)): counts of int32, int64 or float, offsets and row ids of "
                  "int32 or int64, masks of bool or uint8");
    return Takes;
}

} // namespace detail

/// The throwing forms.
template <class From, class To>
void to_counts(const From& from, To&& to)
{
    if constexpr (detail::takes_conversion<requires { try_to_counts(from, to); }>()) {
        detail::require(try_to_counts(from, to));
    }
}
template <class From, class To>
void to_offsets(const From& from, To&& to)
{
    if constexpr (detail::takes_conversion<requires { try_to_offsets(from, to); }>()) {
        detail::require(try_to_offsets(from, to));
    }
}
template <class From, class To>
void to_row_ids(const From& from, To&& to)
{
    if constexpr (detail::takes_conversion<requires { try_to_row_ids(from, to); }>()) {
        detail::require(try_to_row_ids(from, to));
    }
}
template <class From, class To>
void to_mask(const From& from, std::size_t capacity, To&& to)
{
    if constexpr (detail::takes_conversion<requires { try_to_mask(from, capacity, to); }>()) {
        detail::require(try_to_mask(from, capacity, to));
    }
}
#endif

} // namespace padbatch::inline PADBATCH_ABI

#endif
