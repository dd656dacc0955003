// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_PLAN_PAD_VALUE_HPP
#define PADBATCH_ONNX_TOOLS_PLAN_PAD_VALUE_HPP

#include <onnx_tools/plan/options.hpp>
#include <padbatch/element_type.hpp>

#include <onnx/onnx_pb.h>

#include <optional>
#include <string>

namespace padbatch::onnx_tools {

/// A tensor of shape `[1]` that holds `value`, as ConstantOfShape takes it. Nothing when `type` cannot hold it: integer
/// types take integers in their range and no fractions, and bool takes 0 and 1. Floating-point types round to nearest,
/// but a finite number must not become infinite, and in float32 a number other than 0 must not become 0. bfloat16
/// cannot be padded.
[[nodiscard]] std::optional<onnx::TensorProto> make_pad_value(element_type type, const number& value);

/// The numbers that `type` can hold, in words, for messages.
[[nodiscard]] std::string range_text(element_type type);

} // namespace padbatch::onnx_tools

#endif
