// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_FILES_MODEL_IO_HPP
#define PADBATCH_ONNX_TOOLS_FILES_MODEL_IO_HPP

#include <onnx/onnx_pb.h>

#include <optional>
#include <string>

namespace padbatch::onnx_tools {

/// Reads a model. External data stays where it is; it is neither read nor checked.
///
/// Throws `tool_error`: `failure::io` when the file cannot be read, `failure::not_onnx` when it is not an ONNX model.
[[nodiscard]] onnx::ModelProto load_model(const std::string& path);

/// The first file of external data that a tensor of `model` names; nothing when the model is self-contained.
[[nodiscard]] std::optional<std::string> external_data(const onnx::ModelProto& model);

struct save_options {
    /// Replace an existing file.
    bool overwrite = false;
    /// The file that the model came from. It is never replaced. Its external data lies beside this name, even if the
    /// name is a link to a file elsewhere.
    std::string loaded_from;
};

/// Throws what `save_model` would, for reasons that are known before the model is made: `path` exists, is the file that
/// the model was loaded from or is not a regular file, or its folder does not exist.
void require_savable(const std::string& path, const save_options& options);

/// Writes `model` to `path`, whole or not at all: to a temporary file beside it, which is flushed to the disk and then
/// renamed. A symbolic link is followed. A file that is replaced passes on its permissions to the new one, and, if the
/// user may do that, its owner and group. Equal models give equal bytes.
///
/// Throws `tool_error`: `failure::io` when the file cannot be written or must not be replaced; `failure::refused` when
/// the model has external data and `path`, going by its name, is not in the folder of `loaded_from`, or when the model
/// has 2 GiB or more.
void save_model(const onnx::ModelProto& model, const std::string& path, const save_options& options = {});

} // namespace padbatch::onnx_tools

#endif
