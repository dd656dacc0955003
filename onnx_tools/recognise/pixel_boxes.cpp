// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/pixel_boxes.hpp>

#include <onnx_tools/model/value_types.hpp>
#include <onnx_tools/model/wording.hpp>
#include <onnx_tools/recognise/cuts.hpp>
#include <onnx_tools/recognise/image_inputs.hpp>
#include <onnx_tools/recognise/walk.hpp>

#include <algorithm>
#include <cmath>
#include <deque>
#include <initializer_list>
#include <optional>
#include <set>
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

// The order of axes after one more Transpose; empty if all axes are where they were, nothing if that is not known.
std::optional<std::vector<std::int64_t>> reordered(const std::vector<std::int64_t>& before, const onnx::NodeProto& node)
{
    const auto* perm = attribute(node, "perm");
    if (perm == nullptr || perm->ints_size() == 0) {
        return std::nullopt;
    }
    std::vector<std::int64_t> after(perm->ints().begin(), perm->ints().end());
    for (auto& axis : after) {
        if (axis < 0 || axis >= static_cast<std::int64_t>(before.empty() ? after.size() : before.size())) {
            return std::nullopt;
        }
        axis = before.empty() ? axis : before[static_cast<std::size_t>(axis)];
    }
    return std::is_sorted(after.begin(), after.end()) ? std::vector<std::int64_t>() : after;
}

// An image on its way, and what became of it.
struct image_value {
    std::string_view name;
    int resizes = 0;
    std::vector<std::int64_t>
        order; // of its axes while they are exchanged, as where an image is copied into a larger one
};

image_path path_of(const graph_index& index, std::string_view image, const std::vector<dimension>& shape)
{
    image_path path;
    std::deque<image_value> pending{{image, 0, {}}};
    std::unordered_set<const onnx::NodeProto*> seen;
    while (!pending.empty()) {
        const auto [value, resizes, order] = pending.front();
        pending.pop_front();
        path.resizes = std::max(path.resizes, resizes);
        for (const auto* reader : index.readers(value)) {
            const bool idle = keeps_extents(index, *reader, shape);
            const bool resize = !idle && is(reader, {"Resize", "Upsample", "GridSample"});
            auto order_after = order;
            if (is(reader, {"Transpose"})) {
                const auto known = reordered(order, *reader);
                path.transposed = path.transposed || !known;
                order_after = known.value_or(std::vector<std::int64_t>());
            } else if (!order.empty() && !is(reader, {"Identity", "Cast", "Sub", "Div", "Mul", "Add", "Clip",
                                                      "ScatterND", "ScatterElements", "Shape"})) {
                path.transposed = true;
            }
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
                    pending.push_back({result, resizes + (resize ? 1 : 0), order_after});
                }
            }
        }
    }
    return path;
}

// The graph inputs that `value` depends on, through shapes too.
std::set<std::string_view> inputs_above(const graph_index& index, std::string_view value)
{
    std::set<std::string_view> inputs;
    const auto add_if_input = [&](std::string_view read) {
        if (index.producer(read) == nullptr && index.initializer(read) == nullptr) {
            inputs.insert(read);
        }
    };
    add_if_input(value);
    walk_up(index, value, [&](const onnx::NodeProto& node) {
        auto read = values_read(node);
        std::for_each(read.begin(), read.end(), add_if_input);
        return read;
    });
    return inputs;
}

struct box_factors {
    int count = 0;
    std::set<std::string_view> inputs; // those that the factors depend on
    double number = 1;                 // the product of those that are constants
    std::vector<double> columns;       // these products, column by column
};

// By what the coordinates of `value` were multiplied since its rows were picked; nothing if anything else became of
// them.
std::optional<box_factors> factors_of(const graph_index& index, std::string_view value, int depth)
{
    box_factors factors;
    for (; depth < 64; ++depth) {
        const auto* node = index.producer(value);
        if (node == nullptr || node->input_size() == 0) {
            return std::nullopt;
        }
        if (is_cut_gather(index, *node)) {
            return factors;
        }
        if (is(node, {"Concat"}) && !is_copy(index, node)) {
            const auto axis = integer_attribute(*node, "axis", 0);
            std::optional<int> common;
            for (const auto& column : node->input()) {
                const auto of_column = factors_of(index, column, depth + 1);
                if (!of_column || (common && *common != of_column->count) || (axis != 1 && axis != -1)) {
                    return std::nullopt;
                }
                common = of_column->count;
                factors.columns.push_back(of_column->number);
                factors.inputs.insert(of_column->inputs.begin(), of_column->inputs.end());
            }
            factors.count += common.value_or(0);
            return common ? std::optional(factors) : std::nullopt;
        }
        if (is(node, {"Mul"}) && node->input_size() == 2) {
            ++factors.count;
            factors.inputs.merge(inputs_above(index, node->input(1)));
            factors.number *= index.constant_number(node->input(1)).value_or(1);
        } else if (!is_copy(index, node) && !is(node, {"Cast", "Unsqueeze", "Squeeze", "Gather", "GatherND", "Slice",
                                                       "Split", "Reshape", "Flatten"})) {
            return std::nullopt;
        }
        value = node->input(0);
    }
    return std::nullopt;
}

