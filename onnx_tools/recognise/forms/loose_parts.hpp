// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_RECOGNISE_FORMS_LOOSE_PARTS_HPP
#define PADBATCH_ONNX_TOOLS_RECOGNISE_FORMS_LOOSE_PARTS_HPP

#include <onnx_tools/model/graph.hpp>
#include <onnx_tools/model/value_types.hpp>
#include <onnx_tools/recognise/detections.hpp>
#include <onnx_tools/recognise/field.hpp>
#include <onnx_tools/recognise/row_origin.hpp>

#include <optional>
#include <utility>
#include <vector>

/// Outputs of each image in other shapes than torchvision's, sorted by what their types allow.
namespace padbatch::onnx_tools {

/// An output as a field of one image: its extents without the leading 1.
struct loose_value {
    const typed_value* output = nullptr;
    bool leading_one = false;
    std::vector<dimension> shape; // of which a rank is always known
};

/// The outputs of one image, by what they may be.
struct image_parts {
    std::vector<loose_value> boxes;
    std::vector<loose_value> floats;
    std::vector<loose_value> integers;
    std::vector<std::pair<field, loose_value>> more; // masks and keypoints
    std::vector<const typed_value*> others;
};

class loose_sorter {
public:
    /// Both must outlive this.
    loose_sorter(const graph_index& index, const recognise_options& options) : m_index(index), m_options(options) {}

    /// Whether the first extent of an output is 1 in every run: it says so, or nodes put it there.
    [[nodiscard]] bool has_leading_one(const typed_value& output) const;
    /// The output as boxes, alone or with more columns.
    [[nodiscard]] std::optional<loose_value> boxes_of(const typed_value& output) const;
    /// Sorts the outputs of an image, whose rows come from `origin`; nothing if there are boxes twice, or none.
    [[nodiscard]] std::optional<image_parts> sorted(const std::vector<const typed_value*>& outputs,
                                                    const row_origin& origin) const;
    /// Whether an output depends on what is selected there.
    [[nodiscard]] bool follows_selection(const typed_value& output, const row_origin& origin) const;

private:
    void sort_in(const typed_value& output, const loose_value& boxes, const row_origin& origin,
                 image_parts& parts) const;

    const graph_index& m_index;
    const recognise_options& m_options;
};

/// The extents of an output, whose rank must be known, without the leading 1.
[[nodiscard]] std::vector<dimension> shape_of(const typed_value& output, bool leading_one);

} // namespace padbatch::onnx_tools

#endif
