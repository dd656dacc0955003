// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/model/light_copy.hpp>

#include <tests/support/parse_model.hpp>

#include <doctest/doctest.h>

#include <string>

using namespace padbatch::onnx_tools;
using namespace padbatch::test;

TEST_CASE("a light copy has the shape and type of large tensors, and all of small ones")
{
    auto model =
        parse_model("<ir_version: 7, opset_import: [\"\" : 13]> g (float[n] x) => (float[n] y) { y = Add(x, w) }");
    auto& small = *model.mutable_graph()->add_initializer();
    small.set_name("w");
    small.set_data_type(onnx::TensorProto::FLOAT);
    small.add_dims(1);
    small.set_raw_data(std::string(4, 'a'));
    auto& large = *model.mutable_graph()->add_initializer();
    large.set_name("unused");
    large.set_data_type(onnx::TensorProto::FLOAT);
    large.add_dims(1 << 20);
    large.set_raw_data(std::string(std::size_t{4} << 20, 'b'));
    const auto copy = light_copy(model);
    CHECK(copy.ByteSizeLong() < 1000);
    CHECK(copy.graph().initializer(0).raw_data() == small.raw_data());
    CHECK(copy.graph().initializer(1).raw_data().empty());
    CHECK(copy.graph().initializer(1).dims(0) == (1 << 20));
    CHECK(copy.graph().node(0).op_type() == "Add");
    CHECK(copy.graph().node(0).input(1) == "w");
    CHECK(copy.opset_import(0).version() == 13);
}
