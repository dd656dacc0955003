// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_RECOGNISE_ROW_ORIGIN_HPP
#define PADBATCH_ONNX_TOOLS_RECOGNISE_ROW_ORIGIN_HPP

#include <onnx_tools/model/graph.hpp>

#include <cstdint>
#include <string_view>

namespace padbatch::onnx_tools {

/// What decides how many rows a value has in a run.
struct row_origin {
    /// The node that selects as many as it finds: a NonMaxSuppression, a NonZero or a Compress. Null if the nodes do
    /// not show one.
    const onnx::NodeProto* selection = nullptr;
    /// The node that adds constant rows, as padding does; null if none is known to.
    const onnx::NodeProto* padding = nullptr;
};

/// Follows the rows of `value`, which lie along `axis`, up the graph.
[[nodiscard]] row_origin find_row_origin(const graph_index& index, std::string_view value, std::int64_t axis);

} // namespace padbatch::onnx_tools

#endif
