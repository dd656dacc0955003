// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_PLAN_THRESHOLD_HPP
#define PADBATCH_ONNX_TOOLS_PLAN_THRESHOLD_HPP

#include <padbatch/element_type.hpp>

#include <onnx/onnx_pb.h>

#include <optional>

namespace padbatch::onnx_tools {

/// The largest number of a floating-point `type` below `value`, as a tensor without dimensions: x is at least `value`
/// exactly when it is greater than this. (ONNX has Greater in every opset, GreaterOrEqual from 12 on.) Nothing unless
/// `value` is above 0 and at most 1, and `type` does not round it to 0.
[[nodiscard]] std::optional<onnx::TensorProto> just_below(element_type type, double value);

/// Whether `value` is above 0 and at most 1.
[[nodiscard]] bool is_threshold(double value) noexcept;

} // namespace padbatch::onnx_tools

#endif
