// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_CLI_INSPECT_JSON_HPP
#define PADBATCH_ONNX_TOOLS_CLI_INSPECT_JSON_HPP

#include <onnx_tools/cli/inspect.hpp>

#include <string>

namespace padbatch::onnx_tools::cli {

/// What `inspect_text` says, as a JSON document. Its `schema` is raised whenever a member changes its meaning or is
/// removed. `bytes` of an output are null where they are not known, and those of one image where `output_batch` is a
/// symbol.
[[nodiscard]] std::string inspect_json(const model_as_it_is& before, const rewritten_model& after);
/// The same for a model that is not rewritten; `why` is the error.
[[nodiscard]] std::string inspect_json(const model_as_it_is& model, const std::string& why);

} // namespace padbatch::onnx_tools::cli

#endif
