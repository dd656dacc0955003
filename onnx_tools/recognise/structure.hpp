// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_RECOGNISE_STRUCTURE_HPP
#define PADBATCH_ONNX_TOOLS_RECOGNISE_STRUCTURE_HPP

#include <onnx_tools/recognise/recognise.hpp>

#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

/// What the nodes above the outputs of a torchvision detection model tell. All of these answer "not found" rather than
/// guess.
namespace padbatch::onnx_tools {

/// The node that cuts the kept rows of one image, `Slice(keep, 0, rows)`, whose result picks the rows of its boxes,
/// labels and scores. `node` is null when there is none.
struct row_cut {
    const onnx::NodeProto* node = nullptr;
    std::int64_t rows = 0;
};

/// What is certain of the rows of a value.
struct row_bound {
    /// The cut whose result picks the rows, each at most once; null when there is none.
    const onnx::NodeProto* cut = nullptr;
    /// No run has more rows than this: by the cut, or by a Slice of the rows themselves. Nothing when no node says so.
    std::optional<row_limit> limit;
};

/// Follows the rows of `value` up the graph, through nodes that copy, convert or drop rows and none that could add any,
/// such as Concat.
[[nodiscard]] row_bound bound_of(const graph_index& index, const std::string& value);

/// The nearest cut that `value` depends on, counted in nodes up the graph, whether it bounds its rows or not. (Region
/// proposals are cut in the same way, farther up.) Here and below, a value does not depend on what it is the shape of.
[[nodiscard]] row_cut nearest_cut(const graph_index& index, const std::string& value);

/// All cuts that `value` depends on.
[[nodiscard]] std::set<const onnx::NodeProto*> all_cuts(const graph_index& index, const std::string& value);

/// The constant that the scores are compared with before they become `scores`. (R-CNN models also compare the sizes of
/// boxes with a constant, near by; that one is not it.)
[[nodiscard]] std::optional<score_threshold> find_threshold(const graph_index& index, const std::string& scores);

/// torchvision's name for the model that makes `scores` and has these fields; empty when it is none that is known.
[[nodiscard]] std::string family_of(const graph_index& index, const std::string& scores,
                                    const std::vector<field>& fields);

/// The largest height and width that the image inputs declare; nothing when one of them leaves its own open.
[[nodiscard]] std::optional<std::pair<std::int64_t, std::int64_t>> declared_image_size(const graph_index& index);

/// Whether `masks` gets its dimension 1 from an Unsqueeze, and so has the extent 1 there.
[[nodiscard]] bool has_one_channel(const graph_index& index, const std::string& masks);

} // namespace padbatch::onnx_tools

#endif
