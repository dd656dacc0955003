// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/cli/inspect_json.hpp>

#include <onnx_tools/rewrite.hpp>
#include <tests/support/fixture_models.hpp>
#include <tests/support/small_detector.hpp>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <string>
#include <utility>
#include <vector>

using namespace padbatch::onnx_tools;
using namespace padbatch::test;
using nlohmann::json;

namespace {

json document(onnx::ModelProto model, const pad_options& pad = {}, const recognise_options& recognise = {})
{
    const cli::model_as_it_is before{"a file", model.graph().output(), {"first\nwarning"}};
    auto p = rewrite(model, {recognise, pad});
    return json::parse(cli::inspect_json(before, {std::move(p), false, {}, {"second"}}));
}

} // namespace

TEST_CASE("the JSON of a small detector")
{
    const auto found = document(small_detector());
    CHECK(found.at("file") == "a file");
    CHECK(found.at("family").is_null());
    CHECK(found.at("batch") == 2);
    CHECK(found.at("order") == "image");
    CHECK(found.at("images")[1] == json{{"boxes", "b1"}, {"labels", "l1"}, {"scores", "s1"}});
    CHECK(found.at("flat").is_null());
    CHECK(found.at("declared_outputs")[4] == json{{"name", "l1"}, {"type", "int64"}, {"shape", {"m1"}}});
    CHECK(found.at("limit").at("rows") == 7);
    CHECK(found.at("score_threshold").is_null());
    CHECK(found.at("dynamic_batch") == false);
    CHECK(found.at("output_batch") == 2);
    CHECK(found.at("layout") == "torchvision");
    CHECK(found.at("masks").is_null());
    CHECK(found.at("min_score").is_null());
    CHECK(found.at("exposed") == json::array());
    CHECK(found.at("outputs")[2] == json{{"name", "labels"},
                                         {"field", "labels"},
                                         {"fields", {"labels"}},
                                         {"type", "int64"},
                                         {"shape", {2, 7}},
                                         {"pad_value", "0"},
                                         {"pad_values", {"0"}},
                                         {"bytes", 2 * 7 * 8}});
    CHECK(found.at("serving_warnings") == json{{"as_it_is", {"first\nwarning"}}, {"result", {"second"}}});
}

TEST_CASE("the JSON of inputs by which callers choose")
{
    pad_options pad;
    pad.exposed = {{run_option::min_score, {}}, {run_option::max_detections, {5.0, false}}};
    CHECK(document(small_detector(), pad).at("exposed") ==
          json::array({{{"name", "min_score"}, {"type", "float32"}, {"shape", {1}}, {"default", nullptr}},
                       {{"name", "max_detections"}, {"type", "int32"}, {"shape", {1}}, {"default", 5}}}));
}

TEST_CASE("the JSON of what options change")
{
    pad_options pad;
    pad.layout = output_layout::mmdeploy;
    pad.max_detections = 3;
    pad.min_score = 0.5;
    pad.pad_values[field::scores] = -0.5;
    const auto found = document(small_detector(), pad);
    CHECK(found.at("max_detections") == 3);
    CHECK(found.at("min_score") == 0.5);
    CHECK(found.at("layout") == "mmdeploy");
    CHECK(found.at("rewrite").at("cuts_rows") == true);
    const auto& dets = found.at("outputs")[0]; // there is no count
    CHECK(dets.at("name") == "dets");
    CHECK(dets.at("fields") == json{"boxes", "scores"});
    CHECK(dets.at("field") == "boxes");
    CHECK(dets.at("shape") == json{2, 3, 5});
    CHECK(dets.at("pad_values") == json{"0", "-0.5"});
    CHECK(dets.at("pad_value") == "0");
    CHECK(found.at("outputs")[1].at("pad_values") == json{"-1"});
}

TEST_CASE("the JSON of a batch of any size, and of masks")
{
    pad_options pad;
    pad.dynamic_batch = true;
    pad.masks = mask_choice::roi;
    const auto found = document(fixture_named("mask_rcnn_tv029_b1_tensor_op17").model, pad);
    CHECK(found.at("dynamic_batch") == true);
    CHECK(found.at("output_batch").is_string());
    CHECK(found.at("masks") == "roi");
    CHECK(found.at("mask_threshold").is_null());
    CHECK(found.at("outputs")[1].at("shape")[0] == found.at("output_batch"));
    CHECK(found.at("outputs")[1].at("bytes") == 10 * 4 * 4); // those of one image
    pad = {};
    pad.mask_type = padbatch::element_type::boolean;
    const auto binary = document(fixture_named("mask_rcnn_tv029_b1_tensor_op17").model, pad);
    CHECK(binary.at("masks") == "full");
    CHECK(binary.at("mask_threshold") == 0.5);
    CHECK(binary.at("outputs")[4].at("type") == "bool");
}

TEST_CASE("the JSON of rows in one list")
{
    const auto model = parse_model("<ir_version: 7, opset_import: [\"\" : 13, \"x\" : 1]> g (float[B,3,H,W] x) => "
                                   "(int64[n] of, float[n,6] rows) { of, rows = x.Net(x) }");
    pad_options pad;
    pad.max_detections = largest_of_batch{};
    recognise_options recognise;
    recognise.from = export_kind::flat;
    using enum flat_column;
    recognise.columns = {x1, y1, x2, y2, score, label};
    const auto found = document(model, pad, recognise);
    CHECK(found.at("flat") == json{{"rows", "rows"},
                                   {"columns", {"x1", "y1", "x2", "y2", "score", "label"}},
                                   {"batch_index", "of"},
                                   {"row_labels", nullptr},
                                   {"row_scores", nullptr},
                                   {"row_fields", json::object()},
                                   {"boxes", nullptr},
                                   {"scores", nullptr},
                                   {"batch_input", "x"}});
    CHECK(found.at("batch").is_null());
    CHECK(found.at("order").is_null());
    CHECK(found.at("images").empty());
    CHECK(found.at("max_detections") == "batch");
    CHECK(found.at("output_batch") == "B");
    CHECK(found.at("outputs")[1].at("bytes").is_null());
}

TEST_CASE("the JSON of a model that is not rewritten has the error, and no broken text")
{
    auto model = small_detector();
    auto& output = *model.mutable_graph()->mutable_output(0);
    output.set_name("a\xff\"");
    output.mutable_type()->mutable_tensor_type()->set_elem_type(onnx::TensorProto::STRING);
    output.mutable_type()->mutable_tensor_type()->clear_shape();
    const auto text = cli::inspect_json({"f", model.graph().output(), {"w"}}, "why \xfe");
    const auto found = json::parse(text);
    CHECK(found.size() == 6);
    CHECK(found.at("error") == "why \xef\xbf\xbd");
    CHECK(found.at("serving_warnings") == json{{"as_it_is", {"w"}}});
    CHECK(found.at("declared_outputs")[0] == json{{"name", "a\xef\xbf\xbd\""}, {"type", "STRING"}, {"shape", nullptr}});
    CHECK(text.find("{\n  \"schema\": 1,") == 0);
    CHECK(text.back() == '\n');
}
