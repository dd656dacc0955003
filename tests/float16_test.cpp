// SPDX-License-Identifier: Apache-2.0
#include <padbatch/float16.hpp>

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <type_traits>

using padbatch::bfloat16;
using padbatch::float16;

static_assert(sizeof(float16) == 2 && std::is_trivially_copyable_v<float16>);
static_assert(sizeof(bfloat16) == 2 && std::is_trivially_copyable_v<bfloat16>);
static_assert(!std::is_convertible_v<float, float16> && !std::is_convertible_v<float16, float>);
static_assert(!std::is_convertible_v<float, bfloat16> && !std::is_convertible_v<bfloat16, float>);
static_assert(float16(1.5F).bits == 0x3e00 && float(float16::from_bits(0xc000)) == -2.0F);
static_assert(bfloat16(1.5F).bits == 0x3fc0 && float(bfloat16::from_bits(0xc000)) == -2.0F);
static_assert(float16().bits == 0 && bfloat16().bits == 0);

namespace {

/// What the bits of a type with this many fraction bits and this exponent bias stand for; not for infinity and NaN.
double value_of(std::uint32_t bits, int fraction_bits, int bias)
{
    const std::uint32_t magnitude = bits & 0x7fffU;
    const int exponent = static_cast<int>(magnitude >> fraction_bits);
    const double fraction = static_cast<double>(magnitude & ((1U << fraction_bits) - 1U));
    const double implied = exponent == 0 ? 0.0 : std::ldexp(1.0, fraction_bits);
    const int scale = (exponent == 0 ? 1 : exponent) - bias - fraction_bits;
    const double value = std::ldexp(implied + fraction, scale);
    return (bits & 0x8000U) != 0 ? -value : value;
}

/// The bits of the number nearest to `value`, of equally near ones the even one, found by bisection. Beyond the
/// largest number by half of its last place and more: infinity.
std::uint16_t nearest_bits(double value, int fraction_bits, int bias)
{
    const std::uint32_t sign = std::signbit(value) ? 0x8000U : 0U;
    const double magnitude = std::fabs(value);
    const std::uint32_t infinity = ((1U << (15 - fraction_bits)) - 1U) << fraction_bits;
    if (std::isinf(value)) {
        return static_cast<std::uint16_t>(sign | infinity);
    }
    std::uint32_t low = 0; // at most `magnitude`; read as if the exponents went on, infinity is the next number
    std::uint32_t high = infinity;
    if (magnitude >= value_of(infinity, fraction_bits, bias)) {
        return static_cast<std::uint16_t>(sign | infinity);
    }
    while (high - low > 1) {
        const std::uint32_t middle = (low + high) / 2;
        (value_of(middle, fraction_bits, bias) <= magnitude ? low : high) = middle;
    }
    const double below = magnitude - value_of(low, fraction_bits, bias);
    const double above = value_of(high, fraction_bits, bias) - magnitude;
    const bool up = above < below || (above == below && low % 2 != 0);
    return static_cast<std::uint16_t>(sign | (up ? high : low));
}

template <class Half>
constexpr int fraction_bits_of = std::is_same_v<Half, float16> ? 10 : 7;
template <class Half>
constexpr int bias_of = std::is_same_v<Half, float16> ? 15 : 127;

/// How many floats of which `next` gives the bits are rounded another way than to nearest, ties to even.
template <class Half, class Next>
int wrongly_rounded(int tries, Next next)
{
    int wrong = 0;
    for (int i = 0; i < tries; ++i) {
        const auto value = std::bit_cast<float>(static_cast<std::uint32_t>(next()));
        if (std::isnan(value)) {
            continue;
        }
        const std::uint16_t expected = nearest_bits(double{value}, fraction_bits_of<Half>, bias_of<Half>);
        if (Half(value).bits != expected && wrong++ == 0) {
            MESSAGE("first wrong: " << value << " became " << Half(value).bits << ", expected " << expected);
        }
    }
    return wrong;
}

} // namespace

TEST_CASE_TEMPLATE("each of the 65536 bit patterns becomes the float it stands for, and back", Half, float16, bfloat16)
{
    const std::uint32_t infinity = Half(std::numeric_limits<float>::infinity()).bits;
    int wrong_value = 0;
    int wrong_bits = 0;
    int wrong_nan = 0;
    for (std::uint32_t bits = 0; bits < 0x10000U; ++bits) {
        const float value{Half::from_bits(static_cast<std::uint16_t>(bits))};
        const std::uint16_t back = Half(value).bits;
        if ((bits & 0x7fffU) > infinity) {
            const bool nan = std::isnan(value) && (back & 0x7fffU) > infinity && (back & 0x8000U) == (bits & 0x8000U);
            wrong_nan += nan ? 0 : 1;
        } else if ((bits & 0x7fffU) == infinity) {
            wrong_value += std::isinf(value) && std::signbit(value) == (bits >= 0x8000U) ? 0 : 1;
            wrong_bits += back == bits ? 0 : 1;
        } else {
            const double expected = value_of(bits, fraction_bits_of<Half>, bias_of<Half>);
            wrong_value += double{value} == expected && std::signbit(value) == std::signbit(expected) ? 0 : 1;
            wrong_bits += back == bits ? 0 : 1;
        }
    }
    CHECK(wrong_value == 0);
    CHECK(wrong_bits == 0);
    CHECK(wrong_nan == 0);
}

