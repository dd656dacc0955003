// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/cli/options.hpp>

#include <onnx_tools/cli/help.hpp>
#include <tests/support/check_failure.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <variant>
#include <vector>

using namespace padbatch::onnx_tools;
using namespace padbatch::test;
using padbatch::element_type;

namespace {

using strings = std::vector<std::string>;

cli::parsed parsed(const strings& arguments)
{
    std::vector<const char*> argv{"onnx-pad-outputs"};
    for (const auto& argument : arguments) {
        argv.push_back(argument.c_str());
    }
    return cli::parse(static_cast<int>(argv.size()), argv.data());
}

// The options of a command that names both files.
cli::options options(strings arguments)
{
    arguments.insert(arguments.end(), {"in.onnx", "out.onnx"});
    const auto result = parsed(arguments);
    REQUIRE(result.run);
    CHECK(result.print.empty());
    return *result.run;
}

void check_usage(const strings& arguments, const strings& words)
{
    check_failure(failure::usage, words, [&] { (void)parsed(arguments); });
}

} // namespace

TEST_CASE("without options everything is as the library has it")
{
    const auto o = options({});
    CHECK(o.in == "in.onnx");
    CHECK(o.out == "out.onnx");
    CHECK_FALSE((o.inspect || o.json || o.force || o.quiet || o.triton));
    CHECK(o.pad_words.empty());
    const auto& pad = o.rewrite.pad;
    CHECK(std::holds_alternative<model_limit>(pad.max_detections));
    CHECK(pad.exposed.empty());
    CHECK((pad.pad_values.empty() && pad.names.empty() && !pad.count_name && !pad.min_score && !pad.mask_type));
    CHECK((pad.masks == mask_choice::full && pad.layout == output_layout::torchvision));
    CHECK_FALSE((pad.count_type || pad.flat_counts || pad.label_type || pad.squeeze_masks || pad.dynamic_batch));
    const auto& recognise = o.rewrite.recognise;
    CHECK(recognise.from == export_kind::automatic);
    CHECK_FALSE((recognise.fields || recognise.batch || recognise.order || recognise.columns));
}

TEST_CASE("options of the padded outputs become values")
{
    CHECK(std::get<std::int64_t>(options({"--max-detections", "20"}).rewrite.pad.max_detections) == 20);
    CHECK(std::holds_alternative<largest_of_batch>(options({"--max-detections=batch"}).rewrite.pad.max_detections));
    const auto o = options({"--min-score",
                            "0.25",
                            "--pad-value",
                            "labels=9007199254740993",
                            "--pad-value=boxes=-0.5",
                            "--rename",
                            "boxes=b",
                            "--rename=num_detections=n",
                            "--dynamic-batch",
                            "--squeeze-masks",
                            "--masks=roi",
                            "--mask-type",
                            "bool",
                            "--mask-threshold=0.75",
                            "--layout",
                            "tf-od",
                            "--count-type=float32",
                            "--count-shape=Bx1",
                            "--label-type",
                            "int32"});
    const auto& pad = o.rewrite.pad;
    CHECK(pad.min_score == 0.25);
    CHECK(pad.pad_values == std::map<field, number>{{field::labels, std::int64_t{9007199254740993}}, // 2^53 + 1
                                                    {field::boxes, -0.5}});
    CHECK(pad.names == std::map<field, std::string>{{field::boxes, "b"}});
    CHECK(pad.count_name == "n");
    CHECK(pad.dynamic_batch);
    CHECK(pad.squeeze_masks);
    CHECK(pad.masks == mask_choice::roi);
    CHECK(pad.mask_type == element_type::boolean);
    CHECK(pad.mask_threshold == 0.75);
    CHECK(pad.layout == output_layout::tf_od);
    CHECK(pad.count_type == element_type::float32);
    CHECK(pad.flat_counts == false);
    CHECK(pad.label_type == element_type::int32);
    CHECK(options({"--count-shape", "B"}).rewrite.pad.flat_counts == true);
}

TEST_CASE("the layout is what outputs are turned to, by either name")
{
    CHECK(options({"--to", "yolov7"}).rewrite.pad.layout == output_layout::yolov7);
    CHECK(options({"--to=mmdeploy"}).rewrite.pad.layout == options({"--layout=mmdeploy"}).rewrite.pad.layout);
}

TEST_CASE("parameters are set by their names, or by those of constructors' arguments")
{
    const auto o =
        options({"--set", "box_score_thresh=0.25", "--set=rpn_post_nms_top_n_test=50", "--set", "nms_thresh=1"});
    CHECK(o.rewrite.pad.settings == std::map<parameter, number>{{parameter::score_thresh, 0.25},
                                                                {parameter::rpn_post_nms_top_n, std::int64_t{50}},
                                                                {parameter::nms_thresh, std::int64_t{1}}});
}

TEST_CASE("labels are whole numbers, to keep or to drop")
{
    CHECK(options({"--classes", "1,17,44"}).rewrite.pad.classes == class_choice{{1, 17, 44}, false});
    CHECK(options({"--exclude-classes=0"}).rewrite.pad.classes == class_choice{{0}, true});
    CHECK_FALSE(options({}).rewrite.pad.classes);
}

TEST_CASE("the words true and false are pad values that are remembered as words")
{
    const auto o = options({"--pad-value", "masks=true", "--pad-value", "labels=false", "--pad-value", "scores=1"});
    CHECK(o.rewrite.pad.pad_values == std::map<field, number>{{field::masks, std::int64_t{1}},
                                                              {field::labels, std::int64_t{0}},
                                                              {field::scores, std::int64_t{1}}});
    CHECK(o.pad_words == std::set{field::masks, field::labels});
}

