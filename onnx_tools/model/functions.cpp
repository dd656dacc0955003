// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/model/functions.hpp>

#include <onnx_tools/model/graph.hpp>
#include <onnx_tools/model/light_copy.hpp>

#include <algorithm>
#include <cstddef>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace padbatch::onnx_tools {
namespace {

using nodes = google::protobuf::RepeatedPtrField<onnx::NodeProto>;

constexpr std::size_t most_nodes = 300'000;
constexpr std::size_t most_bytes = std::size_t{64} << 20;
constexpr std::size_t deepest_call = 64;
std::string plain_domain(const std::string& domain)
{
    return domain == "ai.onnx" ? "" : domain;
}

// Gives the values of a function's nodes the names that they have where it is called, or new ones.
class call_names {
public:
    call_names(const onnx::FunctionProto& function, const onnx::NodeProto& call, fresh_names& fresh)
        : m_fresh(fresh), m_prefix((call.name().empty() ? function.name() : call.name()) + "/")
    {
        for (int i = 0; i < function.input_size(); ++i) {
            m_names[function.input(i)] = i < call.input_size() ? call.input(i) : "";
        }
        for (int i = 0; i < function.output_size() && i < call.output_size(); ++i) {
            if (call.output(i).empty()) {
                continue;
            }
            const auto [place, is_new] = m_names.emplace(function.output(i), call.output(i));
            if (!is_new) { // an input of the function, or listed twice
                m_copies.emplace_back(place->second, call.output(i));
            }
        }
    }

    [[nodiscard]] const std::string& prefix() const noexcept { return m_prefix; }
    /// Outputs of the call that only are copies of other values: from, to.
    [[nodiscard]] const std::vector<std::pair<std::string, std::string>>& copies() const noexcept { return m_copies; }

    void rename(onnx::NodeProto& node)
    {
        if (!node.name().empty()) {
            node.set_name(m_prefix + node.name());
        }
        for (auto* values : {node.mutable_input(), node.mutable_output()}) {
            for (auto& value : *values) {
                rename(value);
            }
        }
        for_each_subgraph(node, [&](onnx::GraphProto& graph) { rename(graph); });
    }

private:
    void rename(std::string& value)
    {
        if (value.empty()) {
            return;
        }
        const auto [place, is_new] = m_names.try_emplace(value);
        if (is_new) {
            place->second = m_fresh(m_prefix + value);
        }
        value = place->second;
    }

    void rename(onnx::GraphProto& graph)
    {
        const auto rename_named = [&](auto& named) {
            std::string name = named.name();
            rename(name);
            named.set_name(name);
        };
        for (auto* infos : {graph.mutable_input(), graph.mutable_output(), graph.mutable_value_info()}) {
            std::for_each(infos->begin(), infos->end(), rename_named);
        }
        std::for_each(graph.mutable_initializer()->begin(), graph.mutable_initializer()->end(), rename_named);
        for (auto& tensor : *graph.mutable_sparse_initializer()) {
            rename_named(*tensor.mutable_values());
        }
        for (auto& node : *graph.mutable_node()) {
            rename(node);
        }
    }

