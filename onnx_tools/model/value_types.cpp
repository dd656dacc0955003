// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/model/value_types.hpp>

#include <array>
#include <utility>

namespace padbatch::onnx_tools {
namespace {

constexpr std::array<std::pair<element_type, onnx::TensorProto::DataType>, 13> type_numbers{{
    {element_type::float32, onnx::TensorProto::FLOAT},
    {element_type::float64, onnx::TensorProto::DOUBLE},
    {element_type::float16, onnx::TensorProto::FLOAT16},
    {element_type::bfloat16, onnx::TensorProto::BFLOAT16},
    {element_type::int8, onnx::TensorProto::INT8},
    {element_type::int16, onnx::TensorProto::INT16},
    {element_type::int32, onnx::TensorProto::INT32},
    {element_type::int64, onnx::TensorProto::INT64},
    {element_type::uint8, onnx::TensorProto::UINT8},
    {element_type::uint16, onnx::TensorProto::UINT16},
    {element_type::uint32, onnx::TensorProto::UINT32},
    {element_type::uint64, onnx::TensorProto::UINT64},
    {element_type::boolean, onnx::TensorProto::BOOL},
}};

} // namespace

int to_onnx(element_type type) noexcept
{
    for (const auto& [ours, theirs] : type_numbers) {
        if (ours == type) {
            return theirs;
        }
    }
    return onnx::TensorProto::UNDEFINED;
}

std::optional<element_type> from_onnx(int data_type) noexcept
{
    for (const auto& [ours, theirs] : type_numbers) {
        if (theirs == data_type) {
            return ours;
        }
    }
    return std::nullopt;
}

std::string onnx_type_name(int data_type)
{
    return onnx::TensorProto::DataType_IsValid(data_type)
               ? onnx::TensorProto::DataType_Name(static_cast<onnx::TensorProto::DataType>(data_type))
               : "element type " + std::to_string(data_type);
}

value_type declared_type(const onnx::ValueInfoProto& info)
{
    value_type type;
    if (!info.type().has_tensor_type()) {
        return type;
    }
    const auto& tensor = info.type().tensor_type();
    type.element = from_onnx(tensor.elem_type());
    if (tensor.has_shape()) {
        type.rank = tensor.shape().dim_size();
        for (const auto& dim : tensor.shape().dim()) {
            const bool known = dim.has_dim_value() && dim.dim_value() >= 0; // some tools write -1 for "any size"
            type.shape.push_back({known ? std::optional(dim.dim_value()) : std::nullopt, dim.dim_param()});
        }
    }
    return type;
}

void declare(onnx::ValueInfoProto& info, const std::string& name, element_type element,
             const std::vector<dimension>& shape)
{
    info.set_name(name);
    auto& tensor = *info.mutable_type()->mutable_tensor_type();
    tensor.set_elem_type(to_onnx(element));
    tensor.mutable_shape()->clear_dim(); // a shape even if there are no dimensions
    for (const auto& extent : shape) {
        auto& dim = *tensor.mutable_shape()->add_dim();
        if (extent.size) {
            dim.set_dim_value(*extent.size);
        } else if (!extent.symbol.empty()) {
            dim.set_dim_param(extent.symbol);
        }
    }
}

} // namespace padbatch::onnx_tools
