// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_ERROR_HPP
#define PADBATCH_ONNX_TOOLS_ERROR_HPP

#include <onnx_tools/utf8.hpp>

#include <memory>
#include <stdexcept>
#include <string>

namespace padbatch::onnx_tools {

/// Why a step failed. The values are the exit codes of the command.
enum class failure {
    /// A defect of padbatch, or memory ran out.
    internal = 1,
    /// An option or its value makes no sense, by itself or for this model.
    usage = 2,
    /// A file could not be read or written.
    io = 3,
    /// The file is not an ONNX model.
    not_onnx = 4,
    /// The model is an ONNX model, but padbatch will not rewrite it.
    refused = 5,
};

/// The three things that every error message says, a line each. Names from a model or a command line may hold anything:
/// `tool_error` makes the texts printable, so that no name adds a line, ends the message or commands a terminal.
struct problem {
    std::string found;
    std::string expected;
    std::string remedy;
};

/// The exception that every step of the rewrite throws. `what()` is the whole message, in three lines.
class tool_error : public std::runtime_error {
public:
    tool_error(failure kind, const problem& p)
        : std::runtime_error(printable(p.found) + "\n  expected: " + printable(p.expected) +
                             "\n  what to do: " + printable(p.remedy)),
          m_kind(kind), m_problem(std::make_shared<const problem>(p))
    {
    }

    [[nodiscard]] failure kind() const noexcept { return m_kind; }
    /// What `what()` says, in parts; the names in them are not yet printable.
    [[nodiscard]] const problem& parts() const noexcept { return *m_problem; }

private:
    failure m_kind;
    std::shared_ptr<const problem> m_problem; // shared, since a copy of an exception must not throw
};

/// Throws `failure::refused`.
[[noreturn]] inline void refuse(const std::string& found, const std::string& expected, const std::string& remedy)
{
    throw tool_error(failure::refused, {found, expected, remedy});
}

/// Throws `failure::usage`.
[[noreturn]] inline void misused(const std::string& found, const std::string& expected, const std::string& remedy)
{
    throw tool_error(failure::usage, {found, expected, remedy});
}

} // namespace padbatch::onnx_tools

#endif
