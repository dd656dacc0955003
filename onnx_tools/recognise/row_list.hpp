// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_RECOGNISE_ROW_LIST_HPP
#define PADBATCH_ONNX_TOOLS_RECOGNISE_ROW_LIST_HPP

#include <onnx_tools/model/graph.hpp>
#include <onnx_tools/model/value_types.hpp>
#include <onnx_tools/recognise/detections.hpp>

#include <onnx/onnx_pb.h>

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace padbatch::onnx_tools {

/// A model that has the rows of all images in one list, and what has been found in it so far.
struct row_list {
    /// Finds the input that determines the number of images. Throws `tool_error` with `failure::refused` when there is
    /// not exactly one of rank 4. The model must outlive this.
    explicit row_list(const onnx::ModelProto& model);

    graph_index index;
    std::vector<typed_value> outputs;
    /// B, as the input declares it.
    dimension batch;
    /// The outputs that the padded ones replace.
    std::set<std::string> taken;
    flat_source source;
    /// The inputs that hold the images, limit, threshold and fields.
    detections found;

    /// Sets the types of boxes and scores. Labels are int64.
    void set_fields(element_type boxes, element_type scores);
    /// Everything that was found.
    [[nodiscard]] detections finish() &&;
};

[[nodiscard]] bool is_floating_of_rank(const value_type& type, int rank);
[[nodiscard]] std::optional<std::int64_t> last_extent(const value_type& type);

} // namespace padbatch::onnx_tools

#endif
