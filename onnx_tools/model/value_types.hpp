// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_MODEL_VALUE_TYPES_HPP
#define PADBATCH_ONNX_TOOLS_MODEL_VALUE_TYPES_HPP

#include <padbatch/element_type.hpp>

#include <onnx/onnx_pb.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace padbatch::onnx_tools {

/// One extent of a shape as a file declares it: a number, a symbol, or neither.
struct dimension {
    std::optional<std::int64_t> size;
    std::string symbol;

    bool operator==(const dimension&) const = default;
};

/// What is known about a tensor value; each part may be missing.
struct value_type {
    std::optional<element_type> element;
    std::optional<int> rank;
    /// As many as `rank` when the file declares a shape; else empty.
    std::vector<dimension> shape;
};

/// A value of a graph, with what is known about it.
struct typed_value {
    std::string name;
    value_type type;
};

/// ONNX's number for an element type, and back. Types that no field of detections has (strings, complex numbers, 4- and
/// 8-bit floats) have no `element_type`.
[[nodiscard]] int to_onnx(element_type type) noexcept;
[[nodiscard]] std::optional<element_type> from_onnx(int data_type) noexcept;
/// ONNX's own name for an element type number, such as `FLOAT`, for messages.
[[nodiscard]] std::string onnx_type_name(int data_type);

/// What `info` declares. A value that is not a tensor (a sequence, say) has neither element type nor rank.
[[nodiscard]] value_type declared_type(const onnx::ValueInfoProto& info);
/// Names `info`, and describes it as a tensor.
void declare(onnx::ValueInfoProto& info, const std::string& name, element_type element,
             const std::vector<dimension>& shape);

} // namespace padbatch::onnx_tools

#endif
