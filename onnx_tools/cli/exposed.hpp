// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_CLI_EXPOSED_HPP
#define PADBATCH_ONNX_TOOLS_CLI_EXPOSED_HPP

#include <onnx_tools/plan/pad_plan.hpp>
#include <onnx_tools/plan/run_option.hpp>
#include <onnx_tools/serve/triton_config.hpp>

#include <map>
#include <optional>
#include <string>
#include <vector>

// What is left to the callers of the padded model: how it is asked for, and how it is reported.
namespace padbatch::onnx_tools::cli {

/// Reads the values of --expose, `NAME` or `NAME=DEFAULT`, and of --expose-per-image, `NAME`; each name once. Throws
/// `tool_error` with `failure::usage`.
[[nodiscard]] std::map<run_option, exposure> exposed_options(const std::vector<std::string>& exposed,
                                                             const std::vector<std::string>& per_image);

/// Requires inputs that a server can serve. Throws `tool_error` with `failure::usage`.
void require_servable(const std::map<run_option, exposure>& exposed, const std::optional<triton_options>& triton);

/// What an input does, and who may leave it out: `'min_score', float32 [1]: ...`
[[nodiscard]] std::string input_text(const pad_plan& p, const planned_input& input);

/// A line for each input that callers of the padded model have to know of.
[[nodiscard]] std::string input_lines(const pad_plan& p);

} // namespace padbatch::onnx_tools::cli

#endif
