// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_RECOGNISE_FAMILY_HPP
#define PADBATCH_ONNX_TOOLS_RECOGNISE_FAMILY_HPP

#include <onnx_tools/model/graph.hpp>
#include <onnx_tools/recognise/field.hpp>

#include <string>
#include <vector>

namespace padbatch::onnx_tools {

/// torchvision's name for the model that makes `scores` and has these fields; empty when it is of no known family.
[[nodiscard]] std::string family_of(const graph_index& index, const std::string& scores,
                                    const std::vector<field>& fields);

} // namespace padbatch::onnx_tools

#endif
