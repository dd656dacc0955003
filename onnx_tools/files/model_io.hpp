// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_FILES_MODEL_IO_HPP
#define PADBATCH_ONNX_TOOLS_FILES_MODEL_IO_HPP

#include <onnx/onnx_pb.h>

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace padbatch::onnx_tools {

/// Reads a model. External data stays where it is; it is neither read nor checked.
///
/// Throws `tool_error`: `failure::io` when the file cannot be read, `failure::not_onnx` when it is not an ONNX model.
[[nodiscard]] onnx::ModelProto load_model(const std::string& path);

/// The same for a model in memory, which is read once and not kept.
///
/// Throws `tool_error` with `failure::not_onnx`.
[[nodiscard]] onnx::ModelProto model_from_bytes(std::string_view bytes);

/// The files of external data that tensors of `model` name, each once, as the model names them: relative to its folder.
/// None when the model is self-contained.
[[nodiscard]] std::vector<std::string> external_data(const onnx::ModelProto& model);

struct save_options {
    /// Replace an existing file.
    bool overwrite = false;
    /// The file that the model came from. It is never replaced. Its external data lies beside this name, even if the
    /// name is a link to a file elsewhere.
    std::string loaded_from;
    /// The `external_data` of the model that was loaded. They are never replaced, even if no tensor of the model that
    /// is saved names them any more.
    std::vector<std::string> external_files = {};
};

/// Throws `tool_error` with `failure::io` if a file called `path` is or would be, under whatever name, `loaded_from` or
/// one of the `external_files` beside it. An empty `loaded_from` is no file.
void require_no_source(const std::string& path, const std::string& loaded_from,
                       const std::vector<std::string>& external_files);

/// Throws what `save_model` would, for reasons that are known before the model is made: `path` exists, is one of the
/// files that the model was loaded from or is not a regular file, or its folder does not exist.
void require_savable(const std::string& path, const save_options& options);

/// Writes `model` to `path`, whole or not at all: to a temporary file beside it, which is flushed to the disk and then
/// renamed. A symbolic link is followed. A file that is replaced passes on its permissions to the new one, and, if the
/// user may do that, its owner and group. Equal models give equal bytes.
///
/// Throws `tool_error`: `failure::io` when the file cannot be written or must not be replaced; `failure::refused` when
/// the model has external data and `path`, going by its name, is not in the folder of `loaded_from`, or when the model
/// has 2 GiB or more.
void save_model(const onnx::ModelProto& model, const std::string& path, const save_options& options = {});

/// Throws `tool_error` with `failure::refused` when the model has 2 GiB or more, which no message may have.
void require_writable(const onnx::ModelProto& model);

/// Writes `model` into `bytes`, of which there are `model.ByteSizeLong()`, as `save_model` writes it to a file. It is
/// `require_writable`.
void write_model(const onnx::ModelProto& model, std::span<char> bytes);

/// Makes a file with `model` in it, and flushes it to the disk. The file must not exist yet. Returns 0, or the error.
[[nodiscard]] int write_new_model(const std::string& path, const onnx::ModelProto& model);

} // namespace padbatch::onnx_tools

#endif
