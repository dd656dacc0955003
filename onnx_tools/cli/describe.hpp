// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_CLI_DESCRIBE_HPP
#define PADBATCH_ONNX_TOOLS_CLI_DESCRIBE_HPP

#include <onnx_tools/plan/pad_plan.hpp>

#include <string>
#include <vector>

namespace padbatch::onnx_tools::cli {

/// What the rewrite does, one line per step, in order.
[[nodiscard]] std::vector<std::string> describe(const pad_plan& p);

} // namespace padbatch::onnx_tools::cli

#endif
