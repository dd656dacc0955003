// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/plan/pad_value.hpp>

#include <onnx_tools/model/value_types.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace padbatch::onnx_tools;
using padbatch::element_type;

namespace {

const std::vector<element_type> all_types{
    element_type::float32, element_type::float64, element_type::float16, element_type::bfloat16, element_type::int8,
    element_type::int16,   element_type::int32,   element_type::int64,   element_type::uint8,    element_type::uint16,
    element_type::uint32,  element_type::uint64,  element_type::boolean};

std::optional<onnx::TensorProto> value_of(element_type type, const std::string& text)
{
    const auto value = to_number(text);
    return value ? make_pad_value(type, *value) : std::nullopt;
}

bool parses(element_type type, const std::string& text)
{
    return value_of(type, text).has_value();
}

// The one element of the tensor that `text` makes.
template <typename T>
T parsed(element_type type, const std::string& text)
{
    CAPTURE(text);
    const auto tensor = value_of(type, text);
    REQUIRE(tensor);
    REQUIRE(tensor->data_type() == to_onnx(type));
    REQUIRE(tensor->dims_size() == 1);
    REQUIRE(tensor->dims(0) == 1);
    REQUIRE(tensor->raw_data().size() == sizeof(T));
    T value{};
    std::memcpy(&value, tensor->raw_data().data(), sizeof(T));
    return value;
}

std::uint16_t half(const std::string& text)
{
    return parsed<std::uint16_t>(element_type::float16, text);
}

std::string decimal(double value)
{
    char text[64];
    std::snprintf(text, sizeof text, "%.17g", value);
    return text;
}

// The value of a finite float16, by the definition of the format.
double value_of_half(unsigned bits)
{
    const int exponent = static_cast<int>((bits >> 10U) & 31U);
    const double fraction = bits & 1023U;
    const double magnitude = exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25);
    return (bits & 0x8000U) != 0 ? -magnitude : magnitude;
}

template <typename T>
void check_integers(element_type type, const std::string& below, const std::string& above)
{
    CAPTURE(name_of(type));
    const auto lowest = std::to_string(std::numeric_limits<T>::min());
    const auto highest = std::to_string(std::numeric_limits<T>::max());
    CHECK(parsed<T>(type, lowest) == std::numeric_limits<T>::min());
    CHECK(parsed<T>(type, highest) == std::numeric_limits<T>::max());
    CHECK(parsed<T>(type, "0") == 0);
    CHECK(parsed<T>(type, "7") == 7);
    CHECK(parsed<T>(type, "007") == 7);
    for (const std::string& wrong :
         {below, above, std::string("99999999999999999999999"), std::string("1.5"), std::string("1.0"),
          std::string("1e1"), std::string("nan"), std::string("inf"), std::string("0x1"), std::string("true")}) {
        CAPTURE(wrong);
        CHECK_FALSE(parses(type, wrong));
    }
    CHECK(range_text(type).find(lowest) != std::string::npos);
    CHECK(range_text(type).find(highest) != std::string::npos);
}

} // namespace

TEST_CASE("integers from the lowest to the highest, and none beyond")
{
    check_integers<std::int8_t>(element_type::int8, "-129", "128");
    check_integers<std::int16_t>(element_type::int16, "-32769", "32768");
    check_integers<std::int32_t>(element_type::int32, "-2147483649", "2147483648");
    check_integers<std::int64_t>(element_type::int64, "-9223372036854775809", "9223372036854775808");
    check_integers<std::uint8_t>(element_type::uint8, "-1", "256");
    check_integers<std::uint16_t>(element_type::uint16, "-1", "65536");
    check_integers<std::uint32_t>(element_type::uint32, "-1", "4294967296");
    check_integers<std::uint64_t>(element_type::uint64, "-1", "18446744073709551616");
}

TEST_CASE("text that is not a number gives no value of any type")
{
    for (const auto type : all_types) {
        CAPTURE(name_of(type));
        for (const std::string& wrong :
             {std::string(), std::string(" "), std::string(" 1"), std::string("1 "), std::string("+1"),
              std::string("1,"), std::string("1x"), std::string("x"), std::string("--1"), std::string("-"),
              std::string("."), std::string("1\n"), std::string("\t1"), std::string("0\0", 2), std::string("one"),
              std::string("1_000")}) {
            CAPTURE(wrong);
            CHECK_FALSE(parses(type, wrong));
        }
        CHECK(parses(type, "0") == (type != element_type::bfloat16)); // ConstantOfShape cannot make bfloat16
        CHECK_FALSE(range_text(type).empty());
    }
}

TEST_CASE("bool takes 0 and 1")
{
    CHECK(parsed<std::uint8_t>(element_type::boolean, "0") == 0);
    CHECK(parsed<std::uint8_t>(element_type::boolean, "1") == 1);
    for (const char* wrong : {"2", "-1", "0.0", "1.0", "nan", "true"}) {
        CAPTURE(wrong);
        CHECK_FALSE(parses(element_type::boolean, wrong));
    }
}

