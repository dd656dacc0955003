// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/plan/plan.hpp>
#include <onnx_tools/recognise/recognise.hpp>
#include <onnx_tools/serve/warnings.hpp>

#include <onnx_tools/pad/pad.hpp>
#include <padbatch/contract.hpp>

#include <tests/support/fixture_models.hpp>
#include <tests/support/parse_model.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace padbatch::onnx_tools;
using namespace padbatch::test;

namespace {

using texts = std::vector<std::string>;

// A model with one graph; `signature` is `(inputs) => (outputs)`.
onnx::ModelProto model_of(const std::string& signature, const std::string& nodes)
{
    return parse_model("<ir_version: 7, opset_import: [\"\" : 13]> g " + signature + " { " + nodes + " }");
}

// A model that returns what it takes.
onnx::ModelProto identity_of(const std::string& input, const std::string& output)
{
    return model_of("(" + input + " x) => (" + output + " y)", "y = Identity(x)");
}

void set_metadata(onnx::ModelProto& model, const std::string& key, const std::string& value)
{
    auto& entry = *model.add_metadata_props();
    entry.set_key(key);
    entry.set_value(value);
}

onnx::ModelProto padded(const std::string& fixture)
{
    auto model = fixture_named(fixture).model;
    pad(model, plan(model, recognise(model)));
    return model;
}

// Checks that there are as many warnings as expected, and that each contains all the words at its place.
void check_warnings(const onnx::ModelProto& model, const std::vector<texts>& expected)
{
    std::string all;
    const auto warnings = serving_warnings(model);
    for (const auto& warning : warnings) {
        all += "\n" + warning;
    }
    CAPTURE(all);
    REQUIRE(warnings.size() == expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
        for (const auto& word : expected[i]) {
            CAPTURE(word);
            CHECK(warnings[i].find(word) != std::string::npos);
        }
    }
}

const texts promise{"declares any number of images", "`dynamic_batch`"};
const texts constant{"the model takes exactly", "max_batch_size 0", "`dynamic_batch`"};
const texts ragged{"not begin with the batch", "pad the model"};

} // namespace

TEST_CASE("the number of images that a model takes")
{
    CHECK(batch_of(identity_of("float[n,3,8,8]", "float[n,3,8,8]")) == dimension{{}, "n"});
    CHECK(batch_of(identity_of("float[2,3,8,8]", "float[2,3,8,8]")) == dimension{2, ""});
    CHECK(batch_of(identity_of("float[3,8,8]", "float[3,8,8]")) == dimension{1, ""});
    CHECK(batch_of(model_of("(float[3,h,w] a, float[3,h,w] b) => (float[3,h,w] y)", "y = Add(a, b)")) ==
          dimension{2, ""});
    CHECK(batch_of(model_of("(float[n,3] a, float[n] b) => (float[n,3] y)", "y = Identity(a)")) == dimension{{}, "n"});
    CHECK(batch_of(model_of("(float[n,3] a, float[m] b) => (float[n,3] y)", "y = Identity(a)")) == dimension{});
    CHECK(batch_of(identity_of("float[?,3]", "float[?,3]")) == dimension{});
    auto no_shape = identity_of("float[n,3]", "float[n,3]");
    no_shape.mutable_graph()->mutable_input(0)->mutable_type()->mutable_tensor_type()->clear_shape();
    CHECK(batch_of(no_shape) == dimension{});
}

TEST_CASE("models whose requests a server may join")
{
    CHECK(joins_requests(identity_of("float[n,3]", "float[n,3]")));
    CHECK_FALSE(joins_requests(identity_of("float[2,3]", "float[2,3]")));
    CHECK_FALSE(joins_requests(identity_of("float[n,3]", "float[m,3]")));
    CHECK_FALSE(joins_requests(identity_of("float[n,3]", "float[2,3]")));
    CHECK_FALSE(joins_requests(identity_of("float[?,3]", "float[?,3]")));
    CHECK_FALSE(joins_requests(
        model_of("(float[n,3] x) => (float[n,3] y, float z)", "y = Identity(x) z = ReduceSum<keepdims = 0>(x)")));
    CHECK_FALSE(
        joins_requests(model_of("(float[n,3] x) => (float[n,3] y)", "a, b = Split(x) y = Concat<axis = 0>(a, b)")));
}

