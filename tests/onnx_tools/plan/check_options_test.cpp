// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/plan/check_options.hpp>
#include <onnx_tools/plan/plan.hpp>

#include <tests/onnx_tools/plan/plan_of.hpp>
#include <tests/support/check_failure.hpp>
#include <tests/support/small_detector.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace padbatch::onnx_tools;
using namespace padbatch::test;
using padbatch::element_type;

namespace {

// What a Mask R-CNN of one image is.
detections mask_rcnn()
{
    detections source;
    source.batch = 1;
    source.fields = {{field::boxes, {"b"}, element_type::float32, {{4, ""}}},
                     {field::labels, {"l"}, element_type::int64, {}},
                     {field::scores, {"s"}, element_type::float32, {}},
                     {field::masks, {"m"}, element_type::float32, {{1, ""}, {}, {}}}};
    source.limit = {7, "cut"};
    source.images = {"images"};
    source.image_rank = 4;
    source.image_inputs = {{"images"}};
    return source;
}

detections without(detections source, field kind)
{
    std::erase_if(source.fields, [&](const recognised_field& f) { return f.kind == kind; });
    return source;
}

using change = std::function<void(pad_options&)>;

// Sets one option.
template <typename Value, typename Given>
change set(Value pad_options::* option, const Given& value)
{
    return [=](pad_options& options) { options.*option = value; };
}

struct attempt {
    std::string what;
    std::vector<change> choices;
    /// Nothing when the options are fine.
    std::optional<failure> kind = {};
    std::vector<std::string> words = {};
};

void check_attempts(const detections& source, const std::vector<attempt>& attempts)
{
    for (const auto& each : attempts) {
        CAPTURE(each.what);
        pad_options options;
        for (const auto& choose : each.choices) {
            choose(options);
        }
        if (each.kind) {
            check_failure(*each.kind, each.words, [&] { check_options(source, options); });
        } else {
            CHECK_NOTHROW(check_options(source, options));
        }
    }
}

const change no_masks = set(&pad_options::masks, mask_choice::none);
const change region_masks = set(&pad_options::masks, mask_choice::roi);
const change byte_masks = set(&pad_options::mask_type, element_type::uint8);
const change float_masks = set(&pad_options::mask_type, element_type::float32);
const change squeezed_masks = set(&pad_options::squeeze_masks, true);
const change dynamic_batch = set(&pad_options::dynamic_batch, true);
const change rows_of_batch = set(&pad_options::max_detections, largest_of_batch{});
const change int32_labels = set(&pad_options::label_type, element_type::int32);

change mask_threshold(double value)
{
    return set(&pad_options::mask_threshold, value);
}

change layout(output_layout value)
{
    return set(&pad_options::layout, value);
}

} // namespace

TEST_CASE("M is a number of rows")
{
    const auto model = small_detector();
    for (const std::int64_t wrong : {std::int64_t{0}, std::int64_t{-1}, std::int64_t{1} << 31}) {
        check_plan_fails(failure::usage, {"`max_detections` is " + std::to_string(wrong)}, model, with_max(wrong));
    }
    CHECK(plan_of(model, with_max(1)).max_detections == 1);
    CHECK(plan_of(model, with_max((std::int64_t{1} << 31) - 1)).max_detections == (std::int64_t{1} << 31) - 1);
}

TEST_CASE("options name fields that the model has")
{
    const auto model = small_detector();
    check_plan_fails(failure::usage, {"`pad_value` masks=0", "boxes, labels, scores"}, model,
                     with_value(field::masks, 0));
    check_plan_fails(failure::usage, {"`rename` keypoints=k", "boxes, labels, scores", "num_detections"}, model,
                     with_name(field::keypoints, "k"));
    CHECK(plan_of(model, with_count_name("count")).count->name == "count");
    CHECK(plan_of(model, with_name(field::labels, "classes")).outputs[1].name == "classes");
}

