// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/recognise.hpp>

#include <tests/support/check_failure.hpp>
#include <tests/support/fixture_models.hpp>
#include <tests/support/small_detector.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

// What `recognise` makes of outputs whose fields the user names.

using namespace padbatch::onnx_tools;
using namespace padbatch::test;
using padbatch::element_type;

namespace {

using names = std::vector<std::string>;

recognise_options told(std::vector<field> fields, std::optional<std::int64_t> batch = {},
                       std::optional<output_order> order = {})
{
    recognise_options options;
    options.fields = std::move(fields);
    options.batch = batch;
    options.order = order;
    return options;
}

onnx::ModelProto model_of(const std::string& graph)
{
    return parse_model("<ir_version: 7, opset_import: [\"\" : 13]> " + graph);
}

// Outputs that no structure explains: one operator makes them all.
onnx::ModelProto opaque(const std::string& outputs, const std::string& made)
{
    return model_of("g (float[n,3] x) => (" + outputs + ") { " + made + " = Net(x) }");
}

void check_fields_usage(const onnx::ModelProto& model, const recognise_options& options, const names& words)
{
    check_failure(failure::usage, words, [&] { (void)recognise(model, options); });
}

} // namespace

TEST_CASE("named fields are taken from a model without any structure")
{
    const auto model = opaque("float[a,5] p, float[a] q, float[b,5] r, float[b] s", "p, q, r, s");
    const auto found = recognise(model, told({field::boxes, field::scores}));
    CHECK(found.family.empty());
    CHECK(found.batch == 2);
    CHECK(found.order == output_order::by_image);
    REQUIRE(found.fields.size() == 2);
    CHECK(found.fields[0].kind == field::boxes);
    CHECK(found.fields[0].values == names{"p", "r"});
    CHECK(found.fields[0].row == std::vector<dimension>{{5, ""}}); // as declared
    CHECK(found.fields[1].values == names{"q", "s"});
    CHECK(found.fields[1].row.empty());
    CHECK_FALSE(found.limit);
    CHECK_FALSE(found.threshold);
    CHECK(found.other_outputs.empty());
    check_failure(failure::refused, {"not recognised"}, [&] { (void)recognise(model); });
}

TEST_CASE("named fields: the order follows from the types if it is not given")
{
    const auto model = opaque("float[a,4] p, float[b,4] q, int64[a] r, int64[b] s", "p, q, r, s");
    const auto found = recognise(model, told({field::boxes, field::labels}));
    CHECK(found.order == output_order::by_field);
    CHECK(found.fields[0].values == names{"p", "q"});
    CHECK(found.fields[1].values == names{"r", "s"});
    CHECK(found.fields[1].element == element_type::int64);
    check_fields_usage(model, told({field::boxes, field::labels}, {}, output_order::by_image),
                       {"'r' (int64 [a])", "the boxes of image 1", "has a type that boxes cannot have", "`order`"});
    CHECK(recognise(model, told({field::boxes, field::labels}, 2, output_order::by_field)).fields[0].values ==
          names{"p", "q"});
}

TEST_CASE("named fields: a batch says how many outputs belong to them")
{
    const auto model = opaque("float[a,4] p, float[a] q, float[b,4] r, float[b] s, float[1] t", "p, q, r, s, t");
    const auto found = recognise(model, told({field::boxes, field::scores}, 2));
    CHECK(found.batch == 2);
    CHECK(found.other_outputs == names{"t"});
    const auto one = recognise(model, told({field::boxes, field::scores}, 1));
    CHECK(one.fields[1].values == names{"q"});
    CHECK(one.other_outputs == names{"r", "s", "t"});
    check_fields_usage(model, told({field::boxes, field::scores}), {"names 2 fields", "5 outputs", "'t'", "`batch`"});
    check_fields_usage(model, told({field::boxes, field::scores}, 3), {"says 3 images", "5 outputs"});
    check_fields_usage(model, told({field::boxes, field::scores}, std::int64_t{1} << 40), {"1099511627776 images"});
    check_fields_usage(opaque("float[a,4] p", "p"), told({field::boxes, field::scores}), {"1 outputs"});
}

