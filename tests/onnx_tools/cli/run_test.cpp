// SPDX-License-Identifier: Apache-2.0
#include <tests/onnx_tools/cli/command.hpp>
#include <tests/support/run_command.hpp>
#include <tests/support/temporary_folder.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace {

using namespace padbatch::test;

const std::string by_field = PADBATCH_TESTS_DATA "/keypoint_rcnn_tv014_b2_list_op13_field.onnx";

std::size_t longest_line(const std::string& text)
{
    std::size_t longest = 0;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        longest = std::max(longest, line.size());
    }
    return longest;
}

} // namespace

TEST_CASE("a plain run writes the padded model and says on standard error what it did")
{
    const temporary_folder folder;
    const std::string before = read_file(two_images);
    const auto report = padded({}, two_images, folder.file("out.onnx"));
    CAPTURE(report);
    for (const char* words :
         {"Mask R-CNN, 2 images, outputs image by image", "\nbefore\n", "onnx::Shape_1832  int64", "boxes.71",
          "\nafter\n", "num_detections  int32    [2, 1]", "boxes           float32  [2, 100, 4]", "3200 B",
          "masks           float32  [2, 100, 1, masks_height, masks_width]  800 B x masks_height x masks_width",
          "\nwrote '", "out.onnx'\n"}) {
        CAPTURE(words);
        CHECK(has(report, words));
    }
    CHECK(report.find("\nbefore\n") < report.find("\nafter\n"));
    CHECK_FALSE(has(report, "warning"));
    CHECK(folder.names() == std::set<std::string>{"out.onnx"});
    CHECK(read_file(two_images) == before);
    CHECK(outputs_of(folder.file("out.onnx")) ==
          std::vector<std::string>{"num_detections [2, 1]", "boxes [2, 100, 4]", "labels [2, 100]", "scores [2, 100]",
                                   "masks [2, 100, 1, masks_height, masks_width]"});
}

TEST_CASE("--quiet prints nothing")
{
    const temporary_folder folder;
    CHECK(padded({"--quiet", "--max-detections", "2000000000"}, two_images, folder.file("out.onnx")).empty());
}

TEST_CASE("--version is the project's version")
{
    const auto result = run_command({"--version"});
    CHECK(result.exit_code == 0);
    CHECK(result.out == "onnx-pad-outputs " PADBATCH_TESTS_PROJECT_VERSION "\n");
    CHECK(result.err.empty());
}

TEST_CASE("--help names every option, shows examples and fits a terminal")
{
    const auto result = run_command({"--help"});
    CHECK(result.exit_code == 0);
    CHECK(result.err.empty());
    for (const char* words : {"Usage: onnx-pad-outputs [OPTIONS] IN.onnx OUT.onnx\n",
                              "--max-detections N|batch",
                              "--pad-value FIELD=VALUE",
                              "--rename FIELD=NAME",
                              "--inspect",
                              "--json",
                              "--force",
                              "--quiet",
                              "--version",
                              "-h, --help",
                              "--fields boxes,labels,...",
                              "--batch B",
                              "--order image|field",
                              "keypoints_scores",
                              "--min-score S",
                              "--classes L,L,...",
                              "--exclude-classes L,L,...",
                              "--masks full|roi|none",
                              "--mask-type float|uint8|bool",
                              "--mask-threshold T",
                              "--squeeze-masks",
                              "--dynamic-batch",
                              "--to NAME",
                              "--count-type TYPE",
                              "--count-shape B|Bx1",
                              "--label-type TYPE",
                              "--triton-repository DIR",
                              "--model-name NAME",
                              "--max-batch-size N",
                              "--from FORM",
                              "--count-output NAME",
                              "--box-format FORMAT",
                              "--normalized",
                              "--per-image-input NAME",
                              "--shared-input NAME",
                              "--columns x1,y1,...",
                              "\nWhat comes out:\n",
                              "\nMasks:\n",
                              "\nBatch:\n",
                              "\nLayout:\n",
                              "\nServing:\n",
                              "\nWhen recognition fails, or you know better:\n",
                              "\nThe command:\n",
                              "\n\nExamples:\n  onnx-pad-outputs ",
                              "Exit codes: 0 done; 1 "}) {
        CAPTURE(words);
        CHECK(has(result.out, words));
    }
    CHECK(longest_line(result.out) <= 100);
    CHECK(run_command({"-h"}).out == result.out);
    CHECK(run_command({"--inspect", "-h", "a", "b", "c"}).out == result.out);
}

