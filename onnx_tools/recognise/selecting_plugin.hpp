// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_RECOGNISE_SELECTING_PLUGIN_HPP
#define PADBATCH_ONNX_TOOLS_RECOGNISE_SELECTING_PLUGIN_HPP

#include <onnx_tools/model/graph.hpp>
#include <onnx_tools/recognise/detections.hpp>
#include <onnx_tools/recognise/raw_head.hpp>
#include <onnx_tools/recognise/row_list.hpp>

#include <onnx/onnx_pb.h>

namespace padbatch::onnx_tools {

/// The node that selects detections by itself, TensorRT's EfficientNMS; null if there is none.
[[nodiscard]] const onnx::NodeProto* find_selecting_plugin(const graph_index& index);

/// Reads what it selects from as a head. Throws as `recognise_raw()` does.
[[nodiscard]] found_head head_of_plugin(const onnx::NodeProto& node, const row_list& list,
                                        const recognise_options& options);

} // namespace padbatch::onnx_tools

#endif
