// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/model/check.hpp>
#include <onnx_tools/model/graph.hpp>
#include <onnx_tools/pad/pad.hpp>
#include <onnx_tools/plan/options.hpp>
#include <onnx_tools/plan/plan.hpp>
#include <onnx_tools/recognise/recognise.hpp>

#include <tests/support/check_failure.hpp>
#include <tests/support/fixture_models.hpp>
#include <tests/support/small_detector.hpp>

#include <padbatch/contract.hpp>

#include <doctest/doctest.h>

#include <map>
#include <set>
#include <string>
#include <vector>

using namespace padbatch::onnx_tools;
using namespace padbatch::test;

namespace {

using strings = std::vector<std::string>;

onnx::ModelProto dynamic(const onnx::ModelProto& model, pad_options options = {})
{
    options.dynamic_batch = true;
    auto result = model;
    pad(result, plan(model, recognise(model), options));
    return result;
}

const onnx::NodeProto& loop_of(const onnx::ModelProto& model)
{
    const onnx::NodeProto* loop = nullptr;
    for (const auto& node : model.graph().node()) {
        if (node.op_type() == "Loop") {
            REQUIRE(loop == nullptr);
            loop = &node;
        }
    }
    REQUIRE(loop != nullptr);
    return *loop;
}

std::map<std::string, std::string> metadata_of(const onnx::ModelProto& model)
{
    std::map<std::string, std::string> all;
    for (const auto& entry : model.metadata_props()) {
        all[entry.key()] = entry.value();
    }
    return all;
}

// A detector of one image, `[1, 3, H, W]` or `[3, H, W]`. The image is read, but its content does not matter.
onnx::ModelProto small_model(const std::string& image, const std::string& more_outputs = "",
                             const std::string& more_nodes = "")
{
    return parse_model(R"(<ir_version: 7, opset_import: ["" : 13]> detector (float[)" + image +
                       R"(] images) => (float[m,4] boxes, int64[m] labels, float[m] scores)" + more_outputs + R"() {
    seven = Constant <value = int64[1] {7}> ()
    zero = Constant <value = int64[1] {0}> ()
    flat = Constant <value = int64[1] {-1}> ()
    quads = Constant <value = int64[2] {-1, 4}> ()
    all_scores = Reshape(images, flat)
    all_boxes = Reshape(images, quads)
    all_labels = Cast <to = 7> (all_scores)
    order = NonZero(all_scores)
    keep = Reshape(order, flat)
    rows = Slice(keep, zero, seven, zero)
    boxes = Gather(all_boxes, rows)
    labels = Gather(all_labels, rows)
    scores = Gather(all_scores, rows)
)" + more_nodes + "}");
}

} // namespace

TEST_CASE("a model of one image becomes the body of a loop, with its weights and without its input")
{
    int models = 0;
    for_each_fixture([&](const fixture& known, const onnx::ModelProto& model) {
        if (known.batch != 1) {
            return;
        }
        ++models;
        const auto result = dynamic(model);
        CHECK(complaints(result) == strings());
        const auto& graph = result.graph();
        CHECK(graph.name() == model.graph().name());
        CHECK(graph.initializer_size() == 0);
        const auto& body = attribute(loop_of(result), "body")->g();
        CHECK(body.initializer_size() == model.graph().initializer_size());
        CHECK(body.input_size() == 2);

        // [batch, 3, H, W], with H and W as they were.
        REQUIRE(graph.input_size() == 1);
        const auto before = graph_index(model.graph()).required_inputs().front();
        CHECK(graph.input(0).name() == before->name());
        auto shape = declared_type(*before).shape;
        const auto now = declared_type(graph.input(0)).shape;
        REQUIRE(now.size() == 4);
        CHECK_FALSE(now[0].size);
        CHECK_FALSE(now[0].symbol.empty());
        shape.erase(shape.begin(), shape.end() - 3);
        CHECK(std::vector<dimension>(now.begin() + 1, now.end()) == shape);

        // The declared outputs have the same symbol in front, and M.
        for (std::size_t i = 0; i < known.fields.size() + 1; ++i) {
            const auto type = declared_type(graph.output(static_cast<int>(i)));
            CHECK(graph.output(static_cast<int>(i)).name() == (i == 0 ? "num_detections" : known.fields[i - 1]));
            CHECK(type.shape.at(0) == now[0]);
            CHECK(type.shape.at(1).size == (i == 0 ? 1 : known.limit));
        }
        const auto metadata = metadata_of(result);
        CHECK(metadata.at(padbatch::contract::batch_key) == padbatch::contract::dynamic_batch);
        CHECK(metadata.at(padbatch::contract::max_detections_key) == std::to_string(known.limit));

        // The model's own nodes are there, in their order, between those that take the image and those that pad.
        strings ours;
        strings theirs;
        for (const auto& node : body.node()) {
            if (node.name().rfind("padbatch/", 0) != 0) {
                ours.push_back(node.name() + node.op_type());
            }
        }
        for (const auto& node : model.graph().node()) {
            theirs.push_back(node.name() + node.op_type());
        }
        CHECK(ours == theirs);
    });
    CHECK(models >= at_least(14));
}

