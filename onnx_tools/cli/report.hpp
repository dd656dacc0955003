// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_CLI_REPORT_HPP
#define PADBATCH_ONNX_TOOLS_CLI_REPORT_HPP

#include <onnx_tools/cli/tables.hpp>

#include <string>
#include <vector>

namespace padbatch::onnx_tools::cli {

/// What is recognised, without a line break: `Mask R-CNN, 2 images, outputs image by image`.
[[nodiscard]] std::string headline(const detections& source);

/// The outputs before and after, in two tables.
[[nodiscard]] std::string before_and_after(const std::string& file, const std::vector<table_row>& before,
                                           const pad_plan& p, const std::vector<table_row>& after);

/// A warning for each output over 2 GiB; empty when there is none.
[[nodiscard]] std::string size_warnings(const pad_plan& p);

/// A line that says so if M is above the limit of the model, which cannot be changed; otherwise empty.
[[nodiscard]] std::string limit_warning(const pad_plan& p);

} // namespace padbatch::onnx_tools::cli

#endif
