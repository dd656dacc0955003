// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/model/functions.hpp>

#include <onnx_tools/model/check.hpp>
#include <onnx_tools/recognise/recognise.hpp>
#include <onnx_tools/rewrite.hpp>

#include <tests/support/check_failure.hpp>
#include <tests/support/fixture_models.hpp>
#include <tests/support/outline.hpp>
#include <tests/support/small_detector.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

using namespace padbatch::onnx_tools;
using namespace padbatch::test;

namespace {

// What recognition finds, but for the nodes' names.
std::string reading_of(const detections& found)
{
    std::string text = found.family + " batch " + std::to_string(found.batch) +
                       (found.order == output_order::by_image ? " by image" : " by field");
    for (const auto& f : found.fields) {
        text +=
            "\n" + std::string(name_of(f.kind)) + " " + name_of(f.element) + " rank " + std::to_string(f.row.size());
        for (const auto& value : f.values) {
            text += " " + value;
        }
    }
    for (const auto& other : found.other_outputs) {
        text += "\nother " + other;
    }
    text += "\nlimit " + (found.limit ? std::to_string(found.limit->rows) : "none");
    text += "\nthreshold " + (found.threshold ? std::to_string(found.threshold->score) : "none");
    text += found.best_first ? "\nbest first" : "";
    for (const auto& image : found.images) {
        text += "\nimage " + image;
    }
    return text;
}

onnx::FunctionProto& add_function(onnx::ModelProto& model, const std::string& name,
                                  const std::vector<std::string>& inputs, const std::string& output)
{
    auto& function = *model.add_functions();
    function.set_domain("tests.functions");
    function.set_name(name);
    for (const auto& input : inputs) {
        function.add_input(input);
    }
    function.add_output(output);
    return function;
}

onnx::NodeProto& append_node(google::protobuf::RepeatedPtrField<onnx::NodeProto>& nodes, const std::string& op,
                             const std::vector<std::string>& inputs, const std::string& output)
{
    auto& node = *nodes.Add();
    node.set_op_type(op);
    for (const auto& input : inputs) {
        node.add_input(input);
    }
    node.add_output(output);
    return node;
}

// A detector whose limit comes out of a function, which computes it from its attribute `rows` and its input.
onnx::ModelProto detector_with_limit_in_function()
{
    auto model = small_detector();
    auto& nodes = *model.mutable_graph()->mutable_node();
    for (auto& node : nodes) {
        if (node.output(0) == "limit") {
            node.set_op_type("limit_of");
            node.set_domain("tests.functions");
            node.clear_attribute();
            auto& rows = *node.add_attribute();
            rows.set_name("rows");
            rows.set_type(onnx::AttributeProto::INTS);
            rows.add_ints(4);
            node.add_input("zero");
        }
    }
    auto& function = add_function(model, "limit_of", {"least"}, "most");
    auto& held = *append_node(*function.mutable_node(), "Constant", {}, "zero").add_attribute();
    held.set_name("value_ints");
    held.set_type(onnx::AttributeProto::INTS);
    held.set_ref_attr_name("rows");
    append_node(*function.mutable_node(), "Max", {"zero", "least"}, "most");
    return model;
}

std::int64_t limit_read_from(const onnx::ModelProto& model)
{
    const auto found = recognise(model);
    return found.limit ? found.limit->rows : -1;
}

} // namespace

TEST_CASE("an export is read the same when parts of it are functions")
{
    for_each_fixture([](const fixture&, const onnx::ModelProto& model) {
        const auto expected = reading_of(examine(model));
        const auto nodes = static_cast<std::size_t>(model.graph().node_size());
        const auto check = [&](const std::vector<std::pair<std::size_t, std::size_t>>& parts) {
            auto outlined = model;
            for (const auto& part : parts) {
                CAPTURE(part.first);
                CAPTURE(part.second);
                outline(outlined, part.first, part.second);
            }
            REQUIRE(complaints(outlined).empty());
            CHECK(reading_of(examine(outlined)) == expected);
        };
        check({{0, nodes}});
        check({{nodes - 30, 30}});
        check({{nodes - 30, 11}});
        check({{nodes / 2, nodes / 4}});
        check({{nodes - 40, 20}, {0, nodes - 30}}); // a function that calls another
    });
}

TEST_CASE("a constant is read through the attributes and inputs of a function")
{
    const auto model = detector_with_limit_in_function();
    CHECK(limit_read_from(model) == 4);
    auto padded = model;
    CHECK(rewrite(padded).max_detections == 4);
    CHECK(padded.functions_size() == 1); // it is still called
    CHECK(padded.graph().node(1).op_type() == "limit_of");
}

TEST_CASE("values of functions have names that nothing else has")
{
    const auto model = detector_with_limit_in_function();
    const readable_model read(model);
    CHECK(complaints(*read).empty());
    CHECK(defined_names(read->graph()).size() == defined_names(model.graph()).size() + 1);
    const auto without = small_detector();
    CHECK(&*readable_model(without) == &without); // nothing is copied
}

