// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/cli/process.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cerrno>
#include <csignal>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

// Whether `holds()` is true in a process of its own, and returns at all.
template <typename Condition>
bool in_child(const Condition& holds)
{
    const pid_t child = ::fork();
    if (child == 0) {
        ::_exit(holds() ? 0 : 1);
    }
    int status = -1;
    return child > 0 && ::waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

} // namespace

TEST_CASE("a prepared process survives a pipe that nobody reads")
{
    const auto write_to_broken_pipe = [] {
        std::array<int, 2> ends{};
        if (::pipe(ends.data()) != 0) {
            return false;
        }
        ::close(ends[0]);
        return ::write(ends[1], "x", 1) == -1 && errno == EPIPE;
    };
    CHECK_FALSE(in_child([&] {
        std::signal(SIGPIPE, SIG_DFL);
        return write_to_broken_pipe();
    }));
    CHECK(in_child([&] {
        padbatch::onnx_tools::cli::prepare_process();
        return write_to_broken_pipe();
    }));
}

TEST_CASE("a prepared process opens no file in the place of a standard stream, and still cannot write to it")
{
    for (int closed = 0; closed <= 2; ++closed) {
        CAPTURE(closed);
        CHECK(in_child([&] {
            ::close(closed);
            padbatch::onnx_tools::cli::prepare_process();
            char c = 'x';
            const bool fails = closed == 0 ? ::read(closed, &c, 1) == -1 : ::write(closed, &c, 1) == -1;
            return fails && errno == EBADF && ::open("/dev/null", O_RDONLY) > 2;
        }));
    }
    CHECK(in_child([] { // streams that are open stay as they are
        std::array<int, 2> ends{};
        char c = '\0';
        if (::pipe(ends.data()) != 0 || ::dup2(ends[1], 1) != 1) {
            return false;
        }
        padbatch::onnx_tools::cli::prepare_process();
        return ::write(1, "y", 1) == 1 && ::read(ends[0], &c, 1) == 1 && c == 'y';
    }));
}
