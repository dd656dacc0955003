// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_TESTS_ONNX_TOOLS_CLI_COMMAND_ERRORS_HPP
#define PADBATCH_TESTS_ONNX_TOOLS_CLI_COMMAND_ERRORS_HPP

#include <tests/support/run_command.hpp>
#include <tests/support/temporary_folder.hpp>

#include <doctest/doctest.h>

#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace padbatch::test {

struct error_case {
    std::vector<std::string> arguments;
    std::vector<std::string> words; ///< what the message must contain
};

// All files in a folder, with their content.
inline std::map<std::string, std::string> listing(const std::filesystem::path& folder)
{
    std::map<std::string, std::string> all;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
        const bool file = !entry.is_symlink() && entry.is_regular_file();
        all[entry.path().string()] = file ? read_file(entry.path()) : "";
    }
    return all;
}

inline bool ends_with(const std::string& text, const std::string& end)
{
    return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

// Runs each case in `folder`: it must fail with the exit code and a message of three parts, and change no file.
inline void check_errors(const temporary_folder& folder, int exit_code, const std::vector<error_case>& cases)
{
    const auto before = listing(folder.path());
    for (const auto& c : cases) {
        std::string line;
        for (const auto& argument : c.arguments) {
            line += " '" + argument + "'";
        }
        CAPTURE(line);
        const auto result = run_command(c.arguments, {.folder = folder.path()});
        CAPTURE(result.err);
        CHECK(result.exit_code == exit_code);
        CHECK(result.out.empty());
        CHECK(result.err.find("onnx-pad-outputs: ") == 0);
        const auto expected = result.err.find("\n  expected: ");
        const auto remedy = result.err.find("\n  what to do: ");
        CHECK(expected < remedy);
        CHECK(remedy < result.err.size());
        CHECK(ends_with(result.err, "\n"));
        for (const auto& word : c.words) {
            CAPTURE(word);
            CHECK(result.err.find(word) != std::string::npos);
        }
        const bool unchanged = listing(folder.path()) == before;
        CHECK(unchanged);
    }
}

// `arguments` followed by `in.onnx out.onnx`.
inline error_case with(std::vector<std::string> arguments, std::vector<std::string> words)
{
    arguments.insert(arguments.end(), {"in.onnx", "out.onnx"});
    return {std::move(arguments), std::move(words)};
}

} // namespace padbatch::test

#endif
