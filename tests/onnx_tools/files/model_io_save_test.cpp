// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/files/atomic_file.hpp>
#include <onnx_tools/files/model_io.hpp>

#include <tests/support/check_failure.hpp>
#include <tests/support/fixture_models.hpp>
#include <tests/support/limited_file_system.hpp>
#include <tests/support/parse_model.hpp>
#include <tests/support/temporary_folder.hpp>

#include <doctest/doctest.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <functional>
#include <random>
#include <string>
#include <thread>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace padbatch::onnx_tools;
using namespace padbatch::test;

// What `save_model` does to the files: whole or not at all, whatever happens.

// Replaces the function of the C library.
extern "C" int renameat2(int from_folder, const char* from, int to_folder, const char* to, unsigned flags) noexcept
{
    if (file_system.limited) {
        file_system.before_rename();
        errno = EINVAL;
        return -1;
    }
    return static_cast<int>(::syscall(SYS_renameat2, from_folder, from, to_folder, to, flags));
}

extern "C" int link(const char* from, const char* to) noexcept
{
    if (file_system.limited && !file_system.hard_links) {
        errno = EPERM;
        return -1;
    }
    return ::linkat(AT_FDCWD, from, AT_FDCWD, to, 0);
}

// As the kernel does where fs.protected_symlinks is 1 and the link is another user's.
extern "C" int stat(const char* path, struct stat* status) noexcept
{
    if (!file_system.not_followed.empty() && path == file_system.not_followed) {
        errno = EACCES;
        return -1;
    }
    return ::fstatat(AT_FDCWD, path, status, 0);
}