TEST_CASE("named fields: outputs of different types are not joined")
{
    check_fields_usage(opaque("float[a,4] p, double[b,4] q", "p, q"), told({field::boxes}),
                       {"'q' (float64 [b, 4])", "of image 1", "'p' (float32 [a, 4])"});
    check_fields_usage(opaque("float[a,4] p, float[b,4,1] q", "p, q"), told({field::boxes}),
                       {"'q' (float32 [b, 4, 1])"});
    check_fields_usage(opaque("float[a,4] p, float[] q", "p, q"), told({field::boxes}),
                       {"'q' (float32, unknown rank)"});
    check_fields_usage(opaque("float p, float q", "p, q"), told({field::scores}),
                       {"'p' (float32, rank 0)", "has a type that scores cannot have"});
    auto strings = opaque("float[a] p", "p");
    strings.mutable_graph()->mutable_output(0)->mutable_type()->mutable_tensor_type()->set_elem_type(
        onnx::TensorProto::STRING);
    check_fields_usage(strings, told({field::labels}), {"'p'", "not a tensor of numbers"});
    strings.mutable_graph()->mutable_output(0)->mutable_type()->mutable_sequence_type();
    check_fields_usage(strings, told({field::labels}), {"not a tensor of numbers"});
}

TEST_CASE("named fields of unknown rank have the usual one")
{
    const auto found = recognise(opaque("float[] p, int64[] q, float[] r, float[] s", "p, q, r, s"),
                                 told({field::boxes, field::labels, field::masks, field::keypoints}));
    CHECK(found.fields[0].row == std::vector<dimension>{{4, ""}});
    CHECK(found.fields[1].row.empty());
    CHECK(found.fields[2].row == std::vector<dimension>(3));
    CHECK(found.fields[3].row == std::vector<dimension>(2));
}

TEST_CASE("named fields with structure: limit, threshold and family are found as usual")
{
    int checked = 0;
    for_each_fixture([&](const fixture& known, const onnx::ModelProto& model) {
        std::vector<field> fields;
        for (const auto& name : known.fields) {
            fields.push_back(*field_from_name(name));
        }
        const auto order = known.by_field ? output_order::by_field : output_order::by_image;
        const auto batch = static_cast<std::int64_t>(known.batch);
        const auto by_itself = recognise(model);
        const auto found = recognise(model, told(fields, batch, order));
        CHECK(found.family == known.family);
        CHECK(found.limit->rows == known.limit);
        CHECK(found.threshold->score == by_itself.threshold->score);
        CHECK(found.other_outputs == by_itself.other_outputs);
        for (std::size_t i = 0; i < fields.size(); ++i) {
            CHECK(found.fields[i].values == by_itself.fields[i].values);
            CHECK(found.fields[i].row == by_itself.fields[i].row);
        }
        ++checked;
    });
    CHECK(checked > 0);
}

TEST_CASE("the rows of an image are cut by one node, which cuts no other image's rows")
{
    // The node that makes a value of a small detector.
    const auto maker = [](onnx::ModelProto& model, const std::string& value) {
        for (auto& node : *model.mutable_graph()->mutable_node()) {
            if (node.output(0) == value) {
                return &node;
            }
        }
        throw std::runtime_error("nothing makes " + value);
    };
    auto shared = small_detector();
    for (const char* value : {"b1", "l1", "s1"}) {
        maker(shared, value)->set_input(1, "rows0");
    }
    check_failure(failure::refused, {"outputs are no"}, [&] { (void)recognise(shared); });

    // Labels that go through the cut of their own image, and then through another's.
    auto mixed = small_detector({2, 13, "7", "labels_of_0 = Gather(all_labels, rows0)"});
    CHECK(recognise(mixed).batch == 2);
    maker(mixed, "l0")->set_input(0, "labels_of_0");
    maker(mixed, "l0")->set_input(1, "rows1");
    check_failure(failure::refused, {"outputs are no"}, [&] { (void)recognise(mixed); });
}

TEST_CASE("named fields: a rank that a field does not have is a mistake")
{
    const auto& model = fixture_named("faster_rcnn_tv014_b2_list_op11").model;
    check_fields_usage(model, told({field::labels, field::boxes, field::scores}),
                       {"as the labels of image 0", "(float32 [", ", 4])", "`fields`"});
}
