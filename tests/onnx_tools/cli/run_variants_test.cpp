// SPDX-License-Identifier: Apache-2.0
#include <tests/onnx_tools/cli/command.hpp>
#include <tests/support/run_command.hpp>
#include <tests/support/temporary_folder.hpp>

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <vector>

// Each option that changes what comes out, once.

namespace {

using namespace padbatch::test;
using strings = std::vector<std::string>;

const std::string flat_export = data + "other/flat_pt113_any_op12_end2end.onnx";
const std::string selection_export = data + "other/nms_pt113_any_op13_yxyx.onnx";

// What the command makes of a model.
struct written {
    written(const strings& options, const std::string& in)
    {
        const temporary_folder folder;
        const std::string out = folder.file("out.onnx");
        report = padded(options, in, out);
        outputs = outputs_of(out);
        types = types_of(out);
        metadata = metadata_of(out);
    }

    std::string report;
    strings outputs;
    std::map<std::string, std::string> types;
    std::map<std::string, std::string> metadata;
};

} // namespace

TEST_CASE("--dynamic-batch makes a model of any number of images")
{
    written any({"--dynamic-batch"}, one_image);
    CHECK(any.outputs == strings{"num_detections [batch, 1]", "boxes [batch, 10, 4]", "labels [batch, 10]",
                                 "scores [batch, 10]", "masks [batch, 10, 1, masks_height, masks_width]"});
    CHECK(any.metadata["padbatch.batch"] == "dynamic");
    CAPTURE(any.report);
    CHECK(has(any.report, "boxes           float32  [batch, 10, 4]                             160 B x batch\n"));
    CHECK(has(any.report, "40 B x batch x masks_height x masks_width\n"));

    const written largest({"--dynamic-batch", "--max-detections", "batch"}, one_image);
    CHECK(largest.outputs[1] == "boxes [batch, max_detections, 4]");
    CHECK(written({}, one_image).metadata.at("padbatch.batch") == "1");
}

TEST_CASE("--masks keeps masks of regions, or leaves masks out")
{
    written roi({"--masks", "roi"}, one_image);
    CHECK(roi.outputs.back() == "masks [1, 10, 1, 28, 28]");
    CHECK(roi.metadata["padbatch.masks"] == "roi");
    CHECK(has(roi.report, "[1, 10, 1, 28, 28]  30.6 KiB\n"));
    const written none({"--masks=none"}, two_images);
    CHECK(none.outputs == strings{"num_detections [2, 1]", "boxes [2, 100, 4]", "labels [2, 100]", "scores [2, 100]"});
    CHECK(padded_bytes({"--masks", "full"}, two_images) == padded_bytes({}, two_images));
}

TEST_CASE("--expose and --expose-per-image add inputs")
{
    const written all({"--expose", "min_score", "--expose=max_detections=20"}, two_images);
    CAPTURE(all.report);
    CHECK(has(all.report, "input 'min_score', float32 [1]: "));
    CHECK(has(all.report, "input 'max_detections', int32 [1]: how many rows are kept, the best, from 0 to 100"));
    CHECK(has(all.report, "; 20 if it is left out (in ONNX Runtime; OpenVINO does not have the input)\n"));
    CHECK(all.outputs == written({}, two_images).outputs);
    const written each({"--dynamic-batch", "--expose-per-image", "max_detections"}, one_image);
    CHECK(has(each.report, "input 'max_detections', int32 [batch, 1]: "));
}

TEST_CASE("--mask-type and --mask-threshold write masks above a threshold")
{
    CHECK(written({"--mask-type", "uint8"}, two_images).types["masks"] == "uint8");
    CHECK(written({"--mask-type", "bool"}, two_images).types["masks"] == "bool");
    CHECK(padded_bytes({"--mask-type", "float"}, two_images) == padded_bytes({}, two_images));
    const auto half = padded_bytes({"--mask-type", "uint8"}, two_images);
    CHECK(padded_bytes({"--mask-type", "uint8", "--mask-threshold", "0.5"}, two_images) == half);
    CHECK(padded_bytes({"--mask-type", "uint8", "--mask-threshold", "0.6"}, two_images) != half);
}

TEST_CASE("--squeeze-masks drops the 1 in the shape of masks")
{
    CHECK(written({"--squeeze-masks"}, two_images).outputs.back() == "masks [2, 100, masks_height, masks_width]");
    CHECK(written({"--squeeze-masks", "--masks", "roi"}, one_image).outputs.back() == "masks [1, 10, 28, 28]");
}

TEST_CASE("--min-score drops rows, and keeps the shapes")
{
    const written high({"--min-score", "0.75"}, two_images);
    CHECK(high.outputs == written({}, two_images).outputs);
    const auto bytes = padded_bytes({"--min-score", "0.75"}, two_images);
    CHECK(bytes != padded_bytes({}, two_images));
    CHECK(bytes == padded_bytes({"--min-score", "7.5e-1"}, two_images));
}

