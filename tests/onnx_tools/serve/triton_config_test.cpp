// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/plan/plan.hpp>
#include <onnx_tools/recognise/recognise.hpp>
#include <onnx_tools/serve/triton_config.hpp>
#include <onnx_tools/serve/triton_repository.hpp>

#include <onnx_tools/pad/pad.hpp>

#include <tests/onnx_tools/serve/batched_models.hpp>
#include <tests/support/check_failure.hpp>
#include <tests/support/fixture_models.hpp>
#include <tests/support/parse_model.hpp>
#include <tests/support/temporary_folder.hpp>

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

using namespace padbatch::onnx_tools;
using namespace padbatch::test;

namespace {

std::string config_of(const onnx::ModelProto& model, std::int64_t max_batch_size = 8)
{
    return triton_config(model, {"", "m", max_batch_size});
}

// The lines of one tensor in a configuration.
std::string lines_of(const std::string& name, const std::string& type, const std::string& dims,
                     const std::string& reshape = "")
{
    return "  {\n    name: \"" + name + "\"\n    data_type: " + type + "\n    dims: [ " + dims + " ]\n" + reshape +
           "  }";
}

} // namespace

TEST_CASE("the configuration of a model with a batch axis")
{
    CHECK(triton_config(batched, {"", "maskrcnn", 16}) == R"(name: "maskrcnn"
backend: "onnxruntime"
max_batch_size: 16
input [
  {
    name: "images"
    data_type: TYPE_FP32
    dims: [ 3, -1, -1 ]
  }
]
output [
  {
    name: "num_detections"
    data_type: TYPE_INT32
    dims: [ 1 ]
  },
  {
    name: "boxes"
    data_type: TYPE_FP32
    dims: [ 20, 4 ]
  }
]
dynamic_batching { }
)");
}

TEST_CASE("what a request chooses for each of its images, or for all of them")
{
    const auto config = config_of(model_of("(float[b,3,h,w] images, float[b,1] min_score) => (float[b,20,4] boxes)"));
    CHECK(config.find("max_batch_size: 8\n") != std::string::npos);
    CHECK(config.find(lines_of("min_score", "TYPE_FP32", "1")) != std::string::npos);
    const auto one = config_of(model_of("(float[b,3,h,w] images, int32[1] max_detections) => (float[b,20,4] boxes)"));
    CHECK(one.find("max_batch_size: 0\n") != std::string::npos);
    CHECK(one.find(lines_of("max_detections", "TYPE_INT32", "1")) != std::string::npos);
}

TEST_CASE("models that cannot be batched keep all their dimensions")
{
    const auto expected = [](const std::string& input, const std::string& output) {
        return "name: \"m\"\nbackend: \"onnxruntime\"\nmax_batch_size: 0\ninput [\n" +
               lines_of("x", "TYPE_FP32", input) + "\n]\noutput [\n" + lines_of("y", "TYPE_FP32", output) + "\n]\n";
    };
    CHECK(config_of(model_of("(float[2,3,h,w] x) => (float[2,20,4] y)")) == expected("2, 3, -1, -1", "2, 20, 4"));
    CHECK(config_of(model_of("(float[batch,3,h,w] x) => (float[2,20,4] y)")) == expected("-1, 3, -1, -1", "2, 20, 4"));
    CHECK(config_of(model_of("(float[2,3,h,w] x) => (float[batch,20,4] y)")) == expected("2, 3, -1, -1", "-1, 20, 4"));
    // Ragged rows are not the batch.
    CHECK(config_of(model_of("(float[batch,5,7] x) => (float[n,7] y)")) == expected("-1, 5, 7", "-1, 7"));
    // As requested.
    CHECK(config_of(model_of("(float[batch,5,7] x) => (float[batch,7] y)"), 0) == expected("-1, 5, 7", "-1, 7"));
}

TEST_CASE("element types by Triton's names")
{
    const std::vector<std::pair<std::string, std::string>> names = {
        {"bool", "TYPE_BOOL"},     {"uint8", "TYPE_UINT8"},  {"uint16", "TYPE_UINT16"}, {"uint32", "TYPE_UINT32"},
        {"uint64", "TYPE_UINT64"}, {"int8", "TYPE_INT8"},    {"int16", "TYPE_INT16"},   {"int32", "TYPE_INT32"},
        {"int64", "TYPE_INT64"},   {"float", "TYPE_FP32"},   {"float16", "TYPE_FP16"},  {"double", "TYPE_FP64"},
        {"bfloat16", "TYPE_BF16"}, {"string", "TYPE_STRING"}};
    for (const auto& name : names) {
        CAPTURE(name.first);
        const auto config = config_of(model_of("(float[n,2] x) => (" + name.first + "[n,2] y)"));
        CHECK(config.find("output [\n" + lines_of("y", name.second, "2") + "\n]\n") != std::string::npos);
    }
}

