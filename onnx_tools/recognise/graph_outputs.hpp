// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_RECOGNISE_GRAPH_OUTPUTS_HPP
#define PADBATCH_ONNX_TOOLS_RECOGNISE_GRAPH_OUTPUTS_HPP

#include <onnx_tools/model/graph.hpp>
#include <onnx_tools/model/value_types.hpp>
#include <onnx_tools/recognise/cuts.hpp>

#include <onnx/onnx_pb.h>

#include <string>
#include <string_view>
#include <vector>

namespace padbatch::onnx_tools {

/// A graph output, with what is known about it.
struct output : typed_value {
    /// What is certain to bound its rows.
    row_bound bound;
    /// The nearest cut up the graph, whether or not it bounds its rows; null when there is none.
    const onnx::NodeProto* nearest = nullptr;
    /// The cut that its image's rows come from: the one that bounds the rows. For values whose rows cannot be followed,
    /// such as boxes that are put together from columns, it is the nearest cut, provided that it bounds the rows of
    /// another output.
    const onnx::NodeProto* cut = nullptr;
};

/// The outputs of `model` with their types. Ranks that the file leaves out are worked out. `index` is that of its
/// graph.
[[nodiscard]] std::vector<typed_value> typed_outputs(const onnx::ModelProto& model, const graph_index& index);

/// The outputs of a model, and the cuts that their rows come from. The model must outlive this.
class graph_outputs {
public:
    /// Throws `tool_error` with `failure::refused` when an output is listed twice.
    explicit graph_outputs(const onnx::ModelProto& model);

    [[nodiscard]] const graph_index& index() const noexcept { return m_index; }
    [[nodiscard]] const std::vector<output>& all() const noexcept { return m_all; }
    /// How many outputs there are.
    [[nodiscard]] int size() const noexcept { return static_cast<int>(m_all.size()); }
    [[nodiscard]] const output& operator[](int i) const { return m_all[static_cast<std::size_t>(i)]; }
    /// The types of all outputs, for messages.
    [[nodiscard]] std::string text() const;

    /// Whether the rows of any output are bounded by a cut.
    [[nodiscard]] bool any_cut() const noexcept { return !m_cuts.empty(); }
    /// Whether an output that may be boxes declares a shape without a fixed number of rows.
    [[nodiscard]] bool rows_vary() const noexcept { return m_rows_vary; }
    /// Whether `cut` bounds the rows of an output.
    [[nodiscard]] bool bounds_rows(const onnx::NodeProto* cut) const { return m_cuts.count(cut) != 0; }
    /// All cuts that a value depends on.
    [[nodiscard]] const cut_set& cuts_above(std::string_view value) const { return m_cuts_above.of(value); }

private:
    graph_index m_index;
    std::vector<output> m_all;
    bool m_rows_vary = false;
    cut_sets m_cuts_above;
    cut_set m_cuts; // those that bound the rows of an output
};

} // namespace padbatch::onnx_tools

#endif
