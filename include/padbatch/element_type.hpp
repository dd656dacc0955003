// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ELEMENT_TYPE_HPP
#define PADBATCH_ELEMENT_TYPE_HPP

#include <padbatch/config.hpp>
#include <padbatch/float16.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>

namespace padbatch::inline PADBATCH_ABI {

/// The element types that fields of detections come in. `float16` and `bfloat16` are distinct 16-bit types; `boolean`
/// is one byte.
enum class element_type {
    float32,
    float64,
    float16,
    bfloat16,
    int8,
    int16,
    int32,
    int64,
    uint8,
    uint16,
    uint32,
    uint64,
    boolean,
};

/// Bytes of one element.
[[nodiscard]] constexpr std::size_t size_of(element_type type) noexcept
{
    switch (type) {
    case element_type::float64:
    case element_type::int64:
    case element_type::uint64: return 8;
    case element_type::float32:
    case element_type::int32:
    case element_type::uint32: return 4;
    case element_type::float16:
    case element_type::bfloat16:
    case element_type::int16:
    case element_type::uint16: return 2;
    case element_type::int8:
    case element_type::uint8:
    case element_type::boolean: return 1;
    }
    return 0;
}

/// The name that users of NumPy, torch and ONNX know the type by, such as `"float32"` or `"bool"`.
[[nodiscard]] constexpr const char* name_of(element_type type) noexcept
{
    switch (type) {
    case element_type::float32: return "float32";
    case element_type::float64: return "float64";
    case element_type::float16: return "float16";
    case element_type::bfloat16: return "bfloat16";
    case element_type::int8: return "int8";
    case element_type::int16: return "int16";
    case element_type::int32: return "int32";
    case element_type::int64: return "int64";
    case element_type::uint8: return "uint8";
    case element_type::uint16: return "uint16";
    case element_type::uint32: return "uint32";
    case element_type::uint64: return "uint64";
    case element_type::boolean: return "bool";
    }
    return "";
}

/// float16, bfloat16, float32 or float64.
[[nodiscard]] constexpr bool is_floating(element_type type) noexcept
{
    return type == element_type::float32 || type == element_type::float64 || type == element_type::float16 ||
           type == element_type::bfloat16;
}

namespace detail {

/// A 16-bit floating type of the compiler, such as `_Float16`, `std::float16_t`, `std::bfloat16_t` and `__fp16`: told
/// by what it can do, since each compiler and target has others.
template <class T>
concept compiler_half = sizeof(T) == 2 && !std::integral<T> && !std::is_class_v<T> && !std::is_union_v<T> &&
                        !std::is_enum_v<T> && requires(T value) {
                            static_cast<float>(value);
                            static_cast<T>(1.0F);
                        };
template <class T>
concept half = std::same_as<T, float16> || std::same_as<T, bfloat16> || compiler_half<T>;

/// `float16` or `bfloat16`, whichever has the bits of `T`: only the first has a place for 1 + 2^-9.
template <half T>
consteval auto plain_half() noexcept
{
    if constexpr (!compiler_half<T>) {
        return T{};
    } else if constexpr (static_cast<float>(static_cast<T>(0x1.008p0F)) != 1.0F) {
        return float16{};
    } else {
        return bfloat16{};
    }
}
template <half T>
using plain_half_of = decltype(plain_half<T>());

} // namespace detail

/// A type that can be an element of a tensor: bool, the integers, float, double, float16, bfloat16, and the compiler's
/// own types for the last two, where it has them.
template <class T>
concept element = (std::integral<std::remove_cv_t<T>> && sizeof(T) <= 8) || std::same_as<std::remove_cv_t<T>, float> ||
                  std::same_as<std::remove_cv_t<T>, double> || detail::half<std::remove_cv_t<T>>;

namespace detail {

template <class T>
consteval element_type type_of() noexcept
{
    if constexpr (half<T>) {
        return std::same_as<plain_half_of<T>, float16> ? element_type::float16 : element_type::bfloat16;
    } else if constexpr (std::same_as<T, bool>) {
        static_assert(sizeof(bool) == 1);
        return element_type::boolean;
    } else if constexpr (std::floating_point<T>) {
        return sizeof(T) == 8 ? element_type::float64 : element_type::float32;
    } else if constexpr (std::signed_integral<T>) {
        return sizeof(T) == 8   ? element_type::int64
               : sizeof(T) == 4 ? element_type::int32
               : sizeof(T) == 2 ? element_type::int16
                                : element_type::int8;
    } else {
        return sizeof(T) == 8   ? element_type::uint64
               : sizeof(T) == 4 ? element_type::uint32
               : sizeof(T) == 2 ? element_type::uint16
                                : element_type::uint8;
    }
}

} // namespace detail

/// The `element_type` of a C++ type. `const` makes no difference; `long` and `long long` are both int64 where they have
/// 64 bits.
template <element T>
inline constexpr element_type element_type_of = detail::type_of<std::remove_cv_t<T>>();

namespace detail {

/// `value` as a float that rounds to 16 bits as `value` itself would: rounded toward zero, with the lowest bit set if
/// that was inexact.
template <class From>
[[nodiscard]] constexpr float to_odd_float(From value) noexcept
{
    const auto nearest = static_cast<float>(value);
    if constexpr (sizeof(From) < 4 || std::same_as<From, float>) {
        return nearest;
    } else {
        const auto back = static_cast<long double>(nearest);
        const auto exact = static_cast<long double>(value);
        const std::uint32_t bits = __builtin_bit_cast(std::uint32_t, nearest);
        if (back == exact || (bits & 0x7fffffffU) >= 0x7f800000U) {
            return nearest;
        }
        const bool away = exact < 0 ? back < exact : back > exact;
        return __builtin_bit_cast(float, (away ? bits - 1 : bits) | 1U);
    }
}

} // namespace detail

/// `value` as a `To`: the conversion of `.as<To>()`. From a floating type to an integer it drops the fraction; numbers
/// out of the range of `To` become its lowest or highest value, and NaN becomes 0. Between floating types it rounds to
/// nearest. As a bool, every value but zero is true.
template <element To, element From>
[[nodiscard]] constexpr To convert(From value) noexcept
{
    if constexpr (std::same_as<To, From>) {
        return value;
    } else if constexpr (detail::half<From>) {
        return convert<To>(static_cast<float>(__builtin_bit_cast(detail::plain_half_of<From>, value)));
    } else if constexpr (detail::half<To>) {
        return __builtin_bit_cast(To, detail::plain_half_of<To>(detail::to_odd_float(value)));
    } else if constexpr (std::same_as<To, bool>) {
        return value != From{};
    } else if constexpr (std::same_as<From, bool> || std::floating_point<To>) {
        return static_cast<To>(value);
    } else if constexpr (std::floating_point<From>) {
        // The bounds are powers of two, exact in every floating type: -2^n is in range, 2^n is the first that is not.
        constexpr From above =
            static_cast<From>(std::make_unsigned_t<To>{1} << (std::numeric_limits<To>::digits - 1)) * From{2};
        constexpr From below = std::numeric_limits<To>::is_signed ? -above : From{0};
        return value >= above   ? std::numeric_limits<To>::max()
               : value >= below ? static_cast<To>(value)
               : value < below  ? std::numeric_limits<To>::lowest()
                                : To{0};
    } else {
        constexpr auto lowest = std::numeric_limits<To>::lowest();
        constexpr auto highest = std::numeric_limits<To>::max();
        if constexpr (std::numeric_limits<From>::is_signed == std::numeric_limits<To>::is_signed) {
            return value < lowest ? lowest : value > highest ? highest : static_cast<To>(value);
        } else if constexpr (std::numeric_limits<From>::is_signed) {
            using wide = std::make_unsigned_t<From>;
            return value < 0 ? To{0} : static_cast<wide>(value) > highest ? highest : static_cast<To>(value);
        } else {
            return value > static_cast<std::make_unsigned_t<To>>(highest) ? highest : static_cast<To>(value);
        }
    }
}

} // namespace padbatch::inline PADBATCH_ABI

#endif
