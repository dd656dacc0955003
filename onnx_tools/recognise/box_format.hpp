// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_RECOGNISE_BOX_FORMAT_HPP
#define PADBATCH_ONNX_TOOLS_RECOGNISE_BOX_FORMAT_HPP

#include <onnx_tools/model/node_writer.hpp>
#include <onnx_tools/recognise/detections.hpp>
#include <padbatch/element_type.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// How the four numbers of a box are meant, and nodes that make others of them.
namespace padbatch::onnx_tools {

/// All formats with their names, such as `xyxy`.
[[nodiscard]] std::vector<std::pair<std::string, box_format>> all_box_formats();
[[nodiscard]] std::string_view name_of(box_format format) noexcept;

/// Boxes of another format, `[..., 4]` with their numbers along `axis`, as corners x1, y1, x2, y2. Returns `boxes`
/// itself if they are that already.
[[nodiscard]] std::string to_corners(node_writer& nodes, const std::string& boxes, box_format format,
                                     element_type element, std::int64_t axis);

/// Corners x1, y1, x2, y2 along the last dimension of `boxes`, from fractions of the width and height of `images` to
/// its pixels. `height` is the dimension of the images that is their height; the next one is their width.
[[nodiscard]] std::string to_pixels(node_writer& nodes, const std::string& boxes, element_type element,
                                    const std::string& images, std::int64_t height);

/// `rows` with boxes that are corners in front of their other columns, along `axis`, the last. `columns` are those of
/// `rows`, and then those of the result: a box that they call corners is what `format` says. `finish` has the last word
/// on the corners.
[[nodiscard]] std::string with_corners(node_writer& nodes, const std::string& rows, std::vector<flat_column>& columns,
                                       box_format format, element_type element, std::int64_t axis,
                                       const std::function<std::string(const std::string&)>& finish);

} // namespace padbatch::onnx_tools

#endif
