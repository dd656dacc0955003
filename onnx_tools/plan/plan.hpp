// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_PLAN_PLAN_HPP
#define PADBATCH_ONNX_TOOLS_PLAN_PLAN_HPP

#include <onnx_tools/plan/layout.hpp>
#include <onnx_tools/plan/output_bytes.hpp>
#include <onnx_tools/recognise/recognise.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace padbatch::onnx_tools {

/// What becomes of a model's masks.
enum class mask_choice {
    full, ///< pasted into the image, `[B, M, 1, H, W]`
    roi,  ///< as the mask head makes them, for the region of each box, `[B, M, 1, h, w]`
    none, ///< left out
};

/// What a user may choose about the padded outputs.
struct pad_options {
    /// M, at least 1; nothing for the model's own limit.
    std::optional<std::int64_t> max_detections;
    /// M is the largest count of the batch at hand, whatever `max_detections` says.
    bool max_of_batch = false;
    /// Field name -> the number that fills its padding, as text; 0, or what the layout says, where there is none.
    std::map<std::string, std::string> pad_values;
    /// Field name, or `num_detections` -> the name of the output.
    std::map<std::string, std::string> names;
    /// An export of one image becomes a model of any number of images.
    bool dynamic_batch = false;
    /// Rows with a lower score are dropped: a number from 0 to 1, as text.
    std::optional<std::string> min_score;
    mask_choice masks = mask_choice::full;
    /// float32 for the probabilities as they are; uint8 or boolean for 1 where they reach `mask_threshold`.
    std::optional<element_type> mask_type;
    /// 0.5 where there is none.
    std::optional<std::string> mask_threshold;
    output_layout layout = output_layout::torchvision;
    /// int32, int64 or float32; nothing for what the layout says, here and in what follows.
    std::optional<element_type> count_type;
    /// Whether the counts are `[B]` rather than `[B, 1]`.
    std::optional<bool> flat_counts;
    std::optional<element_type> label_type;
    /// `[B, M, H, W]`, not `[B, M, 1, H, W]`.
    bool squeeze_masks = false;
};

/// How the rows of several images come together.
enum class batching {
    fixed, ///< the graph has the values of each image
    loop,  ///< the graph is one image's and becomes the body of a Loop
    flat,  ///< the graph has the rows of all images in one list
};

/// One field of the padded batch, and what is done to an image's rows of it first.
struct planned_field {
    field kind = field::boxes;
    /// The value that holds image i's rows, for each image; none with `batching::flat`.
    std::vector<std::string> values;
    /// The type of these values, where the file says it, and the one that they are converted to.
    std::optional<element_type> from;
    element_type element = element_type::float32;
    /// The extents of one padded row.
    std::vector<dimension> row;
    /// Drops the 1 of masks `[n, 1, H, W]`.
    bool squeezed = false;
    /// Boxes become y1, x1, y2, x2, divided by height and width.
    bool normalised = false;
    /// Elements become whether they are greater than this one; a tensor without dimensions.
    std::optional<onnx::TensorProto> above;
    /// One element: what fills the padding.
    onnx::TensorProto pad_value;
    /// The same, as the user wrote it.
    std::string pad_text;
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

struct planned_count {
    std::string name;
    element_type element = element_type::int32;
    /// `[B, 1]` or `[B]`.
    std::vector<dimension> shape;
    output_bytes bytes;
};

/// One of the model's outputs that is no field, stacked for a batch of any size.
struct planned_other {
    std::string name;
    element_type element = element_type::float32;
    std::vector<dimension> shape;
    /// Drops the extent of 1 in front, the batch that the export was made for.
    bool squeezed = false;
};

/// What the rewrite will do, worked out before anything is changed.
struct pad_plan {
    detections source;
    batching how = batching::fixed;
    /// B: a number, or the symbol of a dynamic batch.
    dimension batch;
    /// M; nothing when it is the largest count of the batch at hand.
    std::optional<std::int64_t> max_detections;
    /// Rows beyond M are possible and are cut off first.
    bool cuts_rows = false;
    /// Masks of different sizes are possible and are padded to the largest height and width first.
    bool widens_masks = false;
    /// Rows are kept whose score is greater than this one, a tensor without dimensions; and how the user wrote it:
    /// those that are at least this.
    std::optional<onnx::TensorProto> score_above;
    std::string min_score_text;
    /// How the user wrote the threshold of the masks; empty when they have none.
    std::string mask_threshold_text;
    mask_choice masks = mask_choice::full;
    const layout_rules* layout = nullptr;
    /// Nothing where the layout has no count.
    std::optional<planned_count> count;
    /// In the order of the outputs.
    std::vector<planned_field> fields;
    std::vector<planned_output> outputs;
    /// With `batching::loop`: the model's other outputs. Otherwise these stay as they are.
    std::vector<planned_other> others;
};

/// Which of the plan's fields is of this kind; nothing when none is.
[[nodiscard]] std::optional<std::size_t> place_of(const pad_plan& p, field kind) noexcept;

/// Works out what padding `model`, whose outputs are `source`, means with `options`.
///
/// Throws `tool_error`: `failure::usage` for options that do not fit this model or one another, `failure::refused` when
/// the row limit is not known, a name is taken by an input or another output, or the model cannot become what is asked.
[[nodiscard]] pad_plan plan(const onnx::ModelProto& model, const detections& source, const pad_options& options = {});

} // namespace padbatch::onnx_tools

#endif
