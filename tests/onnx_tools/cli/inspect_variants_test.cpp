// SPDX-License-Identifier: Apache-2.0
#include <tests/onnx_tools/cli/command.hpp>
#include <tests/support/parse_model.hpp>
#include <tests/support/run_command.hpp>
#include <tests/support/temporary_folder.hpp>

#include <onnx_tools/files/model_io.hpp>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <map>
#include <string>
#include <vector>

// What --inspect says about each way to write a model, and about models that are not rewritten.

namespace {

using namespace padbatch::test;
using nlohmann::json;
using strings = std::vector<std::string>;

const std::string features = data + "retinanet_tv029_b1_tensor_op18_features.onnx";
const std::string flat = data + "other/flat_pt113_any_op11_index_int64.onnx";
const std::string selection = data + "other/nms_pt113_any_op11_cxcywh.onnx";

std::string inspected(strings options, const std::string& model)
{
    options.insert(options.begin(), "--inspect");
    options.push_back(model);
    const auto result = run_command(options);
    CAPTURE(result.err);
    REQUIRE(result.exit_code == 0);
    CHECK(result.err.empty());
    return result.out;
}

json inspected_json(strings options, const std::string& model)
{
    options.emplace_back("--json");
    return json::parse(inspected(options, model));
}

strings steps_of(const strings& options, const std::string& model)
{
    return inspected_json(options, model).at("rewrite").at("steps");
}

strings names_of(const json& report)
{
    strings names;
    for (const auto& output : report.at("outputs")) {
        names.push_back(output.at("name"));
    }
    return names;
}

} // namespace

TEST_CASE("--inspect shows a dynamic batch")
{
    const auto text = inspected({"--dynamic-batch"}, one_image);
    CAPTURE(text);
    for (const char* words :
         {": Mask R-CNN, 1 image\n", "\nserving the model as it is\n  - the model takes exactly 1 image ",
          "  num_detections  int32    [batch, 1]                                 4 B x batch\n",
          "  boxes           float32  [batch, 10, 4]                             160 B x batch\n",
          "40 B x batch x masks_height x masks_width\n", "  repeats the graph for each image of the batch, in a Loop\n",
          "  writes the counts to num_detections, int32 [batch, 1]\n", "\nserving the result\n  nothing to report\n"}) {
        CAPTURE(words);
        CHECK(has(text, words));
    }
    const auto found = inspected_json({"--dynamic-batch"}, one_image);
    CHECK(found.at("batch") == 1);
    CHECK(found.at("dynamic_batch") == true);
    CHECK(found.at("output_batch") == "batch");
    CHECK(found.at("outputs")[1].at("shape") == json{"batch", 10, 4});
    CHECK(found.at("outputs")[1].at("bytes") == 160);
    CHECK(found.at("serving_warnings").at("as_it_is").size() == 2);
    CHECK(found.at("serving_warnings").at("result").empty());

    const auto fixed = inspected_json({}, one_image);
    CHECK(fixed.at("dynamic_batch") == false);
    CHECK(fixed.at("output_batch") == 1);
    CHECK(fixed.at("serving_warnings").at("result").size() == 1);
}

TEST_CASE("--inspect shows a dynamic batch that is padded to the largest count, and outputs that are stacked")
{
    CHECK(steps_of({"--dynamic-batch", "--max-detections=batch"}, one_image) ==
          strings{"repeats the graph for each image of the batch, in a Loop",
                  "pads every image to 10 rows in the Loop, and then cuts to the largest count in the batch",
                  "writes the counts to num_detections, int32 [batch, 1]"});
    const auto text = inspected({"--dynamic-batch"}, features);
    CAPTURE(text);
    CHECK(has(text, "  other output: 'features'\n"));
    CHECK(has(text, "  stacks 1 other output, image by image\n"));
    CHECK(has(text, "\n  features        float32  [batch, 8, "));
    CHECK(has(inspected({}, features), "  other output: 'features', kept as it is\n"));
}

