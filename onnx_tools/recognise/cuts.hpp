// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_RECOGNISE_CUTS_HPP
#define PADBATCH_ONNX_TOOLS_RECOGNISE_CUTS_HPP

#include <onnx_tools/model/graph.hpp>
#include <onnx_tools/recognise/detections.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

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

/// The axis of the input of a Squeeze or an Unsqueeze that `axis` of its output is; nothing if that is not known, or if
/// it is a new one.
[[nodiscard]] std::optional<std::int64_t> axis_before(const graph_index& index, const onnx::NodeProto& node,
                                                      std::int64_t axis);

/// Follows the rows of `value` up the graph, through nodes that copy, convert or drop rows, or move them to another
/// axis, and none that could add any, such as Concat.
[[nodiscard]] row_bound bound_of(const graph_index& index, const std::string& value);

/// The nearest cut that `value` depends on, counted in nodes up the graph, whether or not it bounds its rows. (Region
/// proposals are cut in the same way, farther up.) Here and below, a shape does not depend on the value that it is the
/// shape of.
[[nodiscard]] row_cut nearest_cut(const graph_index& index, const std::string& value);

/// What a value depends on through `node`, other than through a shape alone.
[[nodiscard]] std::vector<std::string_view> dependencies(const onnx::NodeProto& node);

/// A node that works out from the rows that `cut` cuts how many there are, for others than the cut itself: what it
/// gives would no longer fit if the cut kept another number. Null if none does.
[[nodiscard]] const onnx::NodeProto* other_count_of(const graph_index& index, const onnx::NodeProto& cut);

/// Whether `node` picks the rows of a cut.
[[nodiscard]] bool is_cut_gather(const graph_index& index, const onnx::NodeProto& node);

/// Whether the rows that `cut` cuts come in descending score, as the graph shows: they are those that a
/// NonMaxSuppression with one class keeps, or that a TopK sorts.
[[nodiscard]] bool keeps_best_first(const graph_index& index, const onnx::NodeProto& cut);

using cut_set = std::set<const onnx::NodeProto*>;

/// All cuts that each value of a graph depends on. Values that depend on the same ones share a set, since a graph may
/// have thousands of outputs.
class cut_sets {
public:
    /// `index` must outlive this.
    explicit cut_sets(const graph_index& index);

    /// The set of `value`; empty for a value that no node makes, or that depends on a cycle.
    [[nodiscard]] const cut_set& of(std::string_view value) const;

private:
    [[nodiscard]] std::size_t shared(cut_set set);
    [[nodiscard]] std::size_t joined(std::size_t a, std::size_t b);

    const graph_index& m_index;
    std::unordered_map<const onnx::NodeProto*, std::size_t> m_of_node;
    std::vector<const cut_set*> m_sets; // the first is empty
    std::map<cut_set, std::size_t> m_numbers;
    std::map<std::pair<std::size_t, std::size_t>, std::size_t> m_joined;
};

} // namespace padbatch::onnx_tools

#endif
