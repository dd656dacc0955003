// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/model/graph.hpp>
#include <onnx_tools/plan/plan.hpp>
#include <onnx_tools/recognise/cuts.hpp>
#include <onnx_tools/recognise/recognise.hpp>
#include <tests/support/check_failure.hpp>
#include <tests/support/fixture_models.hpp>

#include <doctest/doctest.h>

#include <limits>
#include <string>
#include <vector>

// What people wrap around torchvision's models before they export them, as changes to real exports. Whatever is not
// certain must be refused, since a wrong guess would give a model that fails, or gives wrong results, at run time.

using namespace padbatch::onnx_tools;
using namespace padbatch::test;

namespace {

using names = std::vector<std::string>;

onnx::NodeProto& add_node(onnx::ModelProto& model, const std::string& op, const names& inputs,
                          const std::string& output)
{
    auto& node = *model.mutable_graph()->add_node();
    node.set_op_type(op);
    node.set_name("added_" + output);
    for (const auto& input : inputs) {
        node.add_input(input);
    }
    node.add_output(output);
    return node;
}

void set_integer(onnx::NodeProto& node, const std::string& name, std::int64_t value)
{
    auto& attribute = *node.add_attribute();
    attribute.set_name(name);
    attribute.set_type(onnx::AttributeProto::INT);
    attribute.set_i(value);
}

std::string add_constant(onnx::ModelProto& model, const std::string& name, std::int64_t value)
{
    auto& tensor = *model.mutable_graph()->add_initializer();
    tensor.set_name(name);
    tensor.set_data_type(onnx::TensorProto::INT64);
    tensor.add_dims(1);
    tensor.add_int64_data(value);
    return name;
}

onnx::ValueInfoProto& output_named(onnx::ModelProto& model, const std::string& name)
{
    for (auto& output : *model.mutable_graph()->mutable_output()) {
        if (output.name() == name) {
            return output;
        }
    }
    throw std::runtime_error("no output " + name);
}

// An output like `name`, but with a new name and these extents after the rows (-1: open).
onnx::ValueInfoProto output_like(const onnx::ModelProto& model, const std::string& name, const std::string& new_name,
                                 const std::vector<std::int64_t>& row)
{
    auto copy = model;
    auto info = output_named(copy, name);
    info.set_name(new_name);
    auto& shape = *info.mutable_type()->mutable_tensor_type()->mutable_shape();
    shape.clear_dim();
    shape.add_dim()->set_dim_param("rows_of_" + new_name);
    for (const auto extent : row) {
        auto& dim = *shape.add_dim();
        if (extent >= 0) {
            dim.set_dim_value(extent);
        }
    }
    return info;
}

// Takes the constant limits away, as detections_per_img = 2^31 - 1 does.
onnx::ModelProto without_limit(const fixture_model& f)
{
    auto model = f.model;
    const graph_index index(f.model.graph());
    for (std::size_t image = 0; image < f.known.batch; ++image) {
        const auto bound = bound_of(index, f.known.output(image, 2));
        REQUIRE(bound.cut != nullptr);
        const auto end =
            add_constant(model, "no_limit_" + std::to_string(image), std::numeric_limits<std::int64_t>::max());
        for (auto& node : *model.mutable_graph()->mutable_node()) {
            if (node.output_size() > 0 && node.output(0) == bound.cut->output(0)) {
                node.set_input(2, end);
            }
        }
    }
    return model;
}

void check_no_limit(const onnx::ModelProto& model)
{
    const auto found = recognise(model);
    CHECK_FALSE(found.limit);
    check_failure(failure::refused, {"`max_detections`"}, [&] { (void)plan(model, found); });
}

} // namespace

TEST_CASE("wrappers: joined results of two images or models have no known limit")
{
    const auto& [known, model] = fixture_named("faster_rcnn_tv014_b2_list_op11");
    auto joined = model;
    joined.mutable_graph()->clear_output();
    for (std::size_t slot = 0; slot < 3; ++slot) {
        const auto name = "all_" + known.fields[slot];
        set_integer(add_node(joined, "Concat", {known.output(0, slot), known.output(1, slot)}, name), "axis", 0);
        *joined.mutable_graph()->add_output() = output_like(
            model, known.output(0, slot), name, slot == 0 ? std::vector<std::int64_t>{4} : std::vector<std::int64_t>{});
    }
    CHECK(recognise(joined).batch == 1);
    check_no_limit(joined);
}

TEST_CASE("wrappers: a model without a limit is not given that of its proposals")
{
    check_no_limit(without_limit(fixture_named("mask_rcnn_tv029_b1_tensor_op20")));
    check_no_limit(without_limit(fixture_named("mask_rcnn_tv029_b2_list_op18")));
}

