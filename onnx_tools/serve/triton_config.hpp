// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_SERVE_TRITON_CONFIG_HPP
#define PADBATCH_ONNX_TOOLS_SERVE_TRITON_CONFIG_HPP

#include <onnx_tools/serve/warnings.hpp>

#include <onnx/onnx_pb.h>

#include <cstdint>
#include <string>

namespace padbatch::onnx_tools {

/// How a model is written into a model repository of Triton Inference Server.
struct triton_options {
    /// The folder of the repository. It is made if only the last component of its path is missing.
    std::string repository;
    /// The name of the model, and of its folder in the repository.
    std::string model_name;
    /// The most images that the server may join into one run; 0 for none. It is a limit: models that cannot be batched
    /// (see `joins_requests`) get 0, whatever this says.
    std::int64_t max_batch_size = default_request_images;
    /// Replace a model of this name.
    bool overwrite = false;
};

/// Throws `tool_error` with `failure::usage` for a name or a batch size that Triton would not accept.
void require_sensible(const triton_options& options);

/// The text of `config.pbtxt` for `model`: what Triton's ONNX Runtime backend needs to know about its inputs and
/// outputs. Inputs with initializers are left out.
///
/// Throws `tool_error`: `failure::usage` as `require_sensible`; `failure::refused` when the model has an input or
/// output that Triton has no type for, or whose number of dimensions is not known.
[[nodiscard]] std::string triton_config(const onnx::ModelProto& model, const triton_options& options);

} // namespace padbatch::onnx_tools

#endif
