// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/pad/settings.hpp>

#include <onnx_tools/error.hpp>
#include <onnx_tools/model/value_types.hpp>
#include <onnx_tools/plan/pad_value.hpp>
#include <onnx_tools/plan/run_option.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace padbatch::onnx_tools {
namespace {

// The type and shape of a constant, as far as they are known.
struct constant_form {
    int type = onnx::TensorProto::UNDEFINED;
    std::optional<std::vector<std::int64_t>> dims;
};

// A node that reads a parameter, in the graph that it is in.
struct reader {
    onnx::GraphProto* graph = nullptr;
    onnx::NodeProto* node = nullptr;
    int input = 0;
    constant_form form;
};

[[noreturn]] void is_lost(const std::string& what)
{
    throw tool_error(failure::internal, {"the plan names " + what + ", which the graph does not have",
                                         "a plan made for this model", "please report this bug"});
}

onnx::NodeProto& node_of(onnx::GraphProto& graph, const std::string& output)
{
    const auto found = std::find_if(graph.mutable_node()->begin(), graph.mutable_node()->end(), [&](const auto& node) {
        return node.output_size() > 0 && node.output(0) == output;
    });
    if (found == graph.mutable_node()->end()) {
        is_lost("the node of " + output);
    }
    return *found;
}

// The form of `value`, which one of the graphs makes, the outermost first.
constant_form form_of(std::string_view value, const std::vector<const graph_index*>& graphs)
{
    for (auto at = graphs.rbegin(); at != graphs.rend(); ++at) {
        const auto& graph = **at;
        if (const auto* tensor = graph.constant(value)) {
            return {tensor->data_type(), std::vector<std::int64_t>(tensor->dims().begin(), tensor->dims().end())};
        }
        // A constant that is made by a few nodes, as without constant folding.
        for (int steps = 0; steps < 16; ++steps) {
            const auto* node = graph.producer(value);
            if (is(node, {"Cast"})) {
                return {static_cast<int>(integer_attribute(*node, "to", 0)), std::nullopt};
            }
            if (const auto* tensor = graph.constant(value)) {
                return {tensor->data_type(), std::nullopt};
            }
            if (!is(node, {"Identity", "Squeeze", "Unsqueeze", "Reshape"}) || node->input_size() == 0) {
                break;
            }
            value = node->input(0);
        }
    }
    return {};
}

constant_form form_at(const onnx::NodeProto& node, int input, const std::vector<const graph_index*>& graphs)
{
    auto form = form_of(node.input(input), graphs);
    const bool compares = is(&node, {"Greater", "GreaterOrEqual", "Less", "LessOrEqual"});
    if (!form.dims) { // thresholds of a comparison are scalars, other numbers lists of one
        form.dims = std::vector<std::int64_t>(compares ? 0U : 1U, 1);
    }
    for (int i = 1; i < node.input_size() && form.type == onnx::TensorProto::UNDEFINED && is(&node, {"Slice"}); ++i) {
        form.type = form_of(node.input(i), graphs).type; // all bounds have one type
    }
    if (form.type == onnx::TensorProto::UNDEFINED) {
        form.type = compares || is(&node, {"NonMaxSuppression"}) ? onnx::TensorProto::FLOAT : onnx::TensorProto::INT64;
    }
    return form;
}

// All places of all settings. Nothing is changed while they are looked for.
std::vector<reader> find_readers(onnx::GraphProto& graph, const planned_setting& setting)
{
    std::map<const onnx::GraphProto*, graph_index> known;
    const auto index_of = [&](const onnx::GraphProto& g) { return &known.try_emplace(&g, g).first->second; };
    std::vector<reader> readers;
    for (const auto& place : setting.places) {
        reader r{&graph, nullptr, place.input, {}};
        std::vector<const graph_index*> graphs{index_of(graph)};
        for (const auto& step : place.scopes) {
            auto& attributes = *node_of(*r.graph, step.node).mutable_attribute();
            const auto held = std::find_if(attributes.begin(), attributes.end(),
                                           [&](const auto& a) { return a.name() == step.attribute && a.has_g(); });
            if (held == attributes.end()) {
                is_lost("the branch " + step.attribute + " of " + step.node);
            }
            r.graph = held->mutable_g();
            graphs.push_back(index_of(*r.graph));
        }
        r.node = &node_of(*r.graph, place.node);
        if (r.input >= r.node->input_size()) {
            is_lost("an input of " + place.node);
        }
        r.form = form_at(*r.node, r.input, graphs);
        readers.push_back(std::move(r));
    }
    return readers;
}

onnx::TensorProto tensor_of(const constant_form& form, const planned_setting& setting)
{
    const auto type = from_onnx(form.type);
    const auto value = is_count(setting.kind) ? number(static_cast<std::int64_t>(setting.now)) : number(setting.now);
    auto tensor = type ? make_pad_value(*type, value) : std::nullopt;
    if (type && !tensor && !is_count(setting.kind)) {
        tensor = make_pad_value(*type, number(0.0)); // too small for the type, and an exporter rounds it to 0
    }
    if (!tensor) {
        is_lost("a number of the type " + onnx_type_name(form.type));
    }
    tensor->clear_dims();
    for (const auto dim : *form.dims) {
        tensor->add_dims(dim);
    }
    return std::move(*tensor);
}

// Before all nodes, as those that read a value come after the one that makes it.
void add_first(onnx::GraphProto& graph, std::vector<onnx::NodeProto>& constants)
{
    auto& nodes = *graph.mutable_node();
    for (auto& constant : constants) {
        nodes.Add()->Swap(&constant);
    }
    std::rotate(nodes.pointer_begin(), nodes.pointer_end() - static_cast<std::ptrdiff_t>(constants.size()),
                nodes.pointer_end());
}

} // namespace

void apply_settings(onnx::GraphProto& graph, const pad_plan& p, fresh_names& fresh)
{
    for (const auto& setting : p.settings) {
        if (setting.kind == parameter::detections_per_img && !p.source.cuts.empty() &&
            find_input(p, run_option::max_detections) != nullptr) {
            continue; // the cuts will read what callers choose, at most this
        }
        using form_in_graph = std::tuple<onnx::GraphProto*, int, std::vector<std::int64_t>>;
        std::map<form_in_graph, std::string> made;
        std::vector<std::pair<onnx::GraphProto*, std::vector<onnx::NodeProto>>> constants;
        for (const auto& r : find_readers(graph, setting)) {
            auto& name = made[{r.graph, r.form.type, *r.form.dims}];
            if (name.empty()) {
                onnx::NodeProto node;
                node.set_op_type("Constant");
                node.set_name(fresh("padbatch/" + std::string(name_of(setting.kind))));
                name = fresh(node.name() + ":0");
                node.add_output(name);
                auto& held = *node.add_attribute();
                held.set_name("value");
                held.set_type(onnx::AttributeProto::TENSOR);
                *held.mutable_t() = tensor_of(r.form, setting);
                if (constants.empty() || constants.back().first != r.graph) {
                    constants.emplace_back(r.graph, std::vector<onnx::NodeProto>());
                }
                constants.back().second.push_back(std::move(node));
            }
            r.node->set_input(r.input, name);
        }
        for (auto& [holder, nodes] : constants) {
            add_first(*holder, nodes);
        }
    }
}

} // namespace padbatch::onnx_tools
