// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_MODEL_GRAPH_HPP
#define PADBATCH_ONNX_TOOLS_MODEL_GRAPH_HPP

#include <onnx/onnx_pb.h>

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace padbatch::onnx_tools {

/// Calls `visit` with each graph that an attribute of `node` holds (the bodies of Loop, If and Scan), not deeper.
void for_each_subgraph(const onnx::NodeProto& node, const std::function<void(const onnx::GraphProto&)>& visit);
void for_each_subgraph(onnx::NodeProto& node, const std::function<void(onnx::GraphProto&)>& visit);

/// The names that `graph` defines itself: inputs, initializers, and the outputs of its nodes.
[[nodiscard]] std::unordered_set<std::string_view> defined_names(const onnx::GraphProto& graph);

/// The values that `node` reads: its inputs, then what its subgraphs capture. Absent optional inputs (empty names) are
/// left out.
[[nodiscard]] std::vector<std::string_view> values_read(const onnx::NodeProto& node);

/// Knows which node of a graph makes each value, and which nodes read it. A view: the graph must not change while it is
/// in use.
class graph_index {
public:
    explicit graph_index(const onnx::GraphProto& graph);

    [[nodiscard]] const onnx::GraphProto& graph() const noexcept { return m_graph; }

    /// The node that makes `value`; null for inputs, initializers and unknown names.
    [[nodiscard]] const onnx::NodeProto* producer(std::string_view value) const;
    /// The nodes that read `value`, directly or in a subgraph, in graph order.
    [[nodiscard]] const std::vector<const onnx::NodeProto*>& readers(std::string_view value) const;
    /// Null when `value` is not an initializer.
    [[nodiscard]] const onnx::TensorProto* initializer(std::string_view value) const;

    /// The tensor that `value` always is: an initializer or the output of a Constant node, possibly behind Identity.
    /// Null for Constant nodes that hold their value in an attribute other than `value`.
    [[nodiscard]] const onnx::TensorProto* constant(std::string_view value) const;
    /// The integers of an int32 or int64 constant, scalar or one-dimensional, however it is stored, or of an expression
    /// of such constants that the exporter did not fold, in row-major order.
    [[nodiscard]] std::optional<std::vector<std::int64_t>> constant_integers(std::string_view value) const;
    /// The elements of a float32 constant in row-major order.
    [[nodiscard]] std::optional<std::vector<float>> constant_floats(std::string_view value) const;
    /// The number in a constant of one floating-point element, if it is finite.
    [[nodiscard]] std::optional<double> constant_number(std::string_view value) const;

    /// The graph inputs that a caller must supply: those without an initializer, dense or sparse.
    [[nodiscard]] std::vector<const onnx::ValueInfoProto*> required_inputs() const;

private:
    [[nodiscard]] std::optional<std::vector<std::int64_t>> integers(std::string_view value, int depth) const;
    [[nodiscard]] std::optional<std::vector<std::int64_t>> computed_integers(const onnx::NodeProto& node,
                                                                             int depth) const;

    const onnx::GraphProto& m_graph;
    std::unordered_map<std::string_view, const onnx::NodeProto*> m_producers;
    std::unordered_map<std::string_view, std::vector<const onnx::NodeProto*>> m_readers;
    std::unordered_map<std::string_view, const onnx::TensorProto*> m_initializers;
    std::unordered_set<std::string_view> m_sparse_initializers;
};

/// Hands out names that nothing in a model's graph or subgraphs has yet, for values, nodes and symbolic dimensions
/// alike.
class fresh_names {
public:
    explicit fresh_names(const onnx::GraphProto& graph);

    /// `wanted`, or `wanted_2`, `wanted_3`, ... when it is taken. The answer is taken from then on.
    [[nodiscard]] std::string operator()(const std::string& wanted);

    /// Never hands out `name`.
    void reserve(const std::string& name) { m_taken.insert(name); }

private:
    std::unordered_set<std::string> m_taken;
    std::unordered_map<std::string, int> m_next; // the number to try first, for each name that was taken
};

/// Renames the value `from` of `graph` to `to` wherever it is defined, used, described or captured by a subgraph. A
/// subgraph that defines a value `from` of its own keeps it.
void rename_value(onnx::GraphProto& graph, const std::string& from, const std::string& to);

/// The operator of `node` if it is a standard one, or one that ONNX Runtime defines under a standard name with the same
/// meaning; otherwise empty. An operator of another domain may have any name.
[[nodiscard]] std::string_view standard_operator(const onnx::NodeProto& node) noexcept;

/// Whether `node` is not null and its operator is a standard one among `ops`.
[[nodiscard]] bool is(const onnx::NodeProto* node, std::initializer_list<std::string_view> ops);

/// The version of the standard operators that `model` uses; 0 when it uses none.
[[nodiscard]] std::int64_t standard_opset(const onnx::ModelProto& model);

/// The metadata of `model` under `key`; empty when there is none.
[[nodiscard]] std::string metadata(const onnx::ModelProto& model, std::string_view key);

/// Whether `node` gives its first input as it is: an Identity, or what exporters write although it does nothing, such
/// as a Transpose that moves no axis, a Concat of one value, or an Expand to the extents that the value has.
[[nodiscard]] bool is_copy(const graph_index& index, const onnx::NodeProto* node);

/// The value that `value` is a copy or a conversion of, found by passing over copies and Cast nodes.
[[nodiscard]] std::string_view origin(const graph_index& index, std::string_view value);

/// The node that makes `value`, once nodes of the operators `passed` are passed over by following their first inputs.
/// Passes over `most` nodes at most, since a broken graph may have a cycle.
[[nodiscard]] const onnx::NodeProto* producer_behind(const graph_index& index, std::string_view value,
                                                     std::initializer_list<std::string_view> passed, int most);

/// The attribute of `node` with this name, or null.
[[nodiscard]] const onnx::AttributeProto* attribute(const onnx::NodeProto& node, std::string_view name);
/// An integer attribute of `node`, or `otherwise` when it has none.
[[nodiscard]] std::int64_t integer_attribute(const onnx::NodeProto& node, std::string_view name,
                                             std::int64_t otherwise);

/// The integers that `node` has in the attribute `name`, or as a constant in this input, as newer opsets have them.
/// Nothing if it has none, or they are computed.
[[nodiscard]] std::optional<std::vector<std::int64_t>>
integers_of(const graph_index& index, const onnx::NodeProto& node, int input, std::string_view name);
/// The same for its axes.
[[nodiscard]] std::optional<std::vector<std::int64_t>> axes_of(const graph_index& index, const onnx::NodeProto& node,
                                                               int input = 1);

/// How a message calls a node: its operator, and its name or else its first output.
[[nodiscard]] std::string describe(const onnx::NodeProto& node);

} // namespace padbatch::onnx_tools

#endif
