// SPDX-License-Identifier: Apache-2.0
#include <tests/onnx_tools/cli/command.hpp>
#include <tests/onnx_tools/cli/command_errors.hpp>
#include <tests/support/temporary_folder.hpp>

#include <doctest/doctest.h>

#include <filesystem>
#include <string>
#include <vector>

// Options that make no sense, whatever the model.

namespace {

using namespace padbatch::test;

// Options that take a word or a number, and may be given once.
const std::vector<std::string> once = {
    "--min-score",      "--masks",       "--mask-type",  "--mask-threshold",    "--to",
    "--count-type",     "--count-shape", "--label-type", "--triton-repository", "--model-name",
    "--max-batch-size", "--from",        "--columns"};

} // namespace

TEST_CASE("errors: options without a value, or with several")
{
    const temporary_folder folder;
    std::filesystem::copy_file(one_image, folder.file("in.onnx"));
    std::vector<error_case> cases;
    for (const auto& option : once) {
        cases.push_back(with({option + "="}, {option + " has no value"}));
        cases.push_back(with({option, ""}, {option + " has no value"}));
        cases.push_back({{"in.onnx", "out.onnx", option}, {option + " has no value"}});
        cases.push_back(with({option, "x", option + "=x"}, {option + " is given 2 times"}));
    }
    // Other mistakes must not be reported first.
    for (auto& c : cases) {
        const auto& option = c.words.front();
        if (option.rfind("--columns", 0) == 0) {
            c.arguments.insert(c.arguments.begin(), {"--from", "flat"});
        }
    }
    check_errors(folder, 2, cases);
}

TEST_CASE("errors: words")
{
    const temporary_folder folder;
    std::filesystem::copy_file(one_image, folder.file("in.onnx"));
    check_errors(
        folder, 2,
        {
            with({"--masks", "rois"}, {"--masks is 'rois'", "full, roi or none", "did you mean --masks roi?"}),
            with({"--masks", "28x28"}, {"--masks is '28x28'", "choose one of these"}),
            with({"--mask-type", "float32"}, {"--mask-type is 'float32'", "did you mean --mask-type float?"}),
            with({"--mask-type", "boolean"}, {"float, uint8 or bool"}),
            with({"--to", "EfficientNMS"}, {"--to is 'EfficientNMS'", "did you mean --to efficientnms?"}),
            with({"--to", "yolo"},
                 {"torchvision, efficientnms, yolov7, mmdeploy, tf-od or ultralytics", "did you mean --to yolov7?"}),
            with({"--to", "tfod"}, {"did you mean --to tf-od?"}),
            with({"--to", "tfod"}, {"did you mean --to tf-od?"}),
            with({"--to", "yolov7", "--layout", "yolov7"}, {"--to is given together with --layout"}),
            with({"--count-type", "int"}, {"int32, int64 or float32", "did you mean --count-type int32?"}),
            with({"--label-type", "uint8"}, {"--label-type is 'uint8'", "int32, int64 or float32"}),
            with({"--count-shape", "[B]"}, {"--count-shape is '[B]'", "B or Bx1", "did you mean --count-shape B?"}),
            with({"--count-shape", "bx1"}, {"did you mean --count-shape Bx1?"}),
            with({"--from", "flats"}, {"torchvision, flat, nms, padded or raw", "did you mean --from flat?"}),
            with({"--order", "imge"}, {"--order is 'imge'", "did you mean --order image?"}),
            with({"--order", "rows"}, {"write image if"}),
            with({"--dynamic-batch=perhaps"}, {"--dynamic-batch = perhaps", "without a value"}),
            with({"--dynamic_batch"}, {"there is no option '--dynamic_batch'", "did you mean --dynamic-batch?"}),
            with({"--mask_type=bool"}, {"did you mean --mask-type?"}),
            with({"--triton-repo", "models"}, {"did you mean --triton-repository?"}),
        });
}

