// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/model/check.hpp>

#include <onnx_tools/model/graph.hpp>
#include <onnx_tools/model/sort.hpp>
#include <onnx_tools/model/wording.hpp>
#include <padbatch/contract.hpp>

#include <algorithm>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

namespace padbatch::onnx_tools {
namespace {

using name_set = std::unordered_set<std::string_view>;

// The names that a graph defines, and the graph around it.
struct scope {
    name_set defined;
    const scope* around;

    [[nodiscard]] bool sees(std::string_view name) const
    {
        const scope* s = this;
        while (s != nullptr && s->defined.count(name) == 0) {
            s = s->around;
        }
        return s != nullptr;
    }
};

// The padded outputs that the model's metadata names; none for a model that is not padded.
name_set padded_outputs(const onnx::ModelProto& model)
{
    name_set outputs;
    for (const auto& entry : model.metadata_props()) {
        std::string_view value = entry.value();
        if (entry.key() == contract::count_key) {
            outputs.insert(value);
        } else if (entry.key() == contract::fields_key) { // FIELD=NAME,FIELD=NAME
            while (!value.empty()) {
                const auto pair = value.substr(0, value.find(','));
                outputs.insert(pair.substr(pair.find('=') + 1));
                value.remove_prefix(std::min(pair.size() + 1, value.size()));
            }
        }
    }
    return outputs;
}

// Whether a standard operator may read nothing, in one of its versions.
bool may_read_nothing(std::string_view op)
{
    static const name_set sources{"Constant",      "RandomNormal", "RandomUniform",
                                  "SequenceEmpty", "Optional",     "OptionalHasElement"};
    return sources.count(op) != 0;
}

class checker {
public:
    std::vector<std::string> found;

    void check_graph(const onnx::GraphProto& graph, const scope* around)
    {
        const std::string where = graph.name().empty() ? std::string() : " of graph " + quoted(graph.name());
        scope visible = {inputs_and_initializers(graph, where), around};
        name_set node_names;
        for (const auto& node : graph.node()) {
            if (!node.name().empty() && !node_names.insert(node.name()).second) {
                found.push_back("two nodes" + where + " are called " + quoted(node.name()));
            }
            for (const auto& output : node.output()) {
                if (!output.empty() && !visible.defined.insert(output).second) {
                    found.push_back("two values" + where + " are called " + quoted(output));
                }
            }
        }
        for (const auto& node : graph.node()) {
            check_not_empty(node, where);
            for (const auto& input : node.input()) {
                if (!input.empty() && !visible.sees(input)) {
                    found.push_back(describe(node) + where + " reads " + quoted(input) + ", which nothing produces");
                }
            }
            for_each_subgraph(node, [&](const onnx::GraphProto& sub) { check_graph(sub, &visible); });
        }
        check_cycles(graph, where);
        for (const auto& output : graph.output()) {
            if (!visible.sees(output.name())) {
                found.push_back("nothing produces the output " + quoted(output.name()) + where);
            }
        }
    }

    void check_outputs(const onnx::GraphProto& graph, const name_set& padded)
    {
        name_set outputs;
        for (const auto& output : graph.output()) {
            if (!outputs.insert(output.name()).second) {
                found.push_back("two outputs are called " + quoted(output.name()));
            }
            const auto& type = output.type();
            const bool untyped =
                type.value_case() == onnx::TypeProto::VALUE_NOT_SET ||
                (type.has_tensor_type() && type.tensor_type().elem_type() == onnx::TensorProto::UNDEFINED);
            if (untyped && padded.count(output.name()) != 0) {
                found.push_back("the output " + quoted(output.name()) + " declares no element type");
            }
        }
    }

private:
    void check_cycles(const onnx::GraphProto& graph, const std::string& where)
    {
        std::vector<bool> sorted(static_cast<std::size_t>(graph.node_size()), false);
        for (const int i : sorted_positions(graph)) {
            sorted[static_cast<std::size_t>(i)] = true;
        }
        const auto left = std::find(sorted.begin(), sorted.end(), false);
        if (left != sorted.end() && found.empty()) { // a name that is taken twice may look like one
            found.push_back(describe(graph.node(static_cast<int>(left - sorted.begin()))) + where +
                            " depends on itself: the graph has a cycle");
        }
    }

    void check_not_empty(const onnx::NodeProto& node, const std::string& where)
    {
        if (!node.domain().empty() && node.domain() != "ai.onnx") {
            return; // what other operators need is not known
        }
        if (node.input_size() == 0 && !may_read_nothing(node.op_type())) {
            found.push_back(describe(node) + where + " has no inputs");
        }
        if (node.output_size() == 0) {
            found.push_back(describe(node) + where + " has no outputs");
        }
    }

    name_set inputs_and_initializers(const onnx::GraphProto& graph, const std::string& where)
    {
        name_set inputs;
        for (const auto& input : graph.input()) {
            if (!inputs.insert(input.name()).second) {
                found.push_back("two inputs" + where + " are called " + quoted(input.name()));
            }
        }
        // An initializer may be the default value of an input.
        name_set initializers;
        for (const auto& tensor : graph.initializer()) {
            if (!initializers.insert(tensor.name()).second) {
                found.push_back("two initializers" + where + " are called " + quoted(tensor.name()));
            }
        }
        for (const auto& tensor : graph.sparse_initializer()) {
            if (!initializers.insert(tensor.values().name()).second) {
                found.push_back("two initializers" + where + " are called " + quoted(tensor.values().name()));
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
    c.check_graph(model.graph(), nullptr);
    c.check_outputs(model.graph(), padded_outputs(model));
    return std::move(c.found);
}

} // namespace padbatch::onnx_tools