TEST_CASE("--to names, orders and shapes the outputs")
{
    const std::map<std::string, strings> layouts = {
        {"torchvision",
         {"num_detections [1, 1]", "boxes [1, 10, 4]", "labels [1, 10]", "scores [1, 10]",
          "masks [1, 10, 1, masks_height, masks_width]"}},
        {"efficientnms",
         {"num_detections [1, 1]", "detection_boxes [1, 10, 4]", "detection_scores [1, 10]",
          "detection_classes [1, 10]", "detection_masks [1, 10, masks_height, masks_width]"}},
        {"yolov7",
         {"num_dets [1, 1]", "det_boxes [1, 10, 4]", "det_scores [1, 10]", "det_classes [1, 10]",
          "masks [1, 10, 1, masks_height, masks_width]"}},
        {"mmdeploy", {"dets [1, 10, 5]", "labels [1, 10]", "masks [1, 10, masks_height, masks_width]"}},
        {"ultralytics", {"output0 [1, 10, 6]", "masks [1, 10, 1, masks_height, masks_width]"}},
    };
    for (const auto& entry : layouts) {
        const auto& layout = entry.first;
        CAPTURE(layout);
        written model({"--to", layout}, one_image);
        CHECK(model.outputs == entry.second);
        CHECK(model.metadata["padbatch.layout"] == (layout == "torchvision" ? "" : layout));
    }
    written tf({"--to", "tf-od"}, one_image);
    REQUIRE(tf.outputs.size() == 5);
    CHECK(tf.outputs[0] == "num_detections [1]");
    CHECK(tf.outputs[1] == "detection_boxes [1, 10, 4]");
    CHECK(tf.outputs[2] == "detection_classes [1, 10]");
    CHECK(tf.types["num_detections"] == "float32");
    CHECK(tf.types["detection_classes"] == "float32");
    CHECK(tf.metadata["padbatch.fields"].rfind("normalised_boxes=detection_boxes,", 0) == 0);
}

TEST_CASE("options override the layout")
{
    written model({"--to", "yolov7", "--rename", "boxes=b", "--rename=num_detections=n", "--count-type", "int64",
                   "--count-shape", "B", "--label-type", "float32"},
                  one_image);
    CHECK(model.outputs[0] == "n [1]");
    CHECK(model.outputs[1] == "b [1, 10, 4]");
    CHECK(model.types["n"] == "int64");
    CHECK(model.types["det_classes"] == "float32");
    CHECK(written({"--to=tf-od", "--count-shape=Bx1"}, one_image).outputs[0] == "num_detections [1, 1]");
}

TEST_CASE("--count-type, --count-shape and --label-type")
{
    written model({"--count-type", "float32", "--count-shape", "Bx1", "--label-type", "int32"}, two_images);
    CHECK(model.outputs[0] == "num_detections [2, 1]");
    CHECK(model.types["num_detections"] == "float32");
    CHECK(model.types["labels"] == "int32");
    CHECK(written({"--count-shape=B"}, two_images).outputs[0] == "num_detections [2]");
    CHECK(written({"--dynamic-batch", "--count-shape=B"}, one_image).outputs[0] == "num_detections [batch]");
    CHECK(padded_bytes({"--count-type=int32", "--label-type=int64"}, two_images) == padded_bytes({}, two_images));
}

TEST_CASE("--from takes rows of all images, and what is selected from boxes and scores")
{
    const strings five = {"num_detections [batch, 1]", "boxes [batch, 5, 4]", "labels [batch, 5]", "scores [batch, 5]"};
    const written rows({"--from", "flat", "--max-detections", "5"}, flat_export);
    CHECK(rows.outputs == five);
    CAPTURE(rows.report);
    CHECK(has(rows.report, ": detections of an unknown family, the rows of all images in one list\n"));
    const std::string columns = "batch,x1,y1,x2,y2,label,score";
    CHECK(padded_bytes({"--from=flat", "--max-detections=5", "--columns", columns}, flat_export) ==
          padded_bytes({"--from=flat", "--max-detections=5"}, flat_export));
    CHECK(padded_bytes({"--from=flat", "--max-detections=5", "--columns", "batch,cx,cy,w,h,label,score"},
                       flat_export) != padded_bytes({"--from=flat", "--max-detections=5"}, flat_export));

    CHECK(written({"--from", "nms", "--max-detections", "5"}, selection_export).outputs == five);
    CHECK(padded_bytes({"--from", "nms", "--columns", "y1,x1,y2,x2"}, selection_export) !=
          padded_bytes({"--from", "nms"}, selection_export));
    CHECK(padded_bytes({"--from", "torchvision"}, two_images) == padded_bytes({}, two_images));
}

