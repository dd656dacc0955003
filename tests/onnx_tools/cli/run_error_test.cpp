// SPDX-License-Identifier: Apache-2.0
#include <tests/onnx_tools/cli/command.hpp>
#include <tests/onnx_tools/cli/command_errors.hpp>
#include <tests/support/parse_model.hpp>
#include <tests/support/run_command.hpp>
#include <tests/support/small_detector.hpp>
#include <tests/support/temporary_folder.hpp>

#include <onnx_tools/files/model_io.hpp>

#include <doctest/doctest.h>

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#if defined(__SANITIZE_ADDRESS__)
#define PADBATCH_TESTS_SANITIZED
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define PADBATCH_TESTS_SANITIZED
#endif
#endif

namespace {

using namespace padbatch::test;
namespace fs = std::filesystem;

} // namespace

TEST_CASE("errors: the files")
{
    const temporary_folder folder;
    fs::copy_file(two_images, folder.file("in.onnx"));
    check_errors(
        folder, 2,
        {
            {{}, {"no model is named", "onnx-pad-outputs [OPTIONS] IN.onnx OUT.onnx", "--help"}},
            {{""}, {"no model is named"}},
            {{"in.onnx"}, {"only 'in.onnx' is named", "--inspect"}},
            {{"in.onnx", ""}, {"only 'in.onnx' is named"}},
            {{"in.onnx", "a", "b"}, {"more than two files are named: 'in.onnx', 'a', 'b'\n", "quotes"}},
            {{"in.onnx", "a", "--", "-b", "c"}, {"more than two files are named: 'in.onnx', 'a', '-b', 'c'\n"}},
            {{"--inspect"}, {"no model is named", "onnx-pad-outputs --inspect [OPTIONS] IN.onnx"}},
            with({"--inspect"}, {"--inspect writes nothing, but 'out.onnx' is named"}),
            {{"--inspect", "in.onnx", "a", "b"}, {"more than two files"}},
            with({"--json"}, {"--json is given without --inspect"}),
            {{"--json", "in.onnx"}, {"--json is given without --inspect"}},
            {{"in.onnx", "-"}, {"'-' is named as the file to write", "./-"}},
            {{"-", "out.onnx"}, {"'-' is named as the file to read", "./-"}},
            {{"--inspect", "-"}, {"'-' is named as the file to read", "./-"}},
        });
}

TEST_CASE("errors: options that are unknown or have no value")
{
    const temporary_folder folder;
    fs::copy_file(two_images, folder.file("in.onnx"));
    check_errors(
        folder, 2,
        {
            with({"--nothing-like-this"}, {"there is no option '--nothing-like-this'", "--help lists the options"}),
            with({"--max-detection", "5"}, {"there is no option '--max-detection'", "did you mean --max-detections?"}),
            with({"--max_detections=5"}, {"there is no option '--max_detections'", "did you mean --max-detections?"}),
            with({"-max-detections", "5"}, {"no option '-max-detections'", "did you mean --max-detections?"}),
            with({"--pad", "labels=1"}, {"there is no option '--pad'", "did you mean --pad-value?"}),
            with({"--Force"}, {"there is no option '--Force'", "did you mean --force?"}),
            with({"-q"}, {"there is no option '-q'"}),
            {{"-in.onnx", "out.onnx"}, {"there is no option '-in.onnx'", "./-in.onnx"}},
            {{"in.onnx", "out.onnx", "--max-detections"}, {"--max-detections has no value"}},
            {{"in.onnx", "out.onnx", "--pad-value"}, {"--pad-value has no value"}},
            {{"in.onnx", "out.onnx", "--fields"}, {"--fields has no value"}},
            with({"--max-detections="}, {"--max-detections has no value", "a value after --max-detections"}),
            with({"--pad-value="}, {"--pad-value has no value"}),
            with({"--rename="}, {"--rename has no value"}),
            with({"--fields="}, {"--fields has no value"}),
            with({"--order="}, {"--order has no value"}),
            {{"in.onnx", "out.onnx", "--batch="}, {"--batch has no value"}},
            {{"in.onnx", "out.onnx", "--", "--batch="}, {"more than two files", "'--batch='"}},
            with({"--quiet=perhaps"}, {"--quiet = perhaps", "without a value"}),
        });
}

