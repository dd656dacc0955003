// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/plan/threshold.hpp>

#include <padbatch/float16.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <limits>

using namespace padbatch;
using namespace padbatch::onnx_tools;

namespace {

template <typename T>
T number_of(const onnx::TensorProto& tensor)
{
    REQUIRE(tensor.raw_data().size() == sizeof(T));
    T value{};
    std::memcpy(&value, tensor.raw_data().data(), sizeof(T));
    return value;
}

} // namespace

TEST_CASE("greater than the number just below means at least the number")
{
    for (const double number : {0.5, 1.0, 0.05, 1e-30, 0.3, 0.999999999, 1e-45}) {
        CAPTURE(number);
        const auto below = just_below(element_type::float32, number);
        REQUIRE(below);
        CHECK(below->dims_size() == 0);
        CHECK(below->data_type() == onnx::TensorProto::FLOAT);
        CHECK(number_of<float>(*below) == std::nextafter(static_cast<float>(number), -1.0F));

        const auto precise = just_below(element_type::float64, number);
        REQUIRE(precise);
        CHECK(precise->data_type() == onnx::TensorProto::DOUBLE);
        CHECK(number_of<double>(*precise) == std::nextafter(number, -1.0));
    }
    const auto half = just_below(element_type::float16, 0.5);
    REQUIRE(half);
    CHECK(half->data_type() == onnx::TensorProto::FLOAT16);
    CHECK(static_cast<float>(number_of<float16>(*half)) == 0.5F - 0x1p-12F); // 11 bits below 2^-1
}

TEST_CASE("a threshold is a number above 0 and at most 1, in a type that has fractions")
{
    constexpr double infinity = std::numeric_limits<double>::infinity();
    for (const double number : {0.0, -0.5, 1.0000001, 2.0, std::nan(""), infinity, -infinity}) {
        CAPTURE(number);
        CHECK_FALSE(is_threshold(number));
        CHECK_FALSE(just_below(element_type::float32, number));
        CHECK_FALSE(just_below(element_type::float64, number));
    }
    CHECK_FALSE(just_below(element_type::float16, 1e-9)); // float16 has none between 0 and 6e-8
    for (const auto type : {element_type::int64, element_type::uint8, element_type::boolean, element_type::bfloat16}) {
        CHECK_FALSE(just_below(type, 1));
    }
}
