#ifndef PADBATCH_ONNX_TOOLS_CLI_REPORT_HPP
#define PADBATCH_ONNX_TOOLS_CLI_REPORT_HPP

#include <onnx_tools/plan.hpp>

#include <string>
#include <vector>

namespace padbatch::onnx_tools::cli {

/// One output in a table.
struct output_row {
    std::string name;
    std::string type;
    std::string shape;
    std::string bytes;
};

/// The outputs of a model as its file declares them.
[[nodiscard]] std::vector<output_row> declared_outputs(const onnx::ModelProto& model);
/// The outputs that `p` makes, the count first; `model` is the one that they are made from.
[[nodiscard]] std::vector<output_row> planned_outputs(const onnx::ModelProto& model, const pad_plan& p);

/// The outputs before and after, in two tables.
[[nodiscard]] std::string before_and_after(const std::string& file, const std::vector<output_row>& before,
                                           const pad_plan& p, const std::vector<output_row>& after);

/// A warning for each output over 2 GiB, or nothing.
[[nodiscard]] std::string size_warnings(const pad_plan& p);

/// What `--inspect` prints: what was recognised, and what the rewrite will do. `needs_rows` says that the limit is not
/// known and the user has not said how many rows to pad to, so that `p` is what `--max-detections batch` would do.
[[nodiscard]] std::string inspect_text(const std::string& file, const onnx::ModelProto& model, const pad_plan& p,
                                       bool needs_rows);

/// The same as a JSON document. Its `schema` is raised whenever a member changes its meaning or goes away.
[[nodiscard]] std::string inspect_json(const std::string& file, const pad_plan& p, bool needs_rows);

} // namespace padbatch::onnx_tools::cli

#endif
