// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_COUNTS_HPP
#define PADBATCH_COUNTS_HPP

#include <padbatch/detail/contiguous.hpp>
#include <padbatch/error.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <type_traits>

namespace padbatch::inline PADBATCH_MODE {

/// What counts may be stored as. TensorFlow's models give floats, most others int32.
template <class T>
concept count_element = std::same_as<std::remove_cv_t<T>, std::int32_t> ||
                        std::same_as<std::remove_cv_t<T>, std::int64_t> || std::same_as<std::remove_cv_t<T>, float>;

/// What offsets and row ids may be stored as.
template <class T>
concept offset_element =
    std::same_as<std::remove_cv_t<T>, std::int32_t> || std::same_as<std::remove_cv_t<T>, std::int64_t>;

namespace detail {

/// A number of one of three types in memory.
enum class number_type : unsigned char { int32, int64, float32 };
template <class T>
inline constexpr number_type number_type_of = std::is_floating_point_v<T> ? number_type::float32
                                              : sizeof(T) == 8            ? number_type::int64
                                                                          : number_type::int32;

[[nodiscard]] inline std::int64_t read_number(const void* numbers, number_type type, std::size_t i) noexcept
{
    switch (type) {
    case number_type::int64: return static_cast<const std::int64_t*>(numbers)[i];
    case number_type::float32: return static_cast<std::int64_t>(static_cast<const float*>(numbers)[i]);
    case number_type::int32: break;
    }
    return static_cast<const std::int32_t*>(numbers)[i];
}

inline void write_number(void* numbers, number_type type, std::size_t i, std::size_t value) noexcept
{
    switch (type) {
    case number_type::int64: static_cast<std::int64_t*>(numbers)[i] = static_cast<std::int64_t>(value); return;
    case number_type::float32: static_cast<float*>(numbers)[i] = static_cast<float>(value); return;
    case number_type::int32: break;
    }
    static_cast<std::int32_t*>(numbers)[i] = static_cast<std::int32_t>(value);
}

/// The largest count that a type can hold without loss.
[[nodiscard]] constexpr std::size_t highest_number(number_type type) noexcept
{
    return type == number_type::float32 ? std::size_t{1} << 24
           : type == number_type::int32 ? static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max())
                                        : static_cast<std::size_t>(std::numeric_limits<std::int64_t>::max());
}

} // namespace detail

/// A count for each image, `[B]` or `[B, 1]`, int32, int64 or float. A view whose counts were found to be whole numbers
/// from 0 to the capacity.
class counts_view {
public:
    counts_view() noexcept = default;

    /// Why `values` are no counts of a batch of this capacity (M), if so: `errc::bad_count`.
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
                return {errc::bad_count,
                        "the count of image {} is {}; expected is a whole number from 0 to the capacity, {}", i, value,
                        capacity};
            }
        }
        return {};
    }

    template <detail::contiguous_values R>
        requires count_element<detail::value_of<R>>
    [[nodiscard]] static status check(const R& values, std::size_t capacity) noexcept
    {
        return check(std::span<const std::remove_cv_t<detail::value_of<R>>>(values.data(),
                                                                            static_cast<std::size_t>(values.size())),
                     capacity);
    }

    template <detail::contiguous_values R>
        requires count_element<detail::value_of<R>>
    counts_view(unchecked_t, const R& values) noexcept
        : m_data(values.data()), m_type(detail::number_type_of<detail::value_of<R>>),
          m_size(static_cast<std::size_t>(values.size()))
    {
    }

#if PADBATCH_EXCEPTIONS
    /// Throws `error` where `check` fails.
    template <detail::contiguous_values R>
        requires count_element<detail::value_of<R>>
    counts_view(const R& values, std::size_t capacity) : counts_view(unchecked, values)
    {
        detail::require(check(values, capacity));
    }
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
    detail::number_type m_type = detail::number_type::int32;
    std::size_t m_size = 0;

    counts_view(const void* data, detail::number_type type, std::size_t size) noexcept
        : m_data(data), m_type(type), m_size(size)
    {
    }
};

/// Where each image's rows begin, `[B + 1]`, int32 or int64: rows `[offsets[i], offsets[i + 1])` are image i's. A view
/// whose offsets were found not to decrease and to stay within the rows. The first need not be 0.
class offsets_view {
public:
    offsets_view() noexcept = default;

    /// Why `values` are no offsets into `rows` rows, if so: `errc::bad_offsets`.
    template <offset_element T>
    [[nodiscard]] static status check(std::span<const T> values, std::size_t rows) noexcept
    {
        if (values.empty()) {
            return {errc::bad_offsets, "there are no offsets; B images have B + 1, the first one 0 where B is 0"};
        }
        T before = 0;
        for (std::size_t i = 0; i < values.size(); ++i) {
            if (values[i] < before) [[unlikely]] {
                return {errc::bad_offsets, "offset {} is {}, which is less than {}: offsets must not decrease", i,
                        values[i], before};
            }
            before = values[i];
        }
        if (static_cast<std::uint64_t>(before) > rows) {
            return {errc::bad_offsets, "the last offset is {}, but there are only {} rows", before, rows};
        }
        return {};
    }

    template <detail::contiguous_values R>
        requires offset_element<detail::value_of<R>>
    [[nodiscard]] static status check(const R& values, std::size_t rows) noexcept
    {
        return check(std::span<const std::remove_cv_t<detail::value_of<R>>>(values.data(),
                                                                            static_cast<std::size_t>(values.size())),
                     rows);
    }

    template <detail::contiguous_values R>
        requires offset_element<detail::value_of<R>>
    offsets_view(unchecked_t, const R& values) noexcept
        : m_data(values.data()), m_type(detail::number_type_of<detail::value_of<R>>),
          m_size(static_cast<std::size_t>(values.size()) - 1)
    {
    }

#if PADBATCH_EXCEPTIONS
    /// Throws `error` where `check` fails.
    template <detail::contiguous_values R>
        requires offset_element<detail::value_of<R>>
    offsets_view(const R& values, std::size_t rows)
    {
        detail::require(check(values, rows));
        *this = offsets_view(unchecked, values);
    }
#endif

    /// The number of images, one less than there are offsets.
    [[nodiscard]] std::size_t size() const noexcept { return m_size; }
    /// Offset i, i from 0 to size().
    [[nodiscard]] std::size_t operator[](std::size_t i) const noexcept
    {
        return static_cast<std::size_t>(m_type == detail::number_type::int32
                                            ? std::int64_t{static_cast<const std::int32_t*>(m_data)[i]}
                                            : static_cast<const std::int64_t*>(m_data)[i]);
    }
    /// Where the offsets lie.
    [[nodiscard]] const void* first_offset() const noexcept { return m_data; }
    [[nodiscard]] std::size_t count(std::size_t i) const noexcept { return (*this)[i + 1] - (*this)[i]; }
    /// The number of rows of all images.
    [[nodiscard]] std::size_t total() const noexcept { return (*this)[m_size] - (*this)[0]; }

private:
    static constexpr std::int32_t s_zero = 0;

    const void* m_data = &s_zero;
    detail::number_type m_type = detail::number_type::int32;
    std::size_t m_size = 0;
};

} // namespace padbatch::inline PADBATCH_MODE

#endif
