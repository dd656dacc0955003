// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_RECOGNISE_THRESHOLDS_HPP
#define PADBATCH_ONNX_TOOLS_RECOGNISE_THRESHOLDS_HPP

#include <onnx_tools/model/graph.hpp>
#include <onnx_tools/recognise/detections.hpp>

#include <optional>
#include <string>

namespace padbatch::onnx_tools {

/// The constant that the scores are compared with before they become `scores`. (R-CNN models also compare the sizes of
/// boxes with a constant nearby, which does not count.)
[[nodiscard]] std::optional<score_threshold> find_threshold(const graph_index& index, const std::string& scores);

} // namespace padbatch::onnx_tools

#endif