// The height and width of an image, if it declares both.
std::optional<image_extents> size_of(const std::vector<dimension>& shape)
{
    if (shape.size() < 2 || !shape[shape.size() - 2].size || !shape.back().size) {
        return std::nullopt;
    }
    return image_extents{*shape[shape.size() - 2].size, *shape.back().size};
}

// Whether boxes that are scaled so may belong to images of these sizes, all of which were resized to one: the factors
// of x and y are in proportion to width and height.
bool in_proportion(const std::vector<std::optional<image_extents>>& sizes, const std::vector<box_factors>& factors)
{
    const auto& [height, width] = *sizes.front();
    const auto& first = factors.front().columns;
    for (std::size_t image = 0; image < sizes.size(); ++image) {
        const auto& own = factors[image].columns;
        if (!sizes[image] || own.size() != 4 || first.size() != 4) {
            return false;
        }
        for (std::size_t column = 0; column < 4; ++column) {
            const bool vertical = column % 2 == 1;
            const auto expected = first[column] *
                                  static_cast<double>(vertical ? sizes[image]->first : sizes[image]->second) /
                                  static_cast<double>(vertical ? height : width);
            if (std::abs(own[column] - expected) > 1e-5 * expected) { // float32 keeps 6e-8
                return false;
            }
        }
    }
    return true;
}

} // namespace

bool changes_picked_columns(const graph_index& index, std::string_view rows)
{
    const std::initializer_list<std::string_view> copies{"Identity", "Cast",  "Unsqueeze", "Squeeze",
                                                         "Reshape",  "Slice", "Split",     "Flatten"};
    const std::initializer_list<std::string_view> arithmetic{"Div", "Mul", "Sub", "Add", "Clip"};
    const auto* node = producer_behind(index, rows, copies, 32);
    if (!is(node, {"Concat"})) {
        return is(node, arithmetic);
    }
    return std::any_of(node->input().begin(), node->input().end(), [&](const std::string& column) {
        return is(producer_behind(index, column, copies, 32), arithmetic);
    });
}

std::string doubt_about_pixels(const graph_index& index, const detections& source)
{
    if (source.in_pixels) {
        return "";
    }
    if (!source.doubt_about_pixels.empty()) {
        return source.doubt_about_pixels;
    }
    int resizes = 0;
    int idle = 0;
    std::vector<std::optional<image_extents>> sizes;
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
        sizes.push_back(size_of(type.shape));
        resizes = std::max(resizes, path.resizes);
        idle = std::max(idle, path.idle);
    }
    if (resizes > 1) {
        return "the images are resized more than once";
    }
    if (!source.box_doubt.empty()) {
        return source.box_doubt;
    }
    const auto* boxes = find_field(source, field::boxes);
    if (source.form == export_kind::padded) { // else there would be a doubt
        return "";
    }
    if (const auto& list = source.flat ? source.flat : source.list_of_image) {
        if (changes_picked_columns(index, list->rows)) {
            return "the columns of " + quoted(list->rows) + " are computed after the rows are picked";
        }
        return resizes == 0 ? "" : "the images are resized, and the graph does not show that the boxes are scaled back";
    }
    const bool one_size =
        sizes.size() < 2 ||
        std::all_of(sizes.begin(), sizes.end(), [&](const auto& size) { return size && size == sizes.front(); });
    std::vector<box_factors> all;
    for (std::size_t image = 0; image < boxes->values.size(); ++image) {
        const auto& value = boxes->values[image];
        const auto factors = factors_of(index, value, 0);
        if (!factors) {
            return "the boxes " + quoted(value) + " are computed in a way that the model families do not have";
        }
        if (factors->count < resizes || factors->count > resizes + std::min(idle, 1)) {
            return "the images are resized " + std::string(resizes == 0 ? "not at all" : "once") + ", but the boxes " +
                   quoted(value) + " are scaled " + count_of(factors->count, "time");
        }
        if (!one_size && !factors->inputs.empty() &&
            factors->inputs != std::set<std::string_view>{source.images[image]}) {
            return "the boxes " + quoted(value) + " are not those of the image " + quoted(source.images[image]);
        }
        all.push_back(*factors);
    }
    const bool constant = std::all_of(all.begin(), all.end(), [](const auto& f) { return f.inputs.empty(); });
    if (!one_size && !all.empty() &&
        (constant ? !sizes.front() || !in_proportion(sizes, all)
                  : std::any_of(all.begin(), all.end(), [](const auto& f) { return f.inputs.empty(); }))) {
        return "nothing shows which boxes are those of which image";
    }
    return "";
}

} // namespace padbatch::onnx_tools
