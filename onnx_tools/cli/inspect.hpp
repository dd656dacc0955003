// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_CLI_INSPECT_HPP
#define PADBATCH_ONNX_TOOLS_CLI_INSPECT_HPP

#include <onnx_tools/cli/tables.hpp>

#include <string>
#include <vector>

namespace padbatch::onnx_tools::cli {

/// A model as it is in its file.
struct model_as_it_is {
    std::string file;
    value_infos outputs;
    std::vector<std::string> serving_warnings;
};

/// What the rewrite makes of it.
struct rewritten_model {
    pad_plan plan;
    /// The limit is not known and the user has not said how many rows to pad to: `plan` is what `--max-detections
    /// batch` would do.
    bool needs_rows = false;
    /// The table of the outputs.
    std::vector<table_row> outputs;
    std::vector<std::string> serving_warnings;
};

/// What `--inspect` prints: what was recognised, what the rewrite does, and what a server would stumble over.
[[nodiscard]] std::string inspect_text(const model_as_it_is& before, const rewritten_model& after);
/// The same for a model that is not rewritten.
[[nodiscard]] std::string inspect_text(const model_as_it_is& model);

} // namespace padbatch::onnx_tools::cli

#endif
