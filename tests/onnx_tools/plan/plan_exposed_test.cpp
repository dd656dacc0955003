// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/plan/plan_exposed.hpp>

#include <onnx_tools/model/graph.hpp>

#include <tests/onnx_tools/plan/plan_of.hpp>
#include <tests/support/check_failure.hpp>
#include <tests/support/fixture_models.hpp>
#include <tests/support/small_detector.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

using namespace padbatch::onnx_tools;
using namespace padbatch::test;
using padbatch::element_type;

namespace {

pad_options exposing_one(run_option option, const exposure& how = {})
{
    pad_options options;
    options.exposed[option] = how;
    return options;
}

const onnx::ModelProto& one_image_model()
{
    return fixture_named("mask_rcnn_tv029_b1_tensor_op17").model;
}

} // namespace

TEST_CASE("an input is planned for each option that callers choose")
{
    pad_options options;
    options.exposed = {{run_option::max_detections, {5.0, false}}, {run_option::min_score, {}}};
    const auto p = plan_of(small_detector(), options);
    REQUIRE(p.inputs.size() == 2);
    CHECK(p.inputs[0].name == "min_score");
    CHECK(p.inputs[0].element == element_type::float32);
    CHECK(p.inputs[0].shape == std::vector<dimension>{{1, ""}});
    CHECK_FALSE(p.inputs[0].fallback);
    CHECK(p.inputs[1].name == "max_detections");
    CHECK(p.inputs[1].element == element_type::int32);
    CHECK(p.inputs[1].fallback == 5.0);
    CHECK(find_input(p, run_option::max_detections) == &p.inputs[1]);
    // The limit of this graph stays, so that rows are chosen at the end.
    CHECK_FALSE(p.scores_at_cuts);
    CHECK(drops_rows(p));
    CHECK(cuts_rows_at_end(p));
    CHECK(most_rows(p) == 7);
    CHECK(plan_of(small_detector()).inputs.empty());
}

TEST_CASE("rows are chosen where the model cuts them, if its limit can be changed")
{
    pad_options options;
    options.dynamic_batch = true;
    options.exposed = {{run_option::max_detections, {{}, true}}, {run_option::min_score, {{}, true}}};
    const auto p = plan_of(one_image_model(), options);
    CHECK(p.scores_at_cuts);
    CHECK_FALSE(drops_rows(p));
    CHECK_FALSE(cuts_rows_at_end(p));
    CHECK(p.inputs[0].shape == std::vector<dimension>{{{}, "batch"}, {1, ""}});
    options.max_detections = largest_of_batch{};
    CHECK(most_rows(plan_of(one_image_model(), options)) == 10);
}

TEST_CASE("a score is chosen by all runs or by each of them")
{
    auto options = exposing_one(run_option::min_score);
    options.min_score = 0.25;
    check_plan_fails(failure::usage,
                     {"`min_score` 0.25 is given together with `expose` min_score", "`expose` min_score=0.25"},
                     small_detector(), options);
    options.exposed.clear();
    CHECK(plan_of(small_detector(), options).min_score == 0.25);
    options = exposing_one(run_option::min_score, {{}, true});
    options.dynamic_batch = true;
    options.min_score = 0.25;
    check_plan_fails(failure::usage, {"`expose_per_image` min_score", "leave one of them out"}, one_image_model(),
                     options);
}

TEST_CASE("a number for each image needs a model of any number of images")
{
    const auto options = exposing_one(run_option::max_detections, {{}, true});
    check_plan_fails(failure::usage,
                     {"`expose_per_image` max_detections is given without `dynamic_batch`",
                      "add `dynamic_batch`, or use `expose` max_detections"},
                     one_image_model(), options);
    detections flat;
    flat.flat.emplace();
    flat.fields = {{field::scores, {}, element_type::float32, {}}};
    check_failure(failure::usage, {"`expose_per_image`", "whose rows say which image", "use `expose` max_detections"},
                  [&] { check_exposed(flat, options); });
    CHECK_NOTHROW(check_exposed(flat, exposing_one(run_option::max_detections)));
}