TEST_CASE("--inspect shows how large masks of one image are")
{
    const temporary_folder folder;
    auto model = padbatch::onnx_tools::load_model(one_image);
    auto& shape = *model.mutable_graph()->mutable_input(0)->mutable_type()->mutable_tensor_type()->mutable_shape();
    shape.mutable_dim(2)->set_dim_value(480);
    shape.mutable_dim(3)->set_dim_value(640);
    padbatch::onnx_tools::save_model(model, folder.file("sized.onnx"));
    const auto text = inspected({"--dynamic-batch", "--max-detections", "3000"}, folder.file("sized.onnx"));
    CAPTURE(text);
    CHECK(has(text, "11.7 KiB x batch x masks_height x masks_width = 3.4 GiB per image\n"));
    CHECK(has(text, "warning: the output 'masks' has 3.4 GiB per image at the size that the inputs declare;\n"));
    const auto found = inspected_json({"--dynamic-batch", "--max-detections", "3000"}, folder.file("sized.onnx"));
    CHECK(found.at("outputs")[4].at("bytes") == 3000LL * 480 * 640 * 4);
}

TEST_CASE("--inspect shows what becomes of masks")
{
    const auto roi = inspected_json({"--masks=roi"}, one_image);
    CHECK(roi.at("masks") == "roi");
    CHECK(roi.at("outputs")[4].at("shape") == json{1, 10, 1, 28, 28});
    CHECK(roi.at("outputs")[4].at("bytes") == 10 * 28 * 28 * 4);
    CHECK(has(inspected({"--masks=roi"}, one_image),
              "  keeps the masks that the mask head makes for the region of each box, and does not paste them\n"));

    const auto none = inspected_json({"--masks=none"}, one_image);
    CHECK(none.at("masks") == "none");
    CHECK(names_of(none) == strings{"num_detections", "boxes", "labels", "scores"});
    CHECK(none.at("rewrite").at("steps")[0] == "leaves masks out");

    const auto bytes = inspected_json({"--mask-type=uint8", "--squeeze-masks", "--mask-threshold=0.4"}, one_image);
    CHECK(bytes.at("masks") == "full");
    CHECK(bytes.at("mask_threshold") == 0.4);
    CHECK(bytes.at("outputs")[4].at("type") == "uint8");
    CHECK(bytes.at("rewrite").at("steps") == strings{"writes masks as uint8, 1 where they are at least 0.4",
                                                     "drops the 1 in masks [n, 1, H, W]", "pads every image to 10 rows",
                                                     "writes the counts to num_detections, int32 [1, 1]"});
    CHECK(steps_of({"--mask-type=bool"}, one_image)[0] == "writes masks as bool, true where they are at least 0.5");
    CHECK(inspected_json({}, features).at("masks").is_null());
}

TEST_CASE("--inspect shows the model's parameters, and what they are set to")
{
    const auto found = inspected_json({"--set=nms_thresh=0.25", "--set=rpn_post_nms_top_n=50"}, one_image);
    CHECK(found.at("parameters")[1] == nlohmann::json{{"name", "score_thresh"},
                                                      {"value", static_cast<double>(0.37495F)},
                                                      {"now", static_cast<double>(0.37495F)},
                                                      {"places", 1}});
    CHECK(found.at("parameters")[2] ==
          nlohmann::json{{"name", "nms_thresh"}, {"value", 0.5}, {"now", 0.25}, {"places", 1}});
    CHECK(found.at("parameters").size() == 7);
    CHECK(found.at("fixed_parameters").empty());
    CHECK(found.at("rewrite").at("steps")[0] == "sets nms_thresh, 0.5, to 0.25 in 1 place");
    CHECK(found.at("rewrite").at("steps")[1] == "sets rpn_post_nms_top_n, 120, to 50 in 1 place");

    const auto limit = inspected_json({"--set=detections_per_img=4", "--max-detections=batch"}, one_image);
    CHECK(limit.at("limit").at("now") == 4);
    CHECK(limit.at("limit").at("moved") == true);
    CHECK(limit.at("max_detections") == "batch");
    CHECK(limit.at("rewrite").at("steps")[0] ==
          "sets the limit of the model, 10 rows of each image, to 4: the other rows are not computed");

    const std::string optimised = data + "mask_rcnn_tv029_b2_tensor_op17_onnxruntime.onnx";
    const std::string folded =
        "it is folded with the number of rows into one number, 200, which TopK '/rpn/TopK' reads";
    CHECK(inspected_json({}, optimised).at("fixed_parameters") ==
          nlohmann::json::array({{{"name", "rpn_pre_nms_top_n"}, {"why", folded}}}));
    const auto text = inspected({}, optimised);
    CHECK(text.find("  --set nms_thresh=: 0.5, read in 2 places\n") != std::string::npos);
    CHECK(text.find("  rpn_pre_nms_top_n cannot be set: " + folded + "\n") != std::string::npos);
}

