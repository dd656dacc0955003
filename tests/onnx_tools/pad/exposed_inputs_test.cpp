// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/pad/exposed_inputs.hpp>

#include <onnx_tools/model/check.hpp>
#include <onnx_tools/model/graph.hpp>
#include <onnx_tools/model/value_types.hpp>
#include <onnx_tools/model/wording.hpp>
#include <onnx_tools/rewrite.hpp>

#include <tests/onnx_tools/pad/expression.hpp>
#include <tests/support/fixture_models.hpp>
#include <tests/support/parse_model.hpp>
#include <tests/support/small_detector.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

using namespace padbatch::onnx_tools;
using namespace padbatch::test;

namespace {

std::vector<std::string> inputs_with_shapes(const onnx::GraphProto& graph)
{
    std::vector<std::string> inputs;
    for (const auto& input : graph.input()) {
        const auto type = declared_type(input);
        inputs.push_back(input.name() + " " + std::string(name_of(*type.element)) + " " + text_of_shape(type.shape));
    }
    return inputs;
}

rewrite_options exposing_with(std::optional<double> score, std::optional<double> rows, bool per_image = false)
{
    rewrite_options options;
    options.pad.exposed = {{run_option::min_score, {score, per_image}},
                           {run_option::max_detections, {rows, per_image}}};
    return options;
}

onnx::ModelProto exposed_in(onnx::ModelProto model, const rewrite_options& options)
{
    (void)rewrite(model, options);
    CHECK(complaints(model).empty());
    return model;
}

} // namespace

TEST_CASE("inputs follow those of the model, and their nodes are well typed in every opset")
{
    for (const int opset : {11, 13, 17}) {
        CAPTURE(opset);
        const auto model = exposed_in(small_detector({1, opset, "7", ""}), exposing_with({}, {}));
        const auto inputs = inputs_with_shapes(model.graph());
        REQUIRE(inputs.size() == 6);
        CHECK(inputs[4] == "min_score float32 [1]");
        CHECK(inputs[5] == "max_detections int32 [1]");
        check_types(model);
    }
}

TEST_CASE("the number of rows is clamped, and the score compared in the type of the scores")
{
    auto model = small_detector();
    pad_plan p;
    p.fields.emplace_back();
    p.fields.front().kind = field::scores;
    p.fields.front().from = padbatch::element_type::float64;
    p.max_detections = 5;
    p.inputs.resize(2);
    p.inputs[0].name = "min_score";
    p.inputs[1].option = run_option::max_detections;
    p.inputs[1].name = "max_detections";
    fresh_names fresh(model.graph());
    read_exposed(*model.mutable_graph(), p, fresh, 13);
    CHECK(p.inputs[0].value == "min_score");
    const std::string rows = "Cast<to=INT64>(max_detections)";
    const std::string positive = "Where(Less(" + rows + ", [0]), [0], " + rows + ")";
    CHECK(expression(model.graph(), p.chosen.most_rows) == "Where(Less(" + positive + ", [5]), " + positive + ", [5])");
    CHECK(expression(model.graph(), p.chosen.lowest_score) == "Cast<to=DOUBLE>(min_score)");
    CHECK(expression(model.graph(), p.chosen.any_score) == "Or(Less(min_score, FLOAT), Equal(min_score, FLOAT))");
}

