// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_TESTS_SUPPORT_WITH_LIMIT_HPP
#define PADBATCH_TESTS_SUPPORT_WITH_LIMIT_HPP

#include <onnx_tools/model/graph.hpp>

#include <onnx/onnx_pb.h>

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <vector>

namespace padbatch::test {

/// An export whose model was made with another limit on the rows of an image: wherever its graph slices from 0 to the
/// old limit, it slices to the new one. (No other number in the fixtures is the same.)
[[nodiscard]] inline onnx::ModelProto with_limit(onnx::ModelProto model, std::int64_t before, std::int64_t limit)
{
    auto& graph = *model.mutable_graph();
    std::vector<int> cuts;
    {
        const onnx_tools::graph_index index(graph);
        const auto is_number = [&](const std::string& value, std::int64_t number) {
            return index.constant_integers(value) == std::optional(std::vector<std::int64_t>{number});
        };
        for (int i = 0; i < graph.node_size(); ++i) {
            const auto& node = graph.node(i);
            if (node.op_type() == "Slice" && node.input_size() > 2 && is_number(node.input(1), 0) &&
                is_number(node.input(2), before)) {
                cuts.push_back(i);
            }
        }
    }
    if (cuts.empty()) {
        throw std::runtime_error("the graph does not slice to its limit");
    }
    auto& constant = *graph.add_node();
    constant.set_op_type("Constant");
    constant.add_output("tests/limit");
    auto& held = *constant.add_attribute();
    held.set_name("value");
    held.set_type(onnx::AttributeProto::TENSOR);
    held.mutable_t()->set_data_type(onnx::TensorProto::INT64);
    held.mutable_t()->add_dims(1);
    held.mutable_t()->add_int64_data(limit);
    for (const int cut : cuts) {
        graph.mutable_node(cut)->set_input(2, "tests/limit");
    }
    return model;
}

} // namespace padbatch::test

#endif
