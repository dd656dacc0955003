// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/one_image.hpp>

#include <onnx_tools/model/check.hpp>
#include <onnx_tools/model/graph.hpp>
#include <onnx_tools/recognise/pixel_boxes.hpp>
#include <onnx_tools/recognise/recognise.hpp>

#include <tests/support/parse_model.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace padbatch::onnx_tools;
using namespace padbatch::test;
using padbatch::element_type;

// (What the nodes compute is compared in engines/one_image_runtime_test.cpp.)

namespace {

onnx::ModelProto list_model(const std::string& images, const std::string& scale = "Identity(scale)")
{
    return parse_model("<ir_version: 7, opset_import: [\"\" : 13, \"x\" : 1]> g (float[" + images +
                       ",3,H,W] images, float[" + images +
                       ",2] scale) => (float[n,4] boxes, float16[n] scores, int32[n] labels, float[1,8] more, int64[n] "
                       "whose) { zero = Constant<value = int64 {0}>() used = " +
                       scale + " boxes, scores, labels, more, whose = x.Net(images, used) }");
}

detections found_in(const onnx::ModelProto& model)
{
    recognise_options options;
    options.from = export_kind::flat;
    options.batch_index = "whose";
    return recognise(model, options);
}

} // namespace

TEST_CASE("the list of one image becomes its fields, the best first, beside the other outputs")
{
    const auto model = list_model("1");
    const auto list = found_in(model);
    REQUIRE(list.flat);
    CHECK(list.image_inputs.size() == 2);
    const auto found = as_fields_of_image(model, list);
    CHECK_FALSE(found.flat);
    CHECK(found.list_of_image->rows == "boxes");
    CHECK(found.batch == 1);
    CHECK(found.best_first);
    CHECK(found.fields.size() == 3);
    CHECK(found.fields[2].element == element_type::float16);
    REQUIRE(found.rearranged);
    std::vector<std::string> outputs;
    for (const auto& output : found.rearranged->outputs) {
        outputs.push_back(output.name());
    }
    CHECK(outputs == std::vector<std::string>{found.fields[0].values.front(), found.fields[1].values.front(),
                                              found.fields[2].values.front(), "more"});
    CHECK(found.rearranged->sources.at(found.fields[0].values.front()) == "'boxes'");
    CHECK(complaints(rearranged_copy(model, *found.rearranged)).empty());
    // Whether boxes are in pixels is still asked of the list.
    const auto copy = rearranged_copy(model, *found.rearranged);
    const graph_index index(copy.graph());
    CHECK(doubt_about_pixels(index, found).find("'scale'") != std::string::npos);
}

TEST_CASE("lists of other models stay lists, unless they are right for one image only")
{
    const auto any = list_model("B");
    CHECK(as_fields_of_image(any, found_in(any)).flat);
    CHECK(found_in(any).image_inputs.empty());
    const auto two = list_model("2");
    CHECK(as_fields_of_image(two, found_in(two)).batch == 2);
    const auto first = list_model("B", "Gather(scale, zero)");
    const auto list = found_in(first);
    CHECK_FALSE(list.only_one_image.empty());
    CHECK(list.image_inputs.size() == 2);
    const auto found = as_fields_of_image(first, list);
    CHECK_FALSE(found.flat);
    CHECK(found.batch == 1);
    CHECK(found.only_one_image.empty());
    const detections fields;
    CHECK_FALSE(as_fields_of_image(any, fields).rearranged);
}
