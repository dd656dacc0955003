#ifndef PADBATCH_ELEMENT_TYPE_HPP
#define PADBATCH_ELEMENT_TYPE_HPP

#include <cstddef>
#include <string_view>

namespace padbatch {

/// The element types that fields of detections come in. `float16` and `bfloat16` are 16-bit types of their own, and
/// so is `boolean`, one byte.
enum class element_type {
    float32,
    float64,
    float16,
    bfloat16,
    int8,
    int16,
    int32,
    int64,
    uint8,
    uint16,
    uint32,
    uint64,
    boolean,
};

/// Bytes of one element.
[[nodiscard]] constexpr std::size_t size_of(element_type type) noexcept
{
    switch (type) {
    case element_type::float64:
    case element_type::int64:
    case element_type::uint64: return 8;
    case element_type::float32:
    case element_type::int32:
    case element_type::uint32: return 4;
    case element_type::float16:
    case element_type::bfloat16:
    case element_type::int16:
    case element_type::uint16: return 2;
    case element_type::int8:
    case element_type::uint8:
    case element_type::boolean: return 1;
    }
    return 0;
}

/// The name that NumPy, torch and ONNX users know the type by, such as `"float32"` or `"bool"`.
[[nodiscard]] constexpr std::string_view name_of(element_type type) noexcept
{
    switch (type) {
    case element_type::float32: return "float32";
    case element_type::float64: return "float64";
    case element_type::float16: return "float16";
    case element_type::bfloat16: return "bfloat16";
    case element_type::int8: return "int8";
    case element_type::int16: return "int16";
    case element_type::int32: return "int32";
    case element_type::int64: return "int64";
    case element_type::uint8: return "uint8";
    case element_type::uint16: return "uint16";
    case element_type::uint32: return "uint32";
    case element_type::uint64: return "uint64";
    case element_type::boolean: return "bool";
    }
    return "";
}

/// float16, bfloat16, float32 or float64.
[[nodiscard]] constexpr bool is_floating(element_type type) noexcept
{
    return type == element_type::float32 || type == element_type::float64 || type == element_type::float16 ||
           type == element_type::bfloat16;
}

} // namespace padbatch

#endif
