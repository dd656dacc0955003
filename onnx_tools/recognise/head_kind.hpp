// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_RECOGNISE_HEAD_KIND_HPP
#define PADBATCH_ONNX_TOOLS_RECOGNISE_HEAD_KIND_HPP

#include <onnx_tools/recognise/detections.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// The words for what may be said about raw heads.
namespace padbatch::onnx_tools {

[[nodiscard]] std::vector<std::pair<std::string, head_kind>> all_head_kinds();
[[nodiscard]] std::vector<std::pair<std::string, score_activation>> all_score_activations();
[[nodiscard]] std::vector<std::pair<std::string, suppression>> all_suppressions();

[[nodiscard]] std::string_view name_of(head_kind kind) noexcept;
[[nodiscard]] std::string_view name_of(score_activation activation) noexcept;
[[nodiscard]] std::string_view name_of(suppression nms) noexcept;

} // namespace padbatch::onnx_tools

#endif
