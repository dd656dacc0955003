// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/forms/fields.hpp>

#include <tests/support/check_failure.hpp>
#include <tests/support/parse_model.hpp>
#include <tests/support/small_detector.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace padbatch::onnx_tools;
using namespace padbatch::test;

namespace {

using strings = std::vector<std::string>;

void check_fails(failure kind, const strings& words, const onnx::ModelProto& model,
                 const recognise_options& options = {})
{
    check_failure(kind, words, [&] { (void)recognise_fields(model, options); });
}

} // namespace

TEST_CASE("outputs of each image are read without help, or as named")
{
    const auto model = small_detector();
    const auto found = recognise_fields(model, {});
    CHECK(found.batch == 2);
    CHECK(found.fields.size() == 3);
    CHECK(found.other_outputs.empty());
    recognise_options named;
    named.fields = {field::boxes, field::labels};
    named.batch = 1;
    const auto part = recognise_fields(model, named); // what is named is not searched
    CHECK(part.batch == 1);
    CHECK(part.fields.size() == 2);
    CHECK(part.other_outputs == strings{"s0", "b1", "l1", "s1"});
}

TEST_CASE("the largest reading is taken, whatever stands before it")
{
    auto model = small_detector();
    auto& outputs = *model.mutable_graph()->mutable_output();
    outputs.Add()->CopyFrom(outputs.Get(0));
    outputs.Mutable(6)->set_name("all_boxes");
    CHECK(recognise_fields(model, {}).batch == 2); // these boxes come from no cut
    for (int i = 6; i > 0; --i) {
        outputs.SwapElements(i, i - 1);
    }
    const auto found = recognise_fields(model, {});
    CHECK(found.fields[0].values == strings{"b0", "b1"});
    CHECK(found.other_outputs == strings{"all_boxes"});
}

TEST_CASE("outputs that are not beyond doubt are refused, and options that do not fit are misuse")
{
    auto none = small_detector();
    none.mutable_graph()->clear_output();
    check_fails(failure::refused, {"torchvision"}, none);
    check_fails(failure::refused, {"'classes'", "export the model with boxes [n, 4]"},
                parse_model("<ir_version: 7, opset_import: [\"\" : 13]> g (float[1,3,8,8] x) => "
                            "(float[1,1000] classes) { classes = Net(x) }"));
    auto part = small_detector();
    part.mutable_graph()->mutable_output()->RemoveLast();
    check_fails(failure::refused, {"1 x (boxes, labels, scores)", "'b1'", "'l1'"}, part);
    recognise_options options;
    options.batch = 3;
    check_fails(failure::usage, {"3", "2 images"}, small_detector(), options);
    check_fails(failure::refused, {"'b1'"}, part, options); // read without the options, it is refused all the same
}
