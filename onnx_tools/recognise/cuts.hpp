// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_RECOGNISE_CUTS_HPP
#define PADBATCH_ONNX_TOOLS_RECOGNISE_CUTS_HPP

#include <onnx_tools/model/graph.hpp>
#include <onnx_tools/recognise/detections.hpp>

#include <cstdint>
#include <optional>
#include <set>
#include <string>

/// The nodes that cut the rows of an image. All of these functions answer "not found" rather than guess.
namespace padbatch::onnx_tools {

/// The node that cuts the kept rows of one image, `Slice(keep, 0, rows)`, whose result picks the rows of its boxes,
/// labels and scores. `node` is null when there is no cut.
struct row_cut {
    const onnx::NodeProto* node = nullptr;
    std::int64_t rows = 0;
};

/// What is certain about the rows of a value.
struct row_bound {
    /// The cut whose result picks the rows, each at most once; null when there is none.
    const onnx::NodeProto* cut = nullptr;
    /// No run has more rows than this, because of the cut or of a Slice of the rows themselves. Nothing when no node
    /// limits them.
    std::optional<row_limit> limit;
};

/// Follows the rows of `value` up the graph, through nodes that copy, convert or drop rows and none that could add any,
/// such as Concat.
[[nodiscard]] row_bound bound_of(const graph_index& index, const std::string& value);

/// The nearest cut that `value` depends on, counted in nodes up the graph, whether or not it bounds its rows. (Region
/// proposals are cut in the same way, farther up.) Here and below, a shape does not depend on the value that it is the
/// shape of.
[[nodiscard]] row_cut nearest_cut(const graph_index& index, const std::string& value);

/// All cuts that `value` depends on.
[[nodiscard]] std::set<const onnx::NodeProto*> all_cuts(const graph_index& index, const std::string& value);

} // namespace padbatch::onnx_tools

#endif
