// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_TESTS_ONNX_TOOLS_PAD_EXPRESSION_HPP
#define PADBATCH_TESTS_ONNX_TOOLS_PAD_EXPRESSION_HPP

#include <onnx_tools/model/graph.hpp>
#include <onnx_tools/model/value_types.hpp>
#include <onnx_tools/model/wording.hpp>

#include <onnx/shape_inference/implementation.h>

#include <doctest/doctest.h>

#include <exception>
#include <string>

namespace padbatch::test {

namespace detail {

inline std::string attribute_text(const onnx::AttributeProto& attribute)
{
    const auto integer = [](std::int64_t i) { return std::to_string(i); };
    switch (attribute.type()) {
    case onnx::AttributeProto::INT:
        return attribute.name() + "=" +
               (attribute.name() == "to" ? onnx_tools::onnx_type_name(static_cast<int>(attribute.i()))
                                         : integer(attribute.i()));
    case onnx::AttributeProto::INTS:
        return attribute.name() + "=[" + onnx_tools::joined(attribute.ints(), ", ", integer) + "]";
    case onnx::AttributeProto::TENSOR: return onnx_tools::onnx_type_name(attribute.t().data_type());
    default: return attribute.name();
    }
}

} // namespace detail

/// How the nodes that padding appended make `value`: `Slice(b0, [0], [3], [0])`. Integer constants are their numbers,
/// others and tensors in attributes their types; attributes are in angle brackets. What the model itself makes is a
/// name.
inline std::string expression(const onnx::GraphProto& graph, const std::string& value)
{
    const onnx_tools::graph_index index(graph);
    const auto* node = index.producer(value);
    if (node == nullptr || node->name().rfind("padbatch/", 0) != 0) {
        return value;
    }
    if (const auto numbers = index.constant(value) != nullptr ? index.constant_integers(value) : std::nullopt) {
        const auto text = onnx_tools::joined(*numbers, ", ", [](std::int64_t i) { return std::to_string(i); });
        return index.constant(value)->dims_size() == 0 ? text : "[" + text + "]";
    }
    if (node->op_type() == "Constant") {
        return detail::attribute_text(node->attribute(0));
    }
    const auto attributes = onnx_tools::joined(node->attribute(), ", ", detail::attribute_text);
    const auto inputs =
        onnx_tools::joined(node->input(), ", ", [&](const std::string& input) { return expression(graph, input); });
    const std::string second = node->output(0) == value ? "" : "#1";
    return node->op_type() + second + (attributes.empty() ? "" : "<" + attributes + ">") + "(" + inputs + ")";
}

/// ONNX's own inference finds the nodes well typed, and the types and shapes of the outputs as they are declared.
inline void check_types(const onnx::ModelProto& model)
{
    auto inferred = model;
    try {
        onnx::shape_inference::InferShapes(inferred, onnx::OpSchemaRegistry::Instance(), {true, 1, true});
    } catch (const std::exception& e) {
        const std::string message = e.what();
        FAIL_CHECK(message);
    }
}

} // namespace padbatch::test

#endif
