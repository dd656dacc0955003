// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_PLAN_LAYOUT_HPP
#define PADBATCH_ONNX_TOOLS_PLAN_LAYOUT_HPP

#include <onnx_tools/recognise/field.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace padbatch::onnx_tools {

/// The names, order, types and shapes of outputs that a consumer of detections expects.
enum class output_layout {
    torchvision,  ///< the model's own fields and types, after `num_detections`
    efficientnms, ///< TensorRT's EfficientNMS plugin
    yolov7,       ///< YOLOv7's TensorRT export, DeepStream
    mmdeploy,     ///< MMDeploy
    tf_od,        ///< TensorFlow's Object Detection API
    ultralytics,  ///< Ultralytics' export with `nms=True`
};

/// One output of a layout.
struct layout_output {
    std::string_view name;
    /// The fields whose columns it holds, in order.
    std::vector<field> fields;
};

/// What a layout prescribes.
struct layout_rules {
    output_layout layout = output_layout::torchvision;
    /// Its name on the command line.
    std::string_view name;
    /// Empty if it has no count.
    std::string_view count_name = {};
    element_type count_type = element_type::int32;
    /// The counts are `[B]`, not `[B, 1]`.
    bool flat_counts = false;
    /// In its order. A field of the model that the layout does not have follows under its own name.
    std::vector<layout_output> outputs = {};
    /// Nothing if labels stay as they are.
    std::optional<element_type> label_type = {};
    /// What fills the padding of labels.
    std::int64_t label_padding = 0;
    /// Masks are `[B, M, H, W]`.
    bool squeezes_masks = false;
    /// Boxes are y1, x1, y2, x2, divided by the image's height and width.
    bool normalises_boxes = false;
};

[[nodiscard]] const layout_rules& rules_of(output_layout layout);
/// Nothing when no layout has this name.
[[nodiscard]] std::optional<output_layout> layout_from_name(std::string_view name);
/// All names, in the order above.
[[nodiscard]] std::vector<std::string> all_layout_names();

} // namespace padbatch::onnx_tools

#endif
