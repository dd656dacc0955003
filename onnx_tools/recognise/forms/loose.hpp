// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_RECOGNISE_FORMS_LOOSE_HPP
#define PADBATCH_ONNX_TOOLS_RECOGNISE_FORMS_LOOSE_HPP

#include <onnx_tools/recognise/detections.hpp>

#include <onnx/onnx_pb.h>

#include <optional>
#include <string>
#include <vector>

namespace padbatch::onnx_tools {

/// Outputs of each image in other shapes than torchvision's, made into boxes `[n, 4]`, labels `[n]` and scores `[n]`.
struct loose_outputs {
    rearranged_outputs to;
    /// What the first of the new outputs are; those of one image after another.
    std::vector<field> fields;
    int images = 0;
    /// How the outputs follow one another in the model. The new ones go image by image.
    output_order order = output_order::by_image;
    /// What shows that each row is a detection; empty if nothing does.
    std::string evidence;
    /// The output with the boxes, as messages call it.
    std::string boxes;
    /// Whether the rows may be padded ones: the output has a 1 in front.
    bool may_be_padded = false;
};

/// Reads the outputs of each image where they have a leading 1 (`[1, n, 4]`, `[1, n]`), where boxes, scores and labels
/// are joined (`[n, 5]`, `[n, 6]`), or where labels are floats. Nothing if the outputs are none of these, or if
/// torchvision's shapes are all there is.
///
/// Columns are taken from where they were joined, if the nodes show that, so that what is known of them stays known.
/// Throws `tool_error` with `failure::refused` when it is not known which column is which.
[[nodiscard]] std::optional<loose_outputs> read_loose(const onnx::ModelProto& model, const recognise_options& options);

} // namespace padbatch::onnx_tools

#endif