TEST_CASE("errors: numbers and words")
{
    const temporary_folder folder;
    fs::copy_file(two_images, folder.file("in.onnx"));
    std::vector<error_case> cases = {
        with({"--max-detections", ""}, {"--max-detections has no value"}),
        with({"--max-detections"}, {"--max-detections is 'in.onnx'"}),
        with({"--max-detections", "5", "--max-detections", "6"}, {"--max-detections is given 2 times"}),
        with({"--classes", "1,person"}, {"--classes is 'person'", "1,17,44"}),
        with({"--classes", "1,,2"}, {"--classes is ''"}),
        with({"--exclude-classes", "-1"}, {"--exclude-classes is '-1'"}),
        with({"--exclude-classes", "3,3"}, {"--exclude-classes names the label 3 twice"}),
        with({"--classes", "1", "--exclude-classes", "2"}, {"together with --exclude-classes"}),
        with({"--batch", ""}, {"--batch has no value"}),
        with({"--batch", "2", "--batch=2"}, {"--batch is given 2 times"}),
        with({"--order", ""}, {"--order has no value"}),
        with({"--order", "images"}, {"--order is 'images'", "image or field"}),
        with({"--batch", "3"}, {"batch of 3"}),
        with({"--order", "field"}, {"field by field"}),
    };
    for (const char* number :
         {"0", "-1", "abc", "1.5", "1e3", "0x10", "+5", " 5", "5 ", "Batch", "99999999999", "2147483648"}) {
        const std::string text = number;
        cases.push_back(
            with({"--max-detections", text}, {"--max-detections is '" + text + "'", "1 to 2147483647", "batch"}));
        cases.push_back(with({"--batch=" + text}, {"--batch is '" + text + "'", "1 to 2147483647"}));
    }
    check_errors(folder, 2, cases);
}

TEST_CASE("errors: --pad-value and --rename")
{
    const temporary_folder folder;
    fs::copy_file(two_images, folder.file("in.onnx"));
    check_errors(
        folder, 2,
        {
            with({"--pad-value", "labels", "-1"}, {"'labels' has no '='", "--pad-value labels=-1"}),
            with({"--pad-value", ""}, {"'' has no '='"}),
            with({"--pad-value"}, {"'in.onnx' has no '='"}),
            with({"--pad-value", "label=-1"}, {"no field 'label'", "did you mean --pad-value labels=-1?"}),
            with({"--pad-value", "Labels = -1"}, {"no field 'Labels '", "did you mean --pad-value labels=-1?"}),
            with({"--pad-value", "=1"}, {"there is no field ''"}),
            with({"--pad-value", "colour=1"}, {"no field 'colour'", "boxes, labels, scores, masks, keypoints"}),
            with({"--pad-value", "num_detections=1"}, {"there is no field 'num_detections'"}),
            with({"--pad-value", "keypoints=1"}, {"keypoints=1 names a field that this model does not have"}),
            with({"--pad-value", "labels="}, {"nothing after the '='"}),
            with({"--pad-value", "labels=1,scores=2"}, {"contains a comma", "repeat the option"}),
            with({"--pad-value", "labels=1", "scores=2"}, {"more than two files", "repeat --pad-value"}),
            with({"--pad-value", "labels=1", "--pad-value", "labels=2"}, {"names the field 'labels' twice"}),
            with({"--pad-value", "labels=0.5"}, {"labels=0.5", "int64", "an integer from"}),
            with({"--pad-value", "labels=nan"}, {"labels=nan", "int64"}),
            with({"--pad-value", "labels=9223372036854775808"}, {"int64", "9223372036854775807"}),
            with({"--pad-value", "boxes=big"}, {"boxes=big", "not a number"}),
            with({"--pad-value", "boxes=1e39"}, {"boxes=1e+39", "float32"}),
            with({"--rename", "boxes"}, {"'boxes' has no '='", "--rename labels=classes"}),
            with({"--rename", "box=b"}, {"there is no field 'box'", "did you mean --rename boxes=b?"}),
            with({"--rename", "num_detection=n"}, {"did you mean --rename num_detections=n?"}),
            with({"--rename", "boxes="}, {"nothing after the '='"}),
            with({"--rename", "boxes=a,b"}, {"contains a comma"}),
            with({"--rename", "boxes=a", "--rename", "boxes=b"}, {"names the field 'boxes' twice"}),
            with({"--rename", "boxes=a", "--rename", "scores=a"}, {"two outputs would be called 'a'"}),
            with({"--rename", "num_detections=boxes"}, {"two outputs would be called 'boxes'"}),
            with({"--rename", "boxes=num_detections"}, {"two outputs would be called 'num_detections'"}),
            with({"--rename", "keypoints=k"}, {"keypoints=k names a field that this model does not have"}),
        });
}

