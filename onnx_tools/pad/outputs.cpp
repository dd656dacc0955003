// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/pad/outputs.hpp>

#include <set>
#include <string_view>

namespace padbatch::onnx_tools {

std::string own_output(const pad_plan& p, std::size_t i)
{
    for (const auto& output : p.outputs) {
        if (output.fields == std::vector{i}) {
            return output.name;
        }
    }
    return "";
}

void join_fields(node_writer& nodes, const pad_plan& p, const std::vector<std::string>& padded)
{
    for (const auto& output : p.outputs) {
        if (output.fields.size() == 1) {
            continue;
        }
        std::vector<std::string> columns;
        for (const auto i : output.fields) {
            const auto& f = p.fields[i];
            columns.push_back(f.row.empty() ? nodes.unsqueeze(std::string(name_of(f.kind)) + "/column", padded[i], 2)
                                            : padded[i]);
        }
        nodes.concat("columns", columns, 2, output.name);
    }
}

void declare_outputs(onnx::GraphProto& graph, const pad_plan& p)
{
    google::protobuf::RepeatedPtrField<onnx::ValueInfoProto> outputs;
    if (p.count) {
        declare(*outputs.Add(), p.count->name, p.count->element, p.count->shape);
    }
    for (const auto& output : p.outputs) {
        declare(*outputs.Add(), output.name, output.element, output.shape);
    }
    for (const auto& other : p.others) {
        declare(*outputs.Add(), other.name, other.element, other.shape);
    }
    if (p.how != batching::loop) { // untouched
        const std::set<std::string_view> others(p.source.other_outputs.begin(), p.source.other_outputs.end());
        for (auto& old : *graph.mutable_output()) { // in the model's order
            if (others.count(old.name()) != 0) {
                outputs.Add()->Swap(&old);
            }
        }
    }
    graph.mutable_output()->Swap(&outputs);
}

} // namespace padbatch::onnx_tools
