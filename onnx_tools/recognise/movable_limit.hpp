// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_RECOGNISE_MOVABLE_LIMIT_HPP
#define PADBATCH_ONNX_TOOLS_RECOGNISE_MOVABLE_LIMIT_HPP

#include <onnx_tools/recognise/graph_outputs.hpp>
#include <onnx_tools/recognise/readings.hpp>

#include <string>
#include <vector>

namespace padbatch::onnx_tools {

/// Whether the limit on rows may be set to another number where the graph has it.
struct movable_limit {
    /// The result of each image's cut, image by image; empty if the limit must stay.
    std::vector<std::string> cuts;
    /// Why it must stay: a clause about the model; empty if it may move.
    std::string why_not;
};

/// Finds that out. A limit may move if each field's rows are those that its image's cut keeps, one for one and in their
/// order, best first, and if nothing but the fields depends on the cuts. Then the model with another limit gives the
/// first rows of what it would give without one. Between cut and output, boxes, labels and scores may be copied,
/// converted, computed row by row, and put together from columns; masks and keypoints are made by the heads and Loops
/// of torchvision's models.
[[nodiscard]] movable_limit find_movable_limit(const graph_outputs& outputs, const reading& r);

} // namespace padbatch::onnx_tools

#endif
