// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/plan/options.hpp>
#include <onnx_tools/plan/pad_value.hpp>
#include <onnx_tools/plan/plan.hpp>
#include <onnx_tools/recognise/recognise.hpp>

#include <tests/onnx_tools/plan/plan_of.hpp>
#include <tests/support/check_failure.hpp>
#include <tests/support/fixture_models.hpp>
#include <tests/support/small_detector.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

using namespace padbatch::onnx_tools;
using namespace padbatch::test;

namespace {

using strings = std::vector<std::string>;

pad_options of_batch()
{
    pad_options options;
    options.max_detections = largest_of_batch{};
    return options;
}

const fixture_model& masks_of_one_size()
{
    return fixture_named("mask_rcnn_tv014_b2_tensor_op16");
}

std::vector<dimension> sizes(const std::vector<std::int64_t>& extents)
{
    std::vector<dimension> shape;
    shape.reserve(extents.size());
    for (const auto extent : extents) {
        shape.push_back({extent, ""});
    }
    return shape;
}

// A model without structure whose two outputs are read as one image's boxes and labels.
std::pair<onnx::ModelProto, detections> told(const std::string& row, const std::string& element = "int64")
{
    auto model = parse_model("<ir_version: 7, opset_import: [\"\" : 13]> g (float[n,3] x) => (float[a," + row +
                             "] p, " + element + "[a] q) { p, q = Net(x) }");
    recognise_options options;
    options.fields = {field::boxes, field::labels};
    auto found = recognise(model, options);
    return {std::move(model), std::move(found)};
}

} // namespace

TEST_CASE("M is the model's limit unless another is chosen")
{
    for_each_fixture([&](const fixture& known, const onnx::ModelProto& model) {
        const auto source = recognise(model);
        const auto p = plan(model, source);
        CHECK(p.max_detections == known.limit);
        CHECK_FALSE(p.cuts_rows);
        CHECK(p.count->name == "num_detections");
        REQUIRE(p.outputs.size() == known.fields.size());
        for (std::size_t i = 0; i < p.outputs.size(); ++i) {
            CHECK(p.outputs[i].name == known.fields[i]);
            REQUIRE(p.outputs[i].shape.size() >= 2);
            CHECK(p.outputs[i].shape[0].size == static_cast<std::int64_t>(known.batch));
            CHECK(p.outputs[i].shape[1].size == known.limit);
        }
        CHECK(p.widens_masks == (known.family == "Mask R-CNN" && known.list_input && known.batch > 1));

        const auto fewer = plan(model, source, with_max(known.limit - 1));
        CHECK(fewer.max_detections == known.limit - 1);
        CHECK(fewer.new_limit == known.limit - 1);
        CHECK_FALSE(fewer.cuts_rows);
        CHECK(fewer.outputs[0].shape[1].size == known.limit - 1);
        const auto more = plan(model, source, with_max(known.limit + 1));
        CHECK(more.max_detections == known.limit + 1);
        CHECK(more.new_limit == known.limit + 1);
        CHECK_FALSE(more.cuts_rows);
        CHECK_FALSE(plan(model, source, with_max(known.limit)).cuts_rows);
        CHECK_FALSE(plan(model, source, with_max(known.limit)).new_limit);
        auto fixed = source;
        fixed.cuts.clear();
        CHECK(plan(model, fixed, with_max(known.limit - 1)).cuts_rows);
        CHECK_FALSE(plan(model, fixed, with_max(known.limit - 1)).new_limit);
        CHECK_FALSE(plan(model, fixed, with_max(known.limit + 1)).cuts_rows);

        const auto batch = plan(model, source, of_batch());
        CHECK_FALSE(batch.max_detections);
        CHECK_FALSE(batch.cuts_rows);
        CHECK(batch.outputs[0].shape[1] == dimension{{}, "max_detections"});
        CHECK(batch.outputs[1].shape[1] == dimension{{}, "max_detections"});
    });
}

TEST_CASE("without a limit M must be chosen, and rows beyond it are cut")
{
    const auto model = small_detector({2, 13, "9223372036854775807", ""});
    check_plan_fails(failure::refused, {"`max_detections` N", "`max_detections` batch"}, model, {});
    const auto p = plan_of(model, with_max(50));
    CHECK(p.max_detections == 50);
    CHECK(p.cuts_rows);
    CHECK_FALSE(plan_of(model, of_batch()).cuts_rows);
}

TEST_CASE("padding is zero unless a value is chosen, and fits the element type")
{
    const auto model = small_detector();
    const auto zeros = plan_of(model);
    CHECK(zeros.fields[0].pad_value.raw_data() == std::string(4, '\0'));
    CHECK(zeros.fields[0].pad_value.data_type() == onnx::TensorProto::FLOAT);
    CHECK(zeros.fields[1].pad_value.raw_data() == std::string(8, '\0'));
    CHECK(zeros.fields[1].pad_value.data_type() == onnx::TensorProto::INT64);
    const auto chosen = plan_of(model, with_value(field::labels, -1));
    CHECK(chosen.fields[1].pad_value.raw_data() == std::string(8, '\xff'));
    CHECK(chosen.fields[0].pad_value.raw_data() == std::string(4, '\0'));
    check_plan_fails(failure::usage, {"`pad_value` labels=0.5", "int64", "9223372036854775807"}, model,
                     with_value(field::labels, 0.5));
    check_plan_fails(failure::usage, {"`pad_value` boxes=1e+39", "float32"}, model, with_value(field::boxes, 1e39));
    CHECK_NOTHROW((void)plan_of(model, with_value(field::boxes, std::nan(""))));
    const auto precise =
        plan_of(model, with_value(field::labels, 9007199254740993)); // 2^53 + 1, which no double can hold
    CHECK(precise.fields[1].pad_value.raw_data() == std::string("\x01\0\0\0\0\0\x20\0", 8));

    const auto [half, source] = told("4", "bfloat16");
    check_failure(failure::refused, {"labels are bfloat16"},
                  [&, &m = half, &s = source] { (void)plan(m, s, with_max(5)); });
}