TEST_CASE("options of recognition and of serving become values")
{
    const auto told = options({"--fields", "boxes,scores", "--batch=2", "--order", "field"}).rewrite.recognise;
    CHECK(told.fields == std::vector{field::boxes, field::scores});
    CHECK(told.batch == 2);
    CHECK(told.order == output_order::by_field);
    const auto flat = options({"--from", "nms", "--columns=y1,x1,y2,x2"}).rewrite.recognise;
    CHECK(flat.from == export_kind::nms);
    CHECK(flat.columns == std::vector{flat_column::y1, flat_column::x1, flat_column::y2, flat_column::x2});

    const strings serving{"--triton-repository", "models", "--model-name", "m", "in.onnx"};
    const auto o = *parsed(serving).run;
    REQUIRE(o.triton);
    CHECK(o.triton->repository == "models");
    CHECK(o.triton->model_name == "m");
    CHECK_FALSE(o.triton->overwrite);
    CHECK(o.triton->max_batch_size == triton_options().max_batch_size);
    CHECK(o.out.empty());
    auto more = serving;
    more.insert(more.end(), {"--force", "--max-batch-size", "0", "--quiet"});
    const auto forced = *parsed(more).run;
    CHECK(forced.triton->overwrite);
    CHECK(forced.triton->max_batch_size == 0);
    CHECK((forced.force && forced.quiet));
}

TEST_CASE("options of raw heads become values, by either name")
{
    const auto all = options({"--from=raw",
                              "--head",
                              "yolo-pose",
                              "--conf",
                              "0.4",
                              "--max-det=7",
                              "--iou-threshold",
                              "0.5",
                              "--nms",
                              "class-by-class",
                              "--multi-label",
                              "--num-classes",
                              "2",
                              "--keypoints",
                              "5x2",
                              "--strides",
                              "8,16",
                              "--scores",
                              "sigmoid",
                              "--image-size",
                              "480x640",
                              "--classes=1"})
                         .rewrite;
    const auto& head = all.recognise.head;
    CHECK(all.recognise.from == export_kind::raw);
    CHECK(head.kind == head_kind::yolo_pose);
    CHECK(head.score == 0.4);
    CHECK(all.pad.min_score == 0.4);
    CHECK(head.most == 7);
    CHECK(std::get<std::int64_t>(all.pad.max_detections) == 7);
    CHECK(head.iou_threshold == 0.5);
    CHECK(head.nms == suppression::class_by_class);
    CHECK((head.multi_label && !head.class_agnostic));
    CHECK(head.class_count == 2);
    CHECK(head.keypoints == std::pair<std::int64_t, std::int64_t>(5, 2));
    CHECK(head.strides == std::vector<std::int64_t>{8, 16});
    CHECK(head.activation == score_activation::sigmoid);
    CHECK(head.image_size == image_extents(480, 640));
    CHECK(head.classes == class_choice{{1}, false});
    const auto usual = options({"--min-score=0.3", "--max-detections=batch", "--strides=none", "--class-agnostic"});
    CHECK(usual.rewrite.recognise.head.score == 0.3);
    CHECK_FALSE(usual.rewrite.recognise.head.most);
    CHECK(usual.rewrite.recognise.head.strides == std::vector<std::int64_t>());
    CHECK(usual.rewrite.recognise.head.class_agnostic);
}

TEST_CASE("--help and --version print and run nothing")
{
    for (const strings& arguments : {strings{"--help"}, strings{"-h", "a", "b", "c"}}) {
        const auto result = parsed(arguments);
        CHECK_FALSE(result.run);
        CHECK(result.print == cli::help);
    }
    const auto version = parsed({"--version"});
    CHECK_FALSE(version.run);
    CHECK(version.print == "onnx-pad-outputs " PADBATCH_TESTS_PROJECT_VERSION "\n");
}

TEST_CASE("options that make no sense are misuse")
{
    CHECK(parsed({"--inspect", "--json", "in.onnx"}).run->json);
    check_usage({"--json", "in.onnx", "out.onnx"}, {"--json", "--inspect"});
    check_usage({}, {cli::usage});
    check_usage({"in.onnx"}, {"'in.onnx'", cli::usage});
    check_usage({"--inspect", "in.onnx", "out.onnx"}, {"--inspect", "'out.onnx'"});
    check_usage({"in.onnx", "out.onnx", "third"}, {"'third'"});
    check_usage({"in.onnx", "-"}, {"'-'", "./-"});
    check_usage({"--bach", "2", "in.onnx", "out.onnx"}, {"'--bach'", "--batch?"});
    check_usage({"--batch=", "in.onnx", "out.onnx"}, {"--batch"});
    check_usage({"--order", "image", "--order", "field", "in.onnx", "out.onnx"}, {"--order", "2"});
    check_usage({"--from", "nms", "--fields", "boxes", "in.onnx", "out.onnx"}, {"--fields", "--from nms"});
    check_usage({"--columns", "x1", "--fields", "boxes", "in.onnx", "out.onnx"}, {"--fields", "--columns"});
    check_usage({"--model-name", "m", "in.onnx", "out.onnx"}, {"--model-name", "--triton-repository"});
    check_usage({"--triton-repository", "d", "a b.onnx"}, {"--model-name a_b"});
    const auto after = parsed({"--", "--quiet", "--force"}).run; // names of files
    CHECK(after->in == "--quiet");
    CHECK(after->out == "--force");
    CHECK_FALSE((after->quiet || after->force));
}
