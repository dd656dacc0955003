// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/model/graph.hpp>
#include <onnx_tools/recognise/recognise.hpp>

#include <tests/support/check_failure.hpp>
#include <tests/support/fixture_models.hpp>
#include <tests/support/small_detector.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <vector>

using namespace padbatch::onnx_tools;
using namespace padbatch::test;

namespace {

// Checks what `recognise` must answer for a fixture, however its shapes, output order and names were changed.
void check_recognised(const fixture& known, const onnx::ModelProto& model, output_order order,
                      const std::string& name_prefix = "")
{
    const auto found = recognise(model);
    CHECK(found.family == known.family);
    CHECK(found.batch == static_cast<std::int64_t>(known.batch));
    CHECK((found.order == order || known.batch == 1)); // one image has no order
    REQUIRE(found.fields.size() == known.fields.size());
    for (std::size_t slot = 0; slot < known.fields.size(); ++slot) {
        const auto& field = found.fields[slot];
        CAPTURE(slot);
        CHECK(name_of(field.kind) == known.fields[slot]);
        REQUIRE(field.values.size() == known.batch);
        for (std::size_t image = 0; image < known.batch; ++image) {
            CHECK(field.values[image] == name_prefix + known.output(image, slot));
        }
    }
    std::vector<std::string> others;
    for (const auto& name : known.extra_outputs) {
        others.push_back(name_prefix + name);
    }
    CHECK(found.other_outputs == others);
    REQUIRE(found.limit);
    CHECK(found.limit->rows == known.limit);
    CHECK(found.limit->node.find("Slice") == 0);
    REQUIRE(found.threshold);
    // The manifest has the threshold with five decimals, and the graph as float32, within 2^-25 of that. Other
    // constants (0.01, 0.05) are farther away.
    CHECK(std::fabs(found.threshold->score - known.score_threshold) < 1e-5);
    CHECK(found.threshold->node.find("Greater") == 0);
    CHECK(found.sizes_may_differ == (known.list_input && known.batch > 1));
}

output_order order_of(const fixture& known)
{
    return known.by_field ? output_order::by_field : output_order::by_image;
}

// The detections of `model`, and then its extra outputs, in another order.
onnx::ModelProto reordered(const fixture& known, const onnx::ModelProto& model, output_order order)
{
    auto changed = model;
    const auto outputs = changed.graph().output();
    auto& reorder = *changed.mutable_graph()->mutable_output();
    reorder.Clear();
    const auto add = [&](const std::string& name) {
        for (const auto& output : outputs) {
            if (output.name() == name) {
                *reorder.Add() = output;
            }
        }
    };
    const auto slots = known.fields.size();
    for (std::size_t i = 0; i < known.batch * slots; ++i) {
        order == output_order::by_image ? add(known.output(i / slots, i % slots))
                                        : add(known.output(i % known.batch, i / known.batch));
    }
    for (const auto& name : known.extra_outputs) {
        add(name);
    }
    REQUIRE(reorder.size() == outputs.size());
    return changed;
}

int position_of(const onnx::ModelProto& model, const std::string& output)
{
    const auto& outputs = model.graph().output();
    const auto at = std::find_if(outputs.begin(), outputs.end(), [&](const auto& o) { return o.name() == output; });
    REQUIRE(at != outputs.end());
    return static_cast<int>(at - outputs.begin());
}

onnx::ModelProto with_swapped_outputs(const onnx::ModelProto& model, const std::string& a, const std::string& b)
{
    auto changed = model;
    changed.mutable_graph()->mutable_output()->SwapElements(position_of(model, a), position_of(model, b));
    return changed;
}

onnx::ModelProto without_output(const onnx::ModelProto& model, const std::string& name)
{
    auto changed = model;
    changed.mutable_graph()->mutable_output()->DeleteSubrange(position_of(model, name), 1);
    return changed;
}

std::size_t slot_of(const fixture& known, const std::string& field)
{
    const auto at = std::find(known.fields.begin(), known.fields.end(), field);
    return static_cast<std::size_t>(at - known.fields.begin());
}

void check_refused(const onnx::ModelProto& model, const std::vector<std::string>& words,
                   const recognise_options& options = {})
{
    check_failure(failure::refused, words, [&] { (void)recognise(model, options); });
}

void check_usage(const onnx::ModelProto& model, const recognise_options& options, const std::vector<std::string>& words)
{
    check_failure(failure::usage, words, [&] { (void)recognise(model, options); });
}

} // namespace