    fresh_names& m_fresh;
    std::string m_prefix;
    std::unordered_map<std::string, std::string> m_names;
    std::vector<std::pair<std::string, std::string>> m_copies;
};

// Replaces attributes that stand for the call's by those. False if one that the call does not give may have a default.
bool set_attributes(onnx::NodeProto& node, const onnx::NodeProto& call, bool has_defaults)
{
    google::protobuf::RepeatedPtrField<onnx::AttributeProto> given;
    for (auto& attribute : *node.mutable_attribute()) {
        if (attribute.ref_attr_name().empty()) {
            given.Add()->Swap(&attribute);
        } else if (const auto* value = onnx_tools::attribute(call, attribute.ref_attr_name())) {
            auto& copy = *given.Add();
            copy = *value;
            copy.set_name(attribute.name());
        } else if (has_defaults) {
            return false;
        } // otherwise the operator's own default
    }
    node.mutable_attribute()->Swap(&given);
    bool all = true;
    for_each_subgraph(node, [&](onnx::GraphProto& graph) {
        for (auto& inner : *graph.mutable_node()) {
            all = all && set_attributes(inner, call, has_defaults);
        }
    });
    return all;
}

class inliner {
public:
    inliner(const onnx::ModelProto& model, onnx::GraphProto& graph) : m_fresh(graph)
    {
        for (const auto& function : model.functions()) {
            const auto [place, is_new] =
                m_functions.emplace(std::pair(plain_domain(function.domain()), function.name()), &function);
            if (!is_new || !has_same_operators(function, model)) {
                place->second = nullptr;
            }
        }
        inline_calls(graph);
    }

private:
    static bool has_same_operators(const onnx::FunctionProto& function, const onnx::ModelProto& model)
    {
        const auto fits = [&](const onnx::OperatorSetIdProto& wanted) {
            return std::all_of(model.opset_import().begin(), model.opset_import().end(),
                               [&](const onnx::OperatorSetIdProto& opset) {
                                   return plain_domain(opset.domain()) != plain_domain(wanted.domain()) ||
                                          opset.version() == wanted.version();
                               });
        };
        return std::all_of(function.opset_import().begin(), function.opset_import().end(), fits);
    }

    void inline_calls(onnx::GraphProto& graph)
    {
        nodes old;
        old.Swap(graph.mutable_node());
        for (auto& node : old) {
            add(node, *graph.mutable_node());
        }
    }

    // Appends `node` to `to`, or if it is a call, the nodes of its function.
    void add(onnx::NodeProto& node, nodes& to)
    {
        for_each_subgraph(node, [&](onnx::GraphProto& graph) { inline_calls(graph); });
        const auto found = m_functions.find({plain_domain(node.domain()), node.op_type()});
        if (found == m_functions.end()) {
            to.Add()->Swap(&node);
            return;
        }
        nodes body;
        if (found->second == nullptr || !expand(*found->second, node, body)) {
            node.set_domain("function of the model"); // a standard operator of this name it is not
            to.Add()->Swap(&node);
            return;
        }
        m_calls.push_back(found->second);
        for (auto& inner : body) {
            add(inner, to);
        }
        m_calls.pop_back();
    }

    // The nodes of `function` as `call` would run them. False if they cannot be had.
    bool expand(const onnx::FunctionProto& function, const onnx::NodeProto& call, nodes& body)
    {
        if (m_calls.size() == deepest_call || std::find(m_calls.begin(), m_calls.end(), &function) != m_calls.end()) {
            return false;
        }
        const bool has_defaults = !function.unknown_fields().empty();
        call_names names(function, call, m_fresh);
        for (const auto& node : function.node()) {
            auto& copy = *body.Add();
            copy_lightly(node, copy);
            m_bytes += copy.ByteSizeLong();
            if (++m_nodes > most_nodes || m_bytes > most_bytes || !set_attributes(copy, call, has_defaults)) {
                return false;
            }
            names.rename(copy);
        }
        for (const auto& [from, copied] : names.copies()) {
            auto& copy = *body.Add();
            copy.set_op_type("Identity");
            copy.set_name(names.prefix() + "Identity");
            copy.add_input(from);
            copy.add_output(copied);
        }
        return true;
    }

    fresh_names m_fresh;
    std::map<std::pair<std::string, std::string>, const onnx::FunctionProto*> m_functions; // null: cannot be read
    std::vector<const onnx::FunctionProto*> m_calls; // those that are being expanded
    std::size_t m_nodes = 0;
    std::size_t m_bytes = 0;
};

} // namespace

readable_model::readable_model(const onnx::ModelProto& model) : m_model(model)
{
    if (model.functions_size() == 0) {
        return;
    }
    auto& copy = m_inlined.emplace(light_copy(model));
    inliner(model, *copy.mutable_graph());
}

} // namespace padbatch::onnx_tools