TEST_CASE("options for masks fit one another")
{
    const auto usage = failure::usage;
    const change mask_value = [](pad_options& options) { options.pad_values[field::masks] = 1.0; };
    check_attempts(mask_rcnn(), {
                                    {"nothing", {}},
                                    {"none", {no_masks}},
                                    {"none, type", {no_masks, byte_masks}, usage},
                                    {"none, squeezed", {no_masks, squeezed_masks}, usage},
                                    {"none, threshold", {no_masks, mask_threshold(0.5)}, usage},
                                    {"none, value", {no_masks, mask_value}, usage, {"masks=1"}},
                                    {"roi", {region_masks}},
                                    {"roi, uint8", {region_masks, byte_masks}, usage, {"uint8"}},
                                    {"roi, float", {region_masks, float_masks}},
                                    {"roi, squeezed", {region_masks, squeezed_masks}},
                                    {"uint8", {byte_masks}},
                                    {"uint8, threshold", {byte_masks, mask_threshold(0.25)}},
                                    {"threshold alone", {mask_threshold(0.25)}, usage, {"0.25"}},
                                    {"float, threshold", {float_masks, mask_threshold(0.25)}, usage, {"0.25"}},
                                    {"threshold 1", {byte_masks, mask_threshold(1)}},
                                    {"threshold 0", {byte_masks, mask_threshold(0)}, usage},
                                    {"threshold 1.5", {byte_masks, mask_threshold(1.5)}, usage, {"1.5"}},
                                });
    auto bytes = mask_rcnn();
    bytes.fields.back().element = element_type::uint8; // not probabilities
    check_attempts(bytes, {{"type", {byte_masks}, usage, {"uint8"}}, {"nothing", {}}});
    check_attempts(without(mask_rcnn(), field::masks), {
                                                           {"none", {no_masks}, usage},
                                                           {"roi", {region_masks}, usage, {"roi"}},
                                                           {"type", {byte_masks}, usage, {"uint8"}},
                                                           {"threshold", {mask_threshold(0.25)}, usage, {"0.25"}},
                                                           {"squeezed", {squeezed_masks}, usage},
                                                       });
}

TEST_CASE("layouts have the fields and the inputs that they need")
{
    const std::optional<failure> fine;
    const std::optional<failure> usage = failure::usage;
    for (const auto& name : all_layout_names()) {
        CAPTURE(name);
        const auto each = *layout_from_name(name);
        const auto this_layout = layout(each);
        check_attempts(mask_rcnn(), {{"every field", {this_layout}}});
        for (const auto kind : {field::boxes, field::scores, field::labels}) {
            const std::string missing(name_of(kind));
            check_attempts(
                without(mask_rcnn(), kind),
                {{"no " + missing, {this_layout}, each == output_layout::torchvision ? fine : usage, {missing}}});
        }
        const auto about_counts = rules_of(each).count_name.empty() ? usage : fine;
        // Labels that lie beside the boxes have the type of the boxes.
        const auto about_labels = each == output_layout::ultralytics ? usage : fine;
        check_attempts(
            mask_rcnn(),
            {
                {"count type", {this_layout, set(&pad_options::count_type, element_type::int64)}, about_counts},
                {"count shape", {this_layout, set(&pad_options::flat_counts, false)}, about_counts},
                {"count name", {this_layout, set(&pad_options::count_name, std::string("n"))}, about_counts},
                {"label type", {this_layout, int32_labels}, about_labels},
            });
    }
    auto no_image = mask_rcnn();
    no_image.images.clear();
    no_image.image_inputs.clear();
    check_attempts(no_image, {{"tf-od", {layout(output_layout::tf_od)}, failure::refused, {"tf-od", "[B, 3, H, W]"}},
                              {"efficientnms", {layout(output_layout::efficientnms)}}});
}

TEST_CASE("a model of one image, with an image for its input, can get a dynamic batch")
{
    const auto refused = failure::refused;
    check_attempts(mask_rcnn(), {{"dynamic", {dynamic_batch}}, {"M of the batch", {dynamic_batch, rows_of_batch}}});
    auto source = mask_rcnn();
    source.batch = 3;
    check_attempts(source, {{"three images", {dynamic_batch}, refused, {" 3 "}}});
    source = mask_rcnn();
    source.images.clear();
    source.image_inputs.clear();
    check_attempts(source, {{"no image", {dynamic_batch}, refused, {"[1, 3, H, W]"}}});
    source = mask_rcnn();
    source.flat.emplace();
    check_attempts(source, {{"rows of all images", {dynamic_batch}, failure::usage, {"`dynamic_batch`"}}});
    source.only_one_image = "a node reads the first scale for all images";
    check_attempts(source, {{"one image at a time", {}, refused, {"the first scale", "add `dynamic_batch`"}}});
    source = mask_rcnn();
    source.limit.reset();
    check_attempts(source, {{"no limit", {dynamic_batch}, refused, {"`max_detections` N"}},
                            {"M of the batch", {dynamic_batch, rows_of_batch}, refused, {"`max_detections` N"}},
                            {"M chosen", {dynamic_batch, set(&pad_options::max_detections, std::int64_t{5})}}});
}

TEST_CASE("M is chosen where the model has no limit")
{
    auto source = mask_rcnn();
    source.limit.reset();
    const auto refused = failure::refused;
    check_attempts(source, {{"not chosen", {}, refused, {"`max_detections` N", "`max_detections` batch"}},
                            {"batch", {rows_of_batch}}});
    source.flat.emplace();
    check_attempts(source, {{"not chosen", {}, refused, {"NonMaxSuppression"}}, {"batch", {rows_of_batch}}});
}

