// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_COUNTS_HPP
#define PADBATCH_COUNTS_HPP

#include <padbatch/detail/contiguous.hpp>
#include <padbatch/element_type.hpp>
#include <padbatch/error.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <type_traits>

namespace padbatch::inline PADBATCH_ABI {

/// The types that counts may have. TensorFlow's models give floats, most others int32.
template <class T>
concept count_element = std::same_as<std::remove_cv_t<T>, std::int32_t> ||
                        std::same_as<std::remove_cv_t<T>, std::int64_t> || std::same_as<std::remove_cv_t<T>, float>;

/// The types that offsets and row ids may have.
template <class T>
concept offset_element =
    std::same_as<std::remove_cv_t<T>, std::int32_t> || std::same_as<std::remove_cv_t<T>, std::int64_t>;

namespace detail {

/// Contiguous counts, offsets (or row ids).
template <class R>
concept count_values = contiguous_values<const R> && count_element<value_of<const R>>;
template <class R>
concept offset_values = contiguous_values<const R> && offset_element<value_of<const R>>;

/// A compile error, with the reason, if `R` does not hold counts; if it does not hold offsets (or row ids).
template <class R>
consteval bool holds_counts() noexcept
{
    static_assert(contiguous_values<const R>, "counts are contiguous memory with data(), size() and begin(): for a "
                                              "pointer write std::span(counts, batch), for an array std::span(counts)");
    if constexpr (contiguous_values<const R>) {
        static_assert(count_element<value_of<const R>>, "counts are int32, int64 or float");
    }
    return count_values<R>;
}
template <class R>
consteval bool holds_offsets() noexcept
{
    static_assert(contiguous_values<const R>,
                  "offsets and row ids are contiguous memory with data(), size() and begin(): for a pointer write "
                  "std::span(offsets, batch + 1), for an array std::span(offsets)");
    if constexpr (contiguous_values<const R>) {
        static_assert(offset_element<value_of<const R>>, "offsets are int32 or int64, and so are row ids");
    }
    return offset_values<R>;
}

/// Number i of an array of int32, int64 or float32; one of other types is read as int32.
[[nodiscard]] inline std::int64_t read_number(const void* numbers, element_type type, std::size_t i) noexcept
{
    switch (type) {
    case element_type::int64: return static_cast<const std::int64_t*>(numbers)[i];
    case element_type::float32: return static_cast<std::int64_t>(static_cast<const float*>(numbers)[i]);
    default: return static_cast<const std::int32_t*>(numbers)[i];
    }
}

inline void write_number(void* numbers, element_type type, std::size_t i, std::size_t value) noexcept
{
    switch (type) {
    case element_type::int64: static_cast<std::int64_t*>(numbers)[i] = static_cast<std::int64_t>(value); break;
    case element_type::float32: static_cast<float*>(numbers)[i] = static_cast<float>(value); break;
    default: static_cast<std::int32_t*>(numbers)[i] = static_cast<std::int32_t>(value); break;
    }
}

/// The largest number up to which one of these types holds every whole number.
[[nodiscard]] constexpr std::size_t highest_number(element_type type) noexcept
{
    switch (type) {
    case element_type::int64: return static_cast<std::size_t>(std::numeric_limits<std::int64_t>::max());
    case element_type::float32: return std::size_t{1} << 24;
    default: return static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max());
    }
}

} // namespace detail

/// A view of a count for each image, `[B]` or `[B, 1]`, int32, int64 or float. The counts have been checked: they are
/// whole numbers from 0 to the capacity.
class counts_view {
public:
    counts_view() noexcept = default;

    /// Checks that `values` are counts of a batch of this capacity (M). Fails with `status_code::bad_count`.
    template <count_element T>
    [[nodiscard]] static status check(std::span<const T> values, std::size_t capacity) noexcept
    {
        for (std::size_t i = 0; i < values.size(); ++i) {
            const T value = values[i];
            bool good = value >= T{0};
            if constexpr (std::is_floating_point_v<T>) {
                good = good && static_cast<double>(value) <= static_cast<double>(capacity) && value < 0x1p62F &&
                       static_cast<T>(static_cast<std::int64_t>(value)) == value;
            } else {
                good = good && static_cast<std::uint64_t>(value) <= capacity;
            }
            if (!good) [[unlikely]] {
                return {status_code::bad_count,
                        "the count of image {} is {}; expected a whole number from 0 to the capacity, {}", i, value,
                        capacity};
            }
        }
        return {};
    }

    template <class R>
    [[nodiscard]] static status check(const R& values, std::size_t capacity) noexcept
    {
        if constexpr (detail::holds_counts<R>()) {
            using T = std::remove_cv_t<detail::value_of<const R>>;
            return check(std::span<const T>(values.data(), static_cast<std::size_t>(values.size())), capacity);
        } else {
            return {};
        }
    }

