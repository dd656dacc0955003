// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/parameter.hpp>

#include <utility>

namespace padbatch::onnx_tools {
namespace {

constexpr std::array<std::pair<std::string_view, parameter>, 13> names = {{
    {"detections_per_img", parameter::detections_per_img},
    {"score_thresh", parameter::score_thresh},
    {"nms_thresh", parameter::nms_thresh},
    {"rpn_pre_nms_top_n", parameter::rpn_pre_nms_top_n},
    {"rpn_post_nms_top_n", parameter::rpn_post_nms_top_n},
    {"rpn_nms_thresh", parameter::rpn_nms_thresh},
    {"rpn_score_thresh", parameter::rpn_score_thresh},
    {"topk_candidates", parameter::topk_candidates},
    {"box_detections_per_img", parameter::detections_per_img},
    {"box_score_thresh", parameter::score_thresh},
    {"box_nms_thresh", parameter::nms_thresh},
    {"rpn_pre_nms_top_n_test", parameter::rpn_pre_nms_top_n},
    {"rpn_post_nms_top_n_test", parameter::rpn_post_nms_top_n},
}};

} // namespace

std::string_view name_of(parameter p) noexcept
{
    for (const auto& [name, kind] : names) {
        if (kind == p) {
            return name;
        }
    }
    return "";
}

std::optional<parameter> parameter_from_name(std::string_view name) noexcept
{
    for (const auto& [known, kind] : names) {
        if (known == name) {
            return kind;
        }
    }
    return std::nullopt;
}

bool is_count(parameter p) noexcept
{
    return p == parameter::detections_per_img || p == parameter::rpn_pre_nms_top_n ||
           p == parameter::rpn_post_nms_top_n || p == parameter::topk_candidates;
}

} // namespace padbatch::onnx_tools
