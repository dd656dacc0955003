// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_CLI_FLAGS_HPP
#define PADBATCH_ONNX_TOOLS_CLI_FLAGS_HPP

#include <string>
#include <string_view>
#include <vector>

/// How the command spells the library's options. The library's messages name an option in backquotes, `max_detections`,
/// as its members are called or nearly so; the command says --max-detections. Another front end needs nothing but a
/// mapping of its own.
namespace padbatch::onnx_tools::cli {

/// `text` with every option that it names in backquotes spelled as a flag. Other words in backquotes stay.
[[nodiscard]] std::string with_flags(std::string_view text);
[[nodiscard]] std::vector<std::string> with_flags(const std::vector<std::string>& texts);

} // namespace padbatch::onnx_tools::cli

#endif