TEST_CASE("a call that cannot be read proves nothing")
{
    const auto check = [](const char* what, const auto& change) {
        CAPTURE(what);
        auto model = detector_with_limit_in_function();
        change(model);
        CHECK(limit_read_from(model) == -1);
    };
    check("two functions of one name",
          [](auto& model) { *model.add_functions() = onnx::FunctionProto(model.functions(0)); });
    check("other versions of operators", [](auto& model) {
        auto& opset = *model.mutable_functions(0)->add_opset_import();
        opset.set_domain("ai.onnx");
        opset.set_version(14);
    });
    check("a function that calls itself", [](auto& model) {
        auto& node = *model.mutable_functions(0)->mutable_node(1);
        node.set_op_type("limit_of");
        node.set_domain("tests.functions");
    });
    check("a default of an attribute, which is a field that ONNX 1.12 does not know", [](auto& model) {
        model.mutable_graph()->mutable_node(1)->clear_attribute();
        auto& function = *model.mutable_functions(0);
        function.GetReflection()->MutableUnknownFields(&function)->AddLengthDelimited(11, "");
    });
    check("an operator of another domain", [](auto& model) { model.clear_functions(); });
    check("a standard operator's name in another domain", [](auto& model) {
        model.clear_functions();
        auto& node = *model.mutable_graph()->mutable_node(1);
        node.set_op_type("Identity");
    });
}

TEST_CASE("functions of the model take the place of operators of the same name")
{
    auto model = detector_with_limit_in_function();
    for (auto& node : *model.mutable_graph()->mutable_node()) {
        if (node.op_type() == "Slice") {
            node.set_domain("tests.functions");
        }
    }
    auto& function = add_function(model, "Slice", {"data", "starts", "ends", "axes"}, "sliced");
    append_node(*function.mutable_node(), "Identity", {"data"}, "sliced");
    CHECK(limit_read_from(model) == -1);
    function.mutable_node(0)->set_op_type("Slice");
    for (const char* bound : {"starts", "ends", "axes"}) {
        function.mutable_node(0)->add_input(bound);
    }
    CHECK(limit_read_from(model) == 4);
}

TEST_CASE("an output of a function may be one of its inputs")
{
    auto model = small_detector();
    for (auto& node : *model.mutable_graph()->mutable_node()) {
        if (node.output(0) == "limit") {
            node.set_output(0, "seven");
        }
    }
    append_node(*model.mutable_graph()->mutable_node(), "same", {"seven"}, "limit").set_domain("tests.functions");
    add_function(model, "same", {"x"}, "x");
    CHECK(limit_read_from(model) == 7);
}

TEST_CASE("functions that would grow without end are left alone")
{
    auto model = detector_with_limit_in_function();
    std::string called = "limit_of";
    for (int level = 0; level < 40; ++level) { // 2^40 nodes
        const auto name = "level_" + std::to_string(level);
        auto& function = add_function(model, name, {"x"}, "y");
        append_node(*function.mutable_node(), called, {"x"}, "half").set_domain("tests.functions");
        append_node(*function.mutable_node(), called, {"half"}, "y").set_domain("tests.functions");
        called = name;
    }
    model.mutable_graph()->mutable_node(1)->set_op_type(called);
    CHECK(readable_model(model)->graph().node_size() < 1'000'000);
    CHECK(limit_read_from(model) == -1);
}

TEST_CASE("large tensors are not copied for reading")
{
    auto model = detector_with_limit_in_function();
    auto& weights = *model.mutable_graph()->add_initializer();
    weights.set_name("weights");
    weights.set_data_type(onnx::TensorProto::FLOAT);
    weights.add_dims(1 << 20);
    weights.set_raw_data(std::string(std::size_t{4} << 20, 'w'));
    const readable_model read(model);
    REQUIRE(read->graph().initializer_size() == 1);
    CHECK(read->ByteSizeLong() < 10'000);
    CHECK(read->graph().initializer(0).dims(0) == 1 << 20);
}

TEST_CASE("a value inside a function is not used, and the way on is to inline it")
{
    const auto& known = fixture_named("mask_rcnn_tv029_b2_list_op18");
    auto model = known.model;
    rewrite_options options;
    options.pad.masks = mask_choice::roi;
    auto whole = model;
    CHECK(rewrite(whole, options).masks == mask_choice::roi);
    outline(model, 0, static_cast<std::size_t>(model.graph().node_size()));
    check_failure(failure::refused, {"inside a function", "onnx.inliner.inline_local_functions"},
                  [&] { (void)rewrite(model, options); });
}

TEST_CASE("a parameter inside a function is not set, and the way on is to inline it")
{
    auto model = fixture_named("mask_rcnn_tv029_b2_list_op18").model;
    rewrite_options options;
    options.pad.settings[parameter::score_thresh] = 0.5;
    auto whole = model;
    CHECK(rewrite(whole, options).settings.size() == 1);
    outline(model, 0, static_cast<std::size_t>(model.graph().node_size()));
    check_failure(failure::refused, {"`set` score_thresh=0.5", "inside a function", "inline_local_functions"},
                  [&] { (void)rewrite(model, options); });
}
