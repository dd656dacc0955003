// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_RECOGNISE_REFUSAL_HPP
#define PADBATCH_ONNX_TOOLS_RECOGNISE_REFUSAL_HPP

#include <onnx_tools/recognise/detections.hpp>
#include <onnx_tools/recognise/graph_outputs.hpp>
#include <onnx_tools/recognise/readings.hpp>

#include <string>
#include <vector>

/// The reasons why outputs are not read as detections. Each function throws `tool_error`.
namespace padbatch::onnx_tools {

/// There are no outputs.
[[noreturn]] void refuse_without_outputs();

/// No reading fits any of the outputs.
[[noreturn]] void refuse_unrecognised(const graph_outputs& outputs);

/// `part` fits, but leaves outputs over that look like detections.
[[noreturn]] void refuse_incomplete(const graph_outputs& outputs, const reading& part);

/// Two readings fit equally well.
[[noreturn]] void refuse_ambiguous(const graph_outputs& outputs, const reading& a, const reading& b);

/// The graph shows that an output which `r` takes for a field of `image` is another image's.
[[noreturn]] void refuse_misplaced(const graph_outputs& outputs, const reading& r, int image, int slot);

/// The outputs do not fit `options.batch` or `options.order`; without these they would be read as `r`.
[[noreturn]] void refuse_options(const graph_outputs& outputs, const recognise_options& options, const reading& r);

} // namespace padbatch::onnx_tools

#endif
