// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/box_format.hpp>

#include <onnx_tools/model/value_types.hpp>
#include <onnx_tools/model/wording.hpp>
#include <onnx_tools/recognise/flat_columns.hpp>

#include <algorithm>
#include <cstddef>

namespace padbatch::onnx_tools {
namespace {

constexpr words<box_format, 4> format_names{{{box_format::xyxy, "xyxy"},
                                             {box_format::xywh, "xywh"},
                                             {box_format::cxcywh, "cxcywh"},
                                             {box_format::yxyx, "yxyx"}}};

} // namespace

std::vector<std::pair<std::string, box_format>> all_box_formats()
{
    return listed(format_names);
}

std::string_view name_of(box_format format) noexcept
{
    return word_for(format_names, format);
}

std::string to_corners(node_writer& nodes, const std::string& boxes, box_format format, element_type element,
                       std::int64_t axis)
{
    if (format == box_format::xyxy) {
        return boxes;
    }
    if (format == box_format::yxyx) {
        return nodes.gather("boxes/xyxy", boxes, nodes.integers({1, 0, 3, 2}), axis);
    }
    const auto place = nodes.gather("boxes/place", boxes, nodes.integers({0, 1}), axis);
    const auto size = nodes.gather("boxes/size", boxes, nodes.integers({2, 3}), axis);
    if (format == box_format::xywh) {
        return nodes.concat("boxes/xyxy", {place, nodes.add("Add", "boxes/high", {place, size})}, axis);
    }
    onnx::TensorProto one_half;
    one_half.set_data_type(onnx::TensorProto::FLOAT);
    one_half.add_float_data(0.5F);
    const auto half =
        nodes.add("Mul", "boxes/half", {size, nodes.cast("boxes/0.5", nodes.constant("boxes/0.5", one_half), element)});
    return nodes.concat("boxes/xyxy",
                        {nodes.add("Sub", "boxes/low", {place, half}), nodes.add("Add", "boxes/high", {place, half})},
                        axis);
}

std::string to_pixels(node_writer& nodes, const std::string& boxes, element_type element, const std::string& images,
                      std::int64_t height)
{
    const auto size = nodes.extents("boxes/image", images, {height + 1, height, height + 1, height});
    return nodes.add("Mul", "boxes/pixels", {boxes, nodes.cast("boxes/image", size, element)});
}

std::string with_corners(node_writer& nodes, const std::string& rows, std::vector<flat_column>& columns,
                         box_format format, element_type element, std::int64_t axis,
                         const std::function<std::string(const std::string&)>& finish)
{
    const bool center = has(columns, flat_column::cx);
    const auto& names = center ? center_and_size : corners;
    flat_columns changed = corners;
    std::vector<std::int64_t> box;
    std::vector<std::int64_t> rest;
    for (const auto name : names) {
        box.push_back(std::find(columns.begin(), columns.end(), name) - columns.begin());
    }
    for (std::size_t i = 0; i < columns.size(); ++i) {
        if (!has(names, columns[i])) {
            rest.push_back(static_cast<std::int64_t>(i));
            changed.push_back(columns[i]);
        }
    }
    columns = std::move(changed);
    auto boxes = nodes.gather("boxes/columns", rows, nodes.integers(box), axis);
    boxes = finish(to_corners(nodes, boxes, center ? box_format::cxcywh : format, element, axis));
    return rest.empty() ? boxes
                        : nodes.concat("rows/with_corners",
                                       {boxes, nodes.gather("rows/rest", rows, nodes.integers(rest), axis)}, axis);
}

} // namespace padbatch::onnx_tools
