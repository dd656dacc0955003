// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_PLAN_THRESHOLD_HPP
#define PADBATCH_ONNX_TOOLS_PLAN_THRESHOLD_HPP

#include <padbatch/element_type.hpp>

#include <onnx/onnx_pb.h>

#include <optional>
#include <string>

namespace padbatch::onnx_tools {

/// The largest number of a floating-point `type` below the one that `text` spells, as a tensor without dimensions: x is
/// at least the number exactly where it is greater than this. (ONNX has Greater in every opset, GreaterOrEqual from 12
/// on.) Nothing when `text` is no number in (0, 1], or one that `type` rounds to 0.
[[nodiscard]] std::optional<onnx::TensorProto> just_below(element_type type, const std::string& text);

} // namespace padbatch::onnx_tools

#endif
