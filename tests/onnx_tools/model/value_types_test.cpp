// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/model/value_types.hpp>

#include <doctest/doctest.h>

#include <map>
#include <set>
#include <string>
#include <vector>

using namespace padbatch::onnx_tools;
using padbatch::element_type;

TEST_CASE("element types convert to ONNX's numbers and back")
{
    const std::map<element_type, std::string> names{
        {element_type::float32, "FLOAT"},     {element_type::float64, "DOUBLE"}, {element_type::float16, "FLOAT16"},
        {element_type::bfloat16, "BFLOAT16"}, {element_type::int8, "INT8"},      {element_type::int16, "INT16"},
        {element_type::int32, "INT32"},       {element_type::int64, "INT64"},    {element_type::uint8, "UINT8"},
        {element_type::uint16, "UINT16"},     {element_type::uint32, "UINT32"},  {element_type::uint64, "UINT64"},
        {element_type::boolean, "BOOL"}};
    std::set<int> numbers;
    for (const auto& known : names) {
        const auto type = known.first;
        const auto& name = known.second;
        CAPTURE(name);
        CHECK(from_onnx(to_onnx(type)) == type);
        CHECK(onnx_type_name(to_onnx(type)) == name);
        numbers.insert(to_onnx(type));
    }
    CHECK(numbers.size() == 13);
    for (int number = -1; number <= 40; ++number) {
        CAPTURE(number);
        CHECK(from_onnx(number).has_value() == (numbers.count(number) == 1));
    }
    CHECK(onnx_type_name(onnx::TensorProto::STRING) == "STRING");
    CHECK(onnx_type_name(1000) == "element type 1000");
}

TEST_CASE("the declared type is what the file says and no more")
{
    onnx::ValueInfoProto info;
    CHECK_FALSE(declared_type(info).element);
    CHECK_FALSE(declared_type(info).rank);

    auto& tensor = *info.mutable_type()->mutable_tensor_type();
    tensor.set_elem_type(onnx::TensorProto::UINT8);
    CHECK(declared_type(info).element == element_type::uint8);
    CHECK_FALSE(declared_type(info).rank);

    tensor.mutable_shape(); // a scalar
    CHECK(declared_type(info).rank == 0);

    tensor.mutable_shape()->add_dim()->set_dim_param("n");
    tensor.mutable_shape()->add_dim()->set_dim_value(4);
    tensor.mutable_shape()->add_dim();
    const auto type = declared_type(info);
    CHECK(type.rank == 3);
    CHECK(type.shape == std::vector<dimension>{{{}, "n"}, {4, ""}, {{}, ""}});

    tensor.set_elem_type(onnx::TensorProto::STRING);
    CHECK_FALSE(declared_type(info).element);

    info.mutable_type()->mutable_sequence_type()->mutable_elem_type()->mutable_tensor_type()->set_elem_type(1);
    CHECK_FALSE(declared_type(info).element);
    CHECK_FALSE(declared_type(info).rank);
}

TEST_CASE("a negative extent is an unknown one")
{
    onnx::ValueInfoProto info;
    auto& tensor = *info.mutable_type()->mutable_tensor_type();
    tensor.set_elem_type(onnx::TensorProto::FLOAT);
    tensor.mutable_shape()->add_dim()->set_dim_value(-1);
    tensor.mutable_shape()->add_dim()->set_dim_value(4);
    CHECK(declared_type(info).shape == std::vector<dimension>{{}, {4, ""}});
}

TEST_CASE("a declared value has a name, an element type and a shape")
{
    onnx::ValueInfoProto info;
    declare(info, "boxes", element_type::float16, {{2, ""}, {{}, "max_detections"}, {{}, ""}, {0, ""}});
    CHECK(info.name() == "boxes");
    CHECK(declared_type(info).element == element_type::float16);
    CHECK(declared_type(info).shape == std::vector<dimension>{{2, ""}, {{}, "max_detections"}, {{}, ""}, {0, ""}});

    declare(info, "count", element_type::int64, {{3, ""}}); // in place of what it said before
    CHECK(info.name() == "count");
    CHECK(declared_type(info).element == element_type::int64);
    CHECK(declared_type(info).shape == std::vector<dimension>{{3, ""}});

    onnx::ValueInfoProto scalar;
    declare(scalar, "index", element_type::int64, {});
    CHECK(declared_type(scalar).rank == 0); // not an unknown one
}
