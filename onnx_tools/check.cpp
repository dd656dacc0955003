#include <onnx_tools/check.hpp>

#include <onnx_tools/graph.hpp>

#include <unordered_set>

namespace padbatch::onnx_tools {
namespace {

using names = std::unordered_set<std::string_view>;

class checker {
public:
    std::vector<std::string> found;

    void check_graph(const onnx::GraphProto& graph, const names& around)
    {
        const std::string where = graph.name().empty() ? std::string() : " of graph '" + graph.name() + "'";
        names defined = inputs_and_initializers(graph, where);
        names node_names;
        for (const auto& node : graph.node()) {
            if (!node.name().empty() && !node_names.insert(node.name()).second) {
                found.push_back("two nodes" + where + " are called '" + node.name() + "'");
            }
            for (const auto& output : node.output()) {
                if (!output.empty() && !defined.insert(output).second) {
                    found.push_back("two values" + where + " are called '" + output + "'");
                }
            }
        }
        names visible = around;
        visible.insert(defined.begin(), defined.end());
        for (const auto& node : graph.node()) {
            for (const auto& input : node.input()) {
                if (!input.empty() && visible.count(input) == 0) {
                    found.push_back(describe(node) + where + " reads '" + input + "', which nothing produces");
                }
            }
            for_each_subgraph(node, [&](const onnx::GraphProto& sub) { check_graph(sub, visible); });
        }
        for (const auto& output : graph.output()) {
            if (visible.count(output.name()) == 0) {
                found.push_back("the output '" + output.name() + "'" + where + " is produced by nothing");
            }
        }
    }

    void check_outputs(const onnx::GraphProto& graph)
    {
        names outputs;
        for (const auto& output : graph.output()) {
            if (!outputs.insert(output.name()).second) {
                found.push_back("two outputs are called '" + output.name() + "'");
            }
            const auto& type = output.type();
            if (type.value_case() == onnx::TypeProto::VALUE_NOT_SET ||
                (type.has_tensor_type() && type.tensor_type().elem_type() == onnx::TensorProto::UNDEFINED)) {
                found.push_back("the output '" + output.name() + "' does not say its element type");
            }
        }
    }

private:
    names inputs_and_initializers(const onnx::GraphProto& graph, const std::string& where)
    {
        names inputs;
        for (const auto& input : graph.input()) {
            if (!inputs.insert(input.name()).second) {
                found.push_back("two inputs" + where + " are called '" + input.name() + "'");
            }
        }
        // An initializer may be the default value of an input.
        names initializers;
        for (const auto& tensor : graph.initializer()) {
            if (!initializers.insert(tensor.name()).second) {
                found.push_back("two initializers" + where + " are called '" + tensor.name() + "'");
            }
        }
        for (const auto& tensor : graph.sparse_initializer()) {
            if (!initializers.insert(tensor.values().name()).second) {
                found.push_back("two initializers" + where + " are called '" + tensor.values().name() + "'");
            }
        }
        inputs.insert(initializers.begin(), initializers.end());
        return inputs;
    }
};

} // namespace

std::vector<std::string> complaints(const onnx::ModelProto& model)
{
    checker c;
    c.check_graph(model.graph(), {});
    c.check_outputs(model.graph());
    return std::move(c.found);
}

} // namespace padbatch::onnx_tools
