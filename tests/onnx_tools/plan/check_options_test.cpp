// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/plan/check_options.hpp>
#include <onnx_tools/plan/plan.hpp>

#include <tests/onnx_tools/plan/plan_of.hpp>
#include <tests/support/check_failure.hpp>
#include <tests/support/small_detector.hpp>

#include <doctest/doctest.h>

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
    return source;
}

detections without(detections source, field kind)
{
    std::erase_if(source.fields, [&](const recognised_field& f) { return f.kind == kind; });
    return source;
}

struct attempt {
    std::string what;
    std::function<void(pad_options&)> choose;
    /// Nothing when the options are fine.
    std::optional<failure> kind = {};
    std::vector<std::string> words = {};
};

void check_attempts(const detections& source, const std::vector<attempt>& attempts)
{
    for (const auto& each : attempts) {
        CAPTURE(each.what);
        pad_options options;
        each.choose(options);
        if (each.kind) {
            check_failure(*each.kind, each.words, [&] { check_options(source, options); });
        } else {
            CHECK_NOTHROW(check_options(source, options));
        }
    }
}

void as_bytes(pad_options& o)
{
    o.mask_type = element_type::uint8;
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
    check_attempts(
        mask_rcnn(),
        {
            {"nothing", [](pad_options&) {}},
            {"full", [](pad_options& o) { o.masks = mask_choice::full; }},
            {"none", [](pad_options& o) { o.masks = mask_choice::none; }},
            {"none, type", [](pad_options& o) { o.masks = mask_choice::none, as_bytes(o); }, failure::usage},
            {"none, squeezed", [](pad_options& o) { o.masks = mask_choice::none, o.squeeze_masks = true; },
             failure::usage},
            {"none, threshold", [](pad_options& o) { o.masks = mask_choice::none, o.mask_threshold = 0.5; },
             failure::usage},
            {"none, value",
             [](pad_options& o) { o.masks = mask_choice::none, o.pad_values[field::masks] = 1.0; },
             failure::usage,
             {"masks=1"}},
            {"roi", [](pad_options& o) { o.masks = mask_choice::roi; }},
            {"roi, bool",
             [](pad_options& o) { o.masks = mask_choice::roi, o.mask_type = element_type::boolean; },
             failure::usage,
             {"bool"}},
            {"roi, float", [](pad_options& o) { o.masks = mask_choice::roi, o.mask_type = element_type::float32; }},
            {"roi, squeezed", [](pad_options& o) { o.masks = mask_choice::roi, o.squeeze_masks = true; }},
            {"uint8, threshold", [](pad_options& o) { as_bytes(o), o.mask_threshold = 0.25; }},
            {"threshold alone", [](pad_options& o) { o.mask_threshold = 0.25; }, failure::usage, {"0.25"}},
            {"float, threshold",
             [](pad_options& o) { o.mask_type = element_type::float32, o.mask_threshold = 0.25; },
             failure::usage,
             {"0.25"}},
            {"threshold 1", [](pad_options& o) { as_bytes(o), o.mask_threshold = 1; }},
            {"threshold 0", [](pad_options& o) { as_bytes(o), o.mask_threshold = 0; }, failure::usage},
            {"threshold 1.5", [](pad_options& o) { as_bytes(o), o.mask_threshold = 1.5; }, failure::usage, {"1.5"}},
        });
    auto bytes = mask_rcnn();
    bytes.fields.back().element = element_type::uint8; // no probabilities
    check_attempts(bytes, {{"type", as_bytes, failure::usage, {"uint8"}}, {"nothing", [](pad_options&) {}}});
    const auto none = without(mask_rcnn(), field::masks);
    check_attempts(none, {
                             {"none", [](pad_options& o) { o.masks = mask_choice::none; }, failure::usage},
                             {"roi", [](pad_options& o) { o.masks = mask_choice::roi; }, failure::usage, {"roi"}},
                             {"type", as_bytes, failure::usage, {"uint8"}},
                             {"threshold", [](pad_options& o) { o.mask_threshold = 0.25; }, failure::usage, {"0.25"}},
                             {"squeezed", [](pad_options& o) { o.squeeze_masks = true; }, failure::usage},
                         });
}