namespace {

namespace fs = std::filesystem;

// A model with a weight of `bytes` bytes that are all `fill`.
onnx::ModelProto model_of(char fill, std::size_t bytes = 16)
{
    auto model =
        parse_model("<ir_version: 7, opset_import: [\"\" : 13]> g (float[n] x) => (float[n] y) { y = Neg(x) }");
    auto& weight = *model.mutable_graph()->add_initializer();
    weight.set_name("weight");
    weight.set_data_type(onnx::TensorProto::UINT8);
    weight.add_dims(static_cast<std::int64_t>(bytes));
    weight.set_raw_data(std::string(bytes, fill));
    return model;
}

unsigned mode_of(const fs::path& path)
{
    struct stat info = {};
    REQUIRE(::stat(path.c_str(), &info) == 0);
    return info.st_mode & 07777U;
}

// Runs `action` in a process of its own, where it may give up privileges and set limits. True if it returned true.
bool in_child(const std::function<bool()>& action)
{
    const auto child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        bool done = false;
        try {
            done = action();
        } catch (...) { // NOLINT(bugprone-empty-catch): the exit code tells
        }
        ::_exit(done ? 0 : 1);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

// Whether saving fails as a file that cannot be written does.
bool cannot_be_written(const onnx::ModelProto& model, const std::string& path, const std::string& reason)
{
    try {
        save_model(model, path, {true, ""});
    } catch (const tool_error& e) {
        const std::string message = e.what();
        return e.kind() == failure::io && message.find("cannot write") != std::string::npos &&
               message.find(reason) != std::string::npos;
    }
    return false;
}

} // namespace

TEST_CASE("a new file has the permissions that the umask leaves")
{
    const temporary_folder folder;
    const auto old = ::umask(027);
    save_model(model_of('a'), folder.file("a.onnx"));
    ::umask(0);
    save_model(model_of('a'), folder.file("b.onnx"));
    ::umask(old);
    CHECK(mode_of(folder.file("a.onnx")) == 0640);
    CHECK(mode_of(folder.file("b.onnx")) == 0666);
    CHECK(folder.names() == std::set<std::string>{"a.onnx", "b.onnx"});
}

TEST_CASE("a file that is replaced gives its permissions to the new one")
{
    const temporary_folder folder;
    const auto path = folder.file("out.onnx");
    for (const unsigned mode : {0640U, 0600U, 0664U, 0444U}) {
        write_file(path, "old");
        REQUIRE(::chmod(path.c_str(), mode) == 0);
        save_model(model_of('a'), path, {true, ""});
        CHECK(mode_of(path) == mode);
        CHECK(read_file(path) == model_of('a').SerializeAsString());
        fs::remove(path);
    }
}

TEST_CASE("a file that root replaces stays its owner's")
{
    const temporary_folder folder;
    const auto path = folder.file("out.onnx");
    write_file(path, "old");
    if (::chown(path.c_str(), 65534, 12345) != 0) {
        MESSAGE("only root can check this");
        return;
    }
    REQUIRE(::chmod(path.c_str(), 0640) == 0);
    save_model(model_of('a'), path, {true, ""});
    struct stat info = {};
    REQUIRE(::stat(path.c_str(), &info) == 0);
    CHECK(info.st_uid == 65534);
    CHECK(info.st_gid == 12345);
    CHECK(mode_of(path) == 0640);
}

TEST_CASE("file systems that cannot rename without replacing")
{
    for (const bool hard_links : {true, false}) {
        CAPTURE(hard_links);
        const temporary_folder folder;
        file_system = {true, hard_links, [] {}};
        save_model(model_of('a'), folder.file("out.onnx"));
        CHECK(read_file(folder.file("out.onnx")) == model_of('a').SerializeAsString());
        CHECK(folder.names() == std::set<std::string>{"out.onnx"});

        file_system.before_rename = [&] { write_file(folder.file("new.onnx"), "theirs"); };
        check_failure(failure::io, {"already exists"}, [&] { save_model(model_of('a'), folder.file("new.onnx")); });
        CHECK(read_file(folder.file("new.onnx")) == "theirs");
        CHECK(folder.names() == std::set<std::string>{"new.onnx", "out.onnx"});
        file_system = {};
    }
}

TEST_CASE("other names of a file that is replaced keep the old content")
{
    const temporary_folder folder;
    write_file(folder.file("out.onnx"), "old");
    fs::create_hard_link(folder.file("out.onnx"), folder.file("kept"));
    save_model(model_of('a'), folder.file("out.onnx"), {true, ""});
    CHECK(read_file(folder.file("kept")) == "old");
    CHECK(read_file(folder.file("out.onnx")) == model_of('a').SerializeAsString());
}

TEST_CASE("symbolic links are followed")
{
    const temporary_folder folder;
    fs::create_directory(folder.file("far"));
    write_file(folder.file("far/target.onnx"), "old");
    fs::create_symlink("far/target.onnx", folder.file("link"));
    fs::create_symlink(folder.file("link"), folder.file("absolute_link"));
    fs::create_symlink("far/new.onnx", folder.file("dangling"));
    const auto names = folder.names();
    const auto content = model_of('a').SerializeAsString();

    check_failure(failure::io, {"already exists"}, [&] { save_model(model_of('a'), folder.file("link")); });
    CHECK(read_file(folder.file("far/target.onnx")) == "old");
    save_model(model_of('a'), folder.file("absolute_link"), {true, ""});
    CHECK(fs::read_symlink(folder.file("link")) == "far/target.onnx");
    CHECK(fs::is_symlink(folder.file("absolute_link")));
    CHECK(read_file(folder.file("far/target.onnx")) == content);
    save_model(model_of('a'), folder.file("dangling")); // nothing is replaced
    CHECK(fs::is_symlink(folder.file("dangling")));
    CHECK(read_file(folder.file("far/new.onnx")) == content);
    CHECK(folder.names() == names);
}

TEST_CASE("links without a file to write to")
{
    const temporary_folder folder;
    fs::create_symlink("b", folder.file("a"));
    fs::create_symlink("a", folder.file("b"));
    fs::create_symlink("missing/file.onnx", folder.file("far"));
    for (const bool overwrite : {false, true}) {
        check_failure(failure::io, {"leads back to itself"},
                      [&] { require_savable(folder.file("a"), {overwrite, ""}); });
        check_failure(failure::io, {"leads back to itself"},
                      [&] { save_model(model_of('a'), folder.file("a"), {overwrite, ""}); });
        check_failure(failure::io, {"missing'"},
                      [&] { save_model(model_of('a'), folder.file("far"), {overwrite, ""}); });
    }
    CHECK(folder.names() == std::set<std::string>{"a", "b", "far"});
}

TEST_CASE("a pipe is not written to")
{
    const temporary_folder folder;
    REQUIRE(::mkfifo(folder.file("pipe").c_str(), 0600) == 0);
    check_failure(failure::io, {"pipe"}, [&] { save_model(model_of('a'), folder.file("pipe"), {true, ""}); });
    CHECK(folder.names() == std::set<std::string>{"pipe"});
}

TEST_CASE("a name without a folder is in the current one")
{
    const temporary_folder folder;
    REQUIRE(in_child([&] {
        fs::current_path(folder.path());
        save_model(model_of('a'), "out.onnx");
        return true;
    }));
    CHECK(read_file(folder.file("out.onnx")) == model_of('a').SerializeAsString());
}

TEST_CASE("a folder that must not be written to stays as it is")
{
    const temporary_folder folder;
    fs::permissions(folder.path(), fs::perms{0755}); // for the user that root turns into below
    fs::create_directory(folder.file("closed"));
    write_file(folder.file("closed/out.onnx"), "old");
    fs::permissions(folder.file("closed"), fs::perms{0555});
    const bool refused = in_child([&] {
        constexpr uid_t nobody = 65534;
        if (::geteuid() == 0 && ::seteuid(nobody) != 0) { // root may write anywhere
            return false;
        }
        return cannot_be_written(model_of('a'), folder.file("closed/out.onnx"), "Permission denied") &&
               cannot_be_written(model_of('a'), folder.file("closed/new.onnx"), "Permission denied");
    });
    CHECK(refused);
    CHECK(read_file(folder.file("closed/out.onnx")) == "old");
    fs::permissions(folder.file("closed"), fs::perms{0755});
    fs::remove(folder.file("closed/out.onnx"));
    CHECK(fs::is_empty(folder.file("closed")));
}

TEST_CASE("a link that may not be followed is not followed")
{
    const temporary_folder folder;
    const auto link = folder.file("link.onnx");
    for (const bool dangling : {false, true}) {
        const auto target = folder.file(dangling ? "new.onnx" : "old.onnx");
        if (!dangling) {
            write_file(target, "old");
        }
        fs::create_symlink(target, link);
        file_system.not_followed = link;
        for (const bool overwrite : {false, true}) {
            check_failure(failure::io, {"link.onnx'", "Permission denied"},
                          [&] { require_savable(link, {overwrite, ""}); });
            check_failure(failure::io, {"link.onnx'", "Permission denied"},
                          [&] { save_model(model_of('a'), link, {overwrite, ""}); });
        }
        file_system = {};
        CHECK(fs::exists(target) == !dangling);
        fs::remove(link);
    }
    CHECK(read_file(folder.file("old.onnx")) == "old");
    CHECK(folder.names() == std::set<std::string>{"old.onnx"});
}

TEST_CASE("what earlier programs of the same number left behind is no obstacle")
{
    const temporary_folder folder;
    for (int attempt = 0; attempt < 1200; ++attempt) { // in a container, every program may have the number 1
        write_file(folder.file(temporary_name(attempt)), "left");
    }
    save_model(model_of('a'), folder.file("out.onnx"));
    CHECK(read_file(folder.file("out.onnx")) == model_of('a').SerializeAsString());
    CHECK(folder.names().size() == 1201);
}

TEST_CASE("a file that must not be read")
{
    const temporary_folder folder;
    fs::permissions(folder.path(), fs::perms{0755});
    write_file(folder.file("closed.onnx"), "anything");
    fs::permissions(folder.file("closed.onnx"), fs::perms{0});
    CHECK(in_child([&] {
        constexpr uid_t nobody = 65534;
        if (::geteuid() == 0 && ::seteuid(nobody) != 0) {
            return false;
        }
        try {
            (void)load_model(folder.file("closed.onnx"));
        } catch (const tool_error& e) {
            return e.kind() == failure::io && std::string(e.what()).find("Permission denied") != std::string::npos;
        }
        return false;
    }));
}

TEST_CASE("a write that fails in the middle leaves everything as it was")
{
    const temporary_folder folder;
    const auto old = model_of('o').SerializeAsString();
    write_file(folder.file("out.onnx"), old);
    // A limit on the size of files makes a write fail as a full disk does, without a disk that can be filled. A limit
    // far below the model's size fails the first write, the others fail one in the middle and the last one.
    const auto large = model_of('n', 4 << 20);
    const auto size = large.SerializeAsString().size();
    for (const auto limit : {std::size_t{100}, std::size_t{3} << 20, size - 1, size}) {
        CAPTURE(limit);
        const bool failed = in_child([&] {
            std::signal(SIGXFSZ, SIG_IGN);
            const rlimit most{limit, limit};
            return ::setrlimit(RLIMIT_FSIZE, &most) == 0 &&
                   cannot_be_written(large, folder.file("out.onnx"), "File too large") &&
                   cannot_be_written(large, folder.file("new.onnx"), "File too large");
        });
        CHECK(failed == (limit < size)); // at the limit itself the file fits, so the check does not pass by accident
        if (limit < size) {
            CHECK(folder.names() == std::set<std::string>{"out.onnx"});
            CHECK(read_file(folder.file("out.onnx")) == old);
        } else {
            CHECK(read_file(folder.file("out.onnx")) == large.SerializeAsString());
        }
    }
}

TEST_CASE("a model of 2 GiB or more is refused before anything is written")
{
    const temporary_folder folder;
    auto model = model_of('w');
    // One gigabyte, used three times, would do, but a message owns its strings.
    for (int i = 0; i < 3; ++i) {
        auto& weights = *model.mutable_graph()->add_initializer();
        weights.set_name("more" + std::to_string(i));
        weights.mutable_raw_data()->resize(std::size_t{768} << 20U);
    }
    check_failure(failure::refused, {"2 GiB", "external data"}, [&] { save_model(model, folder.file("out.onnx")); });
    CHECK(folder.names().empty());
}

// Over 10 s on a busy machine: 40 processes, each killed at another time, so that some are hit while they write.
TEST_CASE("a process that is killed while it saves leaves the old or the new file, whole")
{
    const temporary_folder folder;
    const auto path = folder.file("out.onnx");
    const auto first = model_of('a', 4 << 20);
    const auto second = model_of('b', 3 << 20);
    const auto first_bytes = first.SerializeAsString();
    const auto second_bytes = second.SerializeAsString();
    save_model(first, path);
    std::mt19937 draws(7);
    int interrupted = 0;
    int broken = 0;
    for (int round = 0; round < at_least(40); ++round) {
        const auto child = ::fork();
        REQUIRE(child >= 0);
        if (child == 0) {
            for (;;) {
                save_model(second, path, {true, ""});
                save_model(first, path, {true, ""});
            }
        }
        std::this_thread::sleep_for(std::chrono::microseconds(500 + draws() % 15000));
        REQUIRE(::kill(child, SIGKILL) == 0);
        int status = 0;
        REQUIRE(::waitpid(child, &status, 0) == child);
        REQUIRE(WIFSIGNALED(status)); // it was saving until then
        const auto content = read_file(path);
        broken += content != first_bytes && content != second_bytes ? 1 : 0;
        interrupted += folder.names().size() > 1 ? 1 : 0; // its temporary file is left
        for (const auto& name : folder.names()) {
            if (name != "out.onnx") {
                fs::remove(folder.file(name));
            }
        }
    }
    CHECK(broken == 0);
    CHECK(interrupted > 0); // otherwise no kill came while a file was being written, and the test shows nothing
}
