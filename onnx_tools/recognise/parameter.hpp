// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_RECOGNISE_PARAMETER_HPP
#define PADBATCH_ONNX_TOOLS_RECOGNISE_PARAMETER_HPP

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The numbers that torchvision's detectors are made with, and that an export has as constants.
namespace padbatch::onnx_tools {

enum class parameter {
    detections_per_img, ///< the most rows of an image
    score_thresh,       ///< rows need a higher score, before NonMaxSuppression
    nms_thresh,         ///< of two boxes that overlap more (intersection over union), one is dropped
    rpn_pre_nms_top_n,  ///< the most proposals of a feature map, before NonMaxSuppression
    rpn_post_nms_top_n, ///< the most proposals of an image, after it
    rpn_nms_thresh,     ///< like `nms_thresh`, for proposals
    rpn_score_thresh,   ///< proposals need at least this score
    topk_candidates,    ///< the most rows of a feature map or class, before NonMaxSuppression
};

inline constexpr std::array all_parameters = {
    parameter::detections_per_img, parameter::score_thresh,   parameter::nms_thresh,       parameter::rpn_pre_nms_top_n,
    parameter::rpn_post_nms_top_n, parameter::rpn_nms_thresh, parameter::rpn_score_thresh, parameter::topk_candidates};

/// Its name in torchvision.
[[nodiscard]] std::string_view name_of(parameter p) noexcept;

/// The parameter of this name, which may also be that of a constructor's argument, such as `box_score_thresh`.
[[nodiscard]] std::optional<parameter> parameter_from_name(std::string_view name) noexcept;

/// Whether it is a number of rows, rather than a threshold.
[[nodiscard]] bool is_count(parameter p) noexcept;

/// Where a node reads a parameter.
struct parameter_place {
    /// The nodes whose subgraphs it is in, the outermost first, and the attributes that hold these. A node is named by
    /// its first output.
    struct step {
        std::string node;
        std::string attribute;

        bool operator==(const step&) const = default;
    };
    std::vector<step> scopes;
    /// The node that reads it, named by its first output, and which of its inputs it is.
    std::string node;
    int input = 0;

    bool operator==(const parameter_place&) const = default;
};

/// A parameter whose places in the graph are all known, and hold the same number.
struct found_parameter {
    parameter kind = parameter::score_thresh;
    double value = 0;
    std::vector<parameter_place> places;
};

/// A parameter that the model seems to have, but that cannot be set, and why.
struct fixed_parameter {
    parameter kind = parameter::score_thresh;
    std::string why;
    /// Whether it could be set if the model's functions were inlined.
    bool in_function = false;
};

} // namespace padbatch::onnx_tools

#endif
