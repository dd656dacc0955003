// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_RECOGNISE_REARRANGED_HPP
#define PADBATCH_ONNX_TOOLS_RECOGNISE_REARRANGED_HPP

#include <onnx/onnx_pb.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

/// Detectors give their rows in many forms. Padding knows two: fields of each image, and rows of all images in one
/// list. A form of another kind comes with nodes that make one of these from it.
namespace padbatch::onnx_tools {

struct rearranged_outputs {
    /// They read the model's outputs, and come after its own nodes, in this order.
    std::vector<onnx::NodeProto> nodes;
    /// All outputs that the model then has.
    std::vector<onnx::ValueInfoProto> outputs;
    /// What each of the new values is, in words: `columns 0 to 3 of 'dets'`.
    std::map<std::string, std::string> sources;
};

/// The outputs that `graph` has.
[[nodiscard]] rearranged_outputs unchanged_outputs(const onnx::GraphProto& graph);

/// Gives `graph` these outputs.
void rearrange(onnx::GraphProto& graph, const rearranged_outputs& to);

/// A model that is only read, with these outputs. It has no functions; `model` must have been made readable.
[[nodiscard]] onnx::ModelProto rearranged_copy(const onnx::ModelProto& model, const rearranged_outputs& to);

/// Gives a graph other outputs, if there are any, and takes them away again at the end, unless `keep` was called.
class rearranging {
public:
    rearranging(onnx::GraphProto& graph, const std::optional<rearranged_outputs>& to);
    rearranging(const rearranging&) = delete;
    rearranging& operator=(const rearranging&) = delete;
    ~rearranging();

    void keep() noexcept { m_kept = true; }

private:
    onnx::GraphProto& m_graph;
    int m_nodes;
    onnx::GraphProto m_before; // its outputs
    bool m_kept;
};

} // namespace padbatch::onnx_tools

#endif
