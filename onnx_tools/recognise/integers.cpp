// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/integers.hpp>

#include <onnx_tools/model/value_types.hpp>

#include <algorithm>

namespace padbatch::onnx_tools {
namespace {

bool is_integer_type(int type)
{
    switch (type) {
    case onnx::TensorProto::INT8:
    case onnx::TensorProto::INT16:
    case onnx::TensorProto::INT32:
    case onnx::TensorProto::INT64:
    case onnx::TensorProto::UINT8:
    case onnx::TensorProto::UINT16:
    case onnx::TensorProto::UINT32:
    case onnx::TensorProto::UINT64: return true;
    default: return false;
    }
}

std::optional<int> integer_type_or_none(int type)
{
    return is_integer_type(type) ? std::optional(type) : std::nullopt;
}

// The type of the integers that `value` is known to hold, by the nodes that make it; nothing if it may hold something
// else. The types of inner values are often left out.
std::optional<int> integers_held(const graph_index& index, std::string_view value)
{
    for (int steps = 0; steps < 64; ++steps) { // a broken graph may have a cycle
        if (const auto* tensor = index.initializer(value)) {
            return integer_type_or_none(tensor->data_type());
        }
        const auto* node = index.producer(value);
        if (node == nullptr) {
            const auto& inputs = index.graph().input();
            const auto info =
                std::find_if(inputs.begin(), inputs.end(), [&](const auto& input) { return input.name() == value; });
            return info != inputs.end() ? integer_type_or_none(info->type().tensor_type().elem_type()) : std::nullopt;
        }
        if (is(node, {"Shape", "Size", "NonZero", "ArgMax", "ArgMin", "NonMaxSuppression"}) ||
            (is(node, {"TopK"}) && node->output_size() > 1 && node->output(1) == value)) {
            return onnx::TensorProto::INT64;
        }
        if (is(node, {"Cast"})) {
            return integer_type_or_none(static_cast<int>(integer_attribute(*node, "to", 0)));
        }
        if (is(node, {"Constant", "ConstantOfShape"})) {
            const auto* held = attribute(*node, "value");
            return attribute(*node, "value_int") != nullptr || attribute(*node, "value_ints") != nullptr
                       ? std::optional<int>(onnx::TensorProto::INT64)
                   : held != nullptr ? integer_type_or_none(held->t().data_type())
                                     : std::nullopt;
        }
        const int data = is(node, {"Where"}) ? 1 : 0;
        if (node->input_size() <= data || !is(node, {"Gather",
                                                     "GatherND",
                                                     "GatherElements",
                                                     "Slice",
                                                     "Split",
                                                     "Concat",
                                                     "Reshape",
                                                     "Flatten",
                                                     "Squeeze",
                                                     "Unsqueeze",
                                                     "Expand",
                                                     "Tile",
                                                     "Transpose",
                                                     "Identity",
                                                     "Compress",
                                                     "Range",
                                                     "Mod",
                                                     "Add",
                                                     "Sub",
                                                     "Mul",
                                                     "Div",
                                                     "Min",
                                                     "Max",
                                                     "Clip",
                                                     "Where",
                                                     "ScatterElements",
                                                     "ScatterND",
                                                     "TopK",
                                                     "CumSum",
                                                     "Neg",
                                                     "Abs"})) {
            return std::nullopt;
        }
        value = node->input(data);
    }
    return std::nullopt;
}

} // namespace

bool holds_integers(const graph_index& index, std::string_view value)
{
    return integers_held(index, value).has_value();
}

std::optional<element_type> integer_type(const graph_index& index, std::string_view value)
{
    const auto type = integers_held(index, value);
    return type ? from_onnx(*type) : std::nullopt;
}

bool was_integer(const graph_index& index, std::string_view value)
{
    for (int steps = 0; steps < 64; ++steps) {
        const auto* node = index.producer(value);
        if (node == nullptr || node->input_size() == 0) {
            return false;
        }
        if (is(node, {"Cast"}) && integers_held(index, node->input(0))) {
            return true;
        }
        if (!is(node, {"Cast", "Identity", "Gather", "GatherND", "GatherElements", "Slice", "Split", "Reshape",
                       "Flatten", "Squeeze", "Unsqueeze", "Compress", "Clip", "Mul", "Add", "Div", "Sub", "Expand"})) {
            return false;
        }
        value = node->input(0);
    }
    return false;
}

} // namespace padbatch::onnx_tools
