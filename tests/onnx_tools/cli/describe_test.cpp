// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/cli/describe.hpp>

#include <onnx_tools/rewrite.hpp>
#include <tests/support/fixture_models.hpp>
#include <tests/support/small_detector.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace padbatch::onnx_tools;
using namespace padbatch::test;

namespace {

using strings = std::vector<std::string>;

strings steps(onnx::ModelProto model, const pad_options& pad = {}, const recognise_options& recognise = {})
{
    return cli::describe(rewrite(model, {recognise, pad}));
}

// The position of the one line that has all of these words; -1 when there is none, or more than one.
int line_with(const strings& lines, const strings& words)
{
    int found = -1;
    for (std::size_t i = 0; i < lines.size(); ++i) {
        bool all = true;
        for (const auto& word : words) {
            all = all && lines[i].find(word) != std::string::npos;
        }
        if (all && found >= 0) {
            return -1;
        }
        found = all ? static_cast<int>(i) : found;
    }
    return found;
}

} // namespace

TEST_CASE("a plain rewrite pads, and writes the counts")
{
    const auto lines = steps(small_detector());
    CHECK(lines.size() == 2);
    CHECK(line_with(lines, {"7 rows"}) == 0);
    CHECK(line_with(lines, {"num_detections", "int32", "[2, 1]"}) == 1);
    pad_options batch;
    batch.max_detections = largest_of_batch{};
    CHECK(line_with(steps(small_detector(), batch), {"largest count"}) == 0);
}

TEST_CASE("what options change is described in the order in which it is done")
{
    auto model =
        small_detector({2, 13, "7", "half = Constant <value = float {0.25}> () above = Greater(all_scores, half)"});
    pad_options pad;
    pad.max_detections = 3;
    pad.min_score = 0.5;
    pad.label_type = padbatch::element_type::int32;
    pad.pad_values[field::labels] = -1;
    pad.pad_values[field::boxes] = 0.0;
    pad.count_type = padbatch::element_type::int64;
    pad.flat_counts = true;
    const auto lines = steps(model, pad);
    CAPTURE(lines);
    const int drops = line_with(lines, {"0.5"});
    const int keeps = line_with(lines, {"first", "3 rows"});
    const int converts = line_with(lines, {"labels", "int32"});
    const int pads = line_with(lines, {"every image", "3 rows"});
    const int fills = line_with(lines, {"labels", "-1"});
    CHECK(drops == 0);
    CHECK(drops < keeps);
    CHECK(keeps < converts);
    CHECK(converts < pads);
    CHECK(pads < fills);
    CHECK(fills < line_with(lines, {"num_detections", "int64", "[2]"}));
    CHECK(line_with(lines, {"0.25"}) == -1);
    pad.min_score = 0.125; // below what the model itself keeps
    CHECK(line_with(steps(model, pad), {"0.125", "0.25"}) == 0);
}

TEST_CASE("layouts without a count, and fields that they join, are named")
{
    pad_options pad;
    pad.layout = output_layout::ultralytics;
    const auto lines = steps(small_detector(), pad);
    CAPTURE(lines);
    CHECK(line_with(lines, {"boxes, scores, labels", "output0"}) >= 0);
    CHECK(line_with(lines, {"counts", "ultralytics"}) >= 0);
    CHECK(line_with(lines, {"num_detections"}) == -1);
    pad.layout = output_layout::mmdeploy; // its labels are padded with -1
    CHECK(line_with(steps(small_detector(), pad), {"labels", "-1"}) >= 0);
}

TEST_CASE("masks: pasted, of the regions, of another type, left out")
{
    const auto& model = fixture_named("mask_rcnn_tv029_b2_list_op18").model;
    CHECK(line_with(steps(model), {"largest height and width"}) >= 0);
    pad_options pad;
    pad.mask_type = padbatch::element_type::uint8;
    pad.mask_threshold = 0.75;
    CHECK(line_with(steps(model, pad), {"masks", "uint8", "1 where", "0.75"}) >= 0);
    pad = {};
    pad.masks = mask_choice::roi;
    pad.squeeze_masks = true;
    const auto lines = steps(model, pad);
    CAPTURE(lines);
    CHECK(line_with(lines, {"mask head"}) == 0);
    CHECK(line_with(lines, {"[n, 1, H, W]"}) > 0);
    CHECK(line_with(lines, {"largest height and width"}) == -1);
    pad = {};
    pad.masks = mask_choice::none;
    CHECK(line_with(steps(model, pad), {"masks"}) == 0);
}

TEST_CASE("a Loop, other outputs and rows in one list are told")
{
    pad_options pad;
    pad.dynamic_batch = true;
    const auto lines = steps(fixture_named("retinanet_tv029_b1_tensor_op18_features").model, pad);
    CAPTURE(lines);
    const auto others = static_cast<std::size_t>(line_with(lines, {"other output"}));
    CHECK(line_with(lines, {"Loop"}) >= 0);
    REQUIRE(others < lines.size());
    CHECK(lines[others].find("stacks") != std::string::npos);

    recognise_options flat;
    flat.from = export_kind::flat;
    flat.columns = {{flat_column::batch, flat_column::cx, flat_column::cy, flat_column::w, flat_column::h,
                     flat_column::label, flat_column::score}};
    pad = {};
    pad.max_detections = 5;
    const auto list = steps(parse_model("<ir_version: 7, opset_import: [\"\" : 13, \"x\" : 1]> g (float[B,3,H,W] x) => "
                                        "(float[n,7] rows, float[B,8] f) { rows, f = x.Net(x) }"),
                            pad, flat);
    CAPTURE(list);
    CHECK(line_with(list, {"cx, cy, w, h", "x1, y1, x2, y2"}) == 0);
    CHECK(line_with(list, {"list"}) == 1);
    CHECK(line_with(list, {"keeps", "1 other output"}) >= 0);
}
