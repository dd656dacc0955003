// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/model/node_writer.hpp>

#include <onnx_tools/model/value_types.hpp>

namespace padbatch::onnx_tools {
namespace {

// From this opset on, Squeeze, Unsqueeze and ReduceSum take their axes as an input.
constexpr std::int64_t axes_are_inputs = 13;
// And from this one on, ReduceMax.
constexpr std::int64_t all_axes_are_inputs = 18;

} // namespace

std::string node_writer::add(const std::string& op, const std::string& name, const std::vector<std::string>& inputs,
                             const std::string& result)
{
    auto& node = *m_graph.add_node();
    node.set_op_type(op);
    node.set_name(m_fresh("padbatch/" + name));
    for (const auto& input : inputs) {
        node.add_input(input);
    }
    node.add_output(result.empty() ? m_fresh(node.name() + ":0") : result);
    return node.output(0);
}

onnx::AttributeProto& node_writer::new_attribute(const std::string& name, onnx::AttributeProto::AttributeType type)
{
    auto& attribute = *m_graph.mutable_node(m_graph.node_size() - 1)->add_attribute();
    attribute.set_name(name);
    attribute.set_type(type);
    return attribute;
}

void node_writer::set(const std::string& name, std::int64_t value)
{
    new_attribute(name, onnx::AttributeProto::INT).set_i(value);
}

void node_writer::set(const std::string& name, const onnx::TensorProto& value)
{
    *new_attribute(name, onnx::AttributeProto::TENSOR).mutable_t() = value;
}

std::string node_writer::integers(const std::vector<std::int64_t>& values)
{
    auto& known = m_integers[{values, false}];
    if (known.empty()) {
        std::string name = "constant";
        onnx::TensorProto tensor;
        tensor.set_data_type(onnx::TensorProto::INT64);
        tensor.add_dims(static_cast<std::int64_t>(values.size()));
        for (const auto value : values) {
            name += "_" + std::to_string(value);
            tensor.add_int64_data(value);
        }
        known = constant(name, tensor);
    }
    return known;
}

std::string node_writer::integer(std::int64_t value)
{
    auto& known = m_integers[{{value}, true}];
    if (known.empty()) {
        onnx::TensorProto tensor;
        tensor.set_data_type(onnx::TensorProto::INT64);
        tensor.add_int64_data(value);
        known = constant("scalar_" + std::to_string(value), tensor);
    }
    return known;
}

std::string node_writer::constant(const std::string& name, const onnx::TensorProto& value)
{
    auto result = add("Constant", name, {});
    set("value", value);
    return result;
}

std::string node_writer::concat(const std::string& name, const std::vector<std::string>& inputs, std::int64_t axis,
                                const std::string& result)
{
    auto value = add("Concat", name, inputs, result);
    set("axis", axis);
    return value;
}

std::string node_writer::gather(const std::string& name, const std::string& value, const std::string& indices,
                                std::int64_t axis, const std::string& result)
{
    auto gathered = add("Gather", name, {value, indices}, result);
    set("axis", axis);
    return gathered;
}

std::string node_writer::cast(const std::string& name, const std::string& value, element_type to,
                              const std::string& result)
{
    auto converted = add("Cast", name, {value}, result);
    set("to", to_onnx(to));
    return converted;
}

std::string node_writer::with_axis(const char* op, const std::string& name, const std::string& value, std::int64_t axis,
                                   const std::string& result)
{
    if (m_opset >= axes_are_inputs) {
        return add(op, name, {value, integers({axis})}, result);
    }
    auto changed = add(op, name, {value}, result);
    new_attribute("axes", onnx::AttributeProto::INTS).add_ints(axis);
    return changed;
}

std::string node_writer::squeeze(const std::string& name, const std::string& value, std::int64_t axis,
                                 const std::string& result)
{
    return with_axis("Squeeze", name, value, axis, result);
}

std::string node_writer::unsqueeze(const std::string& name, const std::string& value, std::int64_t axis,
                                   const std::string& result)
{
    return with_axis("Unsqueeze", name, value, axis, result);
}

std::string node_writer::first(const std::string& name, const std::string& value, const std::string& end,
                               std::int64_t axis, const std::string& result)
{
    const auto start = integers({0});
    const auto axes = integers({axis});
    return add("Slice", name, {value, start, end, axes}, result);
}

std::string node_writer::best(const std::string& name, const std::string& keys, const std::string& count)
{
    add("TopK", name, {keys, count});
    auto& node = *m_graph.mutable_node(m_graph.node_size() - 1);
    node.add_output(m_fresh(node.name() + ":1"));
    return node.output(1);
}

std::string node_writer::largest(const std::string& name, const std::string& value)
{
    auto result = add("ReduceMax", name, {value});
    set("keepdims", 1);
    return result;
}

std::string node_writer::largest_along(const std::string& name, const std::string& value, std::int64_t axis)
{
    std::string result;
    if (m_opset >= all_axes_are_inputs) {
        const auto axes = integers({axis});
        result = add("ReduceMax", name, {value, axes});
    } else {
        result = add("ReduceMax", name, {value});
        new_attribute("axes", onnx::AttributeProto::INTS).add_ints(axis);
    }
    set("keepdims", 1);
    return result;
}

std::string node_writer::place_of_largest(const std::string& name, const std::string& value, std::int64_t axis)
{
    auto result = add("ArgMax", name, {value});
    set("axis", axis);
    set("keepdims", 0);
    return result;
}

std::string node_writer::sum(const std::string& name, const std::string& value, std::int64_t axis)
{
    auto result = with_axis("ReduceSum", name, value, axis, "");
    set("keepdims", 0);
    return result;
}

std::string node_writer::largest_or_zero(const std::string& name, const std::string& value)
{
    return largest(name + "/largest", concat(name + "/and_zero", {value, integers({0})}, 0));
}

std::string node_writer::not_negative(const std::string& name, const std::string& value)
{
    const auto as_float = cast(name + "/float", value, element_type::float32);
    return cast(name + "/int64", add("Relu", name + "/relu", {as_float}), element_type::int64);
}

std::string node_writer::filled(const std::string& name, const std::string& shape, const onnx::TensorProto& value)
{
    auto result = add("ConstantOfShape", name, {shape});
    set("value", value);
    return result;
}

std::string node_writer::shape_of(const std::string& name, const std::string& value)
{
    auto& shape = m_shapes[value];
    if (shape.empty()) {
        shape = add("Shape", name + "/shape", {value});
    }
    return shape;
}

std::string node_writer::extents(const std::string& name, const std::string& value,
                                 const std::vector<std::int64_t>& axes)
{
    const auto shape = shape_of(name, value);
    return gather(name + "/extents", shape, integers(axes), 0);
}

std::string node_writer::extent(const std::string& name, const std::string& value, std::int64_t axis)
{
    const auto shape = shape_of(name, value);
    return gather(name + "/extent", shape, integer(axis), 0);
}

} // namespace padbatch::onnx_tools
