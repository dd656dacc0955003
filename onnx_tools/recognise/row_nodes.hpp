// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_RECOGNISE_ROW_NODES_HPP
#define PADBATCH_ONNX_TOOLS_RECOGNISE_ROW_NODES_HPP

#include <onnx_tools/model/graph.hpp>
#include <onnx_tools/model/node_writer.hpp>
#include <onnx_tools/recognise/rearranged.hpp>

#include <onnx/onnx_pb.h>

#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace padbatch::onnx_tools {

/// Makes the nodes that find the image of each row in a list. Rows that are no detections get the image -1, which no
/// batch has.
class row_nodes {
public:
    explicit row_nodes(const onnx::ModelProto& model);

    /// A value of the first input's elements without `count` dimensions of extent 1 at its front.
    [[nodiscard]] std::string without_front(const std::string& value, int count);
    /// A column of rows.
    [[nodiscard]] std::string column(const std::string& name, const std::string& rows, std::int64_t which);
    /// `value` as int64.
    [[nodiscard]] std::string whole(const std::string& name, const std::string& value);

    /// The image of each row, by the number of rows that each image has. Running the model fails unless there is a
    /// number for each image, and all of them together are the number of rows; in OpenVINO, which does not fail, no row
    /// has an image then.
    [[nodiscard]] std::string images_by_counts(const std::string& rows, const std::string& counts,
                                               const std::string& images);

    /// Conditions for a row, one after the other; and `image` where all of them hold, else -1.
    void require_not_negative(const std::string& name, const std::string& list);
    void require_positive(const std::string& name, const std::string& list);
    /// Not from the first negative number on.
    void require_in_front_of_negative(const std::string& name, const std::string& list);
    [[nodiscard]] std::string image_if_detection(const std::string& rows, const std::string& image);

    /// What was made, with these outputs of the model: those in `taken` are replaced by `values`.
    [[nodiscard]] rearranged_outputs finish(const onnx::ModelProto& model, const std::set<std::string>& taken,
                                            const std::vector<onnx::ValueInfoProto>& values) &&;

private:
    std::string as_float(const std::string& name, const std::string& list);
    void require(const std::string& condition);

    onnx::GraphProto m_graph;
    fresh_names m_fresh;
    node_writer m_nodes;
    std::string m_condition; // [n], whether a row is a detection; empty if every row is
};

} // namespace padbatch::onnx_tools

#endif
