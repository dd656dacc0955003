// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_CLI_FLAGS_HPP
#define PADBATCH_ONNX_TOOLS_CLI_FLAGS_HPP

#include <string>
#include <string_view>
#include <vector>

/// How the command spells the library's options. The library's messages name options in backquotes and after the
/// members of its structs or nearly so, `max_detections`; the command says --max-detections. Another front end only
/// needs a mapping of its own.
namespace padbatch::onnx_tools::cli {

/// `text` with every option that it names in backquotes spelled as a flag. Other words in backquotes are left alone.
[[nodiscard]] std::string with_flags(std::string_view text);
[[nodiscard]] std::vector<std::string> with_flags(const std::vector<std::string>& texts);

} // namespace padbatch::onnx_tools::cli

#endif