TEST_CASE("--inspect shows rows that are dropped and cut")
{
    CHECK(steps_of({"--min-score=0.99", "--max-detections=1", "--pad-value=scores=-1"}, features) ==
          strings{"sets the limit of the model, 300 rows of each image, to 1: the other rows are not computed",
                  "drops rows whose score is below 0.99, where the model cuts them", "pads every image to 1 row",
                  "fills the padding of scores with -1", "writes the counts to num_detections, int32 [1, 1]",
                  "keeps 1 other output"});
    CHECK(steps_of({"--classes=1,3"}, features)[0] == "keeps only rows of the labels 1, 3, before the limit");
    CHECK(steps_of({"--exclude-classes=2"}, features)[0] == "drops rows of the labels 2, before the limit");
    const auto chosen = inspected_json({"--exclude-classes=2"}, features);
    CHECK(chosen.at("exclude_classes") == nlohmann::json{2});
    CHECK(chosen.at("classes").is_null());
    CHECK(chosen.at("rewrite").at("classes_at_cut") == true);
    const auto raised = steps_of({"--min-score=0.3", "--set=score_thresh=0.5"}, features);
    CHECK(raised[1] == "drops rows whose score is below 0.3, where the model cuts them; the model already drops those "
                       "below 0.5, which --set score_thresh=T changes");
    const auto idle = steps_of({"--min-score=0.01"}, features).front();
    CHECK(idle.find(
              "drops rows whose score is below 0.01, where the model cuts them; the model already drops those below "
              "0.") == 0);
    CHECK(inspected_json({"--min-score=0.6"}, features).at("min_score") == 0.6);
    CHECK(inspected_json({"--min-score=0.6"}, features).at("rewrite").at("min_score_at_cut") == true);
    CHECK(inspected_json({}, features).at("rewrite").at("min_score_at_cut") == false);
    CHECK(inspected_json({}, features).at("min_score").is_null());
}

TEST_CASE("--inspect shows each layout")
{
    struct expectation {
        strings names;
        strings steps; ///< some of them
    };
    const std::map<std::string, expectation> layouts = {
        {"torchvision", {{"num_detections", "boxes", "labels", "scores", "masks"}, {}}},
        {"efficientnms",
         {{"num_detections", "detection_boxes", "detection_scores", "detection_classes", "detection_masks"},
          {"converts labels to int32", "drops the 1 in masks [n, 1, H, W]"}}},
        {"yolov7", {{"num_dets", "det_boxes", "det_scores", "det_classes", "masks"}, {"converts labels to int32"}}},
        {"mmdeploy",
         {{"dets", "labels", "masks"},
          {"fills the padding of labels with -1", "joins boxes, scores into dets along the last dimension",
           "writes no counts: the layout mmdeploy has none"}}},
        {"tf-od",
         {{"num_detections", "detection_boxes", "detection_classes", "detection_scores", "detection_masks"},
          {"writes boxes as y1, x1, y2, x2, divided by the height and width of the image",
           "converts labels to float32"}}},
        {"ultralytics",
         {{"output0", "masks"},
          {"converts labels to float32", "joins boxes, scores, labels into output0 along the last dimension",
           "writes no counts: the layout ultralytics has none"}}},
    };
    for (const auto& entry : layouts) {
        const auto& layout = entry.first;
        const auto& expected = entry.second;
        CAPTURE(layout);
        const auto found = inspected_json({"--to", layout}, one_image);
        CHECK(found.at("layout") == layout);
        CHECK(names_of(found) == expected.names);
        const auto text = inspected({"--to", layout}, one_image);
        CAPTURE(text);
        for (const auto& step : expected.steps) {
            CAPTURE(step);
            CHECK(has(text, "\n  " + step + "\n"));
        }
        for (const auto& name : expected.names) {
            CHECK(has(text, "\n  " + name + " "));
        }
    }
    const auto joined = inspected_json({"--to=ultralytics", "--pad-value=labels=-1"}, one_image).at("outputs")[0];
    CHECK(joined.at("field") == "boxes");
    CHECK(joined.at("fields") == strings{"boxes", "scores", "labels"});
    CHECK(joined.at("pad_values") == strings{"0", "0", "-1"});
    CHECK(joined.at("shape") == json{1, 10, 6});
    CHECK(joined.at("bytes") == 240);
}

