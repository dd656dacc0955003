// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_MODEL_RANKS_HPP
#define PADBATCH_ONNX_TOOLS_MODEL_RANKS_HPP

#include <onnx_tools/model/graph.hpp>

#include <memory>
#include <optional>
#include <string>

namespace padbatch::onnx_tools {

/// Finds the ranks of the outputs of a detection model: as declared by the graph's inputs, outputs or value_info, or
/// else worked out from the nodes that make them, provided that detection models end in such nodes. What one search
/// finds is kept for the next; the index must outlive the finder.
class rank_finder {
public:
    explicit rank_finder(const graph_index& index);
    ~rank_finder();
    rank_finder(const rank_finder&) = delete;
    rank_finder& operator=(const rank_finder&) = delete;

    /// Nothing when the rank cannot be worked out.
    [[nodiscard]] std::optional<int> rank_of(const std::string& value);

private:
    struct state;
    std::unique_ptr<state> m_state;
};

} // namespace padbatch::onnx_tools

#endif
