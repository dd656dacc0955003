// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_CLI_OPTIONS_HPP
#define PADBATCH_ONNX_TOOLS_CLI_OPTIONS_HPP

#include <onnx_tools/rewrite.hpp>
#include <onnx_tools/serve/triton_config.hpp>

#include <optional>
#include <set>
#include <string>

namespace padbatch::onnx_tools::cli {

/// What the command line asks for.
struct options {
    std::string in;
    std::string out; ///< empty with `inspect` and with `triton`
    bool inspect = false;
    bool json = false;
    bool force = false;
    bool quiet = false;
    rewrite_options rewrite;
    /// The fields whose pad value is given as the word true or false.
    std::set<field> pad_words;
    /// Where the model is written, instead of `out`.
    std::optional<triton_options> triton;
};

/// Either options, or a text to print (for `--help` and `--version`), after which there is nothing left to do.
struct parsed {
    std::optional<options> run;
    std::string print;
};

/// Reads the command line. Throws `tool_error` with `failure::usage` when it makes no sense.
[[nodiscard]] parsed parse(int argc, const char* const* argv);

} // namespace padbatch::onnx_tools::cli

#endif
