// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_SERVE_WARNINGS_HPP
#define PADBATCH_ONNX_TOOLS_SERVE_WARNINGS_HPP

#include <onnx_tools/model/value_types.hpp>
#include <onnx_tools/rewrite.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace padbatch::onnx_tools {

/// The most images that a serving engine puts together by default.
inline constexpr std::int64_t default_request_images = 8;

/// How many images `model` takes: a number if that is fixed (inputs of rank 3 are one image each), the symbol that all
/// its inputs begin with, or neither if they do not agree or declare too little. Inputs that are weights, or one number
/// for all images, do not count.
[[nodiscard]] dimension batch_of(const onnx::ModelProto& model);

/// Whether a server may join requests along the first dimension, run `model` once and cut its outputs there: all inputs
/// begin with one symbol, and all outputs with that or with what the graph shows to be the same; no input is taken
/// apart into a fixed number of images, and none is a weight or one number for all images.
[[nodiscard]] bool joins_requests(const onnx::ModelProto& model);

/// Whether `dynamic_batch` makes a model of any number of images from an export of one image like this one.
enum class dynamic_batch_advice {
    refused,   ///< it would be refused
    works,     ///< it works as it is
    with_rows, ///< it works together with `max_detections` N
};

/// Finds that out by planning the rewrite. For an export of several images, as if it were of the first one alone.
[[nodiscard]] dynamic_batch_advice advice_on(const onnx::ModelProto& exported, const rewrite_options& options = {});

/// What will go wrong when `model` is served as it is, one sentence each: what is wrong, what a serving engine makes of
/// it, and what to do. `request_images` is the largest number of images in one request. The model need not be padded,
/// or padded by this library. `advice` is that on the export that the model is or was made from; without it, the model
/// itself is planned, and if it is padded, its export is assumed to work.
[[nodiscard]] std::vector<std::string> serving_warnings(const onnx::ModelProto& model,
                                                        std::int64_t request_images = default_request_images,
                                                        std::optional<dynamic_batch_advice> advice = std::nullopt);

} // namespace padbatch::onnx_tools

#endif
