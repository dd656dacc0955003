// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/plan/layout.hpp>

#include <array>

namespace padbatch::onnx_tools {
namespace {

using enum field;

// Where each layout is described: docs/onnx-pad-outputs.md, "--to".
const std::array<layout_rules, 6>& all_rules()
{
    static const std::array<layout_rules, 6> rules{{
        {.layout = output_layout::torchvision, .name = "torchvision", .count_name = "num_detections"},
        {.layout = output_layout::efficientnms,
         .name = "efficientnms",
         .count_name = "num_detections",
         .outputs = {{"detection_boxes", {boxes}},
                     {"detection_scores", {scores}},
                     {"detection_classes", {labels}},
                     {"detection_masks", {masks}}},
         .label_type = element_type::int32,
         .squeezes_masks = true},
        {.layout = output_layout::yolov7,
         .name = "yolov7",
         .count_name = "num_dets",
         .outputs = {{"det_boxes", {boxes}}, {"det_scores", {scores}}, {"det_classes", {labels}}},
         .label_type = element_type::int32},
        {.layout = output_layout::mmdeploy,
         .name = "mmdeploy",
         .outputs = {{"dets", {boxes, scores}}, {"labels", {labels}}, {"masks", {masks}}},
         .label_type = element_type::int64,
         .label_padding = -1,
         .squeezes_masks = true},
        {.layout = output_layout::tf_od,
         .name = "tf-od",
         .count_name = "num_detections",
         .count_type = element_type::float32,
         .flat_counts = true,
         .outputs = {{"detection_boxes", {boxes}},
                     {"detection_classes", {labels}},
                     {"detection_scores", {scores}},
                     {"detection_masks", {masks}}},
         .label_type = element_type::float32,
         .squeezes_masks = true,
         .normalises_boxes = true},
        {.layout = output_layout::ultralytics,
         .name = "ultralytics",
         .outputs = {{"output0", {boxes, scores, labels}}}},
    }};
    return rules;
}

} // namespace

const layout_rules& rules_of(output_layout layout)
{
    return all_rules().at(static_cast<std::size_t>(layout));
}

std::optional<output_layout> layout_from_name(std::string_view name)
{
    for (const auto& rules : all_rules()) {
        if (rules.name == name) {
            return rules.layout;
        }
    }
    return std::nullopt;
}

std::vector<std::string> all_layout_names()
{
    std::vector<std::string> names;
    for (const auto& rules : all_rules()) {
        names.emplace_back(rules.name);
    }
    return names;
}

} // namespace padbatch::onnx_tools
