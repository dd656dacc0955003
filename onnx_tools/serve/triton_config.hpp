// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_SERVE_TRITON_CONFIG_HPP
#define PADBATCH_ONNX_TOOLS_SERVE_TRITON_CONFIG_HPP

#include <onnx_tools/serve/warnings.hpp>

#include <cstdint>
#include <string>

namespace padbatch::onnx_tools {

/// How a model stands in a model repository of Triton Inference Server.
struct triton_options {
    /// The folder of the repository. It is made if only its last component is missing.
    std::string repository;
    /// The model's name, and its folder's in the repository.
    std::string model_name;
    /// The most images that the server joins into one run; 0 for none. It is a limit: models that cannot be batched
    /// (see `joins_requests`) have 0 whatever this says.
    std::int64_t max_batch_size = default_request_images;
    /// Replace a model of this name.
    bool overwrite = false;
};

/// Throws `tool_error` with `failure::usage` for a name or a batch size that Triton would not take.
void require_sensible(const triton_options& options);

/// The text of `config.pbtxt` for `model`: what Triton's ONNX Runtime backend must be told of its inputs and outputs.
/// Inputs with initializers are left out.
///
/// Throws `tool_error`: `failure::usage` as `require_sensible`; `failure::refused` when the model has an input or
/// output that Triton has no type for, or whose number of dimensions is not known.
[[nodiscard]] std::string triton_config(const onnx::ModelProto& model, const triton_options& options);

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
