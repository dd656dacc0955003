// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_RECOGNISE_READINGS_HPP
#define PADBATCH_ONNX_TOOLS_RECOGNISE_READINGS_HPP

#include <onnx_tools/recognise/recognise.hpp>
#include <onnx_tools/recognise/structure.hpp>

#include <string>
#include <vector>

namespace padbatch::onnx_tools {

/// A graph output, with what is known of it.
struct output {
    std::string name;
    value_type type;
    /// What bounds its rows for certain.
    row_bound bound;
    /// The nearest cut up the graph, whether it bounds its rows or not; null when there is none.
    const onnx::NodeProto* nearest = nullptr;
    /// The cut that its image's rows come from: the one that bounds the rows; for values whose rows cannot be followed,
    /// such as boxes that are put together from their columns, the nearest if it bounds those of another output.
    const onnx::NodeProto* cut = nullptr;
};

/// One way to read the outputs: `images * fields.size()` of them, from `first` on.
struct reading {
    int first = 0;
    int images = 0;
    output_order order = output_order::by_image;
    std::vector<field> fields;

    [[nodiscard]] int count() const { return images * static_cast<int>(fields.size()); }

    [[nodiscard]] int position(int image, int slot) const
    {
        const int slots = static_cast<int>(fields.size());
        return first + (order == output_order::by_image ? image * slots + slot : slot * images + image);
    }

    [[nodiscard]] const output& at(const std::vector<output>& outputs, int image, int slot) const
    {
        return outputs[static_cast<std::size_t>(position(image, slot))];
    }

    [[nodiscard]] bool covers(int position) const { return position >= first && position < first + count(); }
};

/// The outputs with their types, for messages.
[[nodiscard]] std::string text_of(const output& o);
[[nodiscard]] std::string list_of(const std::vector<output>& outputs);

/// The outputs as `options.fields`, which are given, say. Throws `tool_error` with `failure::usage` when they cannot be
/// that.
[[nodiscard]] reading read_as_told(const std::vector<output>& outputs, const recognise_options& options);

} // namespace padbatch::onnx_tools

#endif
