// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/files/atomic_file.hpp>
#include <onnx_tools/serve/triton_config.hpp>
#include <onnx_tools/serve/triton_repository.hpp>

#include <tests/onnx_tools/serve/batched_models.hpp>
#include <tests/support/check_failure.hpp>
#include <tests/support/limited_file_system.hpp>
#include <tests/support/parse_model.hpp>
#include <tests/support/run_as_nobody.hpp>
#include <tests/support/temporary_folder.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <csignal>
#include <functional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace padbatch::onnx_tools;
using namespace padbatch::test;

// What `save_triton_repository` does to the files: a whole model or none, whatever happens.

namespace {

namespace fs = std::filesystem;

triton_options options_of(const temporary_folder& folder, bool overwrite = false)
{
    return {folder.file("repository"), "maskrcnn", 8, overwrite};
}

// The model's folder is complete and holds this model; nothing else is left anywhere.
void check_saved(const temporary_folder& folder, const onnx::ModelProto& model)
{
    const auto saved = folder.path() / "repository" / "maskrcnn";
    CHECK(read_file(saved / "1" / "model.onnx") == model.SerializeAsString());
    CHECK(read_file(saved / "config.pbtxt") == triton_config(model, options_of(folder)));
    std::set<std::string> all;
    for (const auto& entry : fs::recursive_directory_iterator(folder.path())) {
        all.insert(entry.path().lexically_relative(folder.path()).string());
    }
    CHECK(all == std::set<std::string>{"repository", "repository/maskrcnn", "repository/maskrcnn/1",
                                       "repository/maskrcnn/1/model.onnx", "repository/maskrcnn/config.pbtxt"});
}

// A model other than `batched`, with a weight of `bytes` bytes.
onnx::ModelProto model_with_weight(char fill, std::size_t bytes)
{
    auto model = batched;
    auto& weight = *model.mutable_graph()->add_initializer();
    weight.set_name("weight");
    weight.set_data_type(onnx::TensorProto::UINT8);
    weight.add_dims(static_cast<std::int64_t>(bytes));
    weight.set_raw_data(std::string(bytes, fill));
    return model;
}

// Runs `action` in a process of its own, which may give up privileges. True if it returned true.
bool in_child(const std::function<bool()>& action)
{
    const auto child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        ::_exit(action() ? 0 : 1);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

} // namespace

TEST_CASE("a repository is written, and made if it does not exist")
{
    for (const bool made : {false, true}) {
        const temporary_folder folder;
        if (made) {
            fs::create_directory(folder.file("repository"));
        }
        require_savable(options_of(folder));
        CHECK(fs::exists(folder.file("repository")) == made); // nothing is made before it is needed
        save_triton_repository(batched, options_of(folder));
        check_saved(folder, batched);
    }
}

TEST_CASE("names of a repository")
{
    const temporary_folder folder;
    save_triton_repository(batched, {folder.file("repository") + "/", "maskrcnn"});
    check_saved(folder, batched);
    fs::create_directory(folder.file("elsewhere"));
    fs::create_symlink("elsewhere", folder.file("link"));
    save_triton_repository(batched, {folder.file("link"), "m"});
    CHECK(fs::exists(folder.file("elsewhere/m/1/model.onnx")));
    CHECK(in_child([&] {
        fs::current_path(folder.path());
        save_triton_repository(batched, {"here", "m"});
        fs::current_path(folder.file("here"));
        save_triton_repository(batched, {".", "n"});
        return true;
    }));
    CHECK(fs::exists(folder.file("here/m/config.pbtxt")));
    CHECK(fs::exists(folder.file("here/n/config.pbtxt")));
    CHECK(folder.names() == std::set<std::string>{"elsewhere", "here", "link", "repository"});
}

TEST_CASE("places where a repository cannot be")
{
    const temporary_folder folder;
    write_file(folder.file("file"), "text");
    fs::create_symlink("nowhere", folder.file("dangling"));
    const auto names = folder.names();
    const auto check = [&](const std::string& path, const std::string& word) {
        CAPTURE(path);
        const triton_options options{path, "m"};
        check_failure(failure::io, {word}, [&] { require_savable(options); });
        check_failure(failure::io, {word}, [&] { save_triton_repository(batched, options); });
    };
    check(folder.file("file"), "is not a folder");
    check(folder.file("file/repository"), "there is no folder");
    check(folder.file("dangling"), "is not a folder");
    check(folder.file("missing/repository"), "missing'");
    check("", "is not a folder");
    CHECK(folder.names() == names);
}

TEST_CASE("a model of the same name is replaced only on request")
{
    const temporary_folder folder;
    const auto other = model_with_weight('a', 10);
    save_triton_repository(batched, options_of(folder));
    check_failure(failure::io, {"maskrcnn' already exists", "`force`"}, [&] { require_savable(options_of(folder)); });
    check_failure(failure::io, {"already exists"}, [&] { save_triton_repository(other, options_of(folder)); });
    check_saved(folder, batched);
    require_savable(options_of(folder, true));
    save_triton_repository(other, options_of(folder, true));
    check_saved(folder, other);
}

TEST_CASE("overwriting without a model of this name")
{
    const temporary_folder folder;
    save_triton_repository(batched, options_of(folder, true));
    check_saved(folder, batched);
    // Half a model, as left by an interrupted copy, is replaced as well.
    fs::remove(folder.file("repository/maskrcnn/config.pbtxt"));
    save_triton_repository(batched, options_of(folder, true));
    check_saved(folder, batched);
    fs::remove_all(folder.file("repository/maskrcnn/1"));
    save_triton_repository(batched, options_of(folder, true));
    check_saved(folder, batched);
}

TEST_CASE("what was not written here is not deleted")
{
    const auto refused = [](const std::string& word, const std::function<void(const fs::path&)>& change) {
        CAPTURE(word);
        const temporary_folder folder;
        save_triton_repository(batched, options_of(folder));
        const fs::path model = folder.file("repository/maskrcnn");
        change(model);
        const auto entries = [&] {
            std::set<std::string> all;
            for (const auto& entry : fs::recursive_directory_iterator(folder.path())) {
                all.insert(entry.path().string());
            }
            return all;
        };
        const auto before = entries();
        check_failure(failure::io, {word, "move it away"}, [&] { require_savable(options_of(folder, true)); });
        check_failure(failure::io, {word}, [&] { save_triton_repository(batched, options_of(folder, true)); });
        CHECK(entries() == before);
    };
    refused("/labels.txt'", [](const fs::path& model) { write_file(model / "labels.txt", "cat"); });
    refused("/2'", [](const fs::path& model) { fs::create_directory(model / "2"); });
    refused("/1/model.data'", [](const fs::path& model) { write_file(model / "1" / "model.data", "weights"); });
    refused("/config.pbtxt'", [](const fs::path& model) {
        fs::remove(model / "config.pbtxt");
        fs::create_symlink("/etc/passwd", model / "config.pbtxt");
    });
    refused("/1'", [](const fs::path& model) {
        fs::rename(model / "1", model.parent_path() / "elsewhere");
        fs::create_directory_symlink("../elsewhere", model / "1");
    });
    refused("/maskrcnn' is not a folder", [](const fs::path& model) {
        fs::rename(model, model.parent_path() / "elsewhere");
        fs::create_directory_symlink("elsewhere", model);
    });
    refused("/maskrcnn' is not a folder", [](const fs::path& model) {
        fs::remove_all(model);
        write_file(model, "text");
    });
}

TEST_CASE("the input is never replaced")
{
    const temporary_folder folder;
    save_triton_repository(batched, options_of(folder));
    const auto input = folder.file("repository/maskrcnn/1/model.onnx");
    const auto link = folder.file("link.onnx");
    fs::create_symlink(input, link);
    for (const auto& path : {input, link}) {
        check_failure(failure::io, {"is the input file itself"},
                      [&] { require_savable(options_of(folder, true), path); });
        check_failure(failure::io, {"is the input file itself"},
                      [&] { save_triton_repository(batched, options_of(folder, true), path); });
    }
    fs::remove(link);
    check_saved(folder, batched);
    save_triton_repository(batched, options_of(folder, true), folder.file("another.onnx"));
    check_saved(folder, batched);
}

TEST_CASE("the input is not replaced under the name of another file of the model, nor are its weights")
{
    const temporary_folder folder;
    save_triton_repository(batched, options_of(folder));
    const auto config = folder.file("repository/maskrcnn/config.pbtxt");
    const auto before = read_file(config);
    const auto in = folder.file("in.onnx");
    write_file(in, "input");
    const auto check = [&](const std::string& word, const std::string& from, const std::vector<std::string>& files) {
        check_failure(failure::io, {word}, [&] { require_savable(options_of(folder, true), from, files); });
        check_failure(failure::io, {word},
                      [&] { save_triton_repository(batched, options_of(folder, true), from, files); });
        CHECK(read_file(config) == before);
    };
    check("is the input file itself", config, {});
    check("keeps weights", in, {"repository/maskrcnn/config.pbtxt"});
    check("keeps weights", in, {"other", "repository/maskrcnn/1/model.onnx"});
    fs::remove(in);
    check_saved(folder, batched);
}

TEST_CASE("a repository that cannot be looked at, and names that are too long, are told from those that are taken")
{
    const temporary_folder folder;
    fs::permissions(folder.path(), fs::perms{0755});
    fs::create_directory(folder.file("repository"));
    for (const bool overwrite : {false, true}) {
        const triton_options options{folder.file("repository"), std::string(256, 'n'), 8, overwrite};
        check_failure(failure::io, {"nnn", "File name too long", "shorter name"}, [&] { require_savable(options); });
        check_failure(failure::io, {"File name too long"}, [&] { save_triton_repository(batched, options); });
        CHECK(fs::is_empty(folder.file("repository")));
    }
    check_failure(failure::io, {"File name too long"},
                  [&] { require_savable({folder.file(std::string(256, 'r')), "m"}); });

    fs::permissions(folder.file("repository"), fs::perms{0700});
    fs::create_directory(folder.file("outer"));
    fs::permissions(folder.file("outer"), fs::perms{0700});
    for (const auto* name : {"repository", "outer/repository"}) {
        CAPTURE(name);
        CHECK(run_as_nobody([&] {
            try {
                require_savable({folder.file(name), "m"});
            } catch (const tool_error& e) {
                return e.kind() == failure::io && std::string(e.what()).find("Permission denied") != std::string::npos;
            }
            return false;
        }));
    }
}

TEST_CASE("a current folder that was deleted is no repository")
{
    const temporary_folder folder;
    fs::create_directory(folder.file("gone"));
    CHECK(in_child([&] {
        fs::current_path(folder.file("gone"));
        fs::remove(folder.file("gone"));
        for (const auto* path : {".", "new"}) {
            try {
                save_triton_repository(batched, {path, "m"});
                return false;
            } catch (const tool_error& e) {
                const std::string message = e.what();
                if (e.kind() != failure::io || message.find("No such file") == std::string::npos) {
                    return false;
                }
            }
        }
        return true;
    }));
    CHECK(folder.names().empty());
}

TEST_CASE("what earlier programs of the same number left beside a repository is no obstacle")
{
    const temporary_folder folder;
    fs::create_directory(folder.file("around"));
    for (int attempt = 0; attempt < 1200; ++attempt) {
        fs::create_directory(folder.path() / "around" / temporary_name(attempt));
    }
    save_triton_repository(batched, {folder.file("around/repository"), "m"});
    CHECK(read_file(folder.file("around/repository/m/1/model.onnx")) == batched.SerializeAsString());
}

TEST_CASE("models that a repository cannot hold leave nothing behind")
{
    const temporary_folder folder;
    auto model = model_with_weight('a', 10);
    auto& weight = *model.mutable_graph()->mutable_initializer(0);
    weight.set_data_location(onnx::TensorProto::EXTERNAL);
    auto& location = *weight.add_external_data();
    location.set_key("location");
    location.set_value("model.data");
    check_failure(failure::refused, {"'model.data'", "self-contained"},
                  [&] { save_triton_repository(model, options_of(folder)); });
    check_failure(failure::refused, {"COMPLEX64"}, [&] {
        save_triton_repository(model_of("(float[n,2] x) => (complex64[n,2] y)"), options_of(folder));
    });
    CHECK(folder.names().empty());
}

TEST_CASE("a write that fails leaves the old model, and nothing else")
{
    const temporary_folder folder;
    save_triton_repository(batched, options_of(folder));
    const auto fails = [&](const triton_options& options, std::size_t size, std::size_t limit) {
        return in_child([&] {
            std::signal(SIGXFSZ, SIG_IGN);
            const rlimit most{limit, limit};
            ::setrlimit(RLIMIT_FSIZE, &most);
            try {
                save_triton_repository(model_with_weight('b', size), options);
            } catch (const tool_error& e) {
                const std::string message = e.what(); // of the place that the user knows
                return e.kind() == failure::io && message.find("File too large") != std::string::npos &&
                       message.find("/" + options.model_name + "'") != std::string::npos &&
                       message.find(".padbatch-") == std::string::npos;
            }
            return false;
        });
    };
    CHECK(fails(options_of(folder, true), 1 << 20, 1 << 19));
    CHECK(fails(options_of(folder, true), 10, 300)); // the model fits, and config.pbtxt does not
    check_saved(folder, batched);
    CHECK(fails({folder.file("new"), "m"}, 1 << 20, 1 << 19));
    check_saved(folder, batched);
    CHECK_FALSE(fails(options_of(folder, true), 10, 4096));
}

TEST_CASE("a program that looks all the time sees only whole models")
{
    const temporary_folder folder;
    const auto options = options_of(folder, true);
    const auto first = model_with_weight('a', 1 << 20);
    const auto second = model_with_weight('b', 1 << 19);
    save_triton_repository(first, options);
    std::atomic<bool> done = false;
    int looks = 0;
    int broken = 0;
    std::thread server([&] {
        const fs::path model = folder.file("repository/maskrcnn");
        while (!done) {
            struct stat info = {};
            const bool whole = ::stat((model / "config.pbtxt").c_str(), &info) == 0 && info.st_size > 0 &&
                               ::stat((model / "1" / "model.onnx").c_str(), &info) == 0 && info.st_size > 1 << 19;
            int entries = 0;
            for (const auto& entry : fs::directory_iterator(folder.file("repository"))) {
                entries += entry.path().filename() == "maskrcnn" ? 1 : 100;
            }
            broken += whole && entries == 1 ? 0 : 1;
            ++looks;
        }
    });
    for (int round = 0; round < 20; ++round) {
        save_triton_repository(round % 2 == 0 ? second : first, options);
    }
    done = true;
    server.join();
    CHECK(broken == 0);
    CHECK(looks > 20);
    check_saved(folder, first);
}

TEST_CASE("file systems that cannot rename without replacing, or cannot exchange")
{
    const temporary_folder folder;
    file_system = {true, true, [] {}};
    save_triton_repository(batched, options_of(folder));
    check_saved(folder, batched);
    const auto other = model_with_weight('a', 10);
    save_triton_repository(other, options_of(folder, true));
    check_saved(folder, other);
    file_system.before_rename = [&] { fs::create_directory(folder.file("repository/new")); };
    check_failure(failure::io, {"already exists"},
                  [&] { save_triton_repository(batched, {folder.file("repository"), "new"}); });
    file_system = {};
    CHECK(fs::is_empty(folder.file("repository/new")));
    fs::remove(folder.file("repository/new"));
    check_saved(folder, other);
}

TEST_CASE("if nothing can be made beside the repository, the model is made in it")
{
    const temporary_folder folder;
    fs::create_directory(folder.file("repository"));
    fs::permissions(folder.file("repository"), fs::perms{0777});
    fs::permissions(folder.path(), fs::perms{0555});
    CHECK(in_child([&] {
        constexpr uid_t nobody = 65534;
        if (::geteuid() == 0 && ::seteuid(nobody) != 0) { // root may write anywhere
            return false;
        }
        save_triton_repository(batched, options_of(folder));
        save_triton_repository(batched, options_of(folder, true));
        return true;
    }));
    fs::permissions(folder.path(), fs::perms{0755});
    check_saved(folder, batched);
}

TEST_CASE("a repository that must not be written to stays as it is")
{
    const temporary_folder folder;
    fs::create_directory(folder.file("repository"));
    fs::permissions(folder.path(), fs::perms{0777});
    fs::permissions(folder.file("repository"), fs::perms{0555});
    CHECK(in_child([&] {
        constexpr uid_t nobody = 65534;
        if (::geteuid() == 0 && ::seteuid(nobody) != 0) {
            return false;
        }
        try {
            save_triton_repository(batched, options_of(folder));
        } catch (const tool_error& e) {
            return e.kind() == failure::io && std::string(e.what()).find("Permission denied") != std::string::npos;
        }
        return false;
    }));
    CHECK(folder.names() == std::set<std::string>{"repository"});
    CHECK(fs::is_empty(folder.file("repository")));
}
