// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_RECOGNISE_PARAMETERS_HPP
#define PADBATCH_ONNX_TOOLS_RECOGNISE_PARAMETERS_HPP

#include <onnx_tools/model/graph.hpp>
#include <onnx_tools/recognise/parameter.hpp>

#include <onnx/onnx_pb.h>

#include <vector>

namespace padbatch::onnx_tools {

struct model_parameters {
    std::vector<found_parameter> found;
    std::vector<fixed_parameter> fixed;
};

/// Finds the parameters of a torchvision model by the nodes that read them, for every image, feature map and class.
/// `cuts` are the nodes that cut the kept rows, one for each image. A parameter is found if all of its places are, and
/// hold one number; if some are, it is fixed.
///
/// In all families a NonMaxSuppression keeps rows whose scores a Greater has compared with a constant, and a Slice cuts
/// them. Proposals of R-CNNs are made in the same way, in front of a RoiAlign.
[[nodiscard]] model_parameters find_parameters(const graph_index& index,
                                               const std::vector<const onnx::NodeProto*>& cuts);

} // namespace padbatch::onnx_tools

#endif
