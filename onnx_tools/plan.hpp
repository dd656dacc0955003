#ifndef PADBATCH_ONNX_TOOLS_PLAN_HPP
#define PADBATCH_ONNX_TOOLS_PLAN_HPP

#include <onnx_tools/recognise.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace padbatch::onnx_tools {

/// What a user may choose about the padded outputs.
struct pad_options {
    /// M, at least 1; nothing for the model's own limit.
    std::optional<std::int64_t> max_detections;
    /// M is the largest count of the batch at hand, whatever `max_detections` says.
    bool max_of_batch = false;
    /// Field name -> the number that fills its padding, as text; 0 where there is none.
    std::map<std::string, std::string> pad_values;
    /// Field name, or `num_detections` -> the name of the output.
    std::map<std::string, std::string> names;
};

/// How many bytes an output has.
struct output_bytes {
    /// The bytes of the extents that are known, multiplied.
    std::int64_t known = 0;
    /// The symbols of those that are not, to multiply with.
    std::vector<std::string> factors;
    /// All bytes: `known` when nothing is missing; else, for masks, those at the image size that the inputs declare.
    std::optional<std::int64_t> total;
};

/// One padded output.
struct padded_field {
    std::string name;
    /// `[B, M, row...]`: each extent has a size or a symbol.
    std::vector<dimension> shape;
    /// One element: what fills the padding.
    onnx::TensorProto pad_value;
    /// The same, as the user wrote it.
    std::string pad_text;
    output_bytes bytes;
};

/// What the rewrite will do, worked out before anything is changed.
struct pad_plan {
    detections source;
    /// M; nothing when it is the largest count of the batch at hand.
    std::optional<std::int64_t> max_detections;
    /// Rows beyond M are possible and are cut off first.
    bool cuts_rows = false;
    /// Masks of different sizes are possible and are padded to the largest height and width first.
    bool widens_masks = false;
    std::string count_name;
    /// One for each of `source.fields`.
    std::vector<padded_field> fields;
};

/// Works out what padding `model`, whose outputs are `source`, means with `options`.
///
/// Throws `tool_error`: `failure::usage` for options that do not fit this model, `failure::refused` when the row limit
/// is not known or a name is taken by an input or another output.
[[nodiscard]] pad_plan plan(const onnx::ModelProto& model, const detections& source, const pad_options& options = {});

} // namespace padbatch::onnx_tools

#endif