TEST_CASE("every fixture is recognised")
{
    std::set<std::string> families;
    for_each_fixture([&](const fixture& known, const onnx::ModelProto& model) {
        families.insert(known.family);
        check_recognised(known, model, order_of(known));
        for (const auto& field : recognise(model).fields) {
            const bool labels = field.kind == field::labels;
            const auto declared = declared_type(model.graph().output(position_of(model, field.values[0])));
            CHECK(declared.element == field.element);
            CHECK(is_floating(field.element) != labels);
        }
    });
    CHECK(families.size() == 7);
}

TEST_CASE("fixtures without any shapes are recognised")
{
    for_each_fixture([&](const fixture& known, const onnx::ModelProto& model) {
        auto bare = model;
        erase_shapes(bare);
        check_recognised(known, bare, order_of(known));
        // What is certain without shapes: boxes have four numbers, masks one channel.
        for (const auto& field : recognise(bare).fields) {
            CAPTURE(name_of(field.kind));
            std::vector<dimension> row;
            switch (field.kind) {
            case field::boxes: row = {{4, ""}}; break;
            case field::masks: row = {{1, ""}, {}, {}}; break;
            case field::keypoints: row = {{}, {}}; break;
            case field::keypoints_scores:
            case field::mask_coefficients: row = {{}}; break;
            case field::labels:
            case field::scores: break;
            }
            CHECK(field.row == row);
        }
    });
}

TEST_CASE("fixtures with nothing but symbols in their shapes are recognised")
{
    for_each_fixture([&](const fixture& known, const onnx::ModelProto& model) {
        auto symbolic = model;
        symbolic.mutable_graph()->clear_value_info();
        int symbols = 0;
        for (auto& output : *symbolic.mutable_graph()->mutable_output()) {
            for (auto& dim : *output.mutable_type()->mutable_tensor_type()->mutable_shape()->mutable_dim()) {
                dim.set_dim_param("d" + std::to_string(symbols++));
            }
        }
        REQUIRE(symbols > 0);
        check_recognised(known, symbolic, order_of(known));
        CHECK(recognise(symbolic).fields[0].row == std::vector<dimension>{{4, ""}}); // the boxes
    });
}

TEST_CASE("fixtures with their outputs in the other order are recognised")
{
    int changed = 0;
    for_each_fixture([&](const fixture& known, const onnx::ModelProto& model) {
        const auto other = known.by_field ? output_order::by_image : output_order::by_field;
        if (known.batch > 1) {
            check_recognised(known, reordered(known, model, other), other);
            ++changed;
        }
    });
    CHECK(changed > at_least(20));
}

TEST_CASE("names mean nothing")
{
    for_each_fixture([&](const fixture& known, const onnx::ModelProto& model) {
        auto renamed = model;
        for (const auto& output : model.graph().output()) {
            rename_value(*renamed.mutable_graph(), output.name(), "not_" + output.name());
        }
        check_recognised(known, renamed, order_of(known), "not_");
    });
}

TEST_CASE("sizes in rows are those that all images declare")
{
    auto model = small_detector();
    auto& labels = *model.mutable_graph()->mutable_output(1)->mutable_type()->mutable_tensor_type();
    const auto keypoints = [&](int image, std::int64_t count) {
        auto& output = *model.mutable_graph()->add_output();
        output = model.graph().output(3 * image);
        output.set_name("k" + std::to_string(image));
        auto& shape = *output.mutable_type()->mutable_tensor_type()->mutable_shape();
        shape.mutable_dim(1)->set_dim_value(count);
        shape.add_dim()->set_dim_value(3);
        auto& node = *model.mutable_graph()->add_node();
        node.set_op_type("Keypoints");
        node.add_input("b" + std::to_string(image));
        node.add_output(output.name());
    };
    keypoints(0, 17);
    keypoints(1, 17);
    CHECK(labels.shape().dim_size() == 1);
    recognise_options options;
    options.fields = {field::keypoints};
    options.batch = 1;
    auto moved = model; // the keypoints first, as image 0 and 1 of their own
    moved.mutable_graph()->mutable_output()->SwapElements(0, 6);
    moved.mutable_graph()->mutable_output()->SwapElements(1, 7);
    options.batch = 2;
    CHECK(recognise(moved, options).fields[0].row == std::vector<dimension>{{17, ""}, {3, ""}});
    moved.mutable_graph()
        ->mutable_output(1)
        ->mutable_type()
        ->mutable_tensor_type()
        ->mutable_shape()
        ->mutable_dim(1)
        ->set_dim_value(5);
    // Rows of 17 and of 5 keypoints cannot be joined.
    check_usage(moved, options, {"'k1'", "rows of a different size", "'k0'"});
}

