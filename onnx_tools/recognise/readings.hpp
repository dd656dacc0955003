// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_RECOGNISE_READINGS_HPP
#define PADBATCH_ONNX_TOOLS_RECOGNISE_READINGS_HPP

#include <onnx_tools/recognise/detections.hpp>
#include <onnx_tools/recognise/graph_outputs.hpp>

#include <cstddef>
#include <vector>

namespace padbatch::onnx_tools {

/// One way to read the outputs of a graph as fields of images: `images * fields.size()` of them, from `first` on.
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

/// Reads the outputs as `options.fields`, which must be given, says. Throws `tool_error` with `failure::usage` when
/// they cannot be read so.
[[nodiscard]] reading read_as_told(const std::vector<output>& outputs, const recognise_options& options);

} // namespace padbatch::onnx_tools

#endif
