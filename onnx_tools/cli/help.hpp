// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_CLI_HELP_HPP
#define PADBATCH_ONNX_TOOLS_CLI_HELP_HPP

namespace padbatch::onnx_tools::cli {

inline constexpr char usage[] = "onnx-pad-outputs [OPTIONS] IN.onnx OUT.onnx";
inline constexpr char triton_usage[] =
    "onnx-pad-outputs [OPTIONS] --triton-repository DIR --model-name NAME [--max-batch-size N] IN.onnx";
inline constexpr char inspect_usage[] = "onnx-pad-outputs --inspect [OPTIONS] IN.onnx";
inline constexpr char see_help[] = "onnx-pad-outputs --help lists the options";

/// What `--help` prints.
extern const char* const help;

} // namespace padbatch::onnx_tools::cli

#endif
