// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/plan/options.hpp>

#include <doctest/doctest.h>

#include <clocale>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <variant>

using namespace padbatch::onnx_tools;

namespace {

// The number that a text spells, which must be of this type.
template <typename Number>
Number read_as(const std::string& text)
{
    CAPTURE(text);
    const auto value = to_number(text);
    REQUIRE(value);
    REQUIRE(std::holds_alternative<Number>(*value));
    return std::get<Number>(*value);
}

// Sets the program's locale for numbers, as long as it lives.
class numeric_locale {
public:
    // One thread calls these.
    // NOLINTBEGIN(concurrency-mt-unsafe)
    explicit numeric_locale(const char* name) : m_before(std::setlocale(LC_NUMERIC, nullptr))
    {
        m_set = std::setlocale(LC_NUMERIC, name) != nullptr;
    }
    numeric_locale(const numeric_locale&) = delete;
    numeric_locale& operator=(const numeric_locale&) = delete;
    ~numeric_locale() { std::setlocale(LC_NUMERIC, m_before.c_str()); }
    // NOLINTEND(concurrency-mt-unsafe)

    [[nodiscard]] bool set() const { return m_set; }

private:
    std::string m_before;
    bool m_set = false;
};

} // namespace

TEST_CASE("integers are exact, also where no double holds them")
{
    CHECK(read_as<std::int64_t>("0") == 0);
    CHECK(read_as<std::int64_t>("-1") == -1);
    CHECK(read_as<std::int64_t>("007") == 7);
    CHECK(read_as<std::int64_t>("9007199254740993") == 9007199254740993); // 2^53 + 1
    CHECK(read_as<std::int64_t>("9223372036854775807") == std::numeric_limits<std::int64_t>::max());
    CHECK(read_as<std::int64_t>("-9223372036854775808") == std::numeric_limits<std::int64_t>::min());
    CHECK(read_as<std::uint64_t>("9223372036854775808") == std::uint64_t{1} << 63);
    CHECK(read_as<std::uint64_t>("18446744073709551615") == std::numeric_limits<std::uint64_t>::max());
    // Beyond both, the nearest double.
    CHECK(read_as<double>("18446744073709551616") == std::ldexp(1.0, 64));
    CHECK(read_as<double>("-9223372036854775809") == -std::ldexp(1.0, 63));
}

TEST_CASE("other numbers are doubles, and so is minus zero")
{
    CHECK(read_as<double>("0.1") == 0.1);
    CHECK(read_as<double>("1e-3") == 1e-3);
    CHECK(read_as<double>("1.0") == 1.0);
    CHECK(read_as<double>("-.5") == -0.5);
    CHECK(std::signbit(read_as<double>("-0")));
    CHECK(read_as<double>("-0") == 0);
    CHECK(std::isnan(read_as<double>("nan")));
    CHECK(read_as<double>("inf") == std::numeric_limits<double>::infinity());
    CHECK(read_as<double>("-inf") == -std::numeric_limits<double>::infinity());
}

TEST_CASE("text that is not a number from end to end is none")
{
    for (const std::string text : {"", " 1", "1 ", "0x10", "1,5", "+1", "-", ".", "1e", "1e999", "--1", "1_000", "one",
                                   "1.5f", "1\n", "0.5 0.5"}) {
        CAPTURE(text);
        CHECK_FALSE(to_number(text));
    }
    CHECK_FALSE(to_number(std::string("1\0", 2)));
    CHECK(read_as<std::int64_t>(std::string("123").substr(0, 2)) == 12);
    CHECK(to_number(std::string_view("123").substr(0, 2)) == number(std::int64_t{12})); // no more than it is given
}

TEST_CASE("the text of a number reads back as the same number")
{
    for (const std::string text : {"0", "-0", "-1", "9007199254740993", "9223372036854775807", "-9223372036854775808",
                                   "18446744073709551615", "0.1", "0.001", "1e-05", "1e+39", "-2.5", "inf", "-inf"}) {
        CAPTURE(text);
        const auto value = to_number(text);
        REQUIRE(value);
        CHECK(text_of(*value) == text);
    }
    CHECK(text_of(number(static_cast<double>(0.1F))) == "0.1"); // for float32
    CHECK(text_of(number(1e-3)) == "0.001");
    CHECK(text_of(*to_number("nan")) == "nan");
}

TEST_CASE("numbers are read and written alike in every locale")
{
    bool found = false;
    for (const char* name : {"de_DE.UTF-8", "de_DE.utf8", "de_DE", "fr_FR.UTF-8", "fr_FR.utf8"}) {
        const numeric_locale commas(name);
        if (!commas.set()) {
            continue;
        }
        found = true;
        REQUIRE(std::string(std::localeconv()->decimal_point) == ","); // NOLINT(concurrency-mt-unsafe)
        CHECK(read_as<double>("0.5") == 0.5);
        CHECK_FALSE(to_number("0,5"));
        CHECK(text_of(number(0.5)) == "0.5");
    }
    if (!found) {
        MESSAGE("not tested: this machine has no locale that writes 0,5");
    }
}
