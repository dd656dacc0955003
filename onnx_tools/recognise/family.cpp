// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/family.hpp>

#include <onnx_tools/recognise/walk.hpp>

#include <algorithm>
#include <string_view>

namespace padbatch::onnx_tools {

std::string family_of(const graph_index& index, const std::string& scores, const std::vector<field>& fields)
{
    bool roi_align = false;
    bool softmax = false;
    bool depthwise = false;
    bool sigmoid = false;
    walk_up(index, scores, [&](const onnx::NodeProto& node) {
        roi_align = roi_align || standard_operator(node) == "RoiAlign";
        softmax = softmax || standard_operator(node) == "Softmax";
        sigmoid = sigmoid || standard_operator(node) == "Sigmoid";
        depthwise = depthwise || (standard_operator(node) == "Conv" && integer_attribute(node, "group", 1) > 1);
        return values_read(node);
    });
    const auto has = [&](field f) { return std::find(fields.begin(), fields.end(), f) != fields.end(); };
    if (roi_align) {
        return has(field::masks) ? "Mask R-CNN" : has(field::keypoints) ? "Keypoint R-CNN" : "Faster R-CNN";
    }
    if (softmax) {
        return depthwise ? "SSDlite320" : "SSD300";
    }
    if (!sigmoid) {
        return "";
    }
    // Both take the sigmoid of their logits. FCOS then takes the root of class score times centre-ness.
    bool root = false;
    walk_up(index, scores, [&](const onnx::NodeProto& node) -> std::vector<std::string_view> {
        root = root || standard_operator(node) == "Sqrt";
        return standard_operator(node) == "Sigmoid" ? std::vector<std::string_view>() : values_read(node);
    });
    return root ? "FCOS" : "RetinaNet";
}

} // namespace padbatch::onnx_tools
