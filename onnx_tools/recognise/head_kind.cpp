// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/head_kind.hpp>

#include <onnx_tools/model/wording.hpp>

namespace padbatch::onnx_tools {
namespace {

constexpr words<head_kind, 8> head_names{{{head_kind::yolo, "yolo"},
                                          {head_kind::yolo_seg, "yolo-seg"},
                                          {head_kind::yolo_pose, "yolo-pose"},
                                          {head_kind::yolo_obb, "yolo-obb"},
                                          {head_kind::yolo_objectness, "yolo-objectness"},
                                          {head_kind::yolo_objectness_seg, "yolo-objectness-seg"},
                                          {head_kind::boxes_scores, "boxes-scores"},
                                          {head_kind::detr, "detr"}}};
constexpr words<score_activation, 3> activation_names{
    {{score_activation::none, "none"}, {score_activation::sigmoid, "sigmoid"}, {score_activation::softmax, "softmax"}}};
constexpr words<suppression, 3> suppression_names{
    {{suppression::shifted, "shifted"}, {suppression::class_by_class, "class-by-class"}, {suppression::none, "none"}}};

} // namespace

std::vector<std::pair<std::string, head_kind>> all_head_kinds()
{
    return listed(head_names);
}

std::vector<std::pair<std::string, score_activation>> all_score_activations()
{
    return listed(activation_names);
}

std::vector<std::pair<std::string, suppression>> all_suppressions()
{
    return listed(suppression_names);
}

std::string_view name_of(head_kind kind) noexcept
{
    return word_for(head_names, kind);
}

std::string_view name_of(score_activation activation) noexcept
{
    return word_for(activation_names, activation);
}

std::string_view name_of(suppression nms) noexcept
{
    return word_for(suppression_names, nms);
}

} // namespace padbatch::onnx_tools
