// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/files/model_io.hpp>

#include <tests/support/check_failure.hpp>
#include <tests/support/fixture_models.hpp>
#include <tests/support/small_detector.hpp>
#include <tests/support/temporary_folder.hpp>

#include <doctest/doctest.h>

#include <functional>
#include <random>
#include <string>
#include <vector>

using namespace padbatch::onnx_tools;
using namespace padbatch::test;

// Reading models, and which models and places `save_model` takes. What happens to the files: model_io_save_test.cpp.

namespace {

namespace fs = std::filesystem;
using strings = std::vector<std::string>;

void check_load_fails(const std::string& path, failure kind, const strings& words)
{
    check_failure(kind, words, [&] { (void)load_model(path); });
}

void check_no_model(const temporary_folder& folder, const std::string& content, const strings& words)
{
    write_file(folder.file("file"), content);
    check_load_fails(folder.file("file"), failure::not_onnx, words);
}

// `path` is refused both before the model is made and when it is saved, and no file appears or disappears.
void check_save_fails(const temporary_folder& folder, const onnx::ModelProto& model, const std::string& path,
                      failure kind, const strings& words, const save_options& options = {})
{
    CAPTURE(path);
    const auto names = folder.names();
    if (kind == failure::io) {
        check_failure(kind, words, [&] { require_savable(path, options); });
    }
    check_failure(kind, words, [&] { save_model(model, path, options); });
    CHECK(folder.names() == names);
}

onnx::TensorProto external_tensor(const std::string& location)
{
    onnx::TensorProto tensor;
    tensor.set_name("external");
    tensor.set_data_location(onnx::TensorProto::EXTERNAL);
    auto& offset = *tensor.add_external_data();
    offset.set_key("offset");
    offset.set_value("0");
    auto& entry = *tensor.add_external_data();
    entry.set_key("location");
    entry.set_value(location);
    return tensor;
}

// The ways in which a model can name external data.
std::vector<std::pair<std::string, onnx::ModelProto>> models_with_external_data()
{
    std::vector<std::pair<std::string, onnx::ModelProto>> models;
    const auto add = [&](const std::string& way, const std::function<void(onnx::ModelProto&)>& change) {
        models.emplace_back(way, small_detector());
        change(models.back().second);
    };
    add("initializer", [](auto& m) { *m.mutable_graph()->add_initializer() = external_tensor("weights.bin"); });
    add("sparse initializer", [](auto& m) {
        *m.mutable_graph()->add_sparse_initializer()->mutable_indices() = external_tensor("weights.bin");
    });
    add("constant", [](auto& m) {
        *m.mutable_graph()->mutable_node(0)->mutable_attribute(0)->mutable_t() = external_tensor("weights.bin");
    });
    add("list of tensors", [](auto& m) {
        *m.mutable_graph()->mutable_node(3)->add_attribute()->add_tensors() = external_tensor("weights.bin");
    });
    add("sparse constant", [](auto& m) {
        auto& tensor = *m.mutable_graph()->mutable_node(3)->add_attribute()->mutable_sparse_tensor();
        *tensor.mutable_values() = external_tensor("weights.bin");
    });
    add("list of sparse tensors", [](auto& m) {
        auto& attribute = *m.mutable_graph()->mutable_node(3)->add_attribute();
        attribute.add_sparse_tensors();
        *attribute.add_sparse_tensors()->mutable_indices() = external_tensor("weights.bin");
    });
    add("subgraph of a subgraph", [](auto& m) {
        auto& outer = *m.mutable_graph()->mutable_node(3)->add_attribute()->mutable_g();
        *outer.add_node()->add_attribute()->add_graphs()->add_initializer() = external_tensor("weights.bin");
    });
    add("training", [](auto& m) {
        *m.add_training_info()->mutable_initialization()->add_initializer() = external_tensor("weights.bin");
        *m.add_training_info()->mutable_algorithm()->add_initializer() = external_tensor("weights.bin");
    });
    add("function",
        [](auto& m) { *m.add_functions()->add_node()->add_attribute()->mutable_t() = external_tensor("weights.bin"); });
    return models;
}

} // namespace