TEST_CASE("labels to keep or to drop are named once, and need a model with labels")
{
    const auto usage = failure::usage;
    const auto classes = [](std::vector<std::int64_t> labels, bool dropped) {
        return set(&pad_options::classes, class_choice{std::move(labels), dropped});
    };
    check_attempts(mask_rcnn(), {{"kept", {classes({1, 17}, false)}},
                                 {"dropped", {classes({0}, true)}},
                                 {"none", {classes({}, false)}, usage, {"`classes` names no label"}},
                                 {"twice", {classes({4, 2, 4}, true)}, usage, {"`exclude_classes`", "label 4 twice"}}});
    check_attempts(without(mask_rcnn(), field::labels),
                   {{"no labels", {classes({1}, false)}, usage, {"`classes`", "has no labels"}},
                    {"no labels", {classes({1}, true)}, usage, {"`exclude_classes`", "leave the option out"}}});
}

TEST_CASE("the least score is one that scores can have, and label types are for labels")
{
    const auto usage = failure::usage;
    const auto min_score = [](double score) { return set(&pad_options::min_score, score); };
    check_attempts(mask_rcnn(), {{"0.05", {min_score(0.05)}},
                                 {"1", {min_score(1)}},
                                 {"0", {min_score(0)}, usage, {"`min_score`"}},
                                 {"-0.5", {min_score(-0.5)}, usage, {"-0.5"}},
                                 {"1.5", {min_score(1.5)}, usage, {"1.5"}},
                                 {"nan", {min_score(std::numeric_limits<double>::quiet_NaN())}, usage, {"nan"}}});
    check_attempts(without(mask_rcnn(), field::scores), {{"no scores", {min_score(0.5)}, usage, {"`min_score`"}}});
    check_attempts(without(mask_rcnn(), field::labels), {{"no labels", {int32_labels}, usage, {"`label_type`"}}});
}

TEST_CASE("parameters are set to numbers in their range, if the graph shows where they are read")
{
    auto source = mask_rcnn();
    source.parameters = {{parameter::detections_per_img, 7, {{{}, "cut", 2}}},
                         {parameter::score_thresh, 0.25, {{{}, "greater", 1}}}};
    source.fixed_parameters = {{parameter::rpn_pre_nms_top_n, "it is folded"}};
    const auto setting = [](parameter kind, const number& value) {
        return change([=](pad_options& options) { options.settings[kind] = value; });
    };
    const auto limit = [&](std::int64_t rows) { return setting(parameter::detections_per_img, rows); };
    const auto rows = [](std::int64_t n) { return set(&pad_options::max_detections, n); };
    check_attempts(
        source,
        {
            {"the least threshold", {setting(parameter::score_thresh, std::int64_t{0})}},
            {"the largest threshold", {setting(parameter::score_thresh, std::int64_t{1})}},
            {"a threshold between", {setting(parameter::score_thresh, 0.3)}},
            {"below", {setting(parameter::score_thresh, -0.1)}, failure::usage, {"`set` score_thresh=-0.1", "0 to 1"}},
            {"above", {setting(parameter::score_thresh, 1.5)}, failure::usage, {"a number from 0 to 1"}},
            {"not a number",
             {setting(parameter::score_thresh, std::numeric_limits<double>::quiet_NaN())},
             failure::usage,
             {"`set` score_thresh=nan", "`set` score_thresh=0.3"}},
            {"the least count", {limit(1)}},
            {"the largest count", {limit(2147483646)}},
            {"no rows", {limit(0)}, failure::usage, {"`set` detections_per_img=0", "1 to 2147483646"}},
            {"too many rows", {limit(2147483647)}, failure::usage, {"a whole number from 1 to 2147483646"}},
            {"half a row", {setting(parameter::detections_per_img, 1.5)}, failure::usage, {"a whole number"}},
            {"the same limit twice", {limit(9), rows(9)}},
            {"two limits", {limit(9), rows(8)}, failure::usage, {"together with `max_detections` 8", "one number"}},
            {"a limit, and the batch", {limit(9), rows_of_batch}},
            {"a parameter that is not there",
             {setting(parameter::topk_candidates, std::int64_t{9})},
             failure::refused,
             {"`set` topk_candidates=9: the graph does not show where", "detections_per_img (7), score_thresh (0.25)"}},
            {"one that is folded",
             {setting(parameter::rpn_pre_nms_top_n, std::int64_t{9})},
             failure::refused,
             {"cannot be changed in the graph: it is folded", "export the model with that value"}},
        });
    check_attempts(mask_rcnn(), {{"a model that shows none",
                                  {setting(parameter::score_thresh, 0.5)},
                                  failure::refused,
                                  {"a torchvision model whose nodes show its parameters"}}});
}
