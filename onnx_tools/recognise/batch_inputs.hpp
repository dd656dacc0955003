// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_RECOGNISE_BATCH_INPUTS_HPP
#define PADBATCH_ONNX_TOOLS_RECOGNISE_BATCH_INPUTS_HPP

#include <onnx_tools/model/graph.hpp>

#include <onnx/onnx_pb.h>

#include <cstdint>
#include <string>
#include <vector>

namespace padbatch::onnx_tools {

/// The inputs that a caller must supply.
struct model_inputs {
    std::vector<const onnx::ValueInfoProto*> data;
    /// Those of a model that was exported without its weights.
    std::vector<std::string> weights;
    /// One number for all images of a run, such as a threshold: `[1]`, or without dimensions, beside images.
    std::vector<std::string> settings;
};

[[nodiscard]] model_inputs inputs_of(const graph_index& index);

/// The inputs whose first extent is the batch, if there is one: not weights, and not images `[3, H, W]`.
[[nodiscard]] std::vector<std::string> batched_inputs(const graph_index& index);

/// The node that takes an input apart into images, and how many it takes.
struct taken_apart {
    const onnx::NodeProto* node = nullptr;
    std::int64_t images = 0;
    /// Whether the graph adds images if there are fewer.
    bool padded = false;
};

/// An input that declares any number of images, although the graph needs a certain one.
struct false_promise {
    const onnx::ValueInfoProto* input = nullptr;
    taken_apart how;
};

[[nodiscard]] std::vector<false_promise> false_promises(const graph_index& index);

} // namespace padbatch::onnx_tools

#endif