TEST_CASE("tensors that Triton cannot serve")
{
    auto model = model_of("(float[n,2] x) => (complex64[n,2] y)");
    check_failure(failure::refused, {"the output 'y' is COMPLEX64", "no name for", "cast it"},
                  [&] { (void)config_of(model); });
    check_failure(failure::refused, {"the input 'x' is COMPLEX128"},
                  [&] { (void)config_of(model_of("(complex128[n,2] x) => (float[n,2] y)")); });
    check_failure(failure::refused, {"the input 'x' is a single number"},
                  [&] { (void)config_of(model_of("(float x) => (float[n,2] y)")); });
    check_failure(failure::refused, {"the output 'y'", "extent of 0"},
                  [&] { (void)config_of(model_of("(float[n,2] x) => (float[n,0] y)")); });
    model = model_of("(float[n,2] x) => (float[n,2] y)");
    model.mutable_graph()->mutable_output(0)->mutable_type()->mutable_sequence_type();
    check_failure(failure::refused, {"the output 'y' is not a tensor"}, [&] { (void)config_of(model); });
    model.mutable_graph()->mutable_output(0)->clear_type();
    check_failure(failure::refused, {"the output 'y'", "declares no type"}, [&] { (void)config_of(model); });
}

TEST_CASE("single numbers")
{
    const std::string reshape = "    reshape { shape: [ ] }\n";
    const auto each = config_of(model_of("(float[n] x) => (float[n] y)"));
    CHECK(each.find(lines_of("x", "TYPE_FP32", "1", reshape)) != std::string::npos);
    CHECK(each.find(lines_of("y", "TYPE_FP32", "1", reshape)) != std::string::npos);
    const auto alone = config_of(model_of("(float[n] x) => (float y)"));
    CHECK(alone.find("max_batch_size: 0\n") != std::string::npos);
    CHECK(alone.find(lines_of("y", "TYPE_FP32", "1")) != std::string::npos);
}

TEST_CASE("shapes that are not declared are found as far as possible")
{
    auto model =
        parse_model("<ir_version: 7, opset_import: [\"\" : 13]> g (float[n,2] x) => (float[n,2] y) { y = Erf(x) }");
    auto& type = *model.mutable_graph()->mutable_output(0)->mutable_type()->mutable_tensor_type();
    type.clear_shape();
    check_failure(failure::refused, {"the output 'y' declares no shape", "infer_shapes"},
                  [&] { (void)config_of(model); });
    model.mutable_graph()->mutable_node(0)->set_op_type("Relu");
    const auto shown = config_of(model); // the graph shows that y begins with the batch
    CHECK(shown.find("max_batch_size: 8\n") != std::string::npos);
    CHECK(shown.find(lines_of("y", "TYPE_FP32", "-1")) != std::string::npos);
    auto& node = *model.mutable_graph()->mutable_node(0);
    node.set_op_type("Concat");
    node.add_attribute()->set_name("axis");
    const auto config = config_of(model);
    CHECK(config.find("max_batch_size: 0\n") != std::string::npos); // nothing says that y begins with the batch
    CHECK(config.find(lines_of("y", "TYPE_FP32", "-1, -1")) != std::string::npos);
}

TEST_CASE("names are quoted")
{
    auto model = model_of("(float[n,2] x) => (float[n,2] y)");
    model.mutable_graph()->mutable_input(0)->set_name("a\"b\\c\n\x7f\xc3\xa4'");
    const auto config = triton_config(model, {"", "m \"1\""});
    CHECK(config.find(R"(name: "m \"1\"")") == 0);
    CHECK(config.find(R"(    name: "a\"b\\c\012\177\303\244'")"
                      "\n") != std::string::npos);
}

TEST_CASE("inputs with initializers are not listed")
{
    const auto& known = fixture_named("faster_rcnn_tv014_b1_tensor_op11_initializer_inputs");
    REQUIRE(known.model.graph().input_size() > 1);
    const auto config = config_of(known.model);
    CHECK(config.find("input [\n" + lines_of("images", "TYPE_FP32", "1, 3, 64, 80") + "\n]\n") != std::string::npos);
}

TEST_CASE("every real export has a configuration, padded or not")
{
    for_each_fixture([](const fixture&, onnx::ModelProto model) {
        CHECK(config_of(model).find("max_batch_size: 0\n") != std::string::npos);
        pad(model, plan(model, recognise(model)));
        const auto config = config_of(model);
        CHECK(config.find("max_batch_size: 0\n") != std::string::npos);
        CHECK(config.find("name: \"num_detections\"\n    data_type: TYPE_INT32\n") != std::string::npos);
    });
}

TEST_CASE("names and batch sizes that make no sense")
{
    const temporary_folder folder;
    for (const std::string name : {"", ".", "..", ".hidden", "a/b", "/a", "a/"}) {
        CAPTURE(name);
        const triton_options options{folder.file("repository"), name};
        check_failure(failure::usage, {"'" + name + "' is not a valid name", "`model_name`"},
                      [&] { (void)triton_config(batched, options); });
        check_failure(failure::usage, {"is not a valid name"}, [&] { require_savable(options); });
        check_failure(failure::usage, {"is not a valid name"}, [&] { save_triton_repository(batched, options); });
    }
    for (const std::int64_t size : {std::int64_t{-1}, std::int64_t{1} << 31U}) {
        check_failure(failure::usage, {std::to_string(size), "`max_batch_size`"},
                      [&] { (void)config_of(batched, size); });
    }
    CHECK(folder.names().empty());
}
