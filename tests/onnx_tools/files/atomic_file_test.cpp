// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/files/atomic_file.hpp>

#include <tests/support/check_failure.hpp>
#include <tests/support/temporary_folder.hpp>

#include <doctest/doctest.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <set>
#include <string>

#include <fcntl.h>
#include <unistd.h>

using namespace padbatch::onnx_tools;
using namespace padbatch::test;

namespace {

bool is_open(int fd)
{
    return ::fcntl(fd, F_GETFD) != -1;
}

} // namespace

TEST_CASE("a new file has the whole content")
{
    const temporary_folder folder;
    std::string content = "first\n";
    content.resize(5 << 20, '\0'); // more than one write may take
    content += "\xff last";
    CHECK(write_new_file(folder.file("new"), content) == 0);
    CHECK(read_file(folder.file("new")) == content);
    CHECK(write_new_file(folder.file("empty"), "") == 0);
    CHECK(read_file(folder.file("empty")).empty());
    CHECK(folder.names() == std::set<std::string>{"new", "empty"});
}

TEST_CASE("a file that exists is not written over, nor what a link points to")
{
    const temporary_folder folder;
    write_file(folder.file("old"), "old content");
    CHECK(write_new_file(folder.file("old"), "new") == EEXIST);
    CHECK(read_file(folder.file("old")) == "old content");
    std::filesystem::create_symlink("nowhere", folder.file("link"));
    CHECK(write_new_file(folder.file("link"), "new") == EEXIST);
    CHECK_FALSE(std::filesystem::exists(folder.file("nowhere")));
}

TEST_CASE("the error of a failed write is the system's")
{
    const temporary_folder folder;
    CHECK(write_new_file(folder.file("missing/new"), "content") == ENOENT);
    write_file(folder.file("file"), "");
    CHECK(write_new_file(folder.file("file/new"), "content") == ENOTDIR);
    CHECK(folder.names() == std::set<std::string>{"file"});
}

TEST_CASE("folders are flushed, and nothing else")
{
    const temporary_folder folder;
    CHECK(flush_folder(folder.path()) == 0);
    CHECK(flush_folder(folder.path() / "missing") == ENOENT);
    write_file(folder.file("file"), "");
    CHECK(flush_folder(folder.path() / "file") == ENOTDIR);
}

TEST_CASE("a descriptor is closed once, at the end at the latest")
{
    const int first = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    REQUIRE(first >= 0);
    {
        const file_descriptor file(first);
        CHECK(file.get() == first);
        CHECK(is_open(first));
    }
    CHECK_FALSE(is_open(first));

    file_descriptor file(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    REQUIRE(file.get() == first); // the lowest that is free
    CHECK(file.close());
    CHECK(file.get() == -1);
    CHECK_FALSE(is_open(first));
    CHECK_FALSE(file.close()); // and not what has its number since then
    CHECK_FALSE(file_descriptor(-1).close());
}

TEST_CASE("temporary names differ by attempt and by program, and are hidden")
{
    CHECK(temporary_name(0) != temporary_name(1));
    CHECK(temporary_name(1) != temporary_name(11));
    CHECK(temporary_name(3) == temporary_name(3));
    for (const int attempt : {0, 1, 1000000}) {
        const auto name = temporary_name(attempt);
        CAPTURE(name);
        CHECK(name.front() == '.');
        CHECK(name.find('/') == std::string::npos);
        CHECK(name.find("-" + std::to_string(::getpid()) + "-") != std::string::npos);
    }
}

TEST_CASE("a temporary file is made whatever earlier programs left behind")
{
    const temporary_folder folder;
    const int left = 1500;
    for (int attempt = 0; attempt < left; ++attempt) {
        write_file(folder.file(temporary_name(attempt)), "");
    }
    std::filesystem::path made;
    int tries = 0;
    CHECK(make_temporary(folder.path(), made, [&](const auto& path) {
              ++tries;
              return write_new_file(path, "mine");
          }) == 0);
    CHECK(tries == left + 1);
    CHECK(read_file(made) == "mine");
    CHECK(made.parent_path() == folder.path());
    // Any other error ends it.
    tries = 0;
    CHECK(make_temporary(folder.path(), made, [&](const auto&) {
              ++tries;
              return ENOSPC;
          }) == ENOSPC);
    CHECK(tries == 1);
}

TEST_CASE("failures name the file and the reason")
{
    check_failure(failure::io, {"'out.onnx'", "another name", "take it"},
                  [] { exists_already("out.onnx", "another name", "take it"); });
    for (const int error : {EACCES, ENOSPC, EFBIG, EDQUOT}) {
        check_failure(failure::io, {"'a/out.onnx'", std::strerror(error)}, // NOLINT(concurrency-mt-unsafe)
                      [&] { cannot_write("a/out.onnx", error); });
    }
    check_failure(failure::io, {"ulimit -f"}, [] { cannot_write("out.onnx", EFBIG); });
    check_failure(failure::io, {"permissions"}, [] { cannot_write("out.onnx", EACCES); });
    check_failure(failure::io, {"shorter name", "expected: a name"}, [] { cannot_write("out.onnx", ENAMETOOLONG); });
}
