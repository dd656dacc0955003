// SPDX-License-Identifier: Apache-2.0
#include <tests/onnx_tools/cli/command.hpp>
#include <tests/support/small_detector.hpp>

#include <onnx_tools/files/model_io.hpp>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <string>
#include <vector>

// Names in a model may hold anything. Whatever the command prints, a terminal shows it, and has the lines that the
// command meant it to have.

using namespace padbatch::test;
using namespace std::string_literals;
using nlohmann::json;

namespace {

// A line of its own, an escape sequence in both spellings, characters that reorder a line, and the end of a C string.
const std::string hostile = "\n  what to do: this\r\t\x1b[31m\xc2\x9b"
                            "31m\xc2\x85\xe2\x80\xae\xe2\x81\xa6\xe2\x80\x8f\x7f\0!"s;

void add_to_names(onnx::ModelProto& model, const std::string& text)
{
    auto& graph = *model.mutable_graph();
    const auto add = [&](std::string* name) {
        if (!name->empty()) {
            *name += text;
        }
    };
    graph.set_name("detector" + text);
    for (auto* infos : {graph.mutable_input(), graph.mutable_output()}) {
        for (auto& info : *infos) {
            add(info.mutable_name());
            for (auto& dim : *info.mutable_type()->mutable_tensor_type()->mutable_shape()->mutable_dim()) {
                if (!dim.dim_param().empty()) {
                    add(dim.mutable_dim_param());
                }
            }
        }
    }
    for (auto& node : *graph.mutable_node()) {
        node.set_name(node.op_type() + node.output(0) + text);
        for (auto* values : {node.mutable_input(), node.mutable_output()}) {
            for (auto& value : *values) {
                add(&value);
            }
        }
    }
}

// A detector with further outputs, which are listed by name, that a server stumbles over.
onnx::ModelProto detector_with_outputs(const std::string& text)
{
    auto model = small_detector({.more_nodes = "features = Identity(all_scores)\n"});
    *model.mutable_graph()->add_output() = model.graph().output(2);
    model.mutable_graph()->mutable_output(6)->set_name("features");
    add_to_names(model, text);
    return model;
}

auto lines_in(const std::string& text)
{
    return std::count(text.begin(), text.end(), '\n');
}

bool safe(const std::string& text)
{
    const std::vector<std::string> raw{
        "\x1b",     "\r",           "\t",           "\x7f",         "\xc2\x9b",
        "\xc2\x85", "\xe2\x80\xae", "\xe2\x81\xa6", "\xe2\x80\x8f", std::string(1, '\0')};
    return std::none_of(raw.begin(), raw.end(), [&](const std::string& part) { return has(text, part); });
}

const std::string tail = R"(\u007f\u0000!)"; // what is shown of a name up to its end

} // namespace

TEST_CASE("hostile names: every report and every refusal shows them escaped, and whole")
{
    const temporary_folder folder;
    const auto save = [&](const onnx::ModelProto& model, const std::string& name) {
        write_file(folder.file(name), model.SerializeAsString());
    };
    const auto save_both = [&](const std::string& name, const auto& change) {
        auto plain = detector_with_outputs("");
        auto bad = detector_with_outputs(hostile);
        change(plain);
        change(bad);
        save(plain, "plain_" + name);
        save(bad, "bad_" + name);
    };
    save_both("good", [](onnx::ModelProto&) {});
    save_both("broken", [](onnx::ModelProto& m) { m.mutable_graph()->mutable_node(2)->mutable_input(0)->append("?"); });
    save_both("double", [](onnx::ModelProto& m) {
        m.mutable_graph()->mutable_node(3)->set_name(m.graph().node(2).name());
        m.mutable_graph()->mutable_node(3)->set_output(0, m.graph().node(2).output(0));
    });
    save_both("unknown", [](onnx::ModelProto& m) {
        m.mutable_graph()->mutable_output(0)->mutable_type()->mutable_tensor_type()->set_elem_type(
            onnx::TensorProto::INT32);
    });
    save_both("weights", [](onnx::ModelProto& m) {
        auto& tensor = *m.mutable_graph()->add_initializer();
        tensor.set_name("w");
        tensor.set_data_location(onnx::TensorProto::EXTERNAL);
        auto& location = *tensor.add_external_data();
        location.set_key("location");
        location.set_value("data" + m.graph().name());
    });
    save_both("padded", [](onnx::ModelProto& m) {
        auto& entry = *m.add_metadata_props();
        entry.set_key("padbatch." + m.graph().name());
        entry.set_value(m.graph().name());
    });
    std::filesystem::create_directory(folder.file("far"));

    const std::string name_of_output = "b0" + hostile;
    const auto check = [&](int code, const std::string& file, std::vector<std::string> arguments) {
        CAPTURE(file);
        CAPTURE(arguments.front());
        const auto run = [&](const std::string& in, const std::string& out) {
            auto all = arguments;
            all.push_back(in);
            if (!has(arguments.front(), "--inspect") && !has(arguments.front(), "--triton")) {
                all.push_back(out);
            }
            return run_command(all, {.folder = folder.path()});
        };
        const auto plain = run("plain_" + file, "far/plain_" + file);
        const auto bad = run("bad_" + file, "far/bad_" + file);
        CAPTURE(plain.err);
        CAPTURE(bad.err);
        CHECK(plain.exit_code == code);
        CHECK(bad.exit_code == code);
        CHECK(lines_in(bad.out) == lines_in(plain.out));
        CHECK(lines_in(bad.err) == lines_in(plain.err));
        CHECK(safe(bad.out));
        CHECK(safe(bad.err));
        CHECK(has(bad.out + bad.err, tail));
    };
    const std::vector<std::string> by_hand{"--fields=boxes,labels,scores", "--batch=2", "--force"};
    check(0, "good", by_hand);
    check(0, "good", {"--inspect", by_hand[0], by_hand[1]});
    check(0, "good", {"--inspect", "--json", by_hand[0], by_hand[1]});
    check(0, "good", {"--force"});
    check(0, "good", {"--inspect"});
    check(5, "good", {"--from=flat", "--force"});
    check(5, "good", {"--from=nms", "--force"});
    check(5, "unknown", {"--inspect"});
    check(5, "unknown", {"--inspect", "--json"});
    check(5, "broken", {"--force"});
    check(5, "double", {"--force"});
    check(5, "unknown", {"--force"});
    check(5, "padded", {"--force"});
    check(5, "weights", by_hand);
    check(0, "good", {"--triton-repository=far/models", "--model-name=m", "--force", by_hand[0], by_hand[1]});

    const auto document = json::parse(
        run_command({"--inspect", "--json", by_hand[0], by_hand[1], "bad_good"}, {.folder = folder.path()}).out);
    CHECK(document["images"][0]["boxes"] == name_of_output); // JSON keeps names as they are
    CHECK(document["declared_outputs"][0]["name"] == name_of_output);
    CHECK(document["other_outputs"][0] == "features" + hostile);
}