TEST_CASE("--max-detections sets the number of rows")
{
    const temporary_folder folder;
    padded({"--max-detections", "7"}, two_images, folder.file("few.onnx"));
    CHECK(outputs_of(folder.file("few.onnx"))[1] == "boxes [2, 7, 4]");
    padded({"--max-detections=500"}, two_images, folder.file("many.onnx"));
    CHECK(outputs_of(folder.file("many.onnx"))[1] == "boxes [2, 500, 4]");
    const auto report = padded({"--max-detections", "batch"}, two_images, folder.file("batch.onnx"));
    CHECK(has(report, "boxes           float32  [2, max_detections, 4]"));
    CHECK(has(report, "32 B x max_detections\n"));
    CHECK(outputs_of(folder.file("batch.onnx"))[1] == "boxes [2, max_detections, 4]");
    CHECK(metadata_of(folder.file("batch.onnx"))["padbatch.max_detections"] == "batch");
    CHECK(metadata_of(folder.file("few.onnx"))["padbatch.max_detections"] == "7");
}

TEST_CASE("outputs over 2 GiB are warned of")
{
    const temporary_folder folder;
    const auto report = padded({"--max-detections", "2000000000"}, two_images, folder.file("out.onnx"));
    CAPTURE(report);
    for (const char* name : {"boxes", "labels", "scores"}) {
        CHECK(has(report, std::string("warning: the output '") + name + "' has "));
    }
    CHECK(has(report, "boxes           float32  [2, 2000000000, 4]                             59.6 GiB"));
    CHECK_FALSE(has(report, "warning: the output 'masks'")); // its height and width are not known
    CHECK(has(report, "--max-detections batch, makes it smaller"));
}

TEST_CASE("--pad-value fills the padding of its field only")
{
    const auto zero = padded_bytes({}, two_images);
    CHECK(padded_bytes({"--pad-value", "labels=0"}, two_images) == zero);
    const auto filled = padded_bytes({"--pad-value", "labels=-1", "--pad-value=scores=-0.5"}, two_images);
    CHECK(filled != zero);
    CHECK(padded_bytes({"--pad-value", "scores=-0.5", "--pad-value", "labels=-1"}, two_images) == filled);
    CHECK(padded_bytes({"--pad-value", "boxes=nan"}, two_images) != zero);
}

TEST_CASE("--rename names the outputs")
{
    const temporary_folder folder;
    const auto report = padded({"--rename", "boxes=detection_boxes", "--rename", "num_detections=how many",
                                "--rename=scores=labels", "--rename", "labels=classes=x"},
                               two_images, folder.file("out.onnx"));
    CHECK(outputs_of(folder.file("out.onnx")) ==
          std::vector<std::string>{"how many [2, 1]", "detection_boxes [2, 100, 4]", "classes=x [2, 100]",
                                   "labels [2, 100]", "masks [2, 100, 1, masks_height, masks_width]"});
    CHECK(has(report, "how many         int32"));
    const auto metadata = metadata_of(folder.file("out.onnx"));
    CHECK(metadata.at("padbatch.count") == "how many");
    CHECK(metadata.at("padbatch.fields") == "boxes=detection_boxes,labels=classes=x,scores=labels,masks=masks");
}

