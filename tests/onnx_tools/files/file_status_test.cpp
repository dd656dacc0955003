// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/files/file_status.hpp>

#include <tests/support/check_failure.hpp>
#include <tests/support/run_as_nobody.hpp>
#include <tests/support/temporary_folder.hpp>

#include <doctest/doctest.h>

#include <cerrno>
#include <filesystem>
#include <string>

using namespace padbatch::onnx_tools;
using namespace padbatch::test;

namespace {

namespace fs = std::filesystem;

} // namespace

TEST_CASE("what is there, and what is not")
{
    const temporary_folder folder;
    write_file(folder.file("file"), "content");
    fs::create_symlink("file", folder.file("link"));
    fs::create_symlink("nowhere", folder.file("dangling"));
    CHECK(is_file(status_at(folder.file("file"))));
    CHECK(is_file(status_at(folder.file("link"))));
    CHECK(is_folder(status_at(folder.path())));
    CHECK_FALSE(is_folder(status_at(folder.file("file"))));
    CHECK_FALSE(is_file(status_at(folder.path())));
    CHECK_FALSE(is_file(link_status_at(folder.file("link"))));
    CHECK(link_status_at(folder.file("dangling")));
    for (const auto* name : {"nothing", "dangling", "nothing/file", "file/file", "file/"}) {
        CAPTURE(name);
        CHECK_FALSE(status_at(folder.file(name)));
        CHECK_FALSE(is_folder(status_at(folder.file(name))));
        CHECK_FALSE(is_file(status_at(folder.file(name))));
    }
    CHECK_FALSE(status_at(""));
}

TEST_CASE("a look that is refused does not mean that nothing is there")
{
    const temporary_folder folder;
    const auto too_long = folder.file(std::string(256, 'n'));
    check_failure(failure::io, {"nnn", "File name too long", "shorter name"}, [&] { (void)status_at(too_long); });
    check_failure(failure::io, {"File name too long"}, [&] { (void)link_status_at(too_long); });
    fs::create_symlink("circle", folder.file("circle"));
    check_failure(failure::io, {"circle'", "symbolic links"}, [&] { (void)status_at(folder.file("circle")); });
    CHECK(link_status_at(folder.file("circle")));

    fs::permissions(folder.path(), fs::perms{0755});
    fs::create_directory(folder.file("closed"));
    write_file(folder.file("closed/file"), "content");
    fs::create_symlink("closed/file", folder.file("link"));
    fs::permissions(folder.file("closed"), fs::perms{0700});
    for (const auto* name : {"closed/file", "closed/nothing", "link"}) {
        CAPTURE(name);
        CHECK(run_as_nobody([&] {
            try {
                (void)status_at(folder.file(name));
            } catch (const tool_error& e) {
                const std::string message = e.what();
                return e.kind() == failure::io && message.find(name) != std::string::npos &&
                       message.find("Permission denied") != std::string::npos &&
                       message.find("permissions") != std::string::npos;
            }
            return false;
        }));
    }
}

TEST_CASE("the folder of a file is never an empty path")
{
    CHECK(folder_of("file") == ".");
    CHECK(folder_of("a/file") == "a");
    CHECK(folder_of("/file") == "/");
    CHECK(folder_of("../file") == "..");
}

TEST_CASE("links are followed to where a file is or would be")
{
    const temporary_folder folder;
    fs::create_directory(folder.file("far"));
    fs::create_symlink("far/file", folder.file("a"));
    fs::create_symlink(folder.file("a"), folder.file("b"));
    CHECK(target_of(folder.file("b")) == folder.file("far/file"));
    write_file(folder.file("far/file"), "");
    CHECK(target_of(folder.file("b")) == folder.file("far/file"));
    CHECK(target_of(folder.file("nothing")) == folder.file("nothing"));
    fs::create_symlink("circle", folder.file("circle"));
    check_failure(failure::io, {"circle' is a symbolic link that leads back to itself"},
                  [&] { (void)target_of(folder.file("circle")); });
}

TEST_CASE("one place under several names")
{
    const temporary_folder folder;
    fs::create_directory(folder.file("sub"));
    fs::create_directory_symlink("sub", folder.file("same"));
    write_file(folder.file("sub/file"), "");
    write_file(folder.file("sub/other"), "");
    fs::create_symlink("sub/file", folder.file("link"));
    fs::create_hard_link(folder.file("sub/file"), folder.file("hard"));
    fs::create_symlink("sub/new", folder.file("dangling"));
    for (const auto* name : {"sub/file", "./sub/../sub/file", "same/file", "link", "hard"}) {
        CAPTURE(name);
        CHECK(is_same_place(folder.file("sub/file"), folder.file(name)));
        CHECK_FALSE(is_same_place(folder.file("sub/other"), folder.file(name)));
        CHECK_FALSE(is_same_place(folder.file("sub/new"), folder.file(name)));
        CHECK_FALSE(is_same_place(folder.file(name), folder.file("sub/new")));
    }
    for (const auto* name : {"sub/new", "same/new", "dangling"}) { // where no file is yet
        CAPTURE(name);
        CHECK(is_same_place(folder.file("sub/new"), folder.file(name)));
        CHECK_FALSE(is_same_place(folder.file("new"), folder.file(name)));
        CHECK_FALSE(is_same_place(folder.file("sub/new2"), folder.file(name)));
    }
    CHECK_FALSE(is_same_place(folder.file("nowhere/new"), folder.file("nothing/new")));
}

TEST_CASE("what to do about an error fits the error")
{
    CHECK(remedy_of(EFBIG).find("ulimit -f") != std::string::npos);
    CHECK(remedy_of(ENOSPC).find("free some space") != std::string::npos);
    CHECK(remedy_of(EDQUOT) == remedy_of(ENOSPC));
    CHECK(remedy_of(ENAMETOOLONG).find("shorter name") != std::string::npos);
    CHECK(remedy_of(EACCES).find("permissions") != std::string::npos);
    CHECK(remedy_of(EROFS).find("another disk") != std::string::npos);
    CHECK(reason(ENOENT) == "No such file or directory");
}