TEST_CASE("each image takes its part in the body of the loop, and one number is captured by it")
{
    const auto& export_of_one = fixture_named("faster_rcnn_tv029_b1_tensor_op16").model;
    auto options = exposing_with({}, {}, true);
    options.pad.exposed[run_option::max_detections].per_image = false;
    options.pad.dynamic_batch = true;
    const auto model = exposed_in(export_of_one, options);
    const auto inputs = inputs_with_shapes(model.graph());
    REQUIRE(inputs.size() == 3);
    CHECK(inputs[1] == "min_score float32 [batch, 1]");
    CHECK(inputs[2] == "max_detections int32 [1]");
    const auto& nodes = model.graph().node();
    const auto loop =
        std::find_if(nodes.begin(), nodes.end(), [](const auto& node) { return node.op_type() == "Loop"; });
    REQUIRE(loop != nodes.end());
    const auto* body = attribute(*loop, "body");
    REQUIRE(body != nullptr);
    const graph_index index(body->g());
    REQUIRE(index.readers("min_score").size() == 1);
    const auto* part = index.readers("min_score").front();
    CHECK(is(part, {"Gather"}));
    CHECK(part->input(1) == body->g().input(0).name()); // the number of the image
    REQUIRE(index.readers("max_detections").size() == 1);
    CHECK(is(index.readers("max_detections").front(), {"Cast"}));
}

TEST_CASE("defaults are initializers, which need a version that lets callers override them")
{
    auto before = small_detector();
    before.set_ir_version(3);
    auto& weight = *before.mutable_graph()->add_initializer();
    weight.set_name("all_scores");
    weight.set_data_type(onnx::TensorProto::FLOAT);
    weight.add_dims(0);
    const auto model = exposed_in(before, exposing_with(0.5, 3.0));
    CHECK(model.ir_version() == 4);
    // What could not be overridden cannot be now.
    CHECK(inputs_with_shapes(model.graph()) ==
          std::vector<std::string>{"all_boxes float32 [n, 4]", "all_labels int64 [n]", "keep0 int64 [k0]",
                                   "keep1 int64 [k1]", "min_score float32 [1]", "max_detections int32 [1]"});
    const graph_index index(model.graph());
    CHECK(index.constant_number("min_score") == 0.5);
    CHECK(index.constant_integers("max_detections") == std::vector<std::int64_t>{3});
    CHECK(index.required_inputs().size() == 4);
    CHECK(exposed_in(before, exposing_with({}, {})).ir_version() == 3);
}

TEST_CASE("a value in between that has the name of an input gets another")
{
    auto before = small_detector();
    rename_value(*before.mutable_graph(), "rows1", "min_score");
    rename_value(*before.mutable_graph(), "limit", "max_detections");
    const auto model = exposed_in(before, exposing_with({}, {}));
    const graph_index index(model.graph());
    CHECK(index.producer("min_score") == nullptr);
    CHECK(index.producer("max_detections") == nullptr);
    CHECK(index.producer("min_score_unpadded") != nullptr);
}

TEST_CASE("callers choose from the rows that a limit leaves which is set too, and it is written once")
{
    const auto& known = fixture_named("ssd300_tv014_b2_list_op11"); // 200 rows
    for (const bool padded_to_batch : {true, false}) {
        CAPTURE(padded_to_batch);
        rewrite_options options;
        options.pad.exposed = {{run_option::max_detections, {std::nullopt, false}}};
        options.pad.settings[parameter::detections_per_img] = std::int64_t{33};
        if (padded_to_batch) {
            options.pad.max_detections = largest_of_batch{};
        }
        const auto model = exposed_in(known.model, options);
        const graph_index index(model.graph());
        const std::string rows = "Cast<to=INT64>(max_detections)";
        const std::string positive = "Where(Less(" + rows + ", [0]), [0], " + rows + ")";
        const auto cuts = examine(known.model).cuts;
        REQUIRE(cuts.size() == 2);
        for (const auto& cut : cuts) {
            REQUIRE(is(index.producer(cut), {"Slice"}));
            CHECK(expression(model.graph(), index.producer(cut)->input(2)) ==
                  "Where(Less(" + positive + ", [33]), " + positive + ", [33])");
        }
        const auto& nodes = model.graph().node();
        CHECK(std::none_of(nodes.begin(), nodes.end(), [](const auto& node) {
            return node.name().find("padbatch/detections_per_img") != std::string::npos;
        }));
    }
}