TEST_CASE("--inspect shows rows of all images")
{
    const auto text = inspected({"--from=flat", "--max-detections=40"}, flat);
    CAPTURE(text);
    for (const char* words :
         {"  rows               'detections'\n", "  columns            x1, y1, x2, y2, score, label\n",
          "  image of each row  'batch_index'\n", "  number of images   that of 'images'\n",
          "  boxes           float32  [batch, 40, 4]  640 B x batch\n",
          "  gives each image its rows of the list, in descending order of score\n"}) {
        CAPTURE(words);
        CHECK(has(text, words));
    }
    const auto found = inspected_json({"--from=flat"}, flat);
    CHECK(found.at("flat") == json{{"rows", "detections"},
                                   {"columns", {"x1", "y1", "x2", "y2", "score", "label"}},
                                   {"batch_index", "batch_index"},
                                   {"row_labels", nullptr},
                                   {"row_scores", nullptr},
                                   {"row_fields", json::object()},
                                   {"boxes", nullptr},
                                   {"scores", nullptr},
                                   {"batch_input", "images"}});
    CHECK(found.at("images").empty());
    CHECK(found.at("batch").is_null());
    CHECK(found.at("order").is_null());
    CHECK(found.at("dynamic_batch") == true);
    CHECK(found.at("output_batch") == "batch");
    CHECK(found.at("needs_max_detections") == true);
    CHECK(inspected_json({}, one_image).at("flat").is_null());
    CHECK(has(inspected({"--from=flat"}, data + "other/flat_pt113_any_op12_end2end.onnx"),
              "  image of each row  the column batch\n"));
}

TEST_CASE("--inspect shows what is selected from boxes and scores")
{
    const auto text = inspected({"--from=nms"}, selection);
    CAPTURE(text);
    for (const char* words : {"  selection         'selected_indices'\n", "  boxes             'boxes'\n",
                              "  columns           cx, cy, w, h\n", "  scores            'scores'\n",
                              "cut by NonMaxSuppression", "  converts boxes from cx, cy, w, h to x1, y1, x2, y2\n"}) {
        CAPTURE(words);
        CHECK(has(text, words));
    }
    CHECK(inspected_json({"--from=nms"}, selection).at("flat").at("scores") == "scores");
}