TEST_CASE("opsets before 11 are refused")
{
    auto model = small_detector();
    const auto set_opset = [&](const std::string& domain, std::int64_t version) {
        model.mutable_opset_import(0)->set_domain(domain);
        model.mutable_opset_import(0)->set_version(version);
    };
    set_opset("", 10);
    check_plan_fails(failure::refused, {"opset 10", "opset 11 or newer", "onnx.version_converter", "opset_version=11"},
                     model, {});
    set_opset("", 11);
    CHECK_NOTHROW((void)plan_of(model));
    set_opset("ai.onnx", 25); // the same domain, spelled out
    CHECK_NOTHROW((void)plan_of(model));
    set_opset("com.example", 25);
    check_plan_fails(failure::refused, {"no standard ONNX operators", "opset 11"}, model, {});
}

TEST_CASE("shapes and bytes of static outputs")
{
    const auto p = plan_of(small_detector());
    CHECK(p.outputs[0].shape == sizes({2, 7, 4}));
    CHECK(p.outputs[1].shape == sizes({2, 7}));
    CHECK(p.outputs[2].shape == sizes({2, 7}));
    CHECK(p.outputs[0].bytes.known == 2 * 7 * 4 * 4);
    CHECK(p.outputs[1].bytes.known == 2 * 7 * 8);
    CHECK(p.outputs[1].bytes.total == 2 * 7 * 8);
    CHECK(p.outputs[0].bytes.factors.empty());

    const auto batch = plan_of(small_detector(), of_batch());
    CHECK(batch.outputs[0].bytes.known == 2 * 4 * 4);
    CHECK(batch.outputs[0].bytes.factors == strings{"max_detections"});
    CHECK_FALSE(batch.outputs[0].bytes.total);
}

TEST_CASE("shapes and bytes of masks follow the image size that the inputs declare")
{
    const auto& [known, model] = masks_of_one_size();
    const auto field_of = [](const pad_plan& p) { return p.outputs[3]; };
    const auto masks = field_of(plan_of(model));
    CHECK(masks.name == "masks");
    CHECK(masks.shape == std::vector<dimension>{{2, ""}, {10, ""}, {1, ""}, {{}, "masks_height"}, {{}, "masks_width"}});
    CHECK(masks.bytes.known == 2 * 10 * 1 * 4);
    CHECK(masks.bytes.factors == strings{"masks_height", "masks_width"});
    CHECK(masks.bytes.total == 2 * 10 * 4 * 64 * 80);
    // Images of 64 x 80 and 80 x 64: the masks have room for either.
    CHECK(field_of(plan_of(fixture_named("mask_rcnn_tv014_b3_list_op14_field").model)).bytes.total ==
          3 * 5 * 4 * 80 * 80);
    // The inputs of this one leave their height and width open.
    CHECK_FALSE(field_of(plan_of(fixture_named("mask_rcnn_tv014_b2_list_op11").model)).bytes.total);
    const auto batch = field_of(plan_of(model, of_batch()));
    CHECK(batch.bytes.factors == strings{"max_detections", "masks_height", "masks_width"});
    CHECK_FALSE(batch.bytes.total);

    auto open = model; // an input that leaves its height open
    auto& shape = *open.mutable_graph()->mutable_input(0)->mutable_type()->mutable_tensor_type()->mutable_shape();
    REQUIRE(shape.dim_size() == 4);
    shape.mutable_dim(2)->set_dim_param("height");
    CHECK_FALSE(field_of(plan_of(open)).bytes.total);
    CHECK(field_of(plan_of(open)).bytes.known == 2 * 10 * 1 * 4);
}

TEST_CASE("symbols in new shapes are not ones that the model uses")
{
    auto model = masks_of_one_size().model;
    auto& shape = *model.mutable_graph()->mutable_output(0)->mutable_type()->mutable_tensor_type()->mutable_shape();
    shape.mutable_dim(0)->set_dim_param("masks_height");
    model.mutable_graph()->add_initializer()->set_name("max_detections");
    const auto p = plan_of(model, of_batch());
    CHECK(p.outputs[0].shape[1].symbol == "max_detections_2");
    CHECK(p.outputs[3].shape[1].symbol == "max_detections_2");
    CHECK(p.outputs[3].shape[3].symbol == "masks_height_2");
    CHECK(p.outputs[3].shape[4].symbol == "masks_width");

    const auto [told_model, source] = told("w");
    CHECK(plan(told_model, source, with_max(5)).outputs[0].shape[2] == dimension{4, ""}); // since these are boxes
    auto keypoints = source;
    keypoints.fields[0].kind = field::keypoints;
    keypoints.fields[0].row = {{}, {3, ""}};
    CHECK(plan(told_model, keypoints, with_max(5)).outputs[0].shape[2] == dimension{{}, "keypoints_dim_2"});
}

TEST_CASE("outputs whose bytes cannot be counted are refused")
{
    const auto [model, source] = told("1000000000000000000"); // 10^18 numbers a row
    check_failure(failure::usage, {"'boxes'", "too large", "`max_detections`"},
                  [&, &m = model, &s = source] { (void)plan(m, s, with_max(10)); });
    CHECK(plan(model, source, with_max(1)).outputs[0].bytes.total == 4000000000000000000);
}