TEST_CASE("errors: --columns and --from")
{
    const temporary_folder folder;
    std::filesystem::copy_file(one_image, folder.file("in.onnx"));
    const std::string known = "batch, x1, y1, x2, y2, cx, cy, w, h, label or score";
    check_errors(
        folder, 2,
        {
            with({"--fields", "boxes,scores", "--columns", "x1,y1,x2,y2"},
                 {"--fields is given together with --columns"}),
            with({"--per-image-input", ""}, {"--per-image-input has no value"}),
            with({"--shared-input", ""}, {"--shared-input has no value"}),
            with({"--from=flat", "--columns", "x1,y1,x2,y2,labels,score"},
                 {"no column 'labels'", known, "did you mean 'label'?"}),
            with({"--from=flat", "--columns", "class"}, {"there is no column 'class'", "correct the column's name"}),
            with({"--from=nms", "--columns", "x1,,x2"}, {"'x1,,x2' contains an empty name"}),
            with({"--from=nms", "--columns", "x1,y1,x1,y2"}, {"names 'x1' twice", "each column once"}),
            with({"--from=nms", "--columns", "x1,", "y1"}, {"'x1,' contains an empty name"}),
            with({"--from=nms", "--columns", "x1", "y1"}, {"more than two files", "lists of --fields and --columns"}),
            with({"--from=flat", "--fields", "boxes"}, {"--fields is given together with --from flat", "--columns"}),
            with({"--from=nms", "--batch", "2"}, {"--batch is given together with --from nms", "leave out --batch"}),
            with({"--from=padded", "--box-format", "wh"}, {"xyxy, xywh, cxcywh or yxyx"}),
            with({"--from=nms", "--order", "image"}, {"--order is given together with --from nms"}),
        });
}

TEST_CASE("errors: --head and what belongs to it")
{
    const temporary_folder folder;
    std::filesystem::copy_file(data + "raw/yolo_any_op12.onnx", folder.file("in.onnx"));
    check_errors(
        folder, 2,
        {
            with({"--head", "yolov8"},
                 {"--head is 'yolov8'", "yolo, yolo-seg, yolo-pose", "did you mean --head yolo?"}),
            with({"--nms", "soft"}, {"shifted, class-by-class or none"}),
            with({"--scores", "tanh"}, {"none, sigmoid or softmax"}),
            with({"--strides", "8,x"}, {"--strides", "a whole number", "or none"}),
            with({"--image-size", "640"}, {"--image-size is '640'", "an x between", "for example, 640x640"}),
            with({"--keypoints", "17x4"}, {"--keypoints is '17x4'", "for example, 17x3"}),
            with({"--num-classes", "0"}, {"--num-classes is '0'", "from 1"}),
            with({"--iou-threshold", "2"}, {"--iou-threshold is '2'", "at most 1"}),
            with({"--conf", "0.5", "--min-score", "0.5"},
                 {"--conf is given together with --min-score", "two names of one option"}),
            with({"--max-det", "5", "--max-detections", "5"}, {"--max-det is given together with --max-detections"}),
            with({"--conf", "high"}, {"--conf"}),
            with({"--max-det", "many"}, {"--max-det"}),
            with({"--nms", "none", "--iou-threshold", "0.5"}, {"--iou-threshold is given for a head without"}),
            with({"--nms", "class-by-class", "--class-agnostic"}, {"--class-agnostic is given together with --nms"}),
            with({"--classes", "7"}, {"a label is 7, but the head has 3 classes"}),
            with({"--strides", "8,16"}, {"--strides is given for --head yolo"}),
            with({"--columns", "x1,y1,x2,y2,score,label"}, {"--columns is given for --head yolo"}),
            with({"--normalized"}, {"--normalized is given for --head yolo"}),
        });
    std::filesystem::copy_file(one_image, folder.file("in.onnx"), std::filesystem::copy_options::overwrite_existing);
    for (const std::vector<std::string>& option : std::vector<std::vector<std::string>>{{"--head", "yolo"},
                                                                                        {"--iou-threshold", "0.5"},
                                                                                        {"--nms", "none"},
                                                                                        {"--multi-label"},
                                                                                        {"--class-agnostic"},
                                                                                        {"--scores", "sigmoid"},
                                                                                        {"--strides", "8"},
                                                                                        {"--num-classes", "3"},
                                                                                        {"--keypoints", "17x3"},
                                                                                        {"--image-size", "64x64"}}) {
        check_errors(folder, 2, {with(option, {option.front() + " is given, but the outputs are detections already"})});
    }
}