TEST_CASE_TEMPLATE("a quiet NaN keeps what fits of its bits", Half, float16, bfloat16)
{
    const std::uint16_t quiet = std::is_same_v<Half, float16> ? 0xfe2a : 0xffea;
    CHECK(Half(float(Half::from_bits(quiet))).bits == quiet);
    // Its set bits are all in what is cut off: it must not become infinity.
    CHECK(std::isnan(float(Half(std::bit_cast<float>(0x7f800001U)))));
    CHECK(std::isnan(float(Half(std::bit_cast<float>(0xff800001U)))));
}

TEST_CASE_TEMPLATE("floats are rounded to nearest, ties to even", Half, float16, bfloat16)
{
    std::mt19937 random(5);
    CHECK(wrongly_rounded<Half>(200'000, [&] { return random(); }) == 0);

    // Around every number of the type, and around the middle of it and the next.
    const std::uint32_t infinity = Half(std::numeric_limits<float>::infinity()).bits;
    for (std::uint32_t bits = 0; bits < infinity; ++bits) {
        const float first{Half::from_bits(static_cast<std::uint16_t>(bits))};
        const double next = value_of(bits + 1, fraction_bits_of<Half>, bias_of<Half>);
        const auto middle = static_cast<float>((double{first} + next) / 2);
        std::uint32_t near[] = {std::bit_cast<std::uint32_t>(first), std::bit_cast<std::uint32_t>(middle)};
        for (const std::uint32_t center : near) {
            int step = 0;
            const int wrong = wrongly_rounded<Half>(6, [&] {
                const int move = step / 2 - 1;
                const std::uint32_t sign = step++ % 2 == 0 ? 0U : 0x80000000U;
                return (center + static_cast<std::uint32_t>(center == 0 && move < 0 ? 0 : move)) | sign;
            });
            if (wrong != 0) {
                CAPTURE(bits);
                REQUIRE(wrong == 0);
            }
        }
    }
}

TEST_CASE("float16 has a largest, a smallest and a first number that becomes infinity")
{
    CHECK(float16(65504.0F).bits == 0x7bff);
    CHECK(float16(65519.996F).bits == 0x7bff);
    CHECK(float16(65520.0F).bits == 0x7c00);
    CHECK(float16(-1e30F).bits == 0xfc00);
    CHECK(float16(0x1p-24F).bits == 0x0001);
    CHECK(float16(0x1p-25F).bits == 0x0000);
    CHECK(float16(std::nextafterf(0x1p-25F, 1.0F)).bits == 0x0001);
    CHECK(float16(-0.0F).bits == 0x8000);
}

TEST_CASE("what is above the largest bfloat16 becomes infinity")
{
    CHECK(bfloat16(std::bit_cast<float>(0x7f7f0000U)).bits == 0x7f7f);
    CHECK(bfloat16(std::bit_cast<float>(0x7f7f7fffU)).bits == 0x7f7f);
    CHECK(bfloat16(std::bit_cast<float>(0x7f7f8000U)).bits == 0x7f80);
    CHECK(bfloat16(std::numeric_limits<float>::lowest()).bits == 0xff80);
}

TEST_CASE_TEMPLATE("16-bit floats compare like the floats they are", Half, float16, bfloat16)
{
    const Half nan{std::numeric_limits<float>::quiet_NaN()};
    CHECK(Half(0.0F) == Half(-0.0F));
    CHECK(Half(2.0F) == Half(2.0F));
    CHECK(Half(2.0F) != Half(-2.0F));
    CHECK(nan != nan);
}

#if defined(__FLT16_MAX__) && defined(__SSE2__) && !defined(__clang__)
TEST_CASE("float16 agrees with the compiler's own type")
{
    std::mt19937 random(6);
    int wrong = 0;
    for (int i = 0; i < 200'000; ++i) {
        const auto value = std::bit_cast<float>(static_cast<std::uint32_t>(random()));
        if (!std::isnan(value)) {
            wrong += std::bit_cast<std::uint16_t>(static_cast<_Float16>(value)) == float16(value).bits ? 0 : 1;
        }
    }
    CHECK(wrong == 0);
}
#endif