TEST_CASE("the body shares no name with the graph around it")
{
    for_each_fixture([&](const fixture& known, const onnx::ModelProto& model) {
        if (known.batch != 1) {
            return;
        }
        const auto result = dynamic(model);
        const auto outer = defined_names(result.graph());
        for (const auto name : defined_names(attribute(loop_of(result), "body")->g())) {
            CAPTURE(std::string(name));
            CHECK(outer.count(name) == 0);
        }
    });
}

TEST_CASE("masks that are left out take their nodes and weights with them")
{
    const auto& model = fixture_named("mask_rcnn_tv029_b1_tensor_op20").model;
    const auto body_with = [&](mask_choice masks) {
        pad_options options;
        options.masks = masks;
        const auto result = dynamic(model, options);
        CHECK(complaints(result) == strings());
        const onnx::GraphProto body = attribute(loop_of(result), "body")->g();
        int loops = 0;
        for (const auto& node : body.node()) {
            loops += node.op_type() == "Loop" ? 1 : 0;
        }
        return std::pair(loops, body.initializer_size());
    };
    const auto full = body_with(mask_choice::full);
    const auto roi = body_with(mask_choice::roi);
    const auto none = body_with(mask_choice::none);
    CHECK(full.first == 1);
    CHECK(roi.first == 0);
    CHECK(none.first == 0);
    CHECK(full.second == model.graph().initializer_size());
    CHECK(none.second < roi.second);
}

TEST_CASE("a model that names its batch keeps the name, and others get a free one")
{
    const auto symbol = [](const onnx::ModelProto& model) {
        return declared_type(dynamic(model).graph().input(0)).shape.at(0).symbol;
    };
    CHECK(symbol(small_model("N,3,2,2")) == "N");
    CHECK(symbol(small_model("1,3,2,2")) == "batch");
    CHECK(symbol(small_model("3,2,2")) == "batch");
    CHECK(symbol(small_model("3,batch,2")) == "batch_2");
}

TEST_CASE("further outputs get the batch as their first extent, in place of a 1")
{
    const auto shape_of = [](const std::string& declared) {
        const auto result = dynamic(small_model("1,3,2,2", ", float" + declared + " more", "more = Abs(all_boxes)\n"));
        CHECK(complaints(result) == strings());
        const auto& output = result.graph().output(4);
        CHECK(output.name() == "more");
        return declared_type(output).shape;
    };
    using shape = std::vector<dimension>;
    CHECK(shape_of("[1,8,h]") == shape{{{}, "batch"}, {8, ""}, {{}, "h"}});
    CHECK(shape_of("[k,8]") == shape{{{}, "batch"}, {8, ""}}); // a run fails where k is not 1
    CHECK(shape_of("[5,8]") == shape{{{}, "batch"}, {5, ""}, {8, ""}});

    auto unknown = small_model("1,3,2,2", ", float[1] more", "more = Abs(all_boxes)\n");
    unknown.mutable_graph()->mutable_output(3)->mutable_type()->mutable_tensor_type()->clear_shape();
    check_failure(failure::refused, {"`dynamic_batch`", "'more'", "rank"}, [&] { (void)dynamic(unknown); });
}

TEST_CASE("outputs that cannot have one shape for all images are refused")
{
    const auto check = [](const std::string& output, const std::string& nodes, const std::vector<std::string>& words) {
        const auto model = small_model("1,3,2,2", output, nodes);
        check_failure(failure::refused, words, [&] {
            auto result = model;
            recognise_options told;
            told.fields = std::vector{field::boxes, field::labels, field::scores};
            told.batch = 1;
            pad_options options;
            options.dynamic_batch = true;
            pad(result, plan(result, recognise(result, told), options));
        });
    };
    check(", float[m,2] more", "half = Constant <value = int64[2] {0, 1}> ()\nmore = Gather <axis = 1> (boxes, half)\n",
          {"'more'", "depends on what is detected"});
    auto echo = small_model("1,3,2,2");
    *echo.mutable_graph()->add_output() = echo.graph().input(0);
    check_failure(failure::refused, {"'images'", "is an input"}, [&] { (void)dynamic(echo); });
}

TEST_CASE("a file of an old version becomes one whose weights need not be inputs")
{
    const auto version = [](std::int64_t before) {
        auto model = small_model("1,3,2,2");
        model.set_ir_version(before);
        return dynamic(model).ir_version();
    };
    CHECK(version(3) == 4);
    CHECK(version(4) == 4);
    CHECK(version(9) == 9);
}

TEST_CASE("only one image can be repeated")
{
    check_failure(failure::refused, {"`dynamic_batch`", "2 images", "export the model with one image"},
                  [] { (void)dynamic(fixture_named("mask_rcnn_tv014_b2_list_op11").model); });
    check_failure(failure::refused, {"`dynamic_batch`", "not one image"},
                  [] { (void)dynamic(small_detector({1, 13, "7", ""})); });
    auto unlimited = small_model("1,3,2,2");
    for (auto& node : *unlimited.mutable_graph()->mutable_node()) {
        if (node.op_type() == "Slice") {
            node.set_op_type("Identity");
            node.mutable_input()->DeleteSubrange(1, 3);
        }
    }
    pad_options options;
    options.max_detections = largest_of_batch{};
    check_failure(failure::refused, {"`max_detections` batch", "`max_detections` N"},
                  [&] { (void)dynamic(unlimited, options); });
    options.max_detections = 3;
    CHECK(complaints(dynamic(unlimited, options)) == strings());
}
