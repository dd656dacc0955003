// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/plan/pad_value.hpp>

#include <onnx_tools/model/value_types.hpp>

#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>

namespace padbatch::onnx_tools {
namespace {

// The nearest float16 of `value`, ties to even (IEEE 754-2019, 4.3.1), as its bits. Nothing when a finite value is too
// large for one.
std::optional<std::uint16_t> to_half(double value)
{
    const auto sign = static_cast<std::uint16_t>(std::signbit(value) ? 0x8000U : 0U);
    if (std::isnan(value)) {
        return static_cast<std::uint16_t>(sign | 0x7e00U);
    }
    const double magnitude = std::fabs(value);
    if (std::isinf(value)) {
        return static_cast<std::uint16_t>(sign | 0x7c00U);
    }
    // Between two neighbouring float16 of this magnitude lies 2^(exponent - 10); below 2^-14 always 2^-24.
    int exponent = magnitude == 0 ? -14 : std::ilogb(magnitude);
    exponent = exponent < -14 ? -14 : exponent;
    const double units = std::nearbyint(std::ldexp(magnitude, 10 - exponent)); // round to even is the default mode
    // A fraction that rounded up to 2048 carries into the exponent by itself.
    const double bits = units + (exponent + 14) * 1024.0;
    if (bits >= 0x7c00) {
        return std::nullopt;
    }
    return static_cast<std::uint16_t>(sign | static_cast<std::uint16_t>(bits));
}

template <typename T>
std::optional<T> parse(const std::string& text)
{
    T value{};
    const char* end = text.data() + text.size();
    const auto result = std::from_chars(text.data(), end, value);
    return result.ec == std::errc() && result.ptr == end ? std::optional<T>(value) : std::nullopt;
}

template <typename T>
std::optional<std::string> bytes_of(const std::optional<T>& value)
{
    if (!value) {
        return std::nullopt;
    }
    std::string bytes(sizeof(T), '\0');
    std::memcpy(bytes.data(), &*value, sizeof(T));
    return bytes;
}

std::optional<std::string> parse_boolean(const std::string& text)
{
    if (text == "0" || text == "false") {
        return std::string(1, '\0');
    }
    if (text == "1" || text == "true") {
        return std::string(1, '\1');
    }
    return std::nullopt;
}

std::optional<std::string> parse_bytes(element_type type, const std::string& text)
{
    switch (type) {
    case element_type::float32: return bytes_of(parse<float>(text));
    case element_type::float64: return bytes_of(parse<double>(text));
    case element_type::float16: {
        const auto number = parse<double>(text);
        return number ? bytes_of(to_half(*number)) : std::nullopt;
    }
    case element_type::int8: return bytes_of(parse<std::int8_t>(text));
    case element_type::int16: return bytes_of(parse<std::int16_t>(text));
    case element_type::int32: return bytes_of(parse<std::int32_t>(text));
    case element_type::int64: return bytes_of(parse<std::int64_t>(text));
    case element_type::uint8: return bytes_of(parse<std::uint8_t>(text));
    case element_type::uint16: return bytes_of(parse<std::uint16_t>(text));
    case element_type::uint32: return bytes_of(parse<std::uint32_t>(text));
    case element_type::uint64: return bytes_of(parse<std::uint64_t>(text));
    case element_type::boolean: return parse_boolean(text);
    case element_type::bfloat16: break; // ConstantOfShape makes none before opset 20
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

std::optional<onnx::TensorProto> parse_pad_value(element_type type, const std::string& text)
{
    auto bytes = parse_bytes(type, text);
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
