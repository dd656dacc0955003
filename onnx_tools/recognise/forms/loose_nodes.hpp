// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_RECOGNISE_FORMS_LOOSE_NODES_HPP
#define PADBATCH_ONNX_TOOLS_RECOGNISE_FORMS_LOOSE_NODES_HPP

#include <onnx_tools/model/graph.hpp>
#include <onnx_tools/model/node_writer.hpp>
#include <onnx_tools/model/value_types.hpp>
#include <onnx_tools/recognise/field.hpp>
#include <onnx_tools/recognise/flat_columns.hpp>
#include <onnx_tools/recognise/forms/loose_parts.hpp>
#include <onnx_tools/recognise/joined_columns.hpp>

#include <onnx/onnx_pb.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

/// Nodes that make boxes `[n, 4]`, labels `[n]` and scores `[n]` of outputs in other shapes.
namespace padbatch::onnx_tools {

/// A field that is found.
struct loose_field {
    field kind = field::boxes;
    std::string value;
    element_type element = element_type::float32;
    std::vector<dimension> shape;
};

/// The columns of an output, as nodes joined them.
[[nodiscard]] joined_columns joined_in(const graph_index& index, const loose_value& boxes);

/// Takes fields from in front of the nodes that joined them or added a leading 1, as far as the graph shows these.
class loose_writer {
public:
    /// All of them must outlive this. The nodes get names from `fresh`, for the opset of `model`.
    loose_writer(const onnx::ModelProto& model, const graph_index& index, fresh_names& fresh);

    /// A field that has an output of its own, whose type it keeps.
    [[nodiscard]] loose_field whole(field kind, const loose_value& value);
    /// The label or the score, a column of joined rows.
    [[nodiscard]] loose_field one_column(field kind, const flat_columns& names, const loose_value& boxes,
                                         const joined_columns& known);
    /// The box, four columns of joined rows, as x1, y1, x2, y2.
    [[nodiscard]] loose_field box_columns(const flat_columns& names, const loose_value& boxes,
                                          const joined_columns& known);

    [[nodiscard]] std::vector<onnx::NodeProto> nodes() const;
    /// What each of the values is, in words.
    [[nodiscard]] const std::map<std::string, std::string>& sources() const noexcept { return m_sources; }

private:
    std::string peel(std::string value, bool& leading_one, bool& column, std::optional<element_type>* integers) const;
    std::string flattened(std::string value, bool leading_one, bool column, const std::string& name);
    loose_field from_block(field kind, const column_block& block, element_type element, std::vector<dimension> shape);
    std::string rows_of(const loose_value& boxes);

    const graph_index& m_index;
    onnx::GraphProto m_scratch;
    node_writer m_nodes;
    std::map<std::string, std::string> m_rows; // by output, without a leading 1
    std::map<std::string, std::string> m_sources;
};

} // namespace padbatch::onnx_tools

#endif
