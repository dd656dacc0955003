// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_TESTS_ONNX_TOOLS_SERVE_BATCHED_MODELS_HPP
#define PADBATCH_TESTS_ONNX_TOOLS_SERVE_BATCHED_MODELS_HPP

#include <onnx/onnx_pb.h>
#include <tests/support/parse_model.hpp>

#include <string>

// Models without nodes, which are served like any other.
namespace padbatch::test {

inline onnx::ModelProto model_of(const std::string& signature)
{
    return parse_model("<ir_version: 7, opset_import: [\"\" : 13]> g " + signature + " { }");
}

inline const auto batched =
    model_of("(float[batch,3,h,w] images) => (int32[batch,1] num_detections, float[batch,20,4] boxes)");

} // namespace padbatch::test

#endif