TEST_CASE("wrappers: a smaller limit on the outputs themselves counts")
{
    const auto& [known, model] = fixture_named("faster_rcnn_tv014_b2_list_op11");
    auto shorter = model;
    const auto start = add_constant(shorter, "first", 0);
    const auto end = add_constant(shorter, "end", 3);
    for (std::size_t image = 0; image < 2; ++image) {
        for (std::size_t slot = 0; slot < 3; ++slot) {
            const auto& old = known.output(image, slot);
            add_node(shorter, "Slice", {old, start, end, start}, "best_of_" + old);
            output_named(shorter, old).set_name("best_of_" + old);
        }
    }
    const auto found = recognise(shorter);
    CHECK(found.batch == 2);
    REQUIRE(found.limit);
    CHECK(found.limit->rows == 3);
    CHECK(found.limit->node.find("best_of_") != std::string::npos);
}

TEST_CASE("wrappers: masks without their channel are masks")
{
    const auto& [known, model] = fixture_named("mask_rcnn_tv029_b1_tensor_op20");
    const auto squeezed = [&, &old = known.output(0, 3), &original = model](const std::vector<std::int64_t>& row) {
        auto changed = original;
        add_node(changed, "Squeeze", {old, add_constant(changed, "channel", 1)}, "flat_masks");
        const auto flat = output_like(original, old, "flat_masks", row);
        output_named(changed, old) = flat;
        return changed;
    };
    const auto found = recognise(squeezed({64, 80}));
    CHECK(found.family == "Mask R-CNN");
    CHECK(found.fields.back().kind == field::masks);
    CHECK(found.fields.back().row.size() == 2);
    // No extent tells them from keypoints then, but the loop that pastes them does.
    CHECK(recognise(squeezed({-1, -1})).fields.back().kind == field::masks);
}

TEST_CASE("wrappers: any other output with a row for each detection must be named or removed")
{
    const auto& [known, model] = fixture_named("faster_rcnn_tv014_b2_list_op11");
    auto more = model;
    for (std::size_t image = 0; image < 2; ++image) {
        const auto& scores = known.output(image, 2);
        const auto name = "two_columns_" + std::to_string(image);
        auto& column = add_node(more, "Unsqueeze", {scores}, "column_" + name);
        auto& axes = *column.add_attribute();
        axes.set_name("axes");
        axes.set_type(onnx::AttributeProto::INTS);
        axes.add_ints(1);
        set_integer(add_node(more, "Concat", {"column_" + name, "column_" + name}, name), "axis", 1);
        *more.mutable_graph()->add_output() = output_like(model, scores, name, {2});
    }
    check_failure(failure::refused, {"'two_columns_0'", "left over", "`fields` boxes,labels,scores `batch` 2"},
                  [&] { (void)recognise(more); });
    recognise_options told;
    told.fields = {field::boxes, field::labels, field::scores};
    told.batch = 2;
    CHECK(recognise(more, told).other_outputs == names{"two_columns_0", "two_columns_1"});
}

TEST_CASE("wrappers: a count of the user's own is not a label")
{
    const auto& [known, model] = fixture_named("faster_rcnn_tv014_b2_tensor_op12_boxes_scores");
    auto counted = model;
    counted.mutable_graph()->clear_output();
    for (std::size_t image = 0; image < 2; ++image) {
        const auto name = "count_" + std::to_string(image);
        add_node(counted, "Shape", {known.output(image, 1)}, name);
        for (std::size_t slot = 0; slot < 2; ++slot) {
            auto copy = model;
            *counted.mutable_graph()->add_output() = output_named(copy, known.output(image, slot));
        }
        auto info = output_like(model, known.output(image, 1), name, {});
        info.mutable_type()->mutable_tensor_type()->set_elem_type(onnx::TensorProto::INT64);
        *counted.mutable_graph()->add_output() = info;
    }
    check_failure(failure::refused, {"outputs"}, [&] { (void)recognise(counted); });
}

TEST_CASE("wrappers: the traced size of masks is not believed if images may have other sizes")
{
    const auto& [known, model] = fixture_named("mask_rcnn_tv029_b2_list_op18");
    auto declared = model;
    for (std::size_t image = 0; image < 2; ++image) {
        output_named(declared, known.output(image, 3)) =
            output_like(model, known.output(image, 3), known.output(image, 3), {1, 64, 80});
    }
    CHECK(recognise(declared).fields.back().row == std::vector<dimension>{{1, ""}, {}, {}});
}

TEST_CASE("wrappers: fields named in a wrong order are refused")
{
    recognise_options told;
    told.fields = {field::boxes, field::scores, field::labels, field::masks};
    check_failure(failure::usage, {"as the scores of image 0", "int64"},
                  [&] { (void)recognise(fixture_named("mask_rcnn_tv029_b2_list_op18").model, told); });
}
