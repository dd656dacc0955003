// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_PLAN_PAD_VALUE_HPP
#define PADBATCH_ONNX_TOOLS_PLAN_PAD_VALUE_HPP

#include <padbatch/element_type.hpp>

#include <onnx/onnx_pb.h>

#include <optional>
#include <string>

namespace padbatch::onnx_tools {

/// A tensor of shape `[1]` that holds the number that `text` spells, as ConstantOfShape wants its value. Nothing when
/// `text` is no number or not one that `type` can hold: integers must be in range, and a finite number must not become
/// infinite. Floating-point types also take `nan`, `inf` and `-inf`; bool takes `0`, `1`, `false` and `true`.
[[nodiscard]] std::optional<onnx::TensorProto> parse_pad_value(element_type type, const std::string& text);

/// The numbers that `type` can hold, in words, for messages.
[[nodiscard]] std::string range_text(element_type type);

} // namespace padbatch::onnx_tools

#endif
