// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_FLOAT16_HPP
#define PADBATCH_FLOAT16_HPP

#include <padbatch/config.hpp>

#include <cstdint>

namespace padbatch::inline PADBATCH_ABI {

/// IEEE 754 binary16: 1 sign, 5 exponent and 10 fraction bits. Padding copies the bits; for arithmetic, convert to
/// `float`. (May alias, because other libraries have their own types for the same bits.)
struct [[gnu::may_alias]] float16 {
    std::uint16_t bits = 0;

    constexpr float16() noexcept = default;
    /// Rounds to nearest, ties to even; values out of range become infinite.
    constexpr explicit float16(float value) noexcept;
    [[nodiscard]] static constexpr float16 from_bits(std::uint16_t bits) noexcept
    {
        float16 result;
        result.bits = bits;
        return result;
    }
    constexpr explicit operator float() const noexcept;
    friend constexpr bool operator==(float16 a, float16 b) noexcept { return float(a) == float(b); }
};

/// The upper half of a `float`: 1 sign, 8 exponent and 7 fraction bits.
struct [[gnu::may_alias]] bfloat16 {
    std::uint16_t bits = 0;

    constexpr bfloat16() noexcept = default;
    /// Rounds to nearest, ties to even.
    constexpr explicit bfloat16(float value) noexcept
    {
        const auto wide = __builtin_bit_cast(std::uint32_t, value);
        if ((wide & 0x7fffffffU) > 0x7f800000U) {                    // NaN
            bits = static_cast<std::uint16_t>((wide >> 16) | 0x40U); // stays NaN when the fraction is cut
        } else {
            bits = static_cast<std::uint16_t>((wide + 0x7fffU + ((wide >> 16) & 1U)) >> 16);
        }
    }
    [[nodiscard]] static constexpr bfloat16 from_bits(std::uint16_t bits) noexcept
    {
        bfloat16 result;
        result.bits = bits;
        return result;
    }
    constexpr explicit operator float() const noexcept
    {
        return __builtin_bit_cast(float, static_cast<std::uint32_t>(bits) << 16);
    }
    friend constexpr bool operator==(bfloat16 a, bfloat16 b) noexcept { return float(a) == float(b); }
};

constexpr float16::float16(float value) noexcept
{
    const auto wide = __builtin_bit_cast(std::uint32_t, value);
    const auto sign = static_cast<std::uint16_t>((wide >> 16) & 0x8000U);
    const std::uint32_t magnitude = wide & 0x7fffffffU;
    if (magnitude > 0x7f800000U) { // NaN
        bits = static_cast<std::uint16_t>(sign | 0x7e00U | ((magnitude >> 13) & 0x3ffU));
    } else if (magnitude >= 0x47800000U) { // 2^16 and above
        bits = static_cast<std::uint16_t>(sign | 0x7c00U);
    } else if (magnitude < 0x38800000U) { // below 2^-14: subnormal, a multiple of 2^-24
        const std::uint32_t shift = 126U - (magnitude >> 23);
        if (shift > 24U) {
            bits = sign;
            return;
        }
        const std::uint32_t fraction = (magnitude & 0x7fffffU) | 0x800000U;
        const std::uint32_t whole = fraction >> shift;
        const std::uint32_t rest = fraction & ((1U << shift) - 1U);
        const std::uint32_t half = 1U << (shift - 1U);
        bits = static_cast<std::uint16_t>(sign | (whole + ((rest > half || (rest == half && (whole & 1U))) ? 1U : 0U)));
    } else { // a carry out of the fraction is a larger exponent, at last infinity
        const std::uint32_t rounded = magnitude - 0x38000000U + 0xfffU + ((magnitude >> 13) & 1U);
        bits = static_cast<std::uint16_t>(sign | (rounded >> 13));
    }
}

constexpr float16::operator float() const noexcept
{
    const std::uint32_t sign = static_cast<std::uint32_t>(bits & 0x8000U) << 16;
    const std::uint32_t exponent = (bits >> 10) & 0x1fU;
    const std::uint32_t fraction = bits & 0x3ffU;
    if (exponent == 0x1fU) {
        return __builtin_bit_cast(float, sign | 0x7f800000U | (fraction << 13));
    }
    if (exponent == 0) { // zero or subnormal: fraction * 2^-24, exact in a float
        const float magnitude = static_cast<float>(fraction) * 0x1p-24F;
        return sign != 0 ? -magnitude : magnitude;
    }
    return __builtin_bit_cast(float, sign | ((exponent + 112U) << 23) | (fraction << 13));
}

} // namespace padbatch::inline PADBATCH_ABI

#endif
