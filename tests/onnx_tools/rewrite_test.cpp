// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/pad/pad.hpp>
#include <onnx_tools/plan/plan.hpp>
#include <onnx_tools/recognise/recognise.hpp>
#include <onnx_tools/rewrite.hpp>

#include <tests/support/check_failure.hpp>
#include <tests/support/fixture_models.hpp>
#include <tests/support/small_detector.hpp>

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

using namespace padbatch::onnx_tools;
using namespace padbatch::test;

namespace {

// The steps, one by one.
std::string bytes_by_hand(const onnx::ModelProto& model, const rewrite_options& options)
{
    auto padded = model;
    pad(padded, plan(model, recognise(model, options.recognise), options.pad));
    return padded.SerializeAsString();
}

rewrite_options with(const pad_options& pad)
{
    rewrite_options options;
    options.pad = pad;
    return options;
}

// A node reads a value that nothing makes.
onnx::ModelProto unsound_detector()
{
    return small_detector({2, 13, "7", "extra = Neg(missing_value)"});
}

} // namespace

TEST_CASE("the rewrite recognises, plans and pads")
{
    for_each_fixture([&](const fixture& known, const onnx::ModelProto& model) {
        rewrite_options options;
        options.pad.max_detections = known.limit + 2;
        auto padded = model;
        const auto done = rewrite(padded, options);
        CHECK((padded.SerializeAsString() == bytes_by_hand(model, options)));
        CHECK(done.max_detections == known.limit + 2);
        CHECK(done.outputs.size() == known.fields.size());
    });
    auto padded = small_detector();
    CHECK(rewrite(padded).max_detections == 7);
    CHECK((padded.SerializeAsString() == bytes_by_hand(small_detector(), {})));
}

TEST_CASE("the rewrite recognises with what the user says")
{
    const auto model = identity_model("x");
    rewrite_options options;
    options.pad.max_detections = 3;
    options.recognise.fields = {field::boxes, field::labels, field::scores};
    auto padded = model;
    CHECK(rewrite(padded, options).outputs.size() == 3);
    CHECK((padded.SerializeAsString() == bytes_by_hand(model, options)));
    options.recognise.batch = 2; // three outputs are not those of two images
    CHECK_THROWS_AS((void)rewrite(padded = model, options), tool_error);
}

TEST_CASE("the halves of the rewrite make the whole")
{
    const auto model = small_detector();
    pad_options options;
    options.max_detections = 3;
    auto halves = model;
    const auto found = examine(model);
    CHECK(found.batch == 2);
    CHECK(rewrite(halves, found, options).cuts_rows);
    CHECK((halves.SerializeAsString() == bytes_by_hand(model, with(options))));
}

TEST_CASE("an unsound model is refused before anything else is said of it")
{
    rewrite_options options;
    options.pad.max_detections = 0; // a failure of usage
    options.recognise.batch = 1000; // and another
    auto model = unsound_detector();
    check_failure(failure::refused, {"missing_value"}, [&] { (void)rewrite(model, options); });
    check_failure(failure::refused, {"missing_value"}, [&] { (void)examine(model, options.recognise); });
}

TEST_CASE("what to do about an unsound model depends on who made it")
{
    const auto check = [](const std::string& maker, const std::string& domain, const std::string& remedy) {
        CAPTURE(maker);
        CAPTURE(domain);
        auto model = unsound_detector();
        model.set_producer_name(maker);
        if (!domain.empty()) {
            model.add_opset_import()->set_domain(domain);
        }
        check_failure(failure::refused, {"missing_value", "what to do: " + remedy}, [&] { (void)examine(model); });
    };
    const std::string of_export = "export the model again; if another tool";
    check("pytorch", "", of_export);
    check("", "", of_export);
    check("pytorch", "org.pytorch.aten", of_export);
    for (const auto* domain : {"com.microsoft", "com.microsoft.nchwc", "com.ms.internal.nhwc"}) {
        check("pytorch", domain,
              "this file was made by ONNX Runtime, as it optimises or quantises models: pad the model");
    }
    check("onnx.quantize", "com.microsoft", "this file was made by ONNX Runtime's quantiser: pad the model");
    check("tf2onnx", "", "this file was made by 'tf2onnx': convert the model again");
    check("a\nb", "", "this file was made by 'a\\nb'");
}

TEST_CASE("a failed rewrite leaves the model as it was")
{
    auto padded = small_detector();
    (void)rewrite(padded);
    pad_options no_rows;
    no_rows.max_detections = 0;
    pad_options taken_name;
    taken_name.names[field::boxes] = "keep0"; // an input
    pad_options image_layout;
    image_layout.layout = output_layout::tf_od; // there is no image
    struct row {
        failure kind;
        onnx::ModelProto model;
        pad_options options;
    };
    const std::vector<row> table{
        {failure::refused, unsound_detector(), {}},
        {failure::refused, padded, {}},
        {failure::refused,
         parse_model("<ir_version: 7, opset_import: [\"\" : 13]> g (float[n] x) => (float[n] y) "
                     "{ y = Neg(x) }"),
         {}},
        {failure::refused, small_detector({2, 10, "7", ""}), {}},
        {failure::refused, small_detector(), taken_name},
        {failure::refused, small_detector(), image_layout},
        {failure::usage, small_detector(), no_rows},
    };
    for (const auto& each : table) {
        CAPTURE(&each - table.data());
        auto model = each.model;
        check_failure(each.kind, {}, [&] { (void)rewrite(model, with(each.options)); });
        CHECK((model.SerializeAsString() == each.model.SerializeAsString()));
    }
}

TEST_CASE("a padded model that is not sound is a defect, and is not passed off as a result")
{
    auto model = small_detector();
    auto found = examine(model);
    found.fields[0].values[0] = "not_in_the_graph";
    check_failure(failure::internal, {"not_in_the_graph"}, [&] { (void)rewrite(model, found, {}); });
}
