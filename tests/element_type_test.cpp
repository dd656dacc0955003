// SPDX-License-Identifier: Apache-2.0
#include <padbatch/element_type.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <string_view>

using padbatch::element_type;

TEST_CASE("element types have the sizes and names of their C and NumPy counterparts")
{
    struct row {
        element_type type;
        std::size_t size;
        const char* name;
        bool floating;
    };
    const row rows[] = {
        {element_type::float32, sizeof(float), "float32", true},
        {element_type::float64, sizeof(double), "float64", true},
        {element_type::float16, 2, "float16", true},
        {element_type::bfloat16, 2, "bfloat16", true},
        {element_type::int8, 1, "int8", false},
        {element_type::int16, 2, "int16", false},
        {element_type::int32, 4, "int32", false},
        {element_type::int64, 8, "int64", false},
        {element_type::uint8, 1, "uint8", false},
        {element_type::uint16, 2, "uint16", false},
        {element_type::uint32, 4, "uint32", false},
        {element_type::uint64, 8, "uint64", false},
        {element_type::boolean, sizeof(bool), "bool", false},
    };
    for (const auto& row : rows) {
        CAPTURE(row.name);
        CHECK(padbatch::size_of(row.type) == row.size);
        CHECK(std::string_view(padbatch::name_of(row.type)) == row.name);
        CHECK(padbatch::is_floating(row.type) == row.floating);
    }
}

TEST_CASE("a value of the enum that is none of the types has no size and no name")
{
    const auto unknown = static_cast<element_type>(99);
    CHECK(padbatch::size_of(unknown) == 0);
    CHECK(std::string_view(padbatch::name_of(unknown)).empty());
    CHECK_FALSE(padbatch::is_floating(unknown));
}

TEST_CASE("each C++ type has the element type of its size and kind, const or not")
{
    CHECK(padbatch::element_type_of<float> == element_type::float32);
    CHECK(padbatch::element_type_of<const double> == element_type::float64);
    CHECK(padbatch::element_type_of<padbatch::float16> == element_type::float16);
    CHECK(padbatch::element_type_of<const padbatch::bfloat16> == element_type::bfloat16);
    CHECK(padbatch::element_type_of<std::int8_t> == element_type::int8);
    CHECK(padbatch::element_type_of<std::int16_t> == element_type::int16);
    CHECK(padbatch::element_type_of<const std::int32_t> == element_type::int32);
    CHECK(padbatch::element_type_of<std::int64_t> == element_type::int64);
    CHECK(padbatch::element_type_of<std::uint8_t> == element_type::uint8);
    CHECK(padbatch::element_type_of<std::uint16_t> == element_type::uint16);
    CHECK(padbatch::element_type_of<std::uint32_t> == element_type::uint32);
    CHECK(padbatch::element_type_of<std::uint64_t> == element_type::uint64);
    CHECK(padbatch::element_type_of<const bool> == element_type::boolean);
    CHECK(padbatch::element_type_of<long> == padbatch::element_type_of<long long>);
}

TEST_CASE("every type has the size that its element type says")
{
    CHECK(padbatch::size_of(padbatch::element_type_of<long>) == sizeof(long));
    CHECK(padbatch::size_of(padbatch::element_type_of<wchar_t>) == sizeof(wchar_t));
    CHECK(padbatch::size_of(padbatch::element_type_of<char16_t>) == sizeof(char16_t));
    CHECK(padbatch::size_of(padbatch::element_type_of<padbatch::float16>) == sizeof(padbatch::float16));
}

TEST_CASE("classes, pointers and wider numbers are no elements")
{
    struct point {
        float x;
    };
    CHECK_FALSE(padbatch::element<point>);
    CHECK_FALSE(padbatch::element<float*>);
    CHECK_FALSE(padbatch::element<long double>);
    CHECK_FALSE(padbatch::element<element_type>);
    CHECK(padbatch::element<const float>);
}
