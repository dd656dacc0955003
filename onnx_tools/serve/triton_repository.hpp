// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_SERVE_TRITON_REPOSITORY_HPP
#define PADBATCH_ONNX_TOOLS_SERVE_TRITON_REPOSITORY_HPP

#include <onnx_tools/serve/triton_config.hpp>

#include <onnx/onnx_pb.h>

#include <string>

namespace padbatch::onnx_tools {

/// Throws what `save_triton_repository` would for reasons that show before the model is made: a name that makes no
/// sense, a repository that cannot be there, a model of this name, or a folder that is no model of ours.
void require_savable(const triton_options& options, const std::string& loaded_from = {});

/// Writes `REPOSITORY/NAME/config.pbtxt` and `REPOSITORY/NAME/1/model.onnx`: both or nothing. The folder of the model
/// is made beside the repository, where a server that polls the repository does not look, flushed to the disk, and gets
/// its name at last. Where nothing can be made beside the repository, or that is another disk, it is made in a folder
/// `.padbatch-*.tmp` of the repository; a server takes each folder there for a model, and will find none in that one.
///
/// With `overwrite`, the new folder and the old one change places in one step, where the file system can do that. The
/// old one may hold what this function writes and nothing else. `loaded_from` is the file that the model came from; it
/// is never replaced.
///
/// Throws `tool_error`: what `triton_config` throws; `failure::io` when the folder cannot be written or must not be
/// replaced; `failure::refused` when the model has external data, or more than 2 GiB.
void save_triton_repository(const onnx::ModelProto& model, const triton_options& options,
                            const std::string& loaded_from = {});

} // namespace padbatch::onnx_tools

#endif