TEST_CASE("a model in memory is read and written as a file is")
{
    const temporary_folder folder;
    const auto model = small_detector();
    save_model(model, folder.file("saved.onnx"));
    const auto bytes = read_file(folder.file("saved.onnx"));
    CHECK(model_from_bytes(bytes).SerializeAsString() == model.SerializeAsString());
    std::string written(model.ByteSizeLong(), '?');
    write_model(model, written);
    CHECK(written == bytes);

    const auto check_no_bytes = [](const std::string& content, const strings& words) {
        check_failure(failure::not_onnx, words, [&] { (void)model_from_bytes(content); });
    };
    check_no_bytes("", {"the model is empty"});
    check_no_bytes("<html>", {"the model is text"});
    check_no_bytes("PK\x03\x04", {"the model is a zip archive"});
    check_no_bytes(bytes.substr(0, bytes.size() / 2), {"the model begins like an ONNX model but is damaged"});
}

TEST_CASE("a model that is loaded and saved keeps its bytes")
{
    const temporary_folder folder;
    for_each_fixture([&](const fixture&, const onnx::ModelProto& model) {
        save_model(model, folder.file("first.onnx"), {true, ""});
        save_model(load_model(folder.file("first.onnx")), folder.file("second.onnx"), {true, ""});
        const auto first = read_file(folder.file("first.onnx"));
        CHECK(first == model.SerializeAsString());
        CHECK(first == read_file(folder.file("second.onnx")));
    });
    CHECK(folder.names() == std::set<std::string>{"first.onnx", "second.onnx"});
}

TEST_CASE("files that are not models are told apart")
{
    const temporary_folder folder;
    check_load_fails(folder.file("missing"), failure::io, {"cannot read", "missing'", "No such file"});
    check_load_fails(folder.path().string(), failure::io, {"is a folder"});
    check_load_fails("", failure::io, {"cannot read ''"});
    check_load_fails(folder.file("missing") + "/model.onnx", failure::io, {"cannot read"});
    check_no_model(folder, "", {"file' is empty"});
    check_no_model(folder, "version https://git-lfs.github.com/spec/v1\noid sha256:0123\nsize 12345\n",
                   {"Git LFS pointer", "git lfs pull"});
    check_no_model(folder, std::string("PK\x03\x04\x14\0\0\0", 8) + std::string(100, 'x'), {"zip archive"});
    check_no_model(folder, "\x80\x02}q" + std::string(100, '\x01'), {"pickle"});
    check_no_model(folder, "<!DOCTYPE html>\n<html><body>Not found</body></html>\n", {"is text"});
    check_no_model(folder, "{\"error\": \"not found\"}", {"is text"});
    check_no_model(folder, "ordinary text\n", {"not an ONNX model"});
    check_no_model(folder, std::string(1, '\0'), {"not an ONNX model"});
    check_no_model(folder, "\x08", {"damaged or incomplete"});
    check_load_fails("/dev/null", failure::not_onnx, {"not an ONNX model"});

    std::mt19937 draws(1);
    for (int i = 0; i < 200; ++i) {
        std::string noise(1 + draws() % 4096, '\0');
        for (auto& byte : noise) {
            byte = static_cast<char>(draws());
        }
        noise[0] = static_cast<char>(noise[0] | 7); // wire type 7 does not exist
        check_no_model(folder, noise, {});
    }
}

TEST_CASE("a message with other fields, or without an opset, is not a model")
{
    const temporary_folder folder;
    onnx::ModelProto model;
    model.set_ir_version(7);
    model.set_producer_name("someone");
    check_no_model(folder, model.SerializeAsString(), {"damaged or incomplete"}); // no graph
    model = small_detector();
    model.clear_opset_import();
    check_no_model(folder, model.SerializeAsString(), {"declares no opset", "cut off"});
}

TEST_CASE("files of 2 GiB or more are reported without reading them")
{
    const temporary_folder folder;
    write_file(folder.file("large"), "x");
    fs::resize_file(folder.file("large"), std::uintmax_t{1} << 31); // a hole: it takes no room
    check_load_fails(folder.file("large"), failure::not_onnx, {"2147483648 bytes", "2 GiB", "external data"});
}

TEST_CASE("a small model that is cut off anywhere is either whole or not a model")
{
    const temporary_folder folder;
    auto model = small_detector();
    model.set_producer_name("someone");
    auto& entry = *model.add_metadata_props();
    entry.set_key("key");
    entry.set_value("value");
    model.add_functions()->set_name("function");
    const auto graph = model.graph().SerializeAsString();
    const auto whole = model.SerializeAsString();
    int loaded = 0;
    int wrong = 0;
    for (std::size_t size = 0; size < whole.size(); ++size) {
        write_file(folder.file("cut"), whole.substr(0, size));
        try {
            wrong += load_model(folder.file("cut")).graph().SerializeAsString() != graph ? 1 : 0;
            ++loaded;
        } catch (const tool_error& e) {
            wrong += e.kind() != failure::not_onnx ? 1 : 0;
        }
    }
    CHECK(wrong == 0);
    CHECK(loaded ==
          2); // after the opset and after the metadata, where only the function, or that and the metadata, are missing
}