TEST_CASE("--inspect shows a raw head, and what is selected from it")
{
    const auto pose = data + "raw/yolo_pose_b2_op13.onnx";
    const auto text = inspected({}, pose);
    CAPTURE(text);
    for (const char* words :
         {": a raw head, yolo-pose\n", "  form: raw, since the metadata names 3 classes",
          "  keypoints          their keypoints\n", "  decodes the boxes and scores of the head yolo-pose\n",
          "  takes the best class of an anchor if its score is above 0.25\n",
          "  drops boxes that overlap more than 0.7 with a better one of their class, which is moved apart from "
          "others\n",
          "  selects the best 160 rows of each image\n"}) {
        CAPTURE(words);
        CHECK(has(text, words));
    }
    CHECK(inspected_json({"--conf=0.5", "--multi-label"}, pose).at("head") == json{{"kind", "yolo-pose"},
                                                                                   {"score", 0.5},
                                                                                   {"iou_threshold", 0.7},
                                                                                   {"max_detections", 300},
                                                                                   {"nms", "shifted"},
                                                                                   {"class_agnostic", false},
                                                                                   {"multi_label", true}});
    const auto detr = inspected_json({"--from=raw", "--head=detr", "--scores=sigmoid", "--exclude-classes=0"},
                                     data + "raw/detr_logits_any_op14.onnx");
    CHECK(detr.at("head") == json{{"kind", "detr"},
                                  {"score", nullptr},
                                  {"iou_threshold", nullptr},
                                  {"max_detections", 160},
                                  {"nms", "none"},
                                  {"class_agnostic", false},
                                  {"multi_label", true}});
    CHECK(detr.at("rewrite").at("steps") ==
          json{"decodes the boxes and scores of the head detr", "leaves out the labels 0",
               "takes every class of an anchor", "selects the best 160 rows of each image",
               "gives each image its rows of the list, in descending order of score", "pads every image to 160 rows",
               "writes the counts to num_detections, int32 [batch, 1]"});
    CHECK(inspected_json({}, features).at("head").is_null());
    const auto segments = inspected_json({}, data + "raw/yolo_seg_any_op14.onnx");
    CHECK(names_of(segments).back() == "mask_coefficients");
    CHECK(segments.at("other_outputs") == json{"mask_prototypes"});
}

TEST_CASE("--inspect shows the outputs of a model that is not rewritten, and what a server makes of them")
{
    const temporary_folder folder;
    const std::string model = folder.file("padded.onnx");
    REQUIRE(run_command({one_image, model}).exit_code == 0);
    const auto text = run_command({"--inspect", model});
    CHECK(text.exit_code == 5);
    CHECK(has(text.err, "onnx-pad-outputs: the model is already padded"));
    CHECK(has(text.out, model + "\n\noutputs\n  num_detections  int32    [1, 1]\n"));
    CHECK(has(text.out, "\nserving the model as it is\n  - the model takes exactly 1 image "));

    const auto result = run_command({"--inspect", "--json", model});
    CHECK(result.exit_code == 5);
    const auto found = json::parse(result.out);
    CHECK(found.at("schema") == 1);
    CHECK(found.at("file") == model);
    CHECK(has(found.at("error"), "the model is already padded"));
    CHECK(found.at("declared_outputs")[1] == json{{"name", "boxes"}, {"type", "float32"}, {"shape", {1, 10, 4}}});
    CHECK(found.at("serving_warnings").at("as_it_is").size() == 1);
    CHECK_FALSE(found.contains("outputs"));

    // Not detections at all.
    padbatch::onnx_tools::save_model(
        parse_model(
            "<ir_version: 7, opset_import: [\"\" : 13]> g (float[batch,3,8,8] images) => (float[batch,k] logits) "
            "{ logits = Flatten(images) }"),
        folder.file("classifier.onnx"));
    const auto other = run_command({"--inspect", folder.file("classifier.onnx")});
    CHECK(other.exit_code == 5);
    CHECK(has(other.err, "not recognised as detections"));
    CHECK(has(other.out, "\n  logits  float32  [batch, k]\n\nserving the model as it is\n  nothing to report\n"));

    // Recognised, but refused because of what is asked for.
    const auto two = run_command({"--inspect", "--dynamic-batch", data + "mask_rcnn_tv029_b2_list_op18.onnx"});
    CHECK(two.exit_code == 5);
    CHECK(has(two.out, "the model takes exactly 2 images"));

    // Only the error is printed for an option that makes no sense.
    const auto misused = run_command({"--inspect", "--min-score=2", one_image});
    CHECK(misused.exit_code == 2);
    CHECK(misused.out.empty());
}
