#ifndef PADBATCH_ONNX_TOOLS_STRUCTURE_HPP
#define PADBATCH_ONNX_TOOLS_STRUCTURE_HPP

#include <onnx_tools/recognise.hpp>

#include <optional>
#include <set>
#include <string>
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

/// The nearest cut that picks the rows of `value`, counted in nodes up the graph. (Region proposals are cut in the same
/// way, farther up.)
[[nodiscard]] row_cut nearest_cut(const graph_index& index, const std::string& value);

/// All cuts that `value` depends on.
[[nodiscard]] std::set<const onnx::NodeProto*> all_cuts(const graph_index& index, const std::string& value);

/// The constant that the scores are compared with before they become `scores`. (R-CNN models also compare the sizes of
/// boxes with a constant, near by; that one is not it.)
[[nodiscard]] std::optional<score_threshold> find_threshold(const graph_index& index, const std::string& scores);

/// torchvision's name for the model that makes `scores` and has these fields; empty when it is none that is known.
[[nodiscard]] std::string family_of(const graph_index& index, const std::string& scores,
                                    const std::vector<field>& fields);

/// Whether `masks` gets its dimension 1 from an Unsqueeze, and so has the extent 1 there.
[[nodiscard]] bool has_one_channel(const graph_index& index, const std::string& masks);

} // namespace padbatch::onnx_tools

#endif