TEST_CASE("errors: --set")
{
    const temporary_folder folder;
    std::filesystem::copy_file(one_image, folder.file("in.onnx"));
    check_errors(
        folder, 2,
        {
            with({"--set", "score_thresh"}, {"--set 'score_thresh' has no '='", "--set NAME=VALUE"}),
            with({"--set", "score_thresh="}, {"nothing after the '='", "--set score_thresh=0.3"}),
            with({"--set", "score_tresh=0.3"}, {"no parameter 'score_tresh'", "did you mean --set score_thresh=0.3?"}),
            with({"--set", "iou=0.3"}, {"no parameter 'iou'", "rpn_pre_nms_top_n", "correct the parameter's name"}),
            with({"--set", "score_thresh=high"}, {"--set 'score_thresh=high'"}),
            with({"--set", "score_thresh=0.3,nms_thresh=0.5"}, {"contains a comma", "repeat the option"}),
            with({"--set", "score_thresh=0.3", "--set", "box_score_thresh=0.3"},
                 {"names the parameter 'score_thresh' twice", "leave one of them out"}),
            with({"--set", "score_thresh=2"}, {"--set score_thresh=2", "from 0 to 1", "--set score_thresh=0.3"}),
            with({"--set", "detections_per_img=20", "--max-detections", "10"},
                 {"--set detections_per_img=20 is given together with --max-detections 10"}),
        });
    check_errors(folder, 5,
                 {
                     with({"--set", "topk_candidates=5"},
                          {"--set topk_candidates=5: the graph does not show", "detections_per_img (", "export the"}),
                 });
}

TEST_CASE("errors: --triton-repository and what belongs to it")
{
    const temporary_folder folder;
    std::filesystem::copy_file(one_image, folder.file("in.onnx"));
    std::filesystem::copy_file(one_image, folder.file("mask rcnn.v2.onnx"));
    const std::vector<std::string> repository = {"--triton-repository", "models", "--model-name", "m"};
    const auto also = [&](std::vector<std::string> arguments, std::vector<std::string> words) {
        arguments.insert(arguments.begin(), repository.begin(), repository.end());
        return error_case{std::move(arguments), std::move(words)};
    };
    check_errors(
        folder, 2,
        {
            also({"in.onnx", "out.onnx"}, {"'out.onnx' is named as the file to write, and --triton-repository"}),
            also({"--inspect", "in.onnx"}, {"--inspect writes nothing, but --triton-repository names a folder"}),
            also({}, {"no model is named", "--triton-repository DIR --model-name NAME"}),
            also({"--json", "in.onnx"}, {"--json is given without --inspect"}),
            {{"--triton-repository", "models", "mask rcnn.v2.onnx"},
             {"--triton-repository is given without --model-name", "--model-name mask_rcnn_v2\n"}},
            {{"--triton-repository", "models"}, {"without --model-name", "--model-name detector\n"}},
            with({"--model-name", "m"}, {"--model-name is given without --triton-repository"}),
            with({"--max-batch-size", "4"}, {"--max-batch-size is given without --triton-repository"}),
            also({"--max-batch-size", "-1", "in.onnx"}, {"--max-batch-size is '-1'", "from 0 to 2147483647"}),
            also({"--max-batch-size", "4.5", "in.onnx"}, {"--max-batch-size is '4.5'"}),
            {{"--triton-repository", "models", "--model-name", "a/b", "in.onnx"}, {"a/b"}},
        });
    check_errors(folder, 3,
                 {
                     {{"--triton-repository", "absent/models", "--model-name", "m", "in.onnx"}, {"absent"}},
                     {{"--triton-repository", "in.onnx", "--model-name", "m", "in.onnx"}, {"'in.onnx'"}},
                     also({"absent.onnx"}, {"cannot read 'absent.onnx'"}),
                 });
}
