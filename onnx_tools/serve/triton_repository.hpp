// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_SERVE_TRITON_REPOSITORY_HPP
#define PADBATCH_ONNX_TOOLS_SERVE_TRITON_REPOSITORY_HPP

#include <onnx_tools/serve/triton_config.hpp>

#include <onnx/onnx_pb.h>

#include <string>
#include <vector>

namespace padbatch::onnx_tools {

/// Throws what `save_triton_repository` would, for reasons that are known before the model is made: a name that makes
/// no sense, a repository that cannot be made, an existing model of this name, or a folder that was not written here.
void require_savable(const triton_options& options, const std::string& loaded_from = {},
                     const std::vector<std::string>& external_files = {});

/// Writes `REPOSITORY/NAME/config.pbtxt` and `REPOSITORY/NAME/1/model.onnx`: both or neither. The model's folder is
/// made beside the repository, where a server that polls the repository does not look, flushed to the disk, and moved
/// into place last. If nothing can be made beside the repository, or if that is another disk, it is made in a folder
/// `.padbatch-*.tmp` in the repository; a server takes every folder there for a model, and finds none in that one.
///
/// With `overwrite`, the new folder and the old one change places in one step, if the file system can do that. The old
/// one may hold only what this function writes. The files that the model came from are never replaced: `loaded_from`,
/// and the `external_files` beside it.
///
/// Throws `tool_error`: what `triton_config` throws; `failure::io` when the folder cannot be written or must not be
/// replaced; `failure::refused` when the model has external data, or 2 GiB or more.
void save_triton_repository(const onnx::ModelProto& model, const triton_options& options,
                            const std::string& loaded_from = {}, const std::vector<std::string>& external_files = {});

} // namespace padbatch::onnx_tools

#endif
