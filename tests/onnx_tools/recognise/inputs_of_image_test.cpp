// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/inputs_of_image.hpp>

#include <onnx_tools/recognise/recognise.hpp>
#include <tests/support/check_failure.hpp>
#include <tests/support/parse_model.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace padbatch::onnx_tools;
using namespace padbatch::test;

namespace {

using strings = std::vector<std::string>;

onnx::ModelProto with_inputs(const std::string& inputs)
{
    return parse_model(
        "<ir_version: 8, opset_import: [\"\" : 13]> g (" + inputs +
        ") => (float[n,4] boxes, int64[n] labels, float[n] scores) { boxes, labels, scores = Net(images) }");
}

void check_inputs_fail(const strings& words, const onnx::ModelProto& model, const recognise_options& options)
{
    check_failure(failure::usage, words, [&] { (void)recognise(model, options); });
}

} // namespace

TEST_CASE("inputs belong to the image by their first extent, or as the user says")
{
    const auto with = [](const std::string& more) { return with_inputs("float[1,3,8,8] images" + more); };
    const auto names = [](const detections& found) {
        strings all;
        for (const auto& input : found.image_inputs) {
            all.push_back(input.name + (input.has_batch ? "" : "!"));
        }
        return all;
    };
    const auto found = recognise(with(", float[1,2] scale, float[2] mean, float gain, float[7,4] anchors"), {});
    CHECK(names(found) == strings{"images", "scale"});
    CHECK(found.shared_inputs == strings{"mean", "gain", "anchors"});
    CHECK(found.undecided_inputs.empty());
    const auto open = recognise(with_inputs("float[batch,3,8,8] images, float[batch,2] a, float[k,2] b2"), {});
    CHECK(names(open) == strings{"images", "a"});
    CHECK(open.shared_inputs == strings{"b2"});
    const auto unknown = recognise(with(", float[2,8,8] prior"), {});
    CHECK(unknown.undecided_inputs == strings{"prior"});
    recognise_options options;
    options.per_image_inputs = {"mean"};
    options.shared_inputs = {"scale"};
    const auto told = recognise(with(", float[1,2] scale, float[2] mean"), options);
    CHECK(names(told) == strings{"images", "mean!"});
    CHECK(told.shared_inputs == strings{"scale"});
    options.per_image_inputs = {"scale"};
    check_inputs_fail({"'scale'", "`per_image_input`", "`shared_input`"}, with(", float[1,2] scale"), options);
    options.per_image_inputs = {"size"};
    check_inputs_fail({"`per_image_input` size", "images, scale"}, with(", float[1,2] scale"), options);
}
