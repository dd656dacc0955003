// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_RECOGNISE_ROW_IMAGES_HPP
#define PADBATCH_ONNX_TOOLS_RECOGNISE_ROW_IMAGES_HPP

#include <onnx_tools/model/graph.hpp>
#include <onnx_tools/model/value_types.hpp>

#include <onnx/onnx_pb.h>

#include <optional>
#include <string>
#include <string_view>

/// What the nodes say about integers beside rows of all images in one list: the image of each row, or the number of
/// rows of each image. The two have one type.
namespace padbatch::onnx_tools {

/// Whether a value of this type may be either: `[n]` or `[n, 1]`, of numbers.
[[nodiscard]] bool is_list_type(const value_type& type);

/// What `value` is, if the nodes show that it has a number for each image: how many rows of it there are.
struct shown_counts {
    /// What shows it, in words.
    std::string evidence;
    /// Whether that is certain to be about the rows in question.
    bool of_these_rows = false;
};
[[nodiscard]] std::optional<shown_counts> counts_shown(const graph_index& index, std::string_view value,
                                                       std::string_view rows);

/// Whether the value `from` is made with the value `with`.
[[nodiscard]] bool depends_on(const graph_index& index, std::string_view from, std::string_view with);

/// An input that has a row for each image, and the node that reads the first image's for all of them.
struct first_image_read {
    std::string input;
    const onnx::NodeProto* node = nullptr;
};
[[nodiscard]] std::optional<first_image_read> reads_first_image_only(const graph_index& index,
                                                                     const std::string& images);

} // namespace padbatch::onnx_tools

#endif