TEST_CASE("options given by hand give the bytes that recognition gives")
{
    CHECK(padded_bytes({"--fields", "boxes,labels,scores,masks", "--batch", "2", "--order", "image"}, two_images) ==
          padded_bytes({}, two_images));
    CHECK(padded_bytes({"--fields=boxes,labels,scores,keypoints,keypoints_scores", "--batch=2", "--order=field"},
                       by_field) == padded_bytes({}, by_field));
    CHECK(padded_bytes({"--batch", "2"}, by_field) == padded_bytes({"--order", "field"}, by_field));
}

TEST_CASE("--force replaces an existing file")
{
    const temporary_folder folder;
    write_file(folder.file("out.onnx"), "old");
    CHECK(run_command({two_images, folder.file("out.onnx")}).exit_code == 3);
    CHECK(read_file(folder.file("out.onnx")) == "old");
    padded({"--force"}, two_images, folder.file("out.onnx"));
    CHECK(read_file(folder.file("out.onnx")) == padded_bytes({}, two_images));
    CHECK(folder.names() == std::set<std::string>{"out.onnx"});
}

TEST_CASE("options may come after the files, and files may have any name")
{
    const temporary_folder folder;
    std::filesystem::copy_file(two_images, folder.file("-in.onnx"));
    const std::string expected = padded_bytes({"--max-detections", "3"}, two_images);
    const std::string odd = "a\nname 'of' \"its\" own =;*";
    const command_setting here{.folder = folder.path()};
    const std::vector<std::vector<std::string>> commands = {
        {two_images, "after.onnx", "--max-detections", "3"},
        {two_images, "--max-detections", "3", "between.onnx", "--quiet"},
        {"--max-detections", "3", "--", "-in.onnx", "-out.onnx"},
        {"--max-detections", "3", "./-in.onnx", odd},
        {"--max-detections", "3", "./-in.onnx", "--", "--force"},
    };
    for (const auto& command : commands) {
        const auto result = run_command(command, here);
        CAPTURE(result.err);
        CHECK(result.exit_code == 0);
    }
    CHECK(folder.names() ==
          std::set<std::string>{"-in.onnx", "-out.onnx", "--force", odd, "after.onnx", "between.onnx"});
    for (const char* name : {"-out.onnx", "--force", odd.c_str(), "after.onnx", "between.onnx"}) {
        CHECK(read_file(folder.file(name)) == expected);
    }
}

TEST_CASE("closed and full streams do no harm")
{
    const temporary_folder folder;
    const auto run = [&](const std::vector<std::string>& arguments, command_setting setting) {
        setting.folder = folder.path();
        return run_command(arguments, setting);
    };
    CHECK(run({two_images, "1.onnx"}, {.close_out = true}).exit_code == 0);
    CHECK(run({two_images, "2.onnx"}, {.close_err = true}).exit_code == 0);
    CHECK(run({two_images, "3.onnx"}, {.close_out = true, .close_err = true}).exit_code == 0);
    for (const char* name : {"1.onnx", "2.onnx", "3.onnx"}) {
        CHECK(read_file(folder.file(name)) == padded_bytes({}, two_images));
    }
    CHECK(run({"--version"}, {.close_out = true}).exit_code == 3);
    const auto full = run({"--inspect", two_images}, {.full_out = true});
    CHECK(full.exit_code == 3);
    CHECK(has(full.err, "cannot write to standard output: No space left on device\n  expected: "));
}

TEST_CASE("pipes without a reader do no harm")
{
    const temporary_folder folder;
    const auto written =
        run_command({two_images, "out.onnx"}, {.folder = folder.path(), .unread_out = true, .unread_err = true});
    CHECK(written.exit_code == 0);
    CHECK(read_file(folder.file("out.onnx")) == padded_bytes({}, two_images));
    CHECK(run_command({"absent.onnx", "new.onnx"}, {.folder = folder.path(), .unread_err = true}).exit_code == 3);
    for (const char* option : {"--inspect", "--help"}) {
        const auto unread = run_command({option, two_images}, {.unread_out = true});
        CHECK(unread.exit_code == 3);
        CHECK(has(unread.err, "cannot write to standard output: Broken pipe\n  expected: "));
    }
}
