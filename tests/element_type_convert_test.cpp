// SPDX-License-Identifier: Apache-2.0
#include <padbatch/element_type.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <type_traits>
#include <vector>

using padbatch::bfloat16;
using padbatch::convert;
using padbatch::float16;

static_assert(convert<std::int32_t>(std::int64_t{7}) == 7);
static_assert(convert<std::int8_t>(300.9F) == 127);
static_assert(convert<std::uint8_t>(-0.9F) == 0);
static_assert(convert<bool>(0.5F) && !convert<bool>(-0.0F));
static_assert(convert<float>(float16(1.5F)) == 1.5F);
static_assert(std::is_same_v<decltype(convert<std::int16_t>(1.0)), std::int16_t>);

namespace {

template <class T>
constexpr bool is_half = std::is_same_v<T, float16> || std::is_same_v<T, bfloat16>;

/// The exact value of any element: an x87 long double holds all 64-bit integers.
template <class T>
long double exact(T value)
{
    if constexpr (is_half<T>) {
        return static_cast<long double>(float(value));
    } else {
        return static_cast<long double>(value);
    }
}
static_assert(std::numeric_limits<long double>::digits >= 64);

/// The number of a 16-bit type that is nearest to `value`, of equally near ones the even one: by bisection over all.
template <class T>
T nearest_half(long double value)
{
    const unsigned infinity = std::is_same_v<T, float16> ? 0x7c00 : 0x7f80;
    const long double beyond = std::is_same_v<T, float16> ? 0x1p16L : 0x1p128L; // what the next number would be
    const long double magnitude = std::fabs(value);
    const auto at = [&](unsigned bits) {
        return bits == infinity ? beyond : exact(T::from_bits(static_cast<std::uint16_t>(bits)));
    };
    unsigned low = 0;
    unsigned high = infinity;
    while (high - low > 1) {
        const unsigned middle = low + (high - low) / 2;
        (at(middle) <= magnitude ? low : high) = middle;
    }
    const long double below = magnitude - at(low);
    const long double above = at(high) - magnitude;
    const unsigned nearest = magnitude >= beyond || above < below || (above == below && low % 2 != 0) ? high : low;
    return T::from_bits(static_cast<std::uint16_t>(nearest | (std::signbit(value) ? 0x8000U : 0U)));
}

/// What `convert` promises, by way of the exact value.
template <class To, class From>
To expected(From value)
{
    const long double x = exact(value);
    if constexpr (std::is_same_v<To, bool>) {
        return x != 0;
    } else if constexpr (is_half<To>) {
        return std::isnan(x) ? To(std::numeric_limits<float>::quiet_NaN()) : nearest_half<To>(x);
    } else if constexpr (std::is_floating_point_v<To>) {
        return static_cast<To>(x);
    } else {
        if (std::isnan(x)) {
            return To{0};
        }
        const long double whole = std::trunc(x);
        return whole < exact(std::numeric_limits<To>::lowest()) ? std::numeric_limits<To>::lowest()
               : whole > exact(std::numeric_limits<To>::max())  ? std::numeric_limits<To>::max()
                                                                : static_cast<To>(whole);
    }
}

/// Numbers that are interesting to every type: around zero, around the bounds of all integers, random ones.
template <class From>
std::vector<From> samples()
{
    std::vector<From> all;
    if constexpr (std::is_same_v<From, bool>) {
        all = {false, true};
    } else if constexpr (is_half<From>) {
        for (int bits = 0; bits < 0x10000; bits += 7) {
            all.push_back(From::from_bits(static_cast<std::uint16_t>(bits)));
        }
    } else {
        std::mt19937_64 random(9);
        for (int power = 0; power < 66; ++power) {
            for (int offset = -3; offset <= 3; ++offset) {
                for (const long double sign : {1.0L, -1.0L}) {
                    const long double x = sign * (std::ldexp(1.0L, power) + static_cast<long double>(offset) / 2);
                    if (std::is_floating_point_v<From> || (x >= exact(std::numeric_limits<From>::lowest()) &&
                                                           x <= exact(std::numeric_limits<From>::max()))) {
                        all.push_back(static_cast<From>(x));
                    }
                }
            }
        }
        for (int i = 0; i < 3000; ++i) {
            if constexpr (std::is_floating_point_v<From>) {
                all.push_back(static_cast<From>(std::ldexp(static_cast<double>(static_cast<std::int64_t>(random())),
                                                           static_cast<int>(random() % 140) - 110)));
            } else {
                all.push_back(static_cast<From>(random()));
            }
        }
        all.push_back(std::numeric_limits<From>::lowest());
        all.push_back(std::numeric_limits<From>::max());
        if constexpr (std::is_floating_point_v<From>) {
            for (const From x :
                 {std::numeric_limits<From>::infinity(), -std::numeric_limits<From>::infinity(),
                  std::numeric_limits<From>::quiet_NaN(), std::numeric_limits<From>::denorm_min(), From{0}, -From{0}}) {
                all.push_back(x);
            }
        }
    }
    return all;
}

template <class T>
bool same(T a, T b)
{
    return exact(a) == exact(b) ? std::signbit(exact(a)) == std::signbit(exact(b))
                                : std::isnan(exact(a)) && std::isnan(exact(b));
}

template <class To, class From>
void check_pair()
{
    int wrong = 0;
    for (const From value : samples<From>()) {
        if constexpr (std::is_same_v<From, double> && std::is_same_v<To, float>) {
            if (std::isfinite(value) && std::fabs(value) > static_cast<double>(std::numeric_limits<float>::max())) {
                continue; // the language does not say
            }
        }
        const To found = convert<To>(value);
        const To wanted = expected<To>(value);
        if (!same(found, wanted) && wrong++ == 0) {
            MESSAGE("first wrong: " << exact(value) << " became " << exact(found) << ", expected " << exact(wanted));
        }
    }
    CHECK(wrong == 0);
}

template <class From, class... To>
void check_all_from()
{
    (check_pair<To, From>(), ...);
}

} // namespace