TEST_CASE("a graph for a fixed number of images behind an input that promises any")
{
    const std::string signature = "(float[n,3,8,8] x) => (float[n,3,8,8] y)";
    const std::string end = " y = Concat<axis = 0>(a, b)";
    check_warnings(model_of(signature, "a, b = Split(x)" + end), {{"'x'", "('n')", "2 images", "Split", "fail there"}});
    check_warnings(model_of(signature, "z = Identity(x) z2 = Cast<to = 1>(z) a, b = Split(z2)" + end), {promise});
    // Even beside another reader.
    check_warnings(model_of(signature, "c = Neg(x) a, b = Split(x)" + end), {promise});
    check_warnings(model_of(signature, "a, b = Split<axis = 1>(x)" + end), {});
    check_warnings(model_of(signature, "s = SplitToSequence(x) y = ConcatFromSequence<axis = 0>(s)"), {});

    const std::string positions = "i = Constant<value_ints = [0]>() j = Constant<value_ints = [2]>() ";
    const std::string gathers = "a = Gather(x, i) b = Gather(x, j)";
    check_warnings(model_of(signature, positions + gathers + end), {{"3 images", "Gather", "ignore the rest"}});
    check_warnings(model_of(signature, positions + "s = Shape(x) " + gathers + end), {promise});
    check_warnings(model_of(signature, positions + "z = Identity(x) a = Gather(z, i) b = Gather(z, j)" + end),
                   {promise});
    // Something else reads all images.
    check_warnings(model_of(signature, positions + "c = Neg(x) " + gathers + end), {});
    check_warnings(model_of(signature, positions + "a = Gather<axis = 1>(x, i) b = Gather(x, j)" + end), {});
    // The last image exists in every batch.
    check_warnings(model_of(signature, "i = Constant<value_ints = [-1]>() a = Gather(x, i) b = Gather(x, i)" + end),
                   {});
    // The caller chooses the positions.
    check_warnings(model_of("(float[n,3,8,8] x, int64[n] i) => (float[n,3,8,8] y)", "y = Gather(x, i)"), {});
}

TEST_CASE("a fixed number of images")
{
    check_warnings(identity_of("float[2,3,8,8]", "float[2,3,8,8]"),
                   {{"exactly 2 images", "its input 'x'", "max_batch_size 0"}});
    check_warnings(identity_of("float[3,8,8]", "float[1,3,8,8]"), {{"exactly 1 image (its input 'x')"}});
    check_warnings(model_of("(float[3,h,w] a, float[3,h,w] b) => (float[2,3] y)", "y = Add(a, b)"),
                   {{"exactly 2 images", "'a' and 'b'"}});
    check_warnings(identity_of("float[n,3,8,8]", "float[n,3,8,8]"), {});
    // Weights that are also inputs are not images.
    auto model = model_of("(float[n,3] x, float[2,3] w) => (float[n,3] y)", "y = Mul(x, w)");
    CHECK_FALSE(joins_requests(model));
    auto& weight = *model.mutable_graph()->add_initializer();
    weight.set_name("w");
    weight.set_data_type(onnx::TensorProto::FLOAT);
    weight.add_dims(2);
    weight.add_dims(3);
    weight.mutable_raw_data()->resize(24);
    CHECK(joins_requests(model));
    check_warnings(model, {});
}

TEST_CASE("outputs that no server can cut by images")
{
    check_warnings(
        identity_of("float[batch,7]", "float[n,7]"),
        {{"the output 'y' does not begin with the batch ('batch')", "splits it", "silently", "pad the model"}});
    check_warnings(identity_of("float[batch,7]", "float[batch,7]"), {});
    check_warnings(identity_of("float[batch,7]", "float[100,7]"), {ragged});
    check_warnings(identity_of("float[2,3,8,8]", "float[n,7]"),
                   {constant, {"'y' does not begin", "2 images", "pad the model"}});
    check_warnings(identity_of("float[2,3,8,8]", "float[2,7]"), {constant});
    auto no_shape = identity_of("float[n,3]", "float[n,3]");
    no_shape.mutable_graph()->mutable_output(0)->mutable_type()->mutable_tensor_type()->clear_shape();
    check_warnings(no_shape, {ragged});
    // If the inputs do not show the batch, nothing is known about the outputs.
    check_warnings(identity_of("float[?,7]", "float[m,7]"), {});

    const std::string six = "(float[batch,7] x) => (float[n] a, float[n] b, float[n] c, float[n] d, float[n] e)";
    check_warnings(model_of(six, ""), {{"the outputs 'a', 'b', 'c' and 2 others do not"}});
}

TEST_CASE("rows that depend on the other requests of a batch")
{
    auto model = identity_of("float[batch,m,4]", "float[batch,m,4]");
    check_warnings(model, {});
    set_metadata(model, padbatch::contract::max_detections_key, "100");
    check_warnings(model, {});
    model.mutable_metadata_props(0)->set_value(padbatch::contract::max_detections_of_batch);
    check_warnings(model, {{"`max_detections` batch", "joined with", "`max_detections` N"}});
    // No server joins requests to this one.
    auto fixed = identity_of("float[2,3,h,w]", "float[2,m,4]");
    set_metadata(fixed, padbatch::contract::max_detections_key, padbatch::contract::max_detections_of_batch);
    check_warnings(fixed, {constant});
}