TEST_CASE("a detector of an unknown family is recognised by its last nodes")
{
    const auto found = recognise(small_detector());
    CHECK(found.family.empty());
    CHECK(found.batch == 2);
    CHECK(found.order == output_order::by_image);
    REQUIRE(found.fields.size() == 3);
    CHECK(found.fields[1].values == std::vector<std::string>{"l0", "l1"});
    REQUIRE(found.limit);
    CHECK(found.limit->rows == 7);
    CHECK_FALSE(found.threshold);
    CHECK(found.sizes_may_differ); // the inputs are not a single batch of images
}

TEST_CASE("the largest limit of all images counts, and one that is missing leaves none")
{
    auto model = small_detector({2, 13, "7", "more = Constant <value = int64[1] {9}> ()"});
    auto& slice =
        *std::find_if(model.mutable_graph()->mutable_node()->begin(), model.mutable_graph()->mutable_node()->end(),
                      [](const auto& node) { return node.op_type() == "Slice"; });
    slice.set_input(2, "more");
    CHECK(recognise(model).limit->rows == 9);
    slice.set_input(2, "keep0");
    CHECK_FALSE(recognise(model).limit);
}

TEST_CASE("outputs that are not detections are refused")
{
    onnx::ModelProto none;
    none.mutable_graph();
    check_refused(none, {"no outputs"});

    const std::string header = "<ir_version: 7, opset_import: [\"\" : 13]> ";
    check_refused(parse_model(header + "g (float[1,3,8,8] x) => (float[1,1000] classes) { classes = Net(x) }"),
                  {"not recognised", "'classes' (float32 [1, 1000])", "boxes [n, 4], labels [n] and scores [n]"});
    check_refused(
        parse_model(header + "g (float[n,4] x) => (float[n,4] boxes, int64[n] labels) { boxes = N(x) labels = N(x) }"),
        {"not recognised", "'boxes'", "'labels'"}); // no scores
    auto twice = small_detector();
    *twice.mutable_graph()->add_output() = twice.graph().output(0);
    check_refused(twice, {"'b0'", "twice"});
    auto sequence = small_detector({1, 13, "7", ""});
    sequence.mutable_graph()->mutable_output(0)->mutable_type()->mutable_sequence_type();
    check_refused(sequence, {"'b0' (not a tensor of numbers"});
}

TEST_CASE("outputs that are not a whole number of images are refused")
{
    int checked = 0;
    for_each_fixture([&](const fixture& known, const onnx::ModelProto& model) {
        if (known.batch != 2) {
            return;
        }
        for (const std::string field : {"boxes", "scores"}) {
            for (std::size_t image = 0; image < 2; ++image) {
                const auto& output = known.output(image, slot_of(known, field));
                CAPTURE(output);
                check_refused(without_output(model, output), {"outputs"});
            }
        }
        if (!known.by_field) {
            check_refused(
                without_output(model, known.output(1, known.fields.size() - 1)),
                {"not a whole number of images", "1 x (", "'" + known.output(1, 0) + "'", "`fields`", "`batch` 1"});
        }
        ++checked;
    });
    CHECK(checked > at_least(10));
}

TEST_CASE("masks and keypoints of only some images are refused, not taken for other outputs")
{
    int checked = 0;
    for_each_fixture([&](const fixture& known, const onnx::ModelProto& model) {
        for (const std::string field : {"masks", "keypoints"}) {
            const auto slot = slot_of(known, field);
            if (known.batch > 1 && slot < known.fields.size()) {
                check_refused(without_output(model, known.output(0, slot)), {"outputs"});
                ++checked;
            }
        }
    });
    CHECK(checked > at_least(8));
}

TEST_CASE("outputs in an order that differs between images are refused")
{
    int checked = 0;
    for_each_fixture([&](const fixture& known, const onnx::ModelProto& model) {
        if (known.batch < 2) {
            return;
        }
        const auto boxes = slot_of(known, "boxes");
        const auto scores = slot_of(known, "scores");
        check_refused(with_swapped_outputs(model, known.output(1, boxes), known.output(1, scores)), {"outputs"});
        ++checked;
    });
    CHECK(checked > at_least(20));
}