    template <class R>
    counts_view(unchecked_t, const R& values) noexcept
    {
        if constexpr (detail::holds_counts<R>()) {
            m_data = values.data();
            m_type = element_type_of<detail::value_of<const R>>;
            m_size = static_cast<std::size_t>(values.size());
        }
    }

#if PADBATCH_EXCEPTIONS
    /// Throws `error` if `check` fails.
    template <detail::count_values R>
    counts_view(const R& values, std::size_t capacity) : counts_view(unchecked, values)
    {
        detail::require(check(values, capacity));
    }
    /// Counts are contiguous memory (a `std::span` for a pointer) of int32, int64 or float.
    template <class R>
    counts_view(const R& values, std::size_t capacity) = delete;
#endif

    /// The number of images.
    [[nodiscard]] std::size_t size() const noexcept { return m_size; }
    [[nodiscard]] std::size_t operator[](std::size_t i) const noexcept
    {
        return static_cast<std::size_t>(detail::read_number(m_data, m_type, i));
    }
    /// The number of rows of all images.
    [[nodiscard]] std::size_t total() const noexcept
    {
        std::size_t sum = 0;
        for (std::size_t i = 0; i < m_size; ++i) {
            sum += (*this)[i];
        }
        return sum;
    }
    [[nodiscard]] std::size_t largest() const noexcept
    {
        std::size_t most = 0;
        for (std::size_t i = 0; i < m_size; ++i) {
            most = (*this)[i] > most ? (*this)[i] : most;
        }
        return most;
    }

private:
    template <class...>
    friend class padded_view;

    const void* m_data = nullptr;
    element_type m_type = element_type::int32;
    std::size_t m_size = 0;

    counts_view(const void* data, element_type type, std::size_t size) noexcept
        : m_data(data), m_type(type), m_size(size)
    {
    }
};

/// A view of where each image's rows begin, `[B + 1]`, int32 or int64: rows `[offsets[i], offsets[i + 1])` are image
/// i's. The offsets have been checked: they do not decrease, and stay within the rows. The first need not be 0.
class offsets_view {
public:
    offsets_view() noexcept = default;

    /// Checks that `values` are offsets into `rows` rows. Fails with `status_code::bad_offsets`.
    template <offset_element T>
    [[nodiscard]] static status check(std::span<const T> values, std::size_t rows) noexcept
    {
        if (values.empty()) {
            return {status_code::bad_offsets, "there are no offsets; B images have B + 1 (no images have one, 0)"};
        }
        T before = 0;
        for (std::size_t i = 0; i < values.size(); ++i) {
            if (values[i] < before) [[unlikely]] {
                return {status_code::bad_offsets,
                        "offset {} is {}, less than the {} before it: offsets must not decrease", i, values[i], before};
            }
            before = values[i];
        }
        if (static_cast<std::uint64_t>(before) > rows) {
            return {status_code::bad_offsets, "the last offset is {}, but there are only {} rows", before, rows};
        }
        return {};
    }

    template <class R>
    [[nodiscard]] static status check(const R& values, std::size_t rows) noexcept
    {
        if constexpr (detail::holds_offsets<R>()) {
            using T = std::remove_cv_t<detail::value_of<const R>>;
            return check(std::span<const T>(values.data(), static_cast<std::size_t>(values.size())), rows);
        } else {
            return {};
        }
    }

    template <class R>
    offsets_view(unchecked_t, const R& values) noexcept
    {
        if constexpr (detail::holds_offsets<R>()) {
            m_data = values.data();
            m_type = element_type_of<detail::value_of<const R>>;
            m_size = static_cast<std::size_t>(values.size()) - 1;
        }
    }

#if PADBATCH_EXCEPTIONS
    /// Throws `error` if `check` fails.
    template <detail::offset_values R>
    offsets_view(const R& values, std::size_t rows)
    {
        detail::require(check(values, rows));
        *this = offsets_view(unchecked, values);
    }
    /// Offsets are contiguous memory (a `std::span` for a pointer) of int32 or int64.
    template <class R>
    offsets_view(const R& values, std::size_t rows) = delete;
#endif

    /// The number of images, one less than there are offsets.
    [[nodiscard]] std::size_t size() const noexcept { return m_size; }
    /// Offset i, i from 0 to size().
    [[nodiscard]] std::size_t operator[](std::size_t i) const noexcept
    {
        return static_cast<std::size_t>(m_type == element_type::int32
                                            ? std::int64_t{static_cast<const std::int32_t*>(m_data)[i]}
                                            : static_cast<const std::int64_t*>(m_data)[i]);
    }
    /// The address of the offsets.
    [[nodiscard]] const void* first_offset() const noexcept { return m_data; }
    [[nodiscard]] std::size_t count(std::size_t i) const noexcept { return (*this)[i + 1] - (*this)[i]; }
    /// The number of rows of all images.
    [[nodiscard]] std::size_t total() const noexcept { return (*this)[m_size] - (*this)[0]; }

private:
    static constexpr std::int32_t s_zero = 0;

    const void* m_data = &s_zero;
    element_type m_type = element_type::int32;
    std::size_t m_size = 0;
};

} // namespace padbatch::inline PADBATCH_ABI

#endif