TEST_CASE("responses that are too large for gRPC")
{
    const texts too_large{"2 GiB", "every request fails", "`masks` roi"};
    // 2^31 bytes, and one float less.
    check_warnings(identity_of("float[2,1]", "float[2,1024,512,512]"), {constant, {"2.0 GiB"}});
    check_warnings(identity_of("float[2,1]", "float[2,1024,512,512]"), {constant, too_large});
    check_warnings(identity_of("float[2,1]", "float[2,268435455]"), {constant});
    check_warnings(identity_of("float[2,1]", "uint8[2,1024,512,512]"), {constant});
    check_warnings(model_of("(float[2,1] x) => (uint8[2,1023,1024,1024] y, uint8[2,1024,1024] z)", ""),
                   {constant, too_large});
    // More than 2^63.
    check_warnings(identity_of("float[2,1]", "float[2,1099511627776,1099511627776]"), {constant, too_large});

    // Any number of images: 427 MB each, as 100 masks of 800x1333 have.
    const auto masks = identity_of("float[batch,3,800,1333]", "float[batch,100,1,800,1333]");
    check_warnings(masks, {{"406 MiB for each image", "a request of 6 images fails", "`mask_type` uint8"}});
    CHECK(serving_warnings(masks, 5).empty());
    CHECK(serving_warnings(masks, 6).size() == 1);
    check_warnings(identity_of("float[batch,1]", "float[batch,67108863]"), {});
    check_warnings(identity_of("float[batch,1]", "float[batch,67108864]"), {{"8 images"}});
}

TEST_CASE("masks are as large as the images that the inputs declare")
{
    const auto model_with = [](const std::string& input, const std::string& fields) {
        auto model = identity_of(input, "float[batch,100,1,h,w]");
        set_metadata(model, padbatch::contract::fields_key, fields);
        return model;
    };
    check_warnings(model_with("float[batch,3,800,1333]", "boxes=b,masks=y"), {{"406 MiB for each image"}});
    check_warnings(model_with("float[batch,3,80,133]", "boxes=b,masks=y"), {});
    check_warnings(model_with("float[batch,3,800,iw]", "boxes=b,masks=y"), {});
    check_warnings(model_with("float[batch,3,800,1333]", "boxes=b,features=y"), {});
    auto region = model_with("float[batch,3,800,1333]", "boxes=b,masks=y");
    set_metadata(region, padbatch::contract::masks_key, padbatch::contract::region_masks);
    check_warnings(region, {});
    // The largest of images of several sizes.
    auto list = model_of("(float[3,800,1333] a, float[3,1333,800] b) => (float[2,100,1,h,w] y)", "y = Add(a, b)");
    set_metadata(list, padbatch::contract::fields_key, "masks=y");
    check_warnings(list, {constant}); // 1333 x 1333: 1.3 GiB
    list.mutable_graph()->mutable_output(0)->mutable_type()->mutable_tensor_type()->set_elem_type(
        onnx::TensorProto::DOUBLE);
    check_warnings(list, {constant, {"2.6 GiB"}});
}

TEST_CASE("real exports, and the same ones padded")
{
    // Their batch axis is declared dynamic, but the graph is for two images.
    check_warnings(fixture_named("ssdlite320_tv014_b2_tensor_op13").model,
                   {{"'images'", "('batch')", "2 images", "Split"}, ragged});
    check_warnings(padded("ssdlite320_tv014_b2_tensor_op13"), {promise});
    check_warnings(fixture_named("faster_rcnn_tv029_b2_tensor_op18_features").model, {promise, ragged});
    // One tensor, a list, and one image.
    check_warnings(fixture_named("mask_rcnn_tv014_b2_tensor_op16").model,
                   {{"exactly 2 images (its input 'images')"}, ragged});
    check_warnings(padded("mask_rcnn_tv014_b2_tensor_op16"), {constant});
    check_warnings(fixture_named("mask_rcnn_tv014_b2_list_op11").model,
                   {{"one for each of its inputs: 'image0' and 'image1'"}, ragged});
    check_warnings(padded("mask_rcnn_tv014_b2_list_op11"), {constant});
    check_warnings(fixture_named("mask_rcnn_tv029_b1_tensor_op20").model, {{"exactly 1 image"}, ragged});
    check_warnings(padded("mask_rcnn_tv029_b1_tensor_op20"), {constant});
    for_each_fixture([](const fixture&, const onnx::ModelProto& model) {
        const auto count = serving_warnings(model).size();
        CHECK(count == 2); // not batched, and ragged
        CHECK_FALSE(joins_requests(model));
    });
}