TEST_CASE("outputs that fit by their types but come from different images are refused")
{
    int checked = 0;
    for_each_fixture([&](const fixture& known, const onnx::ModelProto& model) {
        if (known.batch < 2) {
            return;
        }
        for (const std::string field : {"boxes", "labels", "scores"}) {
            const auto slot = slot_of(known, field);
            if (slot < known.fields.size()) {
                check_refused(with_swapped_outputs(model, known.output(0, slot), known.output(1, slot)),
                              {"outputs are no"});
                ++checked;
            }
        }
    });
    CHECK(checked > at_least(60));
}

TEST_CASE("a model that is already padded is refused")
{
    auto model = small_detector();
    auto& entry = *model.add_metadata_props();
    entry.set_key("padding");
    CHECK_NOTHROW((void)recognise(model));
    entry.set_key("padbatch.batch");
    entry.set_value("2");
    check_refused(model, {"already padded", "padbatch.batch = '2'"});
    recognise_options options;
    options.fields = {field::boxes, field::labels, field::scores};
    check_refused(model, {"already padded"}, options);
}

TEST_CASE("other outputs may stand before and after the detections, not between")
{
    const auto with_other = [](int position) {
        auto model = small_detector({2, 13, "7", "features = Conv(all_boxes)"});
        auto& outputs = *model.mutable_graph()->mutable_output();
        auto& features = *outputs.Add();
        features.set_name("features");
        auto& type = *features.mutable_type()->mutable_tensor_type();
        type.set_elem_type(onnx::TensorProto::FLOAT);
        for (int i = 0; i < 4; ++i) {
            type.mutable_shape()->add_dim();
        }
        std::rotate(outputs.pointer_begin() + position, outputs.pointer_end() - 1, outputs.pointer_end());
        return model;
    };
    for (const int position : {0, 6}) {
        const auto found = recognise(with_other(position));
        CHECK(found.batch == 2);
        CHECK(found.fields[0].values == std::vector<std::string>{"b0", "b1"});
        CHECK(found.other_outputs == std::vector<std::string>{"features"});
    }
    check_refused(with_other(3), {"not a whole number of images"});
    check_refused(with_other(1), {"outputs"});
}

TEST_CASE("the user's batch and order must fit")
{
    const auto& [known, model] = fixture_named("faster_rcnn_tv014_b2_list_op11");
    recognise_options options;
    options.batch = 2;
    options.order = output_order::by_image;
    CHECK(recognise(model, options).batch == 2);
    options.order = output_order::by_field;
    check_usage(model, options,
                {"as a batch of 2", "field by field", "2 images of boxes, labels, scores, image by image"});
    options = {};
    options.batch = 3;
    check_usage(model, options, {"as a batch of 3", "2 images of"});
    options.batch = 1;
    check_usage(model, options, {"as a batch of 1", "2 images of", "'" + known.output(1, 0) + "'"});
    const auto& by_field = fixture_named("fcos_tv029_b2_tensor_op20_field").model;
    options = {};
    options.order = output_order::by_image;
    check_usage(by_field, options, {"image by image"});
    options.order = output_order::by_field;
    CHECK(recognise(by_field, options).order == output_order::by_field);
}

TEST_CASE("the rows of every fixture are known to come best first")
{
    for_each_fixture([](const fixture& known, const onnx::ModelProto& model) {
        CAPTURE(known.file.filename().string());
        CHECK(recognise(model).best_first);
    });
    CHECK_FALSE(recognise(small_detector()).best_first); // its lists of rows are inputs
}

TEST_CASE("the rows of one image, with their number, are that image's fields")
{
    auto model = fixture_named("retinanet_tv029_b1_tensor_op18_features").model;
    auto& graph = *model.mutable_graph();
    auto& shape = *graph.add_node();
    shape.set_op_type("Shape");
    shape.add_input(graph.output(1).name());
    shape.add_output("tests/rows");
    auto& count = *graph.add_output();
    count.set_name("tests/rows");
    count.mutable_type()->mutable_tensor_type()->set_elem_type(onnx::TensorProto::INT64);
    count.mutable_type()->mutable_tensor_type()->mutable_shape()->add_dim()->set_dim_value(1);
    const auto found = recognise(model);
    CHECK(found.batch == 1);
    CHECK_FALSE(found.flat);
    CHECK(std::find(found.other_outputs.begin(), found.other_outputs.end(), "tests/rows") != found.other_outputs.end());
}