TEST_CASE("errors: --fields")
{
    const temporary_folder folder;
    fs::copy_file(two_images, folder.file("in.onnx"));
    check_errors(
        folder, 2,
        {
            with({"--fields", ""}, {"--fields has no value"}),
            with({"--fields", "boxes,colours"}, {"there is no field 'colours'", "keypoints_scores"}),
            with({"--fields", "boxes, labels"}, {"no field ' labels'", "without spaces", "did you mean 'labels'?"}),
            with({"--fields", "boxes,labels,"}, {"'boxes,labels,' contains an empty name"}),
            with({"--fields", ","}, {"contains an empty name"}),
            with({"--fields", "boxes,boxes"}, {"names 'boxes' twice"}),
            with({"--fields", "boxes", "labels"},
                 {"more than two files", "lists of --fields and --columns with commas"}),
            with({"--fields", "boxes,labels,scores"}, {"--fields names 3 fields", "8 outputs"}),
            with({"--fields", "boxes,labels,scores,masks", "--batch", "3"}, {"--batch says 3 images"}),
            with({"--fields", "boxes,labels,scores,masks", "--order", "field"}, {"'labels'", "image 1"}),
        });
}

TEST_CASE("errors: files that cannot be read or written")
{
    const temporary_folder folder;
    fs::copy_file(two_images, folder.file("in.onnx"));
    write_file(folder.file("existing.onnx"), "mine");
    fs::create_directory(folder.file("a folder"));
    fs::create_symlink("in.onnx", folder.file("link.onnx"));
    fs::create_hard_link(folder.file("in.onnx"), folder.file("hard.onnx"));
    fs::create_symlink("circle.onnx", folder.file("circle.onnx"));
    auto with_weights = small_detector();
    auto& weights = *with_weights.mutable_graph()->add_initializer();
    weights.set_name("weights");
    weights.set_data_location(onnx::TensorProto::EXTERNAL);
    auto& location = *weights.add_external_data();
    location.set_key("location");
    location.set_value("weights.bin");
    write_file(folder.file("with weights.onnx"), with_weights.SerializeAsString());
    write_file(folder.file("weights.bin"), "weights");
    fs::create_symlink("weights.bin", folder.file("weights link"));
    const std::string long_name(256, 'n');
    check_errors(
        folder, 3,
        {
            {{"absent.onnx", "out.onnx"}, {"cannot read 'absent.onnx'", "No such file"}},
            {{"--inspect", "absent.onnx"}, {"cannot read 'absent.onnx'"}},
            {{"a folder", "out.onnx"}, {"'a folder' is a folder", "name the .onnx file in it"}},
            {{"--inspect", "a folder"}, {"'a folder' is a folder"}},
            {{"absent\x1b[31m.onnx", "out.onnx"}, {"cannot read 'absent\\u001b[31m.onnx'"}},
            {{"in.onnx", "existing.onnx"}, {"'existing.onnx' already exists", "--force"}},
            {{"in.onnx", "in.onnx"}, {"'in.onnx' is the input file itself"}},
            {{"--force", "in.onnx", "in.onnx"}, {"'in.onnx' is the input file itself"}},
            {{"--force", "in.onnx", "link.onnx"}, {"'link.onnx' is the input file itself"}},
            {{"--force", "link.onnx", "in.onnx"}, {"'in.onnx' is the input file itself"}},
            {{"--force", "in.onnx", "hard.onnx"}, {"'hard.onnx' is the input file itself"}},
            {{"in.onnx", "circle.onnx"}, {"'circle.onnx' is a symbolic link"}},
            {{"--force", "with weights.onnx", "weights.bin"}, {"'weights.bin' is where the input file keeps weights"}},
            {{"--force", "with weights.onnx", "weights link"}, {"keeps weights", "'weights.bin'"}},
            {{"in.onnx", long_name}, {"File name too long", "shorter name"}},
            {{"--triton-repository", ".", "--model-name", long_name, "in.onnx"},
             {"File name too long", "shorter name"}},
            {{"--force", "in.onnx", "a folder"}, {"'a folder' is a folder", "padded.onnx"}},
            {{"--force", "in.onnx", "/dev/null"}, {"'/dev/null' is a device"}},
            {{"in.onnx", "absent/out.onnx"}, {"the folder 'absent'", "make the folder"}},
            {{"in.onnx", "existing.onnx/out.onnx"}, {"'existing.onnx' is not a folder"}},
        });
}

TEST_CASE("errors: a limit on the size of files")
{
    const temporary_folder folder;
    const auto result = run_command({two_images, "out.onnx"}, {.folder = folder.path(), .file_size = 4096});
    CHECK(result.exit_code == 3);
    CHECK(result.err.find("onnx-pad-outputs: cannot write 'out.onnx': File too large\n  expected: ") == 0);
    CHECK(folder.names().empty());
}

