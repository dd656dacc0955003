// SPDX-License-Identifier: Apache-2.0
#include <tests/onnx_tools/cli/command.hpp>
#include <tests/onnx_tools/cli/command_errors.hpp>
#include <tests/support/parse_model.hpp>
#include <tests/support/temporary_folder.hpp>

#include <onnx_tools/files/model_io.hpp>

#include <doctest/doctest.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

// Options that do not fit the model, or one another.

namespace {

using namespace padbatch::test;

// A folder with `in.onnx`.
struct folder_with : temporary_folder {
    explicit folder_with(const std::string& fixture) { std::filesystem::copy_file(data + fixture, file("in.onnx")); }
    explicit folder_with(const onnx::ModelProto& model) { padbatch::onnx_tools::save_model(model, file("in.onnx")); }
};

// A model of one image with these outputs. Each is an input too, and nothing but its type is known.
onnx::ModelProto told_model(const std::vector<std::pair<std::string, std::string>>& types_and_names, int opset = 13)
{
    std::string inputs;
    std::string outputs;
    std::string nodes;
    for (const auto& [type, name] : types_and_names) {
        const std::string comma = inputs.empty() ? "" : ", ";
        inputs += comma + type + " " + name + "_in";
        outputs += comma + type + " " + name;
        nodes += name + " = Identity(" + name + "_in) ";
    }
    return parse_model("<ir_version: 7, opset_import: [\"\" : " + std::to_string(opset) + "]> g (" + inputs + ") => (" +
                       outputs + ") { " + nodes + "}");
}

const std::pair<std::string, std::string> b{"float[n,4]", "b"};
const std::pair<std::string, std::string> l{"int64[n]", "l"};
const std::pair<std::string, std::string> s{"float[n]", "s"};

// Arguments for a model about which nothing but the types is known.
error_case told(const std::string& fields, std::vector<std::string> arguments, std::vector<std::string> words)
{
    arguments.insert(arguments.end(), {"--fields", fields, "--batch", "1", "--max-detections", "5"});
    return with(std::move(arguments), std::move(words));
}

} // namespace

TEST_CASE("refusals: masks")
{
    const folder_with none("fcos_tv014_b1_tensor_op11.onnx");
    check_errors(none, 2,
                 {
                     with({"--masks", "roi"}, {"--masks roi is given, but the model has no masks"}),
                     with({"--masks", "none"}, {"--masks none is given, but the model has no masks"}),
                     with({"--mask-type", "uint8"}, {"--mask-type uint8 is given, but the model has no masks"}),
                     with({"--mask-threshold", "0.4"}, {"--mask-threshold 0.4 is given, but the model has no masks"}),
                     with({"--squeeze-masks"}, {"--squeeze-masks is given, but the model has no masks"}),
                 });

    const folder_with masks("mask_rcnn_tv029_b1_tensor_op17.onnx");
    std::vector<error_case> cases = {
        with({"--masks", "none", "--mask-type", "uint8"}, {"--masks none is given together with"}),
        with({"--masks", "none", "--squeeze-masks"}, {"--masks none is given together with"}),
        with({"--masks", "none", "--pad-value", "masks=1"}, {"masks=1 names a field that this model does not have"}),
        with({"--masks", "none", "--rename", "masks=m"}, {"masks=m names a field that this model does not have"}),
        with({"--masks", "roi", "--mask-type", "uint8"}, {"--masks roi is given together with --mask-type uint8"}),
        with({"--mask-threshold", "0.4"}, {"--mask-threshold 0.4 is given for masks that stay probabilities"}),
        with({"--mask-threshold", "0.4", "--mask-type", "float"}, {"masks that stay probabilities"}),
        with({"--mask-type", "uint8", "--pad-value", "masks=256"}, {"masks=256", "uint8"}),
    };
    for (const char* number : {"0", "1.01", "-0.5", "half", "nan", "inf", "0.5 "}) {
        const std::string text = number;
        cases.push_back(with({"--mask-type=bool", "--mask-threshold", text},
                             {"--mask-threshold is '" + text + "'", "above 0 and at most 1"}));
        cases.push_back(with({"--min-score", text}, {"--min-score is '" + text + "'", "above 0 and at most 1"}));
    }
    // float32 has no number that small.
    cases.push_back(with({"--min-score", "1e-60"}, {"--min-score is 1e-60", "the scores of this model are float32"}));
    check_errors(masks, 2, cases);

    const folder_with bytes(told_model({b, l, s, {"uint8[n,1,h,w]", "m"}}));
    check_errors(bytes, 2,
                 {told("boxes,labels,scores,masks", {"--mask-type=bool"}, {"the masks of this model are uint8"})});
    check_errors(bytes, 5,
                 {told("boxes,labels,scores,masks", {"--masks=roi"}, {"what the masks 'm' are pasted from"})});
    const folder_with channels(told_model({b, l, s, {"float[n,3,h,w]", "m"}}));
    check_errors(channels, 2,
                 {
                     told("boxes,labels,scores,masks", {"--squeeze-masks"}, {"the masks have 3 channels"}),
                     told("boxes,labels,scores,masks", {"--to=efficientnms"}, {"the masks have 3 channels"}),
                 });
}

