// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_RECOGNISE_FLAT_READING_HPP
#define PADBATCH_ONNX_TOOLS_RECOGNISE_FLAT_READING_HPP

#include <onnx_tools/model/graph.hpp>
#include <onnx_tools/model/value_types.hpp>
#include <onnx_tools/recognise/detections.hpp>
#include <onnx_tools/recognise/flat_columns.hpp>

#include <string>
#include <vector>

namespace padbatch::onnx_tools {

/// Which outputs hold the rows of all images, and which one says whose they are.
struct flat_reading {
    /// Rows with columns, or boxes beside lists of labels and scores.
    const typed_value* rows = nullptr;
    flat_columns columns;
    const typed_value* labels = nullptr; // null if a column holds them
    const typed_value* scores = nullptr;
    /// The image of each row, or the number of rows of each image; null if a column holds the image.
    const typed_value* index = nullptr;
    const typed_value* counts = nullptr;
    /// What proves all this; empty if it is only possible.
    std::string evidence;
};

/// Throws `tool_error` with `failure::refused` where there are none, or not beyond doubt; with `failure::usage` where
/// `options` name what is not there.
[[nodiscard]] flat_reading read_flat(const graph_index& index, const std::vector<typed_value>& outputs,
                                     const recognise_options& options);

} // namespace padbatch::onnx_tools

#endif
