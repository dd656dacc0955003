// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/plan/pad_value.hpp>

#include <onnx_tools/model/value_types.hpp>
#include <padbatch/float16.hpp>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>
#include <utility>

namespace padbatch::onnx_tools {
namespace {

template <typename T>
std::string bytes_of(T value)
{
    std::string bytes(sizeof(T), '\0');
    std::memcpy(bytes.data(), &value, sizeof(T));
    return bytes;
}

// The float whose rounding to float16 is that of `value`: rounded to odd (Boldo and Melquiond, "Emulation of a FMA and
// correctly rounded sums", 2008), so that nothing is rounded twice.
float odd_float(double value)
{
    const auto nearest = static_cast<float>(value);
    const auto above = static_cast<double>(nearest);
    if (above == value || !std::isfinite(nearest)) {
        return nearest;
    }
    const float truncated = std::fabs(above) > std::fabs(value) ? std::nextafter(nearest, 0.0F) : nearest;
    std::uint32_t bits = 0;
    std::memcpy(&bits, &truncated, sizeof(bits));
    bits |= 1U;
    float odd = 0;
    std::memcpy(&odd, &bits, sizeof(odd));
    return odd;
}

// A number that does not become infinite, nor 0, except in float16, whose range is small.
template <typename Float>
std::optional<std::string> floating(const number& value)
{
    const auto wide = std::visit([](auto n) { return static_cast<double>(n); }, value);
    if constexpr (std::is_same_v<Float, float16>) {
        const auto half = float16(odd_float(wide));
        return std::isfinite(float(half)) || !std::isfinite(wide) ? std::optional(bytes_of(half.bits)) : std::nullopt;
    } else {
        const auto rounded = std::visit([](auto n) { return static_cast<Float>(n); }, value);
        const bool lost = (std::isinf(rounded) && !std::isinf(wide)) || (rounded == 0 && wide != 0);
        return lost ? std::nullopt : std::optional(bytes_of(rounded));
    }
}

// Whether a number is the floating-point `-0`, which integer types take for 0.
bool is_negative_zero(double value)
{
    return value == 0 && std::signbit(value);
}

template <typename T>
std::optional<std::string> integral(const number& value)
{
    return std::visit(
        [](auto n) -> std::optional<std::string> {
            if constexpr (std::is_same_v<decltype(n), double>) {
                return is_negative_zero(n) ? std::optional(bytes_of(T{0})) : std::nullopt;
            } else {
                return std::in_range<T>(n) ? std::optional(bytes_of(static_cast<T>(n))) : std::nullopt;
            }
        },
        value);
}

std::optional<std::string> boolean(const number& value)
{
    auto byte = integral<std::uint8_t>(value);
    return byte && static_cast<unsigned char>(byte->front()) <= 1 ? byte : std::nullopt;
}

std::optional<std::string> bytes_of(element_type type, const number& value)
{
    switch (type) {
    case element_type::float32: return floating<float>(value);
    case element_type::float64: return floating<double>(value);
    case element_type::float16: return floating<float16>(value);
    case element_type::int8: return integral<std::int8_t>(value);
    case element_type::int16: return integral<std::int16_t>(value);
    case element_type::int32: return integral<std::int32_t>(value);
    case element_type::int64: return integral<std::int64_t>(value);
    case element_type::uint8: return integral<std::uint8_t>(value);
    case element_type::uint16: return integral<std::uint16_t>(value);
    case element_type::uint32: return integral<std::uint32_t>(value);
    case element_type::uint64: return integral<std::uint64_t>(value);
    case element_type::boolean: return boolean(value);
    case element_type::bfloat16: break; // ConstantOfShape does not make it before opset 20
    }
    return std::nullopt;
}

template <typename T>
std::string integers()
{
    return "an integer from " + std::to_string(std::numeric_limits<T>::min()) + " to " +
           std::to_string(std::numeric_limits<T>::max());
}

} // namespace

std::optional<onnx::TensorProto> make_pad_value(element_type type, const number& value)
{
    auto bytes = bytes_of(type, value);
    if (!bytes) {
        return std::nullopt;
    }
    onnx::TensorProto tensor;
    tensor.add_dims(1);
    tensor.set_data_type(to_onnx(type));
    tensor.set_raw_data(std::move(*bytes));
    return tensor;
}

std::string range_text(element_type type)
{
    switch (type) {
    case element_type::float32: return "a number that float32 can hold, such as 0, -1, 1e-3, nan or inf";
    case element_type::float64: return "a number that float64 can hold, such as 0, -1, 1e-3, nan or inf";
    case element_type::float16: return "a number that float16 can hold, from -65504 to 65504, or nan or inf";
    case element_type::bfloat16: return "no value: bfloat16 cannot be padded";
    case element_type::int8: return integers<std::int8_t>();
    case element_type::int16: return integers<std::int16_t>();
    case element_type::int32: return integers<std::int32_t>();
    case element_type::int64: return integers<std::int64_t>();
    case element_type::uint8: return integers<std::uint8_t>();
    case element_type::uint16: return integers<std::uint16_t>();
    case element_type::uint32: return integers<std::uint32_t>();
    case element_type::uint64: return integers<std::uint64_t>();
    case element_type::boolean: return "0, 1, false or true";
    }
    return "";
}

} // namespace padbatch::onnx_tools