TEST_CASE("an export that is cut off is not a model")
{
    const temporary_folder folder;
    const auto& [known, model] = fixture_models().front();
    const auto whole = read_file(known.file);
    const auto graph = model.graph().SerializeAsString();
    std::vector<std::size_t> sizes;
    for (std::size_t i = 0; i < 160; ++i) {
        sizes.push_back(whole.size() * i / 160);
    }
    for (std::size_t i = 1; i <= 40; ++i) {
        sizes.push_back(whole.size() - i); // where the opset is
    }
    int wrong = 0;
    int refused = 0;
    for (const auto size : sizes) {
        write_file(folder.file("cut"), whole.substr(0, size));
        try {
            wrong += load_model(folder.file("cut")).graph().SerializeAsString() != graph ? 1 : 0;
        } catch (const tool_error& e) {
            wrong += e.kind() != failure::not_onnx ? 1 : 0;
            ++refused;
        }
    }
    CHECK(wrong == 0);
    CHECK(refused > 160);
}

TEST_CASE("external data are found wherever a model names them")
{
    CHECK(external_data(small_detector()).empty());
    for (const auto& way : models_with_external_data()) {
        CAPTURE(way.first);
        const auto& model = way.second;
        CHECK(external_data(model) == strings{"weights.bin"});
    }
    auto nowhere = small_detector();
    nowhere.mutable_graph()->add_initializer()->set_data_location(onnx::TensorProto::EXTERNAL);
    CHECK(external_data(nowhere).size() == 1);
    for_each_fixture([&](const fixture&, const onnx::ModelProto& model) { CHECK(external_data(model).empty()); });
    auto several = small_detector();
    for (const auto* name : {"b.bin", "a.bin", "b.bin"}) {
        *several.mutable_graph()->add_initializer() = external_tensor(name);
    }
    CHECK(external_data(several) == strings{"b.bin", "a.bin"});
}

TEST_CASE("a model with external data stays in its folder")
{
    const temporary_folder folder;
    fs::create_directory(folder.file("other"));
    fs::create_directory_symlink(folder.path(), folder.file("same"));
    const auto from = folder.file("in.onnx");
    for (const auto& way : models_with_external_data()) {
        CAPTURE(way.first);
        const auto& model = way.second;
        write_file(from, model.SerializeAsString());
        CHECK(external_data(load_model(from)) == strings{"weights.bin"}); // the data need not exist
        check_save_fails(folder, model, folder.file("other/out.onnx"), failure::refused,
                         {"weights.bin", "another folder"}, {false, from});
        check_save_fails(folder, model, folder.file("unknown.onnx"), failure::refused, {"weights.bin"});
        CHECK(fs::is_empty(folder.file("other")));
        save_model(model, folder.file("out.onnx"), {true, from});
        CHECK(read_file(folder.file("out.onnx")) == model.SerializeAsString());
        save_model(model, folder.file("same/out.onnx"), {true, from}); // the same folder by another name
    }
}

TEST_CASE("external data lie beside the name of the model, not beside the file that a link leads to")
{
    const temporary_folder folder;
    fs::create_directory(folder.file("snap"));
    fs::create_directory(folder.file("blobs"));
    const auto model = models_with_external_data().front().second;
    write_file(folder.file("blobs/1"), model.SerializeAsString());
    write_file(folder.file("blobs/2"), "weights");
    fs::create_symlink("../blobs/1", folder.file("snap/model.onnx"));
    fs::create_symlink("../blobs/2", folder.file("snap/weights.bin"));
    const auto from = folder.file("snap/model.onnx");
    save_model(model, folder.file("snap/padded.onnx"), {false, from});
    CHECK(read_file(folder.file("snap/padded.onnx")) == model.SerializeAsString());
    check_save_fails(folder, model, folder.file("blobs/padded.onnx"), failure::refused,
                     {"weights.bin", "another folder"}, {false, from});
    CHECK_FALSE(fs::exists(folder.file("blobs/padded.onnx")));
    fs::create_symlink("../blobs/3", folder.file("snap/link.onnx"));
    save_model(model, folder.file("snap/link.onnx"), {false, from});
    CHECK(read_file(folder.file("blobs/3")) == model.SerializeAsString());
}

