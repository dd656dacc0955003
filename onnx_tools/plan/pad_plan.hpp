// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_PLAN_PAD_PLAN_HPP
#define PADBATCH_ONNX_TOOLS_PLAN_PAD_PLAN_HPP

#include <onnx_tools/plan/layout.hpp>
#include <onnx_tools/plan/options.hpp>
#include <onnx_tools/plan/output_bytes.hpp>
#include <onnx_tools/recognise/detections.hpp>

#include <onnx/onnx_pb.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// The vocabulary of a plan: what is done to each field's rows, and the outputs that result.
namespace padbatch::onnx_tools {

/// How the rows of several images are brought together.
enum class batching {
    fixed, ///< the graph has the values of each image
    loop,  ///< the graph is one image's and becomes the body of a Loop
    flat,  ///< the graph has the rows of all images in one list
};

/// One field of the padded batch, and what is done to its rows first.
struct planned_field {
    field kind = field::boxes;
    /// The value that holds image i's rows, for each image; none with `batching::flat`.
    std::vector<std::string> values;
    /// The type of these values, if the file declares it, and the type that they are converted to.
    std::optional<element_type> from;
    element_type element = element_type::float32;
    /// The extents of one padded row.
    std::vector<dimension> row;
    /// Drops the 1 of masks `[n, 1, H, W]`.
    bool squeezed = false;
    /// Boxes become y1, x1, y2, x2, divided by height and width.
    bool normalised = false;
    /// Each element becomes whether it is greater than this, a tensor without dimensions.
    std::optional<onnx::TensorProto> above;
    /// One element, which fills the padding.
    onnx::TensorProto pad_value;
    /// The same element, as the user chose it.
    number padding = std::int64_t{0};
};

/// One output for the whole batch.
struct planned_output {
    std::string name;
    element_type element = element_type::float32;
    /// `[B, M, row...]`: each extent has a size or a symbol.
    std::vector<dimension> shape;
    /// Which of the plan's fields it holds; several lie one after the other along the last dimension.
    std::vector<std::size_t> fields;
    output_bytes bytes;
};

/// The output that says how many rows of each image are real.
struct planned_count {
    std::string name;
    element_type element = element_type::int32;
    /// The shape is `[B]`, not `[B, 1]`.
    bool flat = false;
    std::vector<dimension> shape;
    output_bytes bytes;
};

/// One of the model's outputs that is not a field, stacked for a batch of any size.
struct planned_other {
    std::string name;
    element_type element = element_type::float32;
    std::vector<dimension> shape;
    /// Drops the leading extent of 1, the batch that the export was made for.
    bool squeezed = false;
};

/// A parameter of the model that gets another number.
struct planned_setting {
    parameter kind = parameter::score_thresh;
    double before = 0;
    double now = 0;
    /// Every place where it is read.
    std::vector<parameter_place> places;
};

/// An input that the padded model has besides those of the model.
struct planned_input {
    run_option option = run_option::min_score;
    std::string name;
    element_type element = element_type::float32;
    /// `[1]`, or `[batch, 1]` with a value for each image.
    std::vector<dimension> shape;
    bool per_image = false;
    /// What a run without a value gets.
    std::optional<double> fallback;
    /// What nodes read: the input, or an image's part of it. Empty until the model is padded.
    std::string value;
};

/// What callers choose in a run, as values of the graph. Empty until the model is padded, and for what is not exposed.
struct run_values {
    /// Rows with lower scores are dropped; `[1]`, of the type in which scores are compared.
    std::string lowest_score;
    /// A score is at least that if it equals it or is greater than this, which no other score lies between.
    std::string next_lower;
    /// Whether scores of any kind are kept; bool `[1]`.
    std::string any_score;
    /// How many rows of an image are kept, from 0 to M; int64 `[1]`.
    std::string most_rows;
};

/// What the rewrite will do, worked out before anything is changed.
struct pad_plan {
    detections source;
    batching how = batching::fixed;
    /// B: a number, or the symbol of a dynamic batch.
    dimension batch;
    /// M; nothing when it is the largest count in the batch.
    std::optional<std::int64_t> max_detections;
    /// What is changed in the model's own nodes.
    std::vector<planned_setting> settings;
    /// The most rows that an image then has, where that is another number than `source.limit`.
    std::optional<std::int64_t> new_limit;
    /// Rows beyond M are possible and are cut off first.
    bool cuts_rows = false;
    /// Masks of different sizes are possible and are padded to the largest height and width first.
    bool widens_masks = false;
    /// Rows are kept if their score is greater than this, a tensor without dimensions; that is, if it is at least
    /// `min_score`.
    std::optional<onnx::TensorProto> score_above;
    /// That is done where the cuts of `source` are, so that nothing is computed for the others.
    bool scores_at_cuts = false;
    std::optional<double> min_score;
    /// Rows of other labels, or of these, are dropped.
    std::optional<class_choice> classes;
    /// Whether the detections that are selected from a raw head are already those of these classes, and of these
    /// scores.
    bool classes_in_head = false;
    bool scores_in_head = false;
    /// That is done in front of the cuts of `source`, so that they keep the best rows of what is left.
    bool classes_at_cuts = false;
    /// The threshold that masks are compared with; nothing if they are written as they are.
    std::optional<double> mask_threshold;
    mask_choice masks = mask_choice::full;
    const layout_rules* layout = nullptr;
    /// Nothing if the layout has no count.
    std::optional<planned_count> count;
    /// In the order of the outputs.
    std::vector<planned_field> fields;
    std::vector<planned_output> outputs;
    /// With `batching::loop`, the model's other outputs. Otherwise these stay as they are.
    std::vector<planned_other> others;
    /// What callers choose in each run.
    std::vector<planned_input> inputs;
    run_values chosen;
};

/// The input by which callers choose this; null if none is planned.
[[nodiscard]] const planned_input* find_input(const pad_plan& p, run_option option) noexcept;

/// Whether rows are dropped by their scores or labels after the cuts.
[[nodiscard]] bool drops_rows(const pad_plan& p) noexcept;

/// Whether rows beyond M, or beyond what callers choose, are cut off after the cuts.
[[nodiscard]] bool cuts_rows_at_end(const pad_plan& p) noexcept;

/// The number of rows that no image has more of, whatever callers choose; nothing if it is not known.
[[nodiscard]] std::optional<std::int64_t> most_rows(const pad_plan& p) noexcept;

/// The most rows that an image has; nothing if that is not known.
[[nodiscard]] inline std::optional<std::int64_t> limit_of(const pad_plan& p) noexcept
{
    return p.new_limit ? p.new_limit : p.source.limit ? std::optional(p.source.limit->rows) : std::nullopt;
}

/// The score that rows need, or must exceed, in the changed model; nothing if that is not known.
[[nodiscard]] std::optional<double> threshold_of(const pad_plan& p) noexcept;

/// Which of the plan's fields is of this kind; nothing if none is.
[[nodiscard]] std::optional<std::size_t> place_of(const pad_plan& p, field kind) noexcept;

} // namespace padbatch::onnx_tools

#endif
