// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_TESTS_SUPPORT_TOLD_OPTIONS_HPP
#define PADBATCH_TESTS_SUPPORT_TOLD_OPTIONS_HPP

#include <onnx_tools/cli/flags.hpp>
#include <onnx_tools/cli/options.hpp>
#include <onnx_tools/error.hpp>
#include <onnx_tools/rewrite.hpp>

#include <exception>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

// The rewrite, with options as a user spells them.
namespace padbatch::test {

/// Flags with their values; no value for those that take none.
using flag_list = std::vector<std::pair<std::string, std::string>>;

/// The flags of `text`, such as `--masks roi --squeeze-masks`.
inline flag_list flags_in(const std::string& text)
{
    flag_list flags;
    std::istringstream words(text);
    for (std::string word; words >> word;) {
        if (word.rfind("--", 0) == 0) {
            flags.emplace_back(word, "");
        } else {
            flags.back().second = word;
        }
    }
    return flags;
}

inline std::string text_of(const flag_list& flags)
{
    std::string text;
    for (const auto& [name, value] : flags) {
        text += (text.empty() ? "" : " ") + name + (value.empty() ? "" : " ") + value;
    }
    return text;
}

inline onnx_tools::rewrite_options options_of(const flag_list& flags)
{
    std::vector<const char*> arguments{"onnx-pad-outputs"};
    for (const auto& [name, value] : flags) {
        arguments.push_back(name.c_str());
        if (!value.empty()) {
            arguments.push_back(value.c_str());
        }
    }
    arguments.insert(arguments.end(), {"in.onnx", "out.onnx"});
    return onnx_tools::cli::parse(static_cast<int>(arguments.size()), arguments.data()).run.value().rewrite;
}

/// How a rewrite ended.
struct rewrite_outcome {
    std::optional<onnx_tools::pad_plan> plan; ///< if it succeeded
    onnx_tools::rewrite_options options;
    onnx::ModelProto result;
    onnx_tools::failure kind = onnx_tools::failure::internal;
    std::string message; ///< what the command would print

    [[nodiscard]] bool is_refusal() const
    {
        return !plan && (kind == onnx_tools::failure::refused || kind == onnx_tools::failure::usage);
    }
};

inline rewrite_outcome rewrite_as_told(const onnx::ModelProto& model, const flag_list& flags)
{
    rewrite_outcome outcome;
    try {
        outcome.options = options_of(flags);
        outcome.result = model;
        outcome.plan = onnx_tools::rewrite(outcome.result, outcome.options);
    } catch (const onnx_tools::tool_error& e) {
        outcome.kind = e.kind();
        outcome.message = onnx_tools::cli::with_flags(e.what());
    } catch (const std::exception& e) {
        outcome.message = std::string("internal error: ") + e.what();
    }
    return outcome;
}

} // namespace padbatch::test

#endif
