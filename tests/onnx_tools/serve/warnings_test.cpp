// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/plan/plan.hpp>
#include <onnx_tools/recognise/recognise.hpp>
#include <onnx_tools/serve/warnings.hpp>

#include <onnx_tools/error.hpp>
#include <onnx_tools/files/model_io.hpp>
#include <onnx_tools/pad/pad.hpp>
#include <padbatch/contract.hpp>

#include <tests/support/fixture_models.hpp>
#include <tests/support/parse_model.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <optional>
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

// A model of which nothing is known but what it takes and returns.
onnx::ModelProto net_of(const std::string& input, const std::string& output)
{
    return model_of("(" + input + " x) => (" + output + " y)", "y = Net(x)");
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

// Checks that there are as many warnings as expected, and that each contains all the words at its place. Most models
// here detect nothing, so what can be advised on them is said.
void check_warnings(const onnx::ModelProto& model, const std::vector<texts>& expected,
                    std::optional<dynamic_batch_advice> advice = dynamic_batch_advice::works)
{
    std::string all;
    const auto warnings = serving_warnings(model, default_request_images, advice);
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

bool has_word(const texts& warnings, const std::string& word)
{
    return std::any_of(warnings.begin(), warnings.end(),
                       [&](const std::string& warning) { return warning.find(word) != std::string::npos; });
}

const texts promise{"declares any number of images", "`dynamic_batch`"};
const texts constant{"the model takes exactly", "max_batch_size 0", "`dynamic_batch`"};
const texts ragged{"not begin with the batch", "pad the model"};

} // namespace

TEST_CASE("the number of images that a model takes")
{
    CHECK(batch_of(net_of("float[n,3,8,8]", "float[n,3,8,8]")) == dimension{{}, "n"});
    CHECK(batch_of(net_of("float[2,3,8,8]", "float[2,3,8,8]")) == dimension{2, ""});
    CHECK(batch_of(net_of("float[3,8,8]", "float[3,8,8]")) == dimension{1, ""});
    CHECK(batch_of(model_of("(float[3,h,w] a, float[3,h,w] b) => (float[3,h,w] y)", "y = Add(a, b)")) ==
          dimension{2, ""});
    CHECK(batch_of(model_of("(float[n,3] a, float[n] b) => (float[n,3] y)", "y = Identity(a)")) == dimension{{}, "n"});
    CHECK(batch_of(model_of("(float[n,3] a, float[m] b) => (float[n,3] y)", "y = Identity(a)")) == dimension{});
    CHECK(batch_of(net_of("float[?,3]", "float[?,3]")) == dimension{});
    auto no_shape = net_of("float[n,3]", "float[n,3]");
    no_shape.mutable_graph()->mutable_input(0)->mutable_type()->mutable_tensor_type()->clear_shape();
    CHECK(batch_of(no_shape) == dimension{});
}

TEST_CASE("models whose requests a server may join")
{
    CHECK(joins_requests(net_of("float[n,3]", "float[n,3]")));
    CHECK_FALSE(joins_requests(net_of("float[2,3]", "float[2,3]")));
    CHECK_FALSE(joins_requests(net_of("float[n,3]", "float[m,3]")));
    CHECK_FALSE(joins_requests(net_of("float[n,3]", "float[2,3]")));
    CHECK_FALSE(joins_requests(net_of("float[?,3]", "float[?,3]")));
    CHECK_FALSE(joins_requests(
        model_of("(float[n,3] x) => (float[n,3] y, float z)", "y = Identity(x) z = ReduceSum<keepdims = 0>(x)")));
    CHECK_FALSE(
        joins_requests(model_of("(float[n,3] x) => (float[n,3] y)", "a, b = Split(x) y = Concat<axis = 0>(a, b)")));
}

TEST_CASE("one number for all images of a run")
{
    const auto model = model_of("(float[n,3,8,8] x, float[1] t) => (float[n,3] y)", "y = Net(x, t)");
    CHECK(batch_of(model) == dimension{{}, "n"});
    CHECK_FALSE(joins_requests(model));
    check_warnings(model, {{"the input 't' is one number for all images", "[batch, 1]"}});
    CHECK(joins_requests(model_of("(float[n,3,8,8] x, float[n,1] t) => (float[n,3] y)", "y = Net(x, t)")));
    // Nothing is joined in any case.
    check_warnings(model_of("(float[2,3,8,8] x, float[1] t) => (float[2,3] y)", "y = Net(x, t)"), {constant});
}

TEST_CASE("a model whose callers choose")
{
    const auto padded_with = [](const exposure& how) {
        auto result = fixture_named("faster_rcnn_tv029_b1_tensor_op16").model;
        rewrite_options options;
        options.pad.dynamic_batch = true;
        for (const auto option : all_run_options) {
            options.pad.exposed[option] = how;
        }
        (void)rewrite(result, options);
        return result;
    };
    const auto each = padded_with({{}, true});
    CHECK(joins_requests(each));
    check_warnings(each, {});
    const auto all = padded_with({});
    CHECK_FALSE(joins_requests(all));
    check_warnings(all, {{"the inputs 'min_score' and 'max_detections' are one number each",
                          "`expose_per_image` min_score `expose_per_image` max_detections with `dynamic_batch`"}});
    check_warnings(padded_with({1.0, false}), {}); // a default is no weight
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
    check_warnings(net_of("float[2,3,8,8]", "float[2,3,8,8]"),
                   {{"exactly 2 images", "its input 'x'", "max_batch_size 0"}});
    check_warnings(net_of("float[3,8,8]", "float[1,3,8,8]"), {{"exactly 1 image (its input 'x')"}});
    check_warnings(model_of("(float[3,h,w] a, float[3,h,w] b) => (float[2,3] y)", "y = Add(a, b)"),
                   {{"exactly 2 images", "'a' and 'b'"}});
    check_warnings(net_of("float[n,3,8,8]", "float[n,3,8,8]"), {});
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
    check_warnings(net_of("float[batch,7]", "float[n,7]"), {{"the output 'y' does not begin with the batch ('batch')",
                                                             "splits it", "silently", "pad the model"}});
    check_warnings(net_of("float[batch,7]", "float[batch,7]"), {});
    check_warnings(net_of("float[batch,7]", "float[100,7]"), {ragged});
    check_warnings(net_of("float[2,3,8,8]", "float[n,7]"),
                   {constant, {"'y' does not begin", "2 images", "pad the model"}});
    check_warnings(net_of("float[2,3,8,8]", "float[2,7]"), {constant});
    auto no_shape = net_of("float[n,3]", "float[n,3]");
    no_shape.mutable_graph()->mutable_output(0)->mutable_type()->mutable_tensor_type()->clear_shape();
    check_warnings(no_shape, {ragged});
    // If the inputs do not show the batch, nothing is known about the outputs.
    check_warnings(net_of("float[?,7]", "float[m,7]"), {});

    const std::string six = "(float[batch,7] x) => (float[n] a, float[n] b, float[n] c, float[n] d, float[n] e)";
    check_warnings(model_of(six, ""), {{"the outputs 'a', 'b', 'c' and 2 others do not"}});
}

TEST_CASE("rows that depend on the other requests of a batch")
{
    auto model = net_of("float[batch,m,4]", "float[batch,m,4]");
    check_warnings(model, {});
    set_metadata(model, padbatch::contract::max_detections_key, "100");
    check_warnings(model, {});
    model.mutable_metadata_props(0)->set_value(padbatch::contract::max_detections_of_batch);
    check_warnings(model, {{"`max_detections` batch", "joined with", "`max_detections` N"}});
    // No server joins requests to this one.
    auto fixed = net_of("float[2,3,h,w]", "float[2,m,4]");
    set_metadata(fixed, padbatch::contract::max_detections_key, padbatch::contract::max_detections_of_batch);
    check_warnings(fixed, {constant});
}

TEST_CASE("responses that are too large for gRPC")
{
    const texts too_large{"2 GiB", "every request fails", "`masks` roi"};
    // 2^31 bytes, and one float less.
    check_warnings(net_of("float[2,1]", "float[2,1024,512,512]"), {constant, {"2.0 GiB"}});
    check_warnings(net_of("float[2,1]", "float[2,1024,512,512]"), {constant, too_large});
    check_warnings(net_of("float[2,1]", "float[2,268435455]"), {constant});
    check_warnings(net_of("float[2,1]", "uint8[2,1024,512,512]"), {constant});
    check_warnings(model_of("(float[2,1] x) => (uint8[2,1023,1024,1024] y, uint8[2,1024,1024] z)", ""),
                   {constant, too_large});
    // More than 2^63.
    check_warnings(net_of("float[2,1]", "float[2,1099511627776,1099511627776]"), {constant, too_large});

    // Any number of images: 427 MB each, as 100 masks of 800x1333 have.
    const auto masks = net_of("float[batch,3,800,1333]", "float[batch,100,1,800,1333]");
    check_warnings(masks, {{"406 MiB for each image", "a request of 6 images fails", "`mask_type` uint8"}});
    CHECK(serving_warnings(masks, 5).empty());
    CHECK(serving_warnings(masks, 6).size() == 1);
    check_warnings(net_of("float[batch,1]", "float[batch,67108863]"), {});
    check_warnings(net_of("float[batch,1]", "float[batch,67108864]"), {{"8 images"}});
}

TEST_CASE("masks are as large as the images that the inputs declare")
{
    const auto model_with = [](const std::string& input, const std::string& fields) {
        auto model = net_of(input, "float[batch,100,1,h,w]");
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

TEST_CASE("outputs that begin with the batch under symbols of the exporter's own")
{
    // As a converter writes the end of a detector: each output has symbols of its own.
    const auto model =
        model_of("(float[N,3,16,16] images) => (int64[Mod_0,Mod_1] labels, float[Gather_0,d1,4] boxes, "
                 "float[TopK_0,TopK_1] scores)",
                 "s = Constant <value = int64[4] {0, 0, 0, 0}> () e = Constant <value = int64[4] {4611686018427387904, "
                 "1, 16, 4}> ()"
                 "f = Constant <value = int64[4] {4611686018427387904, 1, 16, 1}> () rb = Constant <value = int64[3] "
                 "{0, 16, 4}> ()"
                 "rs = Constant <value = int64[2] {0, 16}> () k = Constant <value = int64[1] {5}> ()"
                 "b4 = Slice(images, s, e) boxes = Reshape(b4, rb) s4 = Slice(images, s, f) s2 = Reshape(s4, rs)"
                 "scores, labels = TopK(s2, k)");
    check_warnings(model, {});
    CHECK(joins_requests(model));
    check_warnings(model_of("(float[2,3] x) => (float[n,3] y)", "y = Relu(x)"), {constant});
}

TEST_CASE("rows whose exporter says that they are the batch")
{
    const std::string inputs = "(float[batch,50,4] boxes, float[batch,7,50] scores) => ";
    const std::string nodes = "picked = NonMaxSuppression(boxes, scores)";
    const auto flat = model_of(inputs + "(int64[batch,3] picked)", nodes);
    check_warnings(flat, {{"the output 'picked' does not begin with the batch ('batch'), whatever the file declares",
                           "silently", "pad the model"}});
    CHECK_FALSE(joins_requests(flat));
    const auto told = model_of(inputs + "(int64[n,3] picked)", nodes);
    check_warnings(told, {{"does not begin with the batch ('batch'): "}});
    // Of a padded model, the declarations are right.
    auto rewritten = flat;
    set_metadata(rewritten, padbatch::contract::batch_key, "dynamic");
    check_warnings(rewritten, {});
}

TEST_CASE("a batch that is padded, and then taken apart")
{
    const auto model = model_of(
        "(float[batch,3,16,16] images) => (float[batch,3,16,16] y)",
        "s = Shape(images) z = Constant <value_ints = [0]> () one = Constant <value_ints = [1]> () n = Slice(s, z, one)"
        "two = Constant <value_ints = [2]> () d = Sub(two, n) m = Max(d, z)"
        "zeros = Constant <value_ints = [0, 0, 0, 0]> () more = Constant <value_ints = [0, 0, 0]> ()"
        "pads = Concat <axis = 0> (zeros, m, more) p = Pad(images, pads)"
        "a = Gather(p, z) b = Gather(p, one) ab = Concat <axis = 0> (a, b) y = Slice(ab, z, n, z)");
    check_warnings(model, {{"'images'", "('batch')", "2 images", "Gather", "runs with more ignore the rest; export"}});
    CHECK_FALSE(has_word(serving_warnings(model), "fewer"));
    CHECK_FALSE(joins_requests(model));
}

TEST_CASE("a model whose weights are inputs")
{
    const auto model = model_of("(float[batch,3,8,8] x, float[16,3,7,7] w, float[1,16,1,1] scale) => (float[n,7] y)",
                                "c = Conv(x, w) d = Mul(c, scale) y = Net(d)");
    CHECK(batch_of(model) == dimension{{}, "batch"});
    check_warnings(model, {{"the inputs 'w' and 'scale' are weights", "export_params=True"}, ragged});
    const auto fixed = model_of("(float[1,3,8,8] x, float[16,3,7,7] w) => (float[1,16,2,2] y)", "y = Conv(x, w)");
    check_warnings(fixed, {{"exactly 1 image (its input 'x')"}, {"the input 'w' is a weight"}});
    // Outputs begin with the batch, but every request would be joined with others' weights.
    CHECK_FALSE(joins_requests(
        model_of("(float[batch,3,8,8] x, float[16,3,7,7] w) => (float[batch,16,2,2] y)", "y = Conv(x, w)")));
}

TEST_CASE("a batch in a loop is advised only where the rewrite takes it")
{
    using enum dynamic_batch_advice;
    const auto check = [](const onnx::ModelProto& model, dynamic_batch_advice expected,
                          const rewrite_options& options) {
        CHECK(static_cast<int>(advice_on(model, options)) == static_cast<int>(expected));
        auto rewritten = model;
        auto chosen = options;
        chosen.pad.dynamic_batch = true;
        if (expected == with_rows) {
            chosen.pad.max_detections = 5;
        }
        if (expected == refused) {
            CHECK_THROWS_AS((void)rewrite(rewritten, chosen), tool_error);
        } else {
            CHECK_NOTHROW((void)rewrite(rewritten, chosen));
        }
    };
    const auto one_image = fixture_named("ssdlite320_tv014_b1_list_op17").model;
    check(one_image, works, {});
    check_warnings(one_image, {{"; rewrite it with `dynamic_batch`"}, ragged}, std::nullopt);
    // A second input that belongs to the image, and a further output with a row for each detection.
    auto two_inputs = one_image;
    *two_inputs.mutable_graph()->add_input() = two_inputs.graph().input(0);
    two_inputs.mutable_graph()->mutable_input(1)->set_name("size");
    check(two_inputs, refused, {});
    check_warnings(two_inputs, {{"to be served in batches, the model must be exported"}, ragged}, std::nullopt);
    CHECK_FALSE(has_word(serving_warnings(two_inputs), "dynamic_batch"));
    auto unknown_other = one_image;
    auto& other = *unknown_other.mutable_graph()->add_output();
    other = unknown_other.graph().output(0);
    other.set_name("features");
    auto& node = *unknown_other.mutable_graph()->add_node();
    node.set_op_type("Identity");
    node.add_input(unknown_other.graph().output(0).name());
    node.add_output("features");
    rewrite_options by_hand;
    by_hand.recognise.fields = {field::boxes, field::scores, field::labels};
    by_hand.recognise.batch = 1;
    check(unknown_other, refused, by_hand);
    // A limit that is not known.
    const auto no_limit = parse_model("<ir_version: 7, opset_import: [\"\" : 13]> g (float[1,3,8,8] images) => "
                                      "(float[n,4] b, int64[n] l, float[n] s) { b, l, s = Net(images) }");
    rewrite_options told;
    told.recognise.fields = {field::boxes, field::labels, field::scores};
    check(no_limit, with_rows, told);
    check_warnings(no_limit, {{"rewrite it with `dynamic_batch` and `max_detections` N"}, ragged}, with_rows);
    // Not a detector; and rows of all images in one list.
    const auto classifier = model_of("(float[1,9] x) => (float[1,9] y)", "y = Softmax(x)");
    check(classifier, refused, {});
    check_warnings(classifier, {{"exactly 1 image", "must be exported for any number of images"}}, std::nullopt);
    const auto list = model_of("(float[2,3,8,8] images) => (float[n,7] y)", "y = Net(images)");
    rewrite_options flat;
    flat.recognise.from = export_kind::flat;
    check(list, refused, flat);
    // Several images: an export of one of them would do.
    CHECK(static_cast<int>(advice_on(fixture_named("ssdlite320_tv014_b2_tensor_op13").model)) ==
          static_cast<int>(works));
    check_warnings(padded("mask_rcnn_tv029_b1_tensor_op20"), {{"; rewrite its export with `dynamic_batch`"}},
                   std::nullopt);
}

TEST_CASE("what a raw head has besides detections is an output of its own")
{
    auto model = load_model(std::string(PADBATCH_TESTS_DATA) + "/raw/yolo_seg_any_op14.onnx");
    CHECK(advice_on(model, {}) == dynamic_batch_advice::refused); // it takes any batch already
    for (auto* infos : {model.mutable_graph()->mutable_input(), model.mutable_graph()->mutable_output()}) {
        for (auto& info : *infos) {
            info.mutable_type()->mutable_tensor_type()->mutable_shape()->mutable_dim(0)->set_dim_value(1);
        }
    }
    CHECK(advice_on(model, {}) == dynamic_batch_advice::works);
}

TEST_CASE("real exports of rows in one list are warned of whatever symbol their outputs declare")
{
    int checked = 0;
    for (const auto& entry : std::filesystem::directory_iterator(std::string(PADBATCH_TESTS_DATA) + "/other")) {
        if (entry.path().extension() != ".onnx") {
            continue;
        }
        CAPTURE(entry.path().string());
        auto model = load_model(entry.path().string());
        const auto batch = batch_of(model);
        const auto told = serving_warnings(model);
        for (const auto& symbol : {batch, dimension{{}, "own"}}) {
            for (auto& output : *model.mutable_graph()->mutable_output()) {
                auto& first = *output.mutable_type()->mutable_tensor_type()->mutable_shape()->mutable_dim(0);
                if (symbol.size) {
                    first.set_dim_value(*symbol.size);
                } else {
                    first.set_dim_param(symbol.symbol);
                }
            }
            const auto found = serving_warnings(model);
            REQUIRE(found.size() == told.size());
            const auto names = [](const std::string& warning) { return warning.substr(0, warning.find(" do")); };
            CHECK(names(found.back()) == names(told.back())); // of the same outputs
            CHECK(has_word({found.back()}, "begin with the batch"));
        }
        ++checked;
    }
    CHECK(checked >= 10);
}

TEST_CASE("real exports, and the same ones padded")
{
    // Their batch axis is declared dynamic, but the graph is for two images.
    check_warnings(fixture_named("ssdlite320_tv014_b2_tensor_op13").model,
                   {{"'images'", "('batch')", "2 images", "Split"}, ragged}, std::nullopt);
    check_warnings(padded("ssdlite320_tv014_b2_tensor_op13"), {promise}, std::nullopt);
    check_warnings(fixture_named("faster_rcnn_tv029_b2_tensor_op18_features").model, {promise, ragged}, std::nullopt);
    // One tensor, a list, and one image.
    check_warnings(fixture_named("mask_rcnn_tv014_b2_tensor_op16").model,
                   {{"exactly 2 images (its input 'images')"}, ragged}, std::nullopt);
    check_warnings(padded("mask_rcnn_tv014_b2_tensor_op16"), {constant}, std::nullopt);
    check_warnings(fixture_named("mask_rcnn_tv014_b2_list_op11").model,
                   {{"one for each of its inputs: 'image0' and 'image1'"}, ragged}, std::nullopt);
    check_warnings(padded("mask_rcnn_tv014_b2_list_op11"), {constant}, std::nullopt);
    check_warnings(fixture_named("mask_rcnn_tv029_b1_tensor_op20").model, {{"exactly 1 image"}, ragged}, std::nullopt);
    check_warnings(padded("mask_rcnn_tv029_b1_tensor_op20"), {constant}, std::nullopt);
    for_each_fixture([](const fixture&, const onnx::ModelProto& model) {
        const auto count = serving_warnings(model).size();
        CHECK(count == 2); // not batched, and ragged
        CHECK_FALSE(joins_requests(model));
    });
}