TEST_CASE("layouts have the fields and the inputs that they need")
{
    const auto with = [](output_layout layout) { return [=](pad_options& o) { o.layout = layout; }; };
    for (const auto& name : all_layout_names()) {
        const auto layout = *layout_from_name(name);
        check_attempts(mask_rcnn(), {{name, with(layout)}});
        for (const auto kind : {field::boxes, field::scores, field::labels}) {
            const auto needed = layout == output_layout::torchvision ? std::optional<failure>() : failure::usage;
            const std::string missing(name_of(kind));
            check_attempts(without(mask_rcnn(), kind), {{name + ", no " + missing, with(layout), needed, {missing}}});
        }
        const bool has_counts = !rules_of(layout).count_name.empty();
        const auto refused = has_counts ? std::optional<failure>() : failure::usage;
        check_attempts(
            mask_rcnn(),
            {{name + ", count type", [=](pad_options& o) { o.layout = layout, o.count_type = element_type::int64; },
              refused},
             {name + ", count shape", [=](pad_options& o) { o.layout = layout, o.flat_counts = false; }, refused},
             {name + ", count name", [=](pad_options& o) { o.layout = layout, o.count_name = "n"; }, refused}});
        // Labels that lie beside the boxes have the type of the boxes.
        const bool joined = layout == output_layout::ultralytics;
        check_attempts(mask_rcnn(), {{name + ", label type",
                                      [=](pad_options& o) { o.layout = layout, o.label_type = element_type::int32; },
                                      joined ? std::optional<failure>(failure::usage) : std::nullopt}});
    }
    auto no_image = mask_rcnn();
    no_image.images.clear();
    check_attempts(no_image, {{"tf-od", with(output_layout::tf_od), failure::refused, {"tf-od", "[B, 3, H, W]"}},
                              {"efficientnms", with(output_layout::efficientnms)}});
}

TEST_CASE("a model of one image, with an image for its input, can get a dynamic batch")
{
    const auto dynamic = [](pad_options& o) { o.dynamic_batch = true; };
    const auto of_batch = [](pad_options& o) { o.dynamic_batch = true, o.max_detections = largest_of_batch{}; };
    const auto chosen = [](pad_options& o) { o.dynamic_batch = true, o.max_detections = 5; };
    check_attempts(mask_rcnn(), {{"dynamic", dynamic}, {"M of the batch", of_batch}});
    auto source = mask_rcnn();
    source.batch = 3;
    check_attempts(source, {{"three images", dynamic, failure::refused, {"3 images"}}});
    source = mask_rcnn();
    source.images.clear();
    check_attempts(source, {{"no image", dynamic, failure::refused, {"[1, 3, H, W]"}}});
    source = mask_rcnn();
    source.flat.emplace();
    check_attempts(source, {{"rows of all images", dynamic, failure::usage, {"`dynamic_batch`"}}});
    source = mask_rcnn();
    source.limit.reset();
    check_attempts(source, {{"no limit, M of the batch", of_batch, failure::refused, {"`max_detections` N"}},
                            {"no limit", dynamic, failure::refused, {"`max_detections` N"}},
                            {"no limit, M chosen", chosen}});
}

TEST_CASE("M is chosen where the model has no limit")
{
    auto source = mask_rcnn();
    source.limit.reset();
    const auto unchosen = [](pad_options&) {};
    const auto of_batch = [](pad_options& o) { o.max_detections = largest_of_batch{}; };
    check_attempts(source, {{"none", unchosen, failure::refused, {"`max_detections` N", "`max_detections` batch"}},
                            {"batch", of_batch}});
    source.flat.emplace();
    check_attempts(source, {{"flat", unchosen, failure::refused, {"NonMaxSuppression"}}, {"flat, batch", of_batch}});
}

TEST_CASE("the least score is one that scores can have")
{
    const auto with = [](double score) { return [=](pad_options& o) { o.min_score = score; }; };
    check_attempts(mask_rcnn(), {{"0.05", with(0.05)},
                                 {"1", with(1)},
                                 {"0", with(0), failure::usage, {"`min_score` is 0"}},
                                 {"-0.5", with(-0.5), failure::usage, {"-0.5"}},
                                 {"1.5", with(1.5), failure::usage, {"1.5"}},
                                 {"nan", with(std::numeric_limits<double>::quiet_NaN()), failure::usage, {"nan"}}});
    check_attempts(without(mask_rcnn(), field::scores), {{"no scores", with(0.5), failure::usage, {"`min_score`"}}});
    check_attempts(
        without(mask_rcnn(), field::labels),
        {{"no labels", [](pad_options& o) { o.label_type = element_type::int32; }, failure::usage, {"`label_type`"}}});
}
