// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_PLAN_OPTIONS_HPP
#define PADBATCH_ONNX_TOOLS_PLAN_OPTIONS_HPP

#include <onnx_tools/plan/layout.hpp>
#include <onnx_tools/recognise/field.hpp>
#include <padbatch/element_type.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace padbatch::onnx_tools {

/// A number for a field of any type: every integer that one can hold is exact.
using number = std::variant<std::int64_t, double, std::uint64_t>;

/// The shortest text that reads back as the same number.
[[nodiscard]] std::string text_of(const number& value);
/// The number that the whole of `text` spells, in the form that every locale shares: an integer where it is written as
/// one and is not too large (but for `-0`, which floating-point fields have), else a double. Nothing when it spells
/// none.
[[nodiscard]] std::optional<number> to_number(std::string_view text);

/// M is the limit that the model itself has.
struct model_limit {
    bool operator==(const model_limit&) const = default;
};
/// M is the largest count of the batch at hand.
struct largest_of_batch {
    bool operator==(const largest_of_batch&) const = default;
};

/// What becomes of a model's masks.
enum class mask_choice {
    full, ///< pasted into the image, `[B, M, 1, H, W]`
    roi,  ///< as the mask head makes them, for the region of each box, `[B, M, 1, h, w]`
    none, ///< left out
};

/// What a user may choose about the padded outputs.
struct pad_options {
    /// M: how many rows every image is padded to. A number is at least 1 and at most 2^31 - 1.
    std::variant<model_limit, largest_of_batch, std::int64_t> max_detections;
    /// The number that fills a field's padding; 0, or what the layout says, for the others.
    std::map<field, number> pad_values;
    /// The name of a field's output; what the layout says for the others.
    std::map<field, std::string> names;
    /// The name of the count's output; what the layout says where there is none.
    std::optional<std::string> count_name;
    /// An export of one image becomes a model of any number of images.
    bool dynamic_batch = false;
    /// Rows with a lower score are dropped: above 0, at most 1.
    std::optional<double> min_score;
    mask_choice masks = mask_choice::full;
    /// float32 for the probabilities as they are; uint8 or boolean for 1 where they reach `mask_threshold`.
    std::optional<element_type> mask_type;
    /// Above 0, at most 1; 0.5 where there is none.
    std::optional<double> mask_threshold;
    output_layout layout = output_layout::torchvision;
    /// int32, int64 or float32; nothing for what the layout says, here and in what follows.
    std::optional<element_type> count_type;
    /// Whether the counts are `[B]` rather than `[B, 1]`.
    std::optional<bool> flat_counts;
    std::optional<element_type> label_type;
    /// `[B, M, H, W]`, not `[B, M, 1, H, W]`.
    bool squeeze_masks = false;
};

} // namespace padbatch::onnx_tools

#endif