TEST_CASE("float32 and float64 keep every value that they can hold")
{
    for (const float value : {0.0F, 1.0F, -1.0F, 0.1F, 1e-3F, std::numeric_limits<float>::max(),
                              std::numeric_limits<float>::lowest(), std::numeric_limits<float>::min()}) {
        CHECK(parsed<float>(element_type::float32, decimal(value)) == value);
    }
    for (const double value : {0.0, 0.1, -1e300, std::numeric_limits<double>::max(),
                               std::numeric_limits<double>::lowest(), std::numeric_limits<double>::min()}) {
        CHECK(parsed<double>(element_type::float64, decimal(value)) == value);
    }
    CHECK(parsed<float>(element_type::float32, "1e-3") == 1e-3F);
    CHECK(parsed<float>(element_type::float32, ".5") == 0.5F);
    CHECK(std::signbit(parsed<float>(element_type::float32, "-0")));
    CHECK(std::signbit(parsed<double>(element_type::float64, "-0.0")));

    CHECK_FALSE(parses(element_type::float32, "3.5e38"));
    CHECK_FALSE(parses(element_type::float32, "-1e39"));
    CHECK_FALSE(parses(element_type::float64, "1.8e308"));
    CHECK_FALSE(parses(element_type::float64, "-1e400"));
    CHECK(parses(element_type::float64, "3.5e38"));
}

TEST_CASE("floating-point types take nan and infinities by name")
{
    const auto inf32 = std::numeric_limits<float>::infinity();
    const auto inf64 = std::numeric_limits<double>::infinity();
    CHECK(std::isnan(parsed<float>(element_type::float32, "nan")));
    CHECK(parsed<float>(element_type::float32, "inf") == inf32);
    CHECK(parsed<float>(element_type::float32, "-inf") == -inf32);
    CHECK(std::isnan(parsed<double>(element_type::float64, "nan")));
    CHECK(parsed<double>(element_type::float64, "inf") == inf64);
    CHECK(parsed<double>(element_type::float64, "-inf") == -inf64);
    CHECK(half("inf") == 0x7c00);
    CHECK(half("-inf") == 0xfc00);
    CHECK((half("nan") & 0x7fffU) == 0x7e00);
    for (const auto type : {element_type::float32, element_type::float64, element_type::float16}) {
        for (const char* wrong : {"+inf", "info", "nano", "inf ", "- inf"}) {
            CAPTURE(wrong);
            CHECK_FALSE(parses(type, wrong));
        }
    }
}

TEST_CASE("every float16 is found from its own decimal, and a midpoint goes to the even neighbour")
{
    int wrong = 0; // counted, since 65,000 checks would be slow to report
    int values = 0;
    for (unsigned bits = 0; bits < 0x7c00; ++bits) {
        for (const unsigned sign : {0U, 0x8000U}) {
            wrong += half(decimal(value_of_half(bits | sign))) != (bits | sign) ? 1 : 0;
            ++values;
            if (bits == 0x7bff) {
                continue; // beyond the largest there is no neighbour
            }
            // All of these are exact in double: a midpoint needs one more bit, a value beside it a few more.
            const double low = value_of_half(bits);
            const double high = value_of_half(bits + 1);
            const double middle = (low + high) / 2;
            const double away = (high - low) / 1024;
            const double factor = sign != 0 ? -1 : 1;
            const unsigned even = bits % 2 == 0 ? bits : bits + 1;
            wrong += half(decimal(factor * middle)) != (even | sign) ? 1 : 0;
            wrong += half(decimal(factor * (middle - away))) != (bits | sign) ? 1 : 0;
            wrong += half(decimal(factor * (middle + away))) != ((bits + 1) | sign) ? 1 : 0;
        }
    }
    CHECK(values == 2 * 0x7c00);
    CHECK(wrong == 0);
}

TEST_CASE("a finite number does not become infinite in float16")
{
    CHECK(half("65504") == 0x7bff);
    CHECK(half("65519.99") == 0x7bff); // the nearest is still 65504
    CHECK(half("-65519.99") == 0xfbff);
    CHECK_FALSE(parses(element_type::float16, "65520"));
    CHECK_FALSE(parses(element_type::float16, "-65520"));
    CHECK_FALSE(parses(element_type::float16, "1e10"));
    CHECK_FALSE(parses(element_type::float16, "1e400"));
    CHECK(half("1e-8") == 0); // below half of the smallest
    CHECK(half("-1e-8") == 0x8000);
    CHECK(half("0.1") == 0x2e66);
    CHECK(range_text(element_type::float16).find("65504") != std::string::npos);
}

TEST_CASE("the smallest numbers of each floating-point type")
{
    CHECK(parsed<float>(element_type::float32, "1e-45") == std::numeric_limits<float>::denorm_min());
    CHECK(parsed<double>(element_type::float64, "5e-324") == std::numeric_limits<double>::denorm_min());
    CHECK(half("5.9604644775390625e-08") == 1);
}