TEST_CASE("refusals: layouts")
{
    const folder_with two_fields("faster_rcnn_tv014_b1_tensor_op14_boxes_scores.onnx");
    std::vector<error_case> cases = {
        with({"--label-type", "int32"}, {"--label-type is given, but the model has no labels"})};
    for (const char* layout : {"efficientnms", "yolov7", "mmdeploy", "tf-od", "ultralytics"}) {
        const std::string name = layout;
        cases.push_back(with({"--to", name}, {"--to " + name + " needs labels, but this model has boxes"}));
    }
    check_errors(two_fields, 2, cases);

    const folder_with all("faster_rcnn_tv029_b1_tensor_op16.onnx");
    check_errors(all, 2,
                 {
                     with({"--to=ultralytics", "--label-type=int32"}, {"--label-type is given with --to ultralytics"}),
                     with({"--to=ultralytics", "--count-type=int32"}, {"--to ultralytics, which has no counts"}),
                     with({"--to=mmdeploy", "--count-shape=B"}, {"for the counts is given with --to mmdeploy"}),
                     with({"--to=mmdeploy", "--rename=num_detections=n"}, {"--to mmdeploy, which has no counts"}),
                     with({"--to=mmdeploy", "--rename=scores=s"},
                          {"the layout mmdeploy puts them into the output of the boxes", "--rename boxes=NAME"}),
                     with({"--to=ultralytics", "--rename=labels=s"}, {"the layout ultralytics puts them"}),
                     with({"--to=efficientnms", "--rename=boxes=num_detections"}, {"two outputs would be called"}),
                     with({"--label-type=int32", "--pad-value=labels=3000000000"}, {"the labels", "int32"}),
                 });
    check_errors(all, 5, {with({"--to=yolov7", "--rename=boxes=images"}, {"an input called 'images'"})});

    const folder_with no_images(told_model({b, l, s}));
    check_errors(no_images, 5, {told("boxes,labels,scores", {"--to=tf-od"}, {"--to tf-od divides boxes by the size"})});
}

TEST_CASE("refusals: --dynamic-batch")
{
    const folder_with two("mask_rcnn_tv029_b2_list_op18.onnx");
    check_errors(two, 5, {with({"--dynamic-batch"}, {"takes 2 images at a time", "torch.rand(1, 3, H, W)"})});

    const folder_with no_image(told_model({b, l, s}));
    check_errors(no_image, 5,
                 {told("boxes,labels,scores", {"--dynamic-batch"}, {"the inputs of the model are not one image"})});

    const auto image_model = [&](const std::string& more) {
        return parse_model(
            "<ir_version: 7, opset_import: [\"\" : 13]> g (float[1,3,8,8] image, int64[2] four, "
            "int64[1] one) => (float[n,4] b, int64[n] l, float[n] s" +
            more +
            ") <int64[2] four = {-1, 4}, int64[1] one = {-1}> { x = Reshape(image, four) y = "
            "Reshape(image, one) b = Identity(x) w = Floor(y) l = Cast<to = 7>(w) s = Identity(y) f = Identity(x) }");
    };
    const folder_with no_limit(image_model(""));
    check_errors(no_limit, 5,
                 {
                     with({"--dynamic-batch", "--max-detections=batch"},
                          {"--dynamic-batch --max-detections batch: the graph does not show", "--max-detections N"}),
                     with({"--dynamic-batch"}, {"the graph does not show how many detections"}),
                 });
    auto no_rank = image_model(", float[k,4] f");
    no_rank.mutable_graph()->mutable_output(3)->mutable_type()->mutable_tensor_type()->clear_shape();
    const folder_with more(no_rank);
    check_errors(more, 5,
                 {told("boxes,labels,scores", {"--dynamic-batch"},
                       {"the output 'f' does not declare its element type and rank"})});
}

TEST_CASE("refusals: rows of all images")
{
    const folder_with rows("other/flat_pt113_any_op12_end2end.onnx");
    check_errors(rows, 2,
                 {
                     with({"--from=flat", "--max-detections=5", "--dynamic-batch"}, {"--dynamic-batch is given"}),
                     with({"--from=flat", "--max-detections=5", "--masks=none"}, {"the model has no masks"}),
                     with({"--from=flat", "--columns=x1,y1,x2,y2,label"}, {"--columns names no score"}),
                     with({"--from=nms", "--columns=x1,y1"}, {"does not name the four columns of a box"}),
                 });
    check_errors(rows, 5,
                 {
                     with({"--from=flat"}, {"how many detections", "--max-detections N"}),
                     with({}, {"how many detections", "--max-detections N"}),
                     with({"--from=fields"}, {"not recognised as detections"}),
                 });
    const folder_with mask_rcnn("mask_rcnn_tv029_b1_tensor_op17.onnx");
    check_errors(mask_rcnn, 5,
                 {
                     with({"--from=flat"}, {"no output holds the rows of all images"}),
                     with({"--from=nms"}, {"NonMaxSuppression"}),
                 });
}

TEST_CASE("refusals: models")
{
    const folder_with no_scores(told_model({b, l}));
    check_errors(no_scores, 2,
                 {told("boxes,labels", {"--min-score=0.5"}, {"--min-score is given, but the model has no scores"})});
    const folder_with old(told_model({b, l, s}, 10));
    check_errors(old, 5, {told("boxes,labels,scores", {}, {"the model has opset 10", "opset_version=11"})});
    const folder_with brain(told_model({{"bfloat16[n,4]", "b"}, l, s}));
    check_errors(brain, 5, {told("boxes,labels,scores", {}, {"the boxes are bfloat16"})});
    const folder_with features("retinanet_tv029_b1_tensor_op18_features.onnx");
    check_errors(features, 5, {with({"--rename=boxes=features"}, {"another output called 'features'"})});
}