TEST_CASE("scores that cannot be compared are not exposed")
{
    detections source;
    source.fields = {{field::boxes, {"b"}, element_type::float32, {{4, ""}}}};
    const auto options = exposing_one(run_option::min_score);
    check_failure(failure::usage, {"has no scores"}, [&] { check_exposed(source, options); });
    CHECK_NOTHROW(check_exposed(source, exposing_one(run_option::max_detections)));
    for (const auto type : {element_type::int64, element_type::bfloat16}) {
        source.fields.push_back({field::scores, {"s"}, type, {}});
        check_failure(failure::usage, {"the scores of this model are " + std::string(name_of(type))},
                      [&] { check_exposed(source, options); });
        source.fields.back().element = element_type::float16;
        CHECK_NOTHROW(check_exposed(source, options));
        source.fields.pop_back();
    }
}

TEST_CASE("defaults are scores and numbers of rows that there can be")
{
    constexpr double nan = std::numeric_limits<double>::quiet_NaN();
    for (const double value : {-0.5, 1.5, nan}) {
        check_plan_fails(failure::usage, {"`expose` min_score=", "is not a score"}, small_detector(),
                         exposing_one(run_option::min_score, {value, false}));
    }
    for (const double value : {-1.0, 2.5, 2147483648.0, nan}) {
        check_plan_fails(failure::usage, {"`expose` max_detections=", "is not a number of rows"}, small_detector(),
                         exposing_one(run_option::max_detections, {value, false}));
    }
    check_plan_fails(failure::usage,
                     {"`expose` max_detections=8 is more than the 7 rows", "from 0 to 7", "larger `max_detections` N"},
                     small_detector(), exposing_one(run_option::max_detections, {8.0, false}));
    auto more = exposing_one(run_option::max_detections, {8.0, false});
    more.max_detections = std::int64_t{8}; // what the message says
    CHECK(plan_of(small_detector(), more).inputs.front().fallback == 8.0);
    for (const double value : {0.0, 7.0}) {
        CHECK(plan_of(small_detector(), exposing_one(run_option::max_detections, {value, false})).inputs.size() == 1);
    }
    CHECK(plan_of(small_detector(), exposing_one(run_option::min_score, {0.0, false})).inputs.size() == 1);
    auto each = exposing_one(run_option::min_score, {0.5, true});
    each.dynamic_batch = true;
    check_plan_fails(failure::usage, {"`expose_per_image` min_score=0.5 has a default"}, one_image_model(), each);
}

TEST_CASE("no other input and no output has the name of an input that is added")
{
    const auto options = exposing_one(run_option::min_score);
    auto model = small_detector();
    rename_value(*model.mutable_graph(), "all_labels", "min_score");
    check_plan_fails(failure::refused, {"the model has an input called 'min_score'", "`expose` min_score"}, model,
                     options);
    model = small_detector();
    rename_value(*model.mutable_graph(), "s1", "min_score");
    check_plan_fails(failure::refused, {"the model has an output called 'min_score'"}, model, options);
    model = small_detector();
    rename_value(*model.mutable_graph(), "rows1", "min_score"); // a value in between gets another name
    CHECK(plan_of(model, options).inputs.size() == 1);
    auto renamed = options;
    renamed.names[field::boxes] = "min_score";
    check_plan_fails(failure::usage, {"`rename` boxes=min_score gives an output the name of the input"},
                     small_detector(), renamed);
    renamed = options;
    renamed.count_name = "min_score";
    check_plan_fails(failure::usage, {"`rename` num_detections=min_score"}, small_detector(), renamed);
    renamed.count_name = "max_detections";
    CHECK(plan_of(small_detector(), renamed).inputs.size() == 1);
}