TEST_CASE_TEMPLATE("every element becomes any other type by its exact value, saturated and rounded once", From, bool,
                   std::int8_t, std::int16_t, std::int32_t, std::int64_t, std::uint8_t, std::uint16_t, std::uint32_t,
                   std::uint64_t, float, double, float16, bfloat16)
{
    check_all_from<From, bool, std::int8_t, std::int16_t, std::int32_t, std::int64_t, std::uint8_t, std::uint16_t,
                   std::uint32_t, std::uint64_t, float, double, float16, bfloat16>();
}

TEST_CASE("fractions are dropped, also right at the bounds of a type")
{
    CHECK(convert<std::int8_t>(127.99) == 127);
    CHECK(convert<std::int8_t>(-128.99) == -128);
    CHECK(convert<std::uint8_t>(255.99F) == 255);
    CHECK(convert<std::uint8_t>(256.0F) == 255);
    CHECK(convert<std::int32_t>(-0.99F) == 0);
    CHECK(convert<std::int64_t>(0x1p63) == std::numeric_limits<std::int64_t>::max());
    CHECK(convert<std::int64_t>(-0x1p63) == std::numeric_limits<std::int64_t>::lowest());
    CHECK(convert<std::uint64_t>(0x1p64F) == std::numeric_limits<std::uint64_t>::max());
}

TEST_CASE("not a number becomes 0 as an integer, true as a bool, and stays what it is as a float")
{
    const double nan = std::numeric_limits<double>::quiet_NaN();
    CHECK(convert<std::int32_t>(nan) == 0);
    CHECK(convert<std::uint8_t>(static_cast<float>(nan)) == 0);
    CHECK(convert<std::int64_t>(float16(static_cast<float>(nan))) == 0);
    CHECK(convert<bool>(nan));
    CHECK(std::isnan(convert<float>(nan)));
    CHECK(std::isnan(float(convert<bfloat16>(nan))));
}

TEST_CASE("a double just above the middle of two 16-bit floats becomes the upper one")
{
    // Rounded to float first, it would be the middle itself, and then the even one, which is the lower.
    CHECK(convert<float16>(1.0 + 0x1p-11 + 0x1p-40).bits == float16(1.0F + 0x1p-10F).bits);
    CHECK(convert<bfloat16>(1.0 + 0x1p-8 + 0x1p-40).bits == bfloat16(1.0F + 0x1p-7F).bits);
    CHECK(convert<bfloat16>((std::int64_t{1} << 24) + (std::int64_t{1} << 16) + 1).bits ==
          bfloat16(0x1p24F + 0x1p17F).bits);
}

TEST_CASE("converting to the type it has already changes nothing, not even the bits of a NaN")
{
    CHECK(convert<float16>(float16::from_bits(0x7c01)).bits == 0x7c01);
    CHECK(convert<bfloat16>(bfloat16::from_bits(0xff81)).bits == 0xff81);
}
