// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/pixel_boxes.hpp>

#include <onnx_tools/model/value_types.hpp>
#include <onnx_tools/model/wording.hpp>
#include <onnx_tools/recognise/cuts.hpp>
#include <onnx_tools/recognise/image_inputs.hpp>

#include <algorithm>
#include <deque>
#include <initializer_list>
#include <optional>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

namespace padbatch::onnx_tools {
namespace {

// What becomes of an image before the first layer.
struct image_path {
    int resizes = 0; // the most, over all ways
    int idle = 0;    // those that keep the size; an optimiser may have left out that the boxes are scaled by 1
    bool transposed = false;
};

// Whether a node resizes an image of the declared shape `image` to the size that it has.
bool keeps_extents(const graph_index& index, const onnx::NodeProto& node, const std::vector<dimension>& image)
{
    if (is(&node, {"Resize"}) && node.input_size() == 4 && image.size() >= 2) {
        const auto sizes = index.constant_integers(node.input(3));
        return sizes && sizes->size() >= 2 && image.back().size == sizes->back() &&
               image[image.size() - 2].size == (*sizes)[sizes->size() - 2];
    }
    if (!is(&node, {"Resize"}) || node.input_size() != 3) {
        return false;
    }
    const auto scales = index.constant_floats(node.input(2));
    return scales && !scales->empty() &&
           std::all_of(scales->begin(), scales->end(), [](float scale) { return scale == 1; });
}

image_path path_of(const graph_index& index, std::string_view image, const std::vector<dimension>& shape)
{
    image_path path;
    std::deque<std::pair<std::string_view, int>> pending{{image, 0}};
    std::unordered_set<const onnx::NodeProto*> seen;
    while (!pending.empty()) {
        const auto [value, resizes] = pending.front();
        pending.pop_front();
        path.resizes = std::max(path.resizes, resizes);
        for (const auto* reader : index.readers(value)) {
            const bool idle = keeps_extents(index, *reader, shape);
            const bool resize = !idle && is(reader, {"Resize", "Upsample", "GridSample"});
            path.transposed = path.transposed || is(reader, {"Transpose"});
            if (!resize && !idle &&
                !is(reader, {"Identity",
                             "Cast",
                             "Sub",
                             "Div",
                             "Mul",
                             "Add",
                             "Unsqueeze",
                             "Squeeze",
                             "Concat",
                             "Pad",
                             "Slice",
                             "Gather",
                             "Split",
                             "Clip",
                             "Reshape",
                             "Transpose",
                             "ScatterND",
                             "ScatterElements",
                             "QuantizeLinear",
                             "DequantizeLinear"})) {
                continue;
            }
            if (seen.insert(reader).second) {
                path.idle += idle ? 1 : 0;
                for (const auto& result : reader->output()) {
                    pending.emplace_back(result, resizes + (resize ? 1 : 0));
                }
            }
        }
    }
    return path;
}

// By how many factors the coordinates of `value` were multiplied since its rows were picked; nothing if anything else
// became of them.
std::optional<int> factors_of(const graph_index& index, std::string_view value, int depth)
{
    int factors = 0;
    for (; depth < 64; ++depth) {
        const auto* node = index.producer(value);
        if (node == nullptr || node->input_size() == 0) {
            return std::nullopt;
        }
        if (is_cut_gather(index, *node)) {
            return factors;
        }
        if (is(node, {"Concat"})) {
            const auto axis = integer_attribute(*node, "axis", 0);
            std::optional<int> common;
            for (const auto& column : node->input()) {
                const auto of_column = factors_of(index, column, depth + 1);
                if (!of_column || (common && *common != *of_column) || (axis != 1 && axis != -1)) {
                    return std::nullopt;
                }
                common = of_column;
            }
            return common ? std::optional(factors + *common) : std::nullopt;
        }
        if (is(node, {"Mul"})) {
            ++factors;
        } else if (!is(node, {"Identity", "Cast", "Unsqueeze", "Squeeze", "Gather", "GatherND", "Slice", "Split",
                              "Reshape", "Flatten"})) {
            return std::nullopt;
        }
        value = node->input(0);
    }
    return std::nullopt;
}

// Whether columns of the rows in one list were computed after the rows were picked, as where a wrapper divides boxes.
bool changes_picked_columns(const graph_index& index, const flat_source& flat)
{
    const std::initializer_list<std::string_view> copies{"Identity", "Cast",  "Unsqueeze", "Squeeze",
                                                         "Reshape",  "Slice", "Split",     "Flatten"};
    const std::initializer_list<std::string_view> arithmetic{"Div", "Mul", "Sub", "Add", "Clip"};
    const auto* node = producer_behind(index, flat.rows, copies, 32);
    if (!is(node, {"Concat"})) {
        return is(node, arithmetic);
    }
    return std::any_of(node->input().begin(), node->input().end(), [&](const std::string& column) {
        return is(producer_behind(index, column, copies, 32), arithmetic);
    });
}

} // namespace

std::string doubt_about_pixels(const graph_index& index, const detections& source)
{
    int resizes = 0;
    int idle = 0;
    for (const auto& name : source.images) {
        const auto inputs = index.required_inputs();
        const auto info =
            std::find_if(inputs.begin(), inputs.end(), [&](const auto* input) { return input->name() == name; });
        if (info == inputs.end()) {
            return "the images are not an input";
        }
        const auto type = declared_type(**info);
        const std::string text = "the input " + text_of(typed_value{name, type});
        if (!type.element || !is_floating(*type.element)) {
            return text + " is not of floating point";
        }
        const auto path = path_of(index, name, type.shape);
        if (has_channels_last(type.shape) || path.transposed) {
            return text + " has its channels last, or is transposed";
        }
        resizes = std::max(resizes, path.resizes);
        idle = std::max(idle, path.idle);
    }
    if (resizes > 1) {
        return "the images are resized more than once";
    }
    const auto* boxes = find_field(source, field::boxes);
    if (source.flat) {
        if (changes_picked_columns(index, *source.flat)) {
            return "the columns of " + quoted(source.flat->rows) + " are computed after the rows are picked";
        }
        return resizes == 0 ? "" : "the images are resized, and the graph does not show that the boxes are scaled back";
    }
    for (const auto& value : boxes->values) {
        const auto factors = factors_of(index, value, 0);
        if (!factors) {
            return "the boxes " + quoted(value) + " are computed in a way that the model families do not have";
        }
        if (*factors < resizes || *factors > resizes + std::min(idle, 1)) {
            return "the images are resized " + std::string(resizes == 0 ? "not at all" : "once") + ", but the boxes " +
                   quoted(value) + " are scaled " + count_of(*factors, "time");
        }
    }
    return "";
}

} // namespace padbatch::onnx_tools