TEST_CASE("--from raw selects detections first, and finds Ultralytics' exports by itself")
{
    const std::string yolo = data + "raw/yolo_any_op12.onnx";
    const strings five = {"num_detections [batch, 1]", "boxes [batch, 5, 4]", "labels [batch, 5]", "scores [batch, 5]"};
    const written found({"--max-det", "5"}, yolo);
    CHECK(found.outputs == five);
    CAPTURE(found.report);
    CHECK(has(found.report, ": a raw head, yolo\n"));
    CHECK(padded_bytes({"--from=raw", "--max-detections=5"}, yolo) == padded_bytes({"--max-det=5"}, yolo));
    CHECK(padded_bytes({"--conf=0.25", "--iou-threshold=0.7"}, yolo) == padded_bytes({}, yolo));
    for (const strings& options : {strings{"--conf=0.5"}, strings{"--iou-threshold=0.5"}, strings{"--class-agnostic"},
                                   strings{"--multi-label"}, strings{"--nms=class-by-class"}, strings{"--classes=1"}}) {
        CHECK(padded_bytes(options, yolo) != padded_bytes({}, yolo));
    }
    CHECK(written({}, data + "raw/yolo_seg_any_op14.onnx").outputs ==
          strings{"num_detections [batch, 1]", "boxes [batch, 160, 4]", "labels [batch, 160]", "scores [batch, 160]",
                  "mask_coefficients [batch, 160, 8]", "mask_prototypes [batch, 8, 8, 10]"});
    CHECK(written({}, data + "raw/yolo_pose_b2_op13.onnx").outputs.back() == "keypoints [2, 160, 5, 3]");
    CHECK(written({"--from=raw", "--head=detr", "--scores=softmax"}, data + "raw/detr_logits_any_op14.onnx").outputs ==
          strings{"num_detections [batch, 1]", "boxes [batch, 160, 4]", "labels [batch, 160]", "scores [batch, 160]"});
}

TEST_CASE("--triton-repository writes a model that a server accepts")
{
    const temporary_folder folder;
    const auto run = [&](strings options) {
        options.insert(options.end(), {"--triton-repository", "models", "--model-name", "shapes", one_image});
        return run_command(options, {.folder = folder.path()});
    };
    const std::string config = folder.file("models/shapes/config.pbtxt");
    const std::string model = folder.file("models/shapes/1/model.onnx");

    const auto first = run({"--dynamic-batch"});
    CAPTURE(first.err);
    REQUIRE(first.exit_code == 0);
    CHECK(first.out.empty());
    CHECK(has(first.err, "wrote 'models/shapes'\n"));
    CHECK_FALSE(has(first.err, "warning: "));
    CHECK(read_file(model) == padded_bytes({"--dynamic-batch"}, one_image));
    CHECK(has(read_file(config), "max_batch_size: 8"));

    const auto again = run({"--dynamic-batch"});
    CHECK(again.exit_code == 3);
    CHECK(has(again.err, "--force"));
    CHECK(read_file(model) == padded_bytes({"--dynamic-batch"}, one_image));

    const auto larger = run({"--force", "--dynamic-batch", "--max-batch-size", "32", "--quiet"});
    CHECK(larger.exit_code == 0);
    CHECK(larger.err.empty());
    CHECK(has(read_file(config), "max_batch_size: 32"));

    const auto fixed = run({"--force"});
    CHECK(fixed.exit_code == 0);
    CHECK(has(fixed.err, "warning: the model takes exactly 1 image"));
    CHECK(has(read_file(config), "max_batch_size: 0"));
    const auto silent = run({"--force", "--quiet"});
    CHECK(silent.exit_code == 0);
    CHECK(silent.err.empty());
}

TEST_CASE("true and false are pad values of bool masks only")
{
    const std::string in = PADBATCH_TESTS_DATA "/mask_rcnn_tv029_b1_tensor_op17.onnx";
    const std::vector<std::string> as_bool{"--mask-type", "bool"};
    const auto with = [&](const std::string& value) {
        auto options = as_bool;
        options.insert(options.end(), {"--pad-value", "masks=" + value});
        return padded_bytes(options, in);
    };
    CHECK(with("true") == with("1"));
    CHECK(with("false") == with("0"));
    CHECK(with("true") != with("false"));
    const temporary_folder folder;
    const auto result = run_command({"--pad-value", "masks=true", in, folder.file("out.onnx")});
    CHECK(result.exit_code == 2);
    CHECK(has(result.err, "the masks of this model are float32"));
    CHECK_FALSE(std::filesystem::exists(folder.file("out.onnx")));
}
