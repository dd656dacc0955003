// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_CLI_JOB_HPP
#define PADBATCH_ONNX_TOOLS_CLI_JOB_HPP

#include <onnx_tools/cli/options.hpp>
#include <onnx_tools/cli/tables.hpp>
#include <onnx_tools/error.hpp>
#include <onnx_tools/files/model_io.hpp>
#include <onnx_tools/plan/pad_plan.hpp>
#include <onnx_tools/serve/warnings.hpp>

#include <onnx/onnx_pb.h>

#include <optional>
#include <string>
#include <vector>

// What the command does once it has read its arguments, in steps that other front ends can take too: models need not be
// files. Each step throws `tool_error`, whose texts are those of the library: their options are not yet flags.
namespace padbatch::onnx_tools::cli {

/// Throws what `save` would, for reasons that are known before the model is made.
void require_savable(const options& o, const save_options& saving);

/// Writes a padded model to where `o` says: a file, or a repository for a server.
void save(const options& o, const save_options& saving, const onnx::ModelProto& model);

/// A model that was padded.
struct padded_model {
    value_infos declared; ///< the outputs that it had
    dynamic_batch_advice advice = dynamic_batch_advice::refused;
    pad_plan plan;
};

/// Pads `model` in place. The advice is found out only for a server, unless `o` is quiet.
[[nodiscard]] padded_model pad(onnx::ModelProto& model, const options& o);

/// What a server will stumble over, if `o` writes a repository for one, in the command's words.
[[nodiscard]] std::vector<std::string> serving_warnings(const options& o, const padded_model& padded,
                                                        const onnx::ModelProto& model);

/// What is recognised in a model and what would be done with it, as a text or a JSON document.
struct inspection {
    std::string report;
    /// Why the model would not be rewritten; its outputs, and what a server makes of them, are reported still.
    std::optional<tool_error> refusal;
};

/// Inspects `model`, and leaves it in some state.
[[nodiscard]] inspection inspect(onnx::ModelProto& model, const options& o);

} // namespace padbatch::onnx_tools::cli

#endif
