// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_RECOGNISE_SEARCH_HPP
#define PADBATCH_ONNX_TOOLS_RECOGNISE_SEARCH_HPP

#include <onnx_tools/recognise/detections.hpp>
#include <onnx_tools/recognise/graph_outputs.hpp>
#include <onnx_tools/recognise/readings.hpp>

#include <optional>
#include <vector>

namespace padbatch::onnx_tools {

/// The ways to read outputs that their types and the graph allow.
struct found_readings {
    /// Those that leave over no output that looks like a detection, the largest first.
    std::vector<reading> possible;
    /// One that leaves over such outputs: the largest that begins with the first output that any can begin with.
    std::optional<reading> incomplete;
};

/// Tries every way to read the outputs as fields of images that `options.batch` and `options.order` allow.
[[nodiscard]] found_readings search(const graph_outputs& outputs, const recognise_options& options);

/// Whether a reading leaves over the output at `position`, and it might belong to the detections of these images or of
/// one more.
[[nodiscard]] bool is_left_over(const graph_outputs& outputs, const reading& r, int position);

/// Whether the graph shows that the output which `r` takes for a field of `image` is another image's.
[[nodiscard]] bool is_misplaced(const graph_outputs& outputs, const reading& r, int image, int slot);

} // namespace padbatch::onnx_tools

#endif
