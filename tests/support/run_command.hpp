// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_TESTS_SUPPORT_RUN_COMMAND_HPP
#define PADBATCH_TESTS_SUPPORT_RUN_COMMAND_HPP

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace padbatch::test {

/// How a command is run, if that matters.
struct command_setting {
    std::filesystem::path folder = {}; ///< the working folder; empty for that of the test
    rlim_t memory = RLIM_INFINITY;     ///< bytes of address space at most
    rlim_t file_size = RLIM_INFINITY;  ///< bytes of a file that it writes at most
    bool close_out = false;            ///< without a standard output
    bool close_err = false;            ///< without a standard error
    bool full_out = false;             ///< standard output has no room
    bool unread_out = false;           ///< standard output is a pipe that nobody reads
    bool unread_err = false;           ///< standard error is such a pipe
};

struct command_result {
    int exit_code = 0; ///< 128 + the signal where one ended the command
    std::string out;
    std::string err;
};

namespace detail {

// An open file without a name.
class unnamed_file {
public:
    unnamed_file() : m_file(std::tmpfile())
    {
        if (!m_file) {
            throw std::system_error(errno, std::generic_category(), "cannot make a temporary file");
        }
    }

    [[nodiscard]] int descriptor() const { return ::fileno(m_file.get()); }
    [[nodiscard]] std::string content() const
    {
        std::rewind(m_file.get());
        std::string text;
        std::array<char, 4096> block{};
        for (std::size_t size = 1; size > 0;) {
            size = std::fread(block.data(), 1, block.size(), m_file.get());
            text.append(block.data(), size);
        }
        return text;
    }

private:
    struct closer {
        void operator()(std::FILE* file) const { std::fclose(file); }
    };
    std::unique_ptr<std::FILE, closer> m_file;
};

// In the child, between fork and exec: only what is safe there.
[[noreturn]] inline void become(char* const* arguments, const char* folder, const command_setting& setting, int out,
                                int err)
{
    const rlimit limit{setting.memory, setting.memory};
    const rlimit size_limit{setting.file_size, setting.file_size};
    std::signal(SIGPIPE, SIG_DFL); // as from a shell, whatever started the test
    std::signal(SIGXFSZ, SIG_DFL);
    int unread[2] = {-1, -1};
    if ((setting.unread_out || setting.unread_err) && ::pipe(unread) == 0) {
        ::close(unread[0]);
        out = setting.unread_out ? unread[1] : out;
        err = setting.unread_err ? unread[1] : err;
    }
    const int nothing = ::open("/dev/null", O_RDONLY);
    const int full = ::open("/dev/full", O_WRONLY);
    if (::dup2(nothing, 0) == 0 && ::dup2(setting.full_out ? full : out, 1) == 1 && ::dup2(err, 2) == 2 &&
        (*folder == '\0' || ::chdir(folder) == 0) &&
        (setting.memory == RLIM_INFINITY || ::setrlimit(RLIMIT_AS, &limit) == 0) &&
        (setting.file_size == RLIM_INFINITY || ::setrlimit(RLIMIT_FSIZE, &size_limit) == 0)) {
        ::close(nothing);
        ::close(full);
        if (setting.close_out) {
            ::close(1);
        }
        if (setting.close_err) {
            ::close(2);
        }
        ::execv(arguments[0], arguments);
    }
    ::_exit(127);
}

} // namespace detail

/// Runs onnx-pad-outputs with an empty standard input, and waits for it to end.
inline command_result run_command(std::vector<std::string> arguments, const command_setting& setting = {})
{
    arguments.insert(arguments.begin(), PADBATCH_TESTS_COMMAND);
    std::vector<char*> raw;
    raw.reserve(arguments.size() + 1);
    for (auto& argument : arguments) {
        raw.push_back(argument.data());
    }
    raw.push_back(nullptr);
    const detail::unnamed_file out;
    const detail::unnamed_file err;
    const pid_t child = ::fork();
    if (child == 0) {
        detail::become(raw.data(), setting.folder.c_str(), setting, out.descriptor(), err.descriptor());
    }
    int status = 0;
    if (child < 0 || ::waitpid(child, &status, 0) != child) {
        throw std::system_error(errno, std::generic_category(), "cannot run " + arguments.front());
    }
    return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), out.content(), err.content()};
}

} // namespace padbatch::test

#endif
