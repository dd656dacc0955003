#include <padbatch/element_type.hpp>

#include <doctest/doctest.h>

#include <set>
#include <string>

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
        CHECK(padbatch::name_of(row.type) == row.name);
        CHECK(padbatch::is_floating(row.type) == row.floating);
    }
}
