// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_PLAN_OPTIONS_HPP
#define PADBATCH_ONNX_TOOLS_PLAN_OPTIONS_HPP

#include <onnx_tools/plan/layout.hpp>
#include <onnx_tools/plan/run_option.hpp>
#include <onnx_tools/recognise/detections.hpp>
#include <onnx_tools/recognise/field.hpp>
#include <onnx_tools/recognise/parameter.hpp>
#include <padbatch/element_type.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace padbatch::onnx_tools {

/// A number for a field of any type: exact for every integer that a field can hold.
using number = std::variant<std::int64_t, double, std::uint64_t>;

/// The shortest text that reads back as the same number.
[[nodiscard]] std::string text_of(const number& value);
/// The number that `text` spells as a whole, whatever the locale: an integer if it is written as one and is not too
/// large (except `-0`, which floating-point fields have), otherwise a double. Nothing when `text` is not a number.
[[nodiscard]] std::optional<number> to_number(std::string_view text);

/// M is the model's own limit.
struct model_limit {
    bool operator==(const model_limit&) const = default;
};
/// M is the largest count in the batch, which varies from run to run.
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
    /// Other numbers for the parameters of the model, as if it had been exported with them. Thresholds are from 0 to 1,
    /// counts from 1 to 2^31 - 2.
    std::map<parameter, number> settings;
    /// The number that fills a field's padding. Other fields get 0, or what the layout says.
    std::map<field, number> pad_values;
    /// The name of a field's output. Other outputs get the layout's names.
    std::map<field, std::string> names;
    /// The name of the count's output; the layout's name if there is none.
    std::optional<std::string> count_name;
    /// Makes an export of one image a model of any number of images.
    bool dynamic_batch = false;
    /// Rows with a lower score are dropped. Above 0, at most 1.
    std::optional<double> min_score;
    /// Rows of other labels, or of these, are dropped. At least one label, none twice.
    std::optional<class_choice> classes;
    /// What callers of the padded model choose in each run.
    std::map<run_option, exposure> exposed;
    mask_choice masks = mask_choice::full;
    /// float32 keeps the probabilities; uint8 and boolean are 1 where they reach `mask_threshold`.
    std::optional<element_type> mask_type;
    /// Above 0, at most 1; 0.5 if there is none.
    std::optional<double> mask_threshold;
    output_layout layout = output_layout::torchvision;
    /// int32, int64 or float32. Here and below, nothing means what the layout says.
    std::optional<element_type> count_type;
    /// Whether the counts are `[B]` rather than `[B, 1]`.
    std::optional<bool> flat_counts;
    std::optional<element_type> label_type;
    /// `[B, M, H, W]`, not `[B, M, 1, H, W]`.
    bool squeeze_masks = false;
};

} // namespace padbatch::onnx_tools

#endif
