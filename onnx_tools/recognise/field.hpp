// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_RECOGNISE_FIELD_HPP
#define PADBATCH_ONNX_TOOLS_RECOGNISE_FIELD_HPP

#include <onnx_tools/model/value_types.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace padbatch::onnx_tools {

/// The fields of torchvision's detections, and of a head that has more. `n` is an image's number of detections.
enum class field {
    boxes,             ///< `[n, 4]`, floating point, xyxy in pixels
    labels,            ///< `[n]`, integers
    scores,            ///< `[n]`, floating point, in descending order
    masks,             ///< `[n, 1, H, W]` or `[n, H, W]`, floating point, uint8 or bool
    keypoints,         ///< `[n, K, 3]`, floating point
    keypoints_scores,  ///< `[n, K]`, floating point
    mask_coefficients, ///< `[n, P]`, floating point; no output is taken for them by its type
};

[[nodiscard]] std::string_view name_of(field f) noexcept;
/// Nothing when no field has this name.
[[nodiscard]] std::optional<field> field_from_name(std::string_view name) noexcept;
/// All fields, in the order above.
[[nodiscard]] std::vector<field> all_fields();
/// All names, `boxes, labels, ...`, for messages.
[[nodiscard]] std::string all_field_names();

/// How many fields there are.
inline constexpr int field_count = 7;

/// `boxes, labels, scores`, or with another separator.
[[nodiscard]] std::string list_of(const std::vector<field>& fields, std::string_view separator = ", ");

/// Whether the element type, the rank and, if it is known, the last extent are those of `kind`. An unknown rank fits
/// nothing.
[[nodiscard]] bool fits(field kind, const value_type& type);

/// Whether the user may name a value of this type `kind`: boxes, labels and scores must have their usual rank, the
/// other fields must have rows, and all but labels and masks must be floating point. An unknown rank may be any.
[[nodiscard]] bool may_be_called(field kind, const value_type& type) noexcept;

/// The rank that a field has in torchvision's models, with its rows as one dimension.
[[nodiscard]] int usual_rank(field kind) noexcept;

} // namespace padbatch::onnx_tools

#endif
