// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_RECOGNISE_EVIDENCE_HPP
#define PADBATCH_ONNX_TOOLS_RECOGNISE_EVIDENCE_HPP

#include <onnx_tools/recognise/field.hpp>
#include <onnx_tools/recognise/graph_outputs.hpp>

#include <onnx/onnx_pb.h>

#include <optional>
#include <string_view>

/// What names, declared extents and nodes say about an output, beyond the field that its type allows.
namespace padbatch::onnx_tools {

/// The field whose name an output bears, alone or numbered: `boxes`, `Boxes_1`, `boxes.0`.
[[nodiscard]] std::optional<field> named_field(std::string_view name);

/// Whether something shows that the output, whose type fits `kind`, is that field: its name; the last extent that it
/// declares; how its rows are picked or put together, or where its masks are pasted.
[[nodiscard]] bool shows(const graph_outputs& outputs, const output& o, field kind);

/// The same, by nodes alone.
[[nodiscard]] bool nodes_show(const graph_outputs& outputs, const output& o, field kind);

/// Whether something speaks against it: the name of another field, a Transpose that moves the rows, for scores that
/// they were integers, or for labels that they are sizes.
[[nodiscard]] bool contradicts(const graph_outputs& outputs, const output& o, field kind);

/// The cut of the image that masks or keypoints belong to: that of the boxes into which they are pasted, say. Null when
/// the nodes do not show one, or show several.
[[nodiscard]] const onnx::NodeProto* owner_of(const graph_outputs& outputs, const output& o);

} // namespace padbatch::onnx_tools

#endif