TEST_CASE("places where a file cannot be saved")
{
    const temporary_folder folder;
    const auto model = small_detector();
    write_file(folder.file("existing"), "mine");
    fs::create_directory(folder.file("folder"));
    check_save_fails(folder, model, folder.file("existing"), failure::io, {"existing' already exists", "`force`"});
    CHECK(read_file(folder.file("existing")) == "mine");
    check_save_fails(folder, model, folder.file("folder"), failure::io, {"is a folder"}, {true, ""});
    check_save_fails(folder, model, folder.file("folder/"), failure::io, {"is a folder"}, {true, ""});
    check_save_fails(folder, model, "/dev/null", failure::io, {"device"}, {true, ""});
    check_save_fails(folder, model, folder.file("missing/out.onnx"), failure::io, {"missing'", "make the folder"});
    check_save_fails(folder, model, folder.file("existing/out.onnx"), failure::io, {"existing' is not a folder"});
}

TEST_CASE("the input is never replaced, whatever it is called")
{
    const temporary_folder folder;
    const auto model = small_detector();
    const auto in = folder.file("in.onnx");
    save_model(model, in);
    fs::create_symlink("in.onnx", folder.file("link"));
    fs::create_symlink("link", folder.file("link_to_link"));
    fs::create_hard_link(in, folder.file("hard_link"));
    fs::create_directory(folder.file("folder"));
    for (const std::string name : {"in.onnx", "./in.onnx", "folder/../in.onnx", "link", "link_to_link", "hard_link"}) {
        check_save_fails(folder, model, folder.file(name), failure::io, {"is the input file itself"}, {true, in});
        check_save_fails(folder, model, in, failure::io, {"is the input file itself"}, {true, folder.file(name)});
    }
    CHECK(read_file(in) == model.SerializeAsString());
}

TEST_CASE("the weights beside the input are never replaced, whatever they are called")
{
    const temporary_folder folder;
    fs::create_directory(folder.file("in"));
    fs::create_directory_symlink("in", folder.file("same"));
    const auto from = folder.file("in/in.onnx");
    write_file(folder.file("in/weights.bin"), "weights");
    fs::create_symlink("weights.bin", folder.file("in/link"));
    fs::create_hard_link(folder.file("in/weights.bin"), folder.file("in/hard"));
    fs::create_symlink("absent.bin", folder.file("in/dangling"));
    const auto check = [&](const onnx::ModelProto& model, const std::string& name, const strings& files) {
        for (const bool overwrite : {false, true}) {
            check_save_fails(folder, model, folder.file(name), failure::io, {"where the input file keeps weights"},
                             {overwrite, from, files});
        }
        CHECK(read_file(folder.file("in/weights.bin")) == "weights");
        CHECK_FALSE(fs::exists(folder.file("in/absent.bin")));
    };
    const auto self_contained = small_detector(); // its weights were pruned, say
    for (const auto* name : {"in/weights.bin", "in/../in/weights.bin", "same/weights.bin", "in/link", "in/hard"}) {
        check(self_contained, name, {"other.bin", "weights.bin"});
        check(self_contained, name, {"./weights.bin"});
        check(self_contained, name, {folder.file("in/weights.bin")});
    }
    for (const auto* name : {"in/absent.bin", "same/absent.bin", "in/dangling"}) {
        check(self_contained, name, {"absent.bin"}); // a model there would be read as weights
    }
    // The model still names them, and the caller does not.
    for (const auto& way : models_with_external_data()) {
        CAPTURE(way.first);
        check_failure(failure::io, {"'weights.bin'", "keeps weights"},
                      [&] { save_model(way.second, folder.file("in/link"), {true, from, {}}); });
    }
    CHECK(read_file(folder.file("in/weights.bin")) == "weights");
    // A link to the input elsewhere does not hide what lies beside the input itself.
    fs::create_symlink("in/in.onnx", folder.file("link.onnx"));
    write_file(from, self_contained.SerializeAsString());
    check_save_fails(folder, self_contained, folder.file("in/weights.bin"), failure::io, {"keeps weights"},
                     {true, folder.file("link.onnx"), {"weights.bin"}});
    save_model(self_contained, folder.file("in/out.onnx"), {true, from, {"weights.bin"}});
    CHECK(read_file(folder.file("in/out.onnx")) == self_contained.SerializeAsString());
}

TEST_CASE("a name that the file system does not take is refused before the work")
{
    const temporary_folder folder;
    check_save_fails(folder, small_detector(), folder.file(std::string(256, 'n')), failure::io,
                     {"File name too long", "shorter name"});
}