TEST_CASE("errors: files that are not ONNX models")
{
    const temporary_folder folder;
    const std::string model = read_file(two_images);
    std::string noise(5000, '\0');
    unsigned state = 1;
    for (char& byte : noise) {
        state = state * 1664525U + 1013904223U;
        byte = static_cast<char>(state >> 24U);
    }
    noise.front() = '\xf1'; // not a beginning that the command knows
    const std::map<std::string, std::string> contents = {
        {"empty", ""},
        {"pointer", "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n"},
        {"zip", std::string("PK\x03\x04\x00\x00", 6) + noise},
        {"pickle", "\x80\x02}q\x01."},
        {"html", "<!DOCTYPE html><html><body>404</body></html>\n"},
        {"json", "{\"error\": 404}\n"},
        {"noise", noise},
        {"text", "a model\n"},
        {"half", model.substr(0, model.size() / 2)},
        {"almost", model.substr(0, model.size() - 1)},
    };
    for (const auto& [name, content] : contents) {
        write_file(folder.file(name), content);
    }
    check_errors(folder, 4,
                 {
                     {{"empty", "out.onnx"}, {"'empty' is empty"}},
                     {{"pointer", "out.onnx"}, {"'pointer' is a Git LFS pointer", "git lfs pull"}},
                     {{"zip", "out.onnx"}, {"'zip' is a zip archive", "torch.onnx.export"}},
                     {{"pickle", "out.onnx"}, {"'pickle' is a pickle"}},
                     {{"html", "out.onnx"}, {"'html' is text", "error page"}},
                     {{"json", "out.onnx"}, {"'json' is text"}},
                     {{"noise", "out.onnx"}, {"'noise' is not an ONNX model"}},
                     {{"text", "out.onnx"}, {"'text' is not an ONNX model"}},
                     {{"half", "out.onnx"}, {"'half' begins like an ONNX model", "damaged or incomplete"}},
                     {{"almost", "out.onnx"}, {"'almost' begins like an ONNX model"}},
                     {{"--inspect", "noise"}, {"'noise' is not an ONNX model"}},
                     {{"--inspect", "--json", "empty"}, {"'empty' is empty"}},
                     {{"/dev/null", "out.onnx"}, {"'/dev/null'"}},
                 });
}

TEST_CASE("errors: models that are not rewritten")
{
    const temporary_folder folder;
    const auto save = [&](const onnx::ModelProto& model, const std::string& name) {
        padbatch::onnx_tools::save_model(model, folder.file(name));
    };
    save(parse_model("<ir_version: 7, opset_import: [\"\" : 13]> g (float[1,3,8,8] images) => (float[1,192] logits) "
                     "{ logits = Flatten(images) }"),
         "classifier.onnx");
    save(identity_model("x"), "no_limit.onnx");
    save(identity_model("boxes"), "input_boxes.onnx");
    auto broken = identity_model("x");
    broken.mutable_graph()->mutable_node(0)->set_input(0, "nowhere");
    save(broken, "broken.onnx");
    REQUIRE(run_command({two_images, folder.file("padded.onnx")}).exit_code == 0);

    const std::vector<std::string> by_hand = {"--fields", "boxes,labels,scores", "--max-detections", "5"};
    const auto told = [&](const std::string& in, std::vector<std::string> words) {
        auto arguments = by_hand;
        arguments.insert(arguments.end(), {in, "out.onnx"});
        return error_case{arguments, std::move(words)};
    };
    check_errors(folder, 5,
                 {
                     {{"classifier.onnx", "out.onnx"}, {"not recognised as detections", "'logits' (float32 [1, 192])"}},
                     {{"padded.onnx", "out.onnx"}, {"the model is already padded"}},
                     {{"--fields", "boxes,labels,scores", "no_limit.onnx", "out.onnx"},
                      {"how many detections", "--max-detections N", "--max-detections batch"}},
                     told("input_boxes.onnx", {"an input called 'boxes'", "--rename boxes=NAME"}),
                     told("broken.onnx", {"the model is not valid", "'nowhere'"}),
                 });
}

#ifndef PADBATCH_TESTS_SANITIZED // sanitizers reserve more address space than is allowed here
TEST_CASE("errors: memory runs out")
{
    constexpr rlim_t mebibyte = 1 << 20;
    const temporary_folder folder;
    auto model = identity_model("x");
    auto* weights = model.mutable_graph()->add_initializer();
    weights->set_name("weights");
    weights->set_data_type(onnx::TensorProto::UINT8);
    weights->add_dims(160 * mebibyte);
    weights->set_raw_data(std::string(160 * mebibyte, 'w'));
    padbatch::onnx_tools::save_model(model, folder.file("in.onnx"));

    const auto result = run_command({"in.onnx", "out.onnx"}, {.folder = folder.path(), .memory = 128 * mebibyte});
    CAPTURE(result.err);
    CHECK(result.exit_code == 1);
    CHECK(result.out.empty());
    CHECK(result.err.find("onnx-pad-outputs: out of memory\n  expected: ") == 0);
    CHECK(result.err.find("\n  what to do: ") != std::string::npos);
    CHECK(folder.names() == std::set<std::string>{"in.onnx"});
}
#endif
