// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_CLI_RUN_HPP
#define PADBATCH_ONNX_TOOLS_CLI_RUN_HPP

#include <cstdio>

namespace padbatch::onnx_tools::cli {

/// The command `onnx-pad-outputs`: reads the arguments, does what they ask for, prints results to `out`, and reports
/// and errors to `err`. Returns the exit code; never throws. `argv[0]` is ignored.
[[nodiscard]] int run(int argc, const char* const* argv, std::FILE* out, std::FILE* err) noexcept;

} // namespace padbatch::onnx_tools::cli

#endif
