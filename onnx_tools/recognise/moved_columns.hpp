// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_RECOGNISE_MOVED_COLUMNS_HPP
#define PADBATCH_ONNX_TOOLS_RECOGNISE_MOVED_COLUMNS_HPP

#include <onnx_tools/model/graph.hpp>

#include <string_view>

/// Columns that are put in another order after they were joined.
namespace padbatch::onnx_tools {

/// The node that puts the columns of `rows`, of this rank, in another order than that in which they were joined, or
/// takes some of them; null if there is none.
[[nodiscard]] const onnx::NodeProto* moves_columns(const graph_index& index, std::string_view rows, int rank);

} // namespace padbatch::onnx_tools

#endif
