// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_RECOGNISE_INTEGERS_HPP
#define PADBATCH_ONNX_TOOLS_RECOGNISE_INTEGERS_HPP

#include <onnx_tools/model/graph.hpp>
#include <padbatch/element_type.hpp>

#include <optional>
#include <string_view>

/// Values that are integers, or were before they were converted.
namespace padbatch::onnx_tools {

/// Whether `value` is known to hold integers, by the nodes that make it. The types of inner values are often left out.
[[nodiscard]] bool holds_integers(const graph_index& index, std::string_view value);
/// The type of the integers that `value` is known to hold, by the nodes that make it; nothing if it may hold something
/// else.
[[nodiscard]] std::optional<element_type> integer_type(const graph_index& index, std::string_view value);

/// Whether a conversion from integers lies between `value` and the operator that computed it, as with labels that were
/// joined to boxes.
[[nodiscard]] bool was_integer(const graph_index& index, std::string_view value);

} // namespace padbatch::onnx_tools

#endif