TEST_CASE("hostile names: arguments, and the names of files")
{
    const temporary_folder folder;
    padbatch::onnx_tools::save_model(small_detector(), folder.file("in.onnx"));
    const std::string text(hostile.c_str()); // an argument ends at the first zero
    const auto check = [&](const std::vector<std::string>& arguments, long lines) {
        const auto result = run_command(arguments, {.folder = folder.path()});
        CAPTURE(arguments.front());
        CAPTURE(result.err);
        CHECK(lines_in(result.err) == lines);
        CHECK(safe(result.err));
        CHECK(has(result.err, R"(\r\t\u001b[31m)"));
    };
    for (const char* option :
         {"--max-detections", "--min-score", "--pad-value", "--rename", "--masks", "--to", "--fields", "--batch",
          "--order", "--from", "--count-type", "--mask-threshold", "--quiet"}) {
        check({option + std::string("=") + text, "in.onnx", "out.onnx"}, 3);
    }
    check({"--from=flat", "--columns=" + text, "in.onnx", "out.onnx"}, 3);
    check({"--unknown" + text, "in.onnx", "out.onnx"}, 3);
    check({"--rename=boxes=" + text, "in.onnx", "out.onnx"}, 3);
    check({"--rename=boxes" + text + "=a", "in.onnx", "out.onnx"}, 3);
    check({"--fields=boxes," + text, "in.onnx", "out.onnx"}, 3);
    check({"--triton-repository=absent" + text + "/r", "--model-name=m", "in.onnx"}, 3);
    check({"--triton-repository=r", "--model-name=m" + text, "in.onnx"}, 3);
    check({"in.onnx", "a", "b" + text}, 3);
    check({"absent" + text, "out.onnx"}, 3);
    check({"in.onnx", "absent" + text + "/out.onnx"}, 3);
    const auto written = run_command({"in.onnx", "out" + text}, {.folder = folder.path()});
    CHECK(written.exit_code == 0);
    CHECK(safe(written.err));
    CHECK(has(written.err, R"(wrote 'out\n  what)"));
    CHECK(std::filesystem::exists(folder.file("out" + text)));
}

TEST_CASE("hostile names: of a very long one the message shows the ends, and its length")
{
    const temporary_folder folder;
    const std::string long_name(300'000, 'n');
    auto model = detector_with_outputs(long_name);
    padbatch::onnx_tools::save_model(model, folder.file("good"));
    model.mutable_graph()->mutable_node(2)->mutable_input(0)->append("?");
    padbatch::onnx_tools::save_model(model, folder.file("broken"));
    const auto check = [&](const std::vector<std::string>& arguments) {
        const auto result = run_command(arguments, {.folder = folder.path()});
        CAPTURE(arguments.front());
        CAPTURE(result.err);
        CHECK((result.out + result.err).size() < 20'000);
        CHECK(has(result.out + result.err, " bytes)"));
    };
    check({"broken", "out.onnx"});
    check({"--from=flat", "good", "out.onnx"});
    check({"--from=nms", "good", "out.onnx"});
    check({"good", "out.onnx"});
    check({"--inspect", "--fields=boxes,labels,scores", "--batch=2", "good"});
    check({"--force", "--fields=boxes,labels,scores", "--batch=2", "good", "out.onnx"});
}
