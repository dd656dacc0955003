// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_SERVE_FIRST_EXTENTS_HPP
#define PADBATCH_ONNX_TOOLS_SERVE_FIRST_EXTENTS_HPP

#include <onnx_tools/model/graph.hpp>
#include <onnx_tools/model/ranks.hpp>

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace padbatch::onnx_tools {

/// What an extent of a value counts.
enum class counted {
    unknown,
    images, ///< the images of the batch: it is the first extent of an input of images
    rows,   ///< what is found in the images, which differs from one to the next
};

/// Finds out what extents count, from the nodes: what files declare is up to the exporter, which may give the batch
/// another symbol in each output, and the batch's symbol to what is not the batch. Knows the operators in which
/// detection models and their post-processing end, and says `unknown` of others. What one search finds is kept for the
/// next; the index must outlive the finder.
class extent_finder {
public:
    /// `images` are the inputs whose first extent is the batch.
    extent_finder(const graph_index& index, std::vector<std::string> images);

    /// What the first extent of `value` counts.
    [[nodiscard]] counted first_extent_of(const std::string& value) { return extent_of(value, 0); }

private:
    [[nodiscard]] counted extent_of(const std::string& value, std::int64_t axis);
    [[nodiscard]] counted find(const std::string& value, std::int64_t axis);
    [[nodiscard]] counted of_node(const onnx::NodeProto& node, std::int64_t axis);
    [[nodiscard]] counted of_operands(const onnx::NodeProto& node, const std::string& value, std::int64_t axis);
    [[nodiscard]] counted of_slice(const onnx::NodeProto& node, std::int64_t axis);
    [[nodiscard]] counted of_gather(const onnx::NodeProto& node, std::int64_t axis);
    [[nodiscard]] counted of_reshape(const onnx::NodeProto& node, std::int64_t axis);
    [[nodiscard]] counted of_concat(const onnx::NodeProto& node, std::int64_t axis);
    [[nodiscard]] counted of_unsqueeze(const onnx::NodeProto& node, std::int64_t axis);
    [[nodiscard]] counted of_squeeze(const onnx::NodeProto& node, std::int64_t axis);
    [[nodiscard]] counted of_reduction(const onnx::NodeProto& node, std::int64_t axis);
    [[nodiscard]] counted of_sizes(const std::string& sizes, std::int64_t position);
    [[nodiscard]] counted of_size(const std::string& number);
    [[nodiscard]] counted of_input(const onnx::NodeProto& node, int input, std::int64_t axis);
    [[nodiscard]] std::optional<std::int64_t> rank_of_input(const onnx::NodeProto& node, int input);
    [[nodiscard]] std::optional<std::int64_t> axis_attribute(const onnx::NodeProto& node, std::int64_t otherwise);

    const graph_index& m_index;
    rank_finder m_ranks;
    std::vector<std::string> m_images;
    std::map<std::pair<std::string_view, std::int64_t>, counted> m_known;
    int m_depth = 0;
};

} // namespace padbatch::onnx_tools

#endif
