// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_TESTS_SUPPORT_TENSOR_HPP
#define PADBATCH_TESTS_SUPPORT_TENSOR_HPP

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace padbatch::test {

/// The numbers that ONNX gives to element types (`TensorProto.DataType`), which engines share.
namespace onnx_number {
inline constexpr int float32 = 1;
inline constexpr int uint8 = 2;
inline constexpr int int32 = 6;
inline constexpr int int64 = 7;
inline constexpr int boolean = 9;
inline constexpr int float16 = 10;
inline constexpr int float64 = 11;
} // namespace onnx_number

/// A tensor as its element type (ONNX's number), extents and bytes.
struct tensor {
    int type = 0;
    std::vector<std::int64_t> shape;
    std::vector<char> bytes;

    bool operator==(const tensor&) const = default;
};

/// Bytes of one element of an ONNX element type.
inline std::size_t element_size(int type)
{
    switch (type) {
    case onnx_number::float64:
    case onnx_number::int64: return 8;
    case onnx_number::float32:
    case onnx_number::int32: return 4;
    case onnx_number::float16: return 2;
    case onnx_number::uint8:
    case onnx_number::boolean: return 1;
    default: throw std::runtime_error("no test model has the element type " + std::to_string(type));
    }
}

} // namespace padbatch::test

#endif
