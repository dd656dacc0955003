// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_SERVE_WARNINGS_HPP
#define PADBATCH_ONNX_TOOLS_SERVE_WARNINGS_HPP

#include <onnx_tools/model/value_types.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace padbatch::onnx_tools {

/// The most images that a serving engine puts together by default.
inline constexpr std::int64_t default_request_images = 8;

/// How many images `model` takes: a number if that is fixed (inputs of rank 3 are one image each), the symbol that all
/// its inputs begin with, or neither if they do not agree or declare too little.
[[nodiscard]] dimension batch_of(const onnx::ModelProto& model);

/// Whether a server may join requests along the first dimension, run `model` once and cut its outputs there: all inputs
/// and outputs begin with one symbol, and no input is taken apart into a fixed number of images.
[[nodiscard]] bool joins_requests(const onnx::ModelProto& model);

/// What will go wrong when `model` is served as it is, one sentence each: what is wrong, what a serving engine makes of
/// it, and what to do. `request_images` is the largest number of images in one request. The model need not be padded,
/// or padded by this library.
[[nodiscard]] std::vector<std::string> serving_warnings(const onnx::ModelProto& model,
                                                        std::int64_t request_images = default_request_images);

} // namespace padbatch::onnx_tools

#endif
