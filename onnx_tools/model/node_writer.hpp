// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_MODEL_NODE_WRITER_HPP
#define PADBATCH_ONNX_TOOLS_MODEL_NODE_WRITER_HPP

#include <onnx_tools/model/graph.hpp>
#include <padbatch/element_type.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace padbatch::onnx_tools {

/// Appends nodes to a graph, each with names of its own, in forms that hold for every opset from 11 on. The functions
/// return the name of the value that they make: `result`, or a name derived from that of the node.
class node_writer {
public:
    /// `fresh` knows the names of the whole model; `opset` is the version of its standard operators.
    node_writer(onnx::GraphProto& graph, fresh_names& fresh, std::int64_t opset)
        : m_graph(graph), m_fresh(fresh), m_opset(opset)
    {
    }

    [[nodiscard]] onnx::GraphProto& graph() noexcept { return m_graph; }
    [[nodiscard]] fresh_names& fresh() noexcept { return m_fresh; }

    /// A node with these inputs and one output.
    std::string add(const std::string& op, const std::string& name, const std::vector<std::string>& inputs,
                    const std::string& result = "");
    /// An attribute of the node added last.
    void set(const std::string& name, std::int64_t value);
    void set(const std::string& name, const onnx::TensorProto& value);
    onnx::AttributeProto& new_attribute(const std::string& name, onnx::AttributeProto::AttributeType type);

    /// A one-dimensional int64 constant; equal ones are one node.
    std::string integers(const std::vector<std::int64_t>& values);
    /// An int64 constant without dimensions.
    std::string integer(std::int64_t value);
    /// Any constant.
    std::string constant(const std::string& name, const onnx::TensorProto& value);

    std::string concat(const std::string& name, const std::vector<std::string>& inputs, std::int64_t axis,
                       const std::string& result = "");
    std::string gather(const std::string& name, const std::string& value, const std::string& indices, std::int64_t axis,
                       const std::string& result = "");
    std::string cast(const std::string& name, const std::string& value, element_type to,
                     const std::string& result = "");
    /// Removes or inserts a dimension of extent 1.
    std::string squeeze(const std::string& name, const std::string& value, std::int64_t axis,
                        const std::string& result = "");
    std::string unsqueeze(const std::string& name, const std::string& value, std::int64_t axis,
                          const std::string& result = "");
    /// The elements [0, end) along `axis`. `end` is a one-dimensional value.
    std::string first(const std::string& name, const std::string& value, const std::string& end, std::int64_t axis,
                      const std::string& result = "");
    /// The places of the `count` highest of `keys`, the best first. `count` is a one-dimensional value.
    std::string best(const std::string& name, const std::string& keys, const std::string& count);
    /// The largest element, as a one-dimensional tensor. There must be at least one.
    std::string largest(const std::string& name, const std::string& value);
    /// The largest of 0 and the elements of `value`, one-dimensional int64, which may be empty.
    std::string largest_or_zero(const std::string& name, const std::string& value);
    /// The largest element along `axis`, whose extent becomes 1; and its place along `axis`, which is removed, the
    /// first of equal ones.
    std::string largest_along(const std::string& name, const std::string& value, std::int64_t axis);
    std::string place_of_largest(const std::string& name, const std::string& value, std::int64_t axis);
    /// The sums along `axis`, which is removed. It must not be empty.
    std::string sum(const std::string& name, const std::string& value, std::int64_t axis);
    /// int64 `value`, whose elements are from 0 to 2^24, in a form that shows that none is negative. (OpenVINO does not
    /// load a model if it concludes that a size may be negative. ONNX has Max and Relu for int64 only from opset 12 and
    /// 14 on.)
    std::string not_negative(const std::string& name, const std::string& value);
    /// A tensor of this shape with `value` everywhere.
    std::string filled(const std::string& name, const std::string& shape, const onnx::TensorProto& value);
    /// The extents of `value` along `axes`, as a one-dimensional tensor; or the one along `axis`, without dimensions.
    std::string extents(const std::string& name, const std::string& value, const std::vector<std::int64_t>& axes);
    std::string extent(const std::string& name, const std::string& value, std::int64_t axis);

private:
    std::string with_axis(const char* op, const std::string& name, const std::string& value, std::int64_t axis,
                          const std::string& result);
    std::string shape_of(const std::string& name, const std::string& value);

    onnx::GraphProto& m_graph;
    fresh_names& m_fresh;
    std::int64_t m_opset;
    std::map<std::pair<std::vector<std::int64_t>, bool>, std::string> m_integers; // and whether it has no dimensions
    std::map<std::string, std::string> m_shapes;
};

} // namespace padbatch::onnx_tools

#endif
