// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/model/graph.hpp>
#include <onnx_tools/recognise/region_masks.hpp>

#include <onnx_tools/model/value_types.hpp>
#include <tests/support/fixture_models.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace padbatch::onnx_tools;
using namespace padbatch::test;

namespace {

using size = std::pair<std::int64_t, std::int64_t>;

const std::string one_image = "mask_rcnn_tv029_b1_tensor_op20";

// The node that makes a value; there must be one.
onnx::NodeProto& producer(onnx::ModelProto& model, const std::string& value)
{
    for (auto& node : *model.mutable_graph()->mutable_node()) {
        if (std::find(node.output().begin(), node.output().end(), value) != node.output().end()) {
            return node;
        }
    }
    throw std::runtime_error("nothing makes " + value);
}

std::optional<region_masks> find(const onnx::ModelProto& model)
{
    return find_region_masks(graph_index(model.graph()), "masks");
}

// The first node of an operator at or above `value`, by first inputs.
onnx::NodeProto& above(onnx::ModelProto& model, const std::string& value, const std::string& op)
{
    auto* node = &producer(model, value);
    while (node->op_type() != op) {
        node = &producer(model, node->input(0));
    }
    return *node;
}

} // namespace

TEST_CASE("the masks of every Mask R-CNN are found before they are pasted, each image's own")
{
    int models = 0;
    for_each_fixture([&](const fixture& known, const onnx::ModelProto& model) {
        const auto slot = std::find(known.fields.begin(), known.fields.end(), "masks");
        if (slot == known.fields.end()) {
            return;
        }
        ++models;
        std::set<std::string> values;
        for (std::size_t image = 0; image < known.batch; ++image) {
            const auto& output = known.output(image, static_cast<std::size_t>(slot - known.fields.begin()));
            const auto found = find_region_masks(graph_index(model.graph()), output);
            REQUIRE(found);
            CHECK(found->size == size(28, 28));
            values.insert(found->value);
        }
        CHECK(values.size() == known.batch);
    });
    CHECK(models >= at_least(5));
}

TEST_CASE("masks that are not pasted in a loop are not guessed at")
{
    for_each_fixture([&](const fixture& known, const onnx::ModelProto& model) {
        const graph_index index(model.graph());
        for (const auto& output : known.outputs) {
            CAPTURE(output);
            const bool masks = known.family == "Mask R-CNN" &&
                               declared_type(*std::find_if(model.graph().output().begin(), model.graph().output().end(),
                                                           [&](const auto& o) { return o.name() == output; }))
                                       .element == padbatch::element_type::float32 &&
                               index.producer(output)->op_type() == "Unsqueeze";
            CHECK(find_region_masks(index, output).has_value() == masks);
        }
    });

    auto model = fixture_named(one_image).model;
    const auto region = find(model)->value;
    for (auto& node : *model.mutable_graph()->mutable_node()) {
        if (node.op_type() == "Pad" && node.input(0) == region) {
            node.set_op_type("Slice"); // another margin
        }
    }
    CHECK_FALSE(find(model));
}

TEST_CASE("the size of the masks is found only through nodes that keep or multiply it")
{
    const auto& known = fixture_named(one_image).model;
    const auto region = find(known)->value;
    const auto size_with = [&](const auto& change) {
        auto model = known;
        change(model);
        const auto found = find(model);
        REQUIRE(found);
        return found->size;
    };
    const auto nothing = std::optional<size>();
    CHECK(size_with([](auto&) {}) == size(28, 28));
    CHECK(size_with([&](auto& model) { above(model, region, "Sigmoid").set_op_type("Tanh"); }) == nothing);
    CHECK(size_with([&](auto& model) {
              for (auto& attribute : *above(model, region, "ConvTranspose").mutable_attribute()) {
                  if (attribute.name() == "strides") {
                      attribute.set_ints(0, 3);
                  }
              }
          }) == nothing);
    CHECK(size_with([&](auto& model) {
              for (auto& attribute : *above(model, region, "Conv").mutable_attribute()) {
                  if (attribute.name() == "kernel_shape") {
                      attribute.set_ints(0, 5);
                      attribute.set_ints(1, 5); // without a margin: smaller by 4
                  }
              }
          }) == nothing);
    CHECK(size_with([&](auto& model) {
              for (auto& node : *model.mutable_graph()->mutable_node()) {
                  for (auto& attribute : *node.mutable_attribute()) {
                      if (node.op_type() == "RoiAlign" && attribute.name() == "output_height" && attribute.i() == 14) {
                          attribute.set_i(10);
                      }
                  }
              }
          }) == size(20, 28));
    // An activation or a quantiser keeps the size, and an operator that is not known might not.
    const std::vector<std::pair<std::string, std::optional<size>>> operators{
        {"LeakyRelu", size(28, 28)}, {"DequantizeLinear", size(28, 28)}, {"Unheard", nothing}};
    for (const auto& each : operators) {
        const auto& op = each.first;
        CAPTURE(op);
        CHECK(size_with([&](auto& model) { above(model, region, "Relu").set_op_type(op); }) == each.second);
    }
}
