// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/pad/exposed_inputs.hpp>

#include <onnx_tools/pad/outputs.hpp>
#include <onnx_tools/plan/pad_value.hpp>

#include <algorithm>
#include <set>

namespace padbatch::onnx_tools {
namespace {

// Scores are compared in their own type, except that runtimes compare few things in float16.
void read_lowest_score(node_writer& nodes, pad_plan& p, const std::string& value)
{
    const std::string at = "min_score";
    const auto type = p.fields[place_of(p, field::scores).value()].from;
    p.chosen.lowest_score = value;
    p.chosen.next_lower = value;
    if (type == element_type::float64) {
        p.chosen.lowest_score = nodes.cast(at + "/float64", value, element_type::float64);
        p.chosen.next_lower = p.chosen.lowest_score;
    } else if (type == element_type::float16) { // rounded as a score is
        p.chosen.lowest_score = nodes.cast(at + "/float32", nodes.cast(at + "/float16", value, element_type::float16),
                                           element_type::float32);
        // OpenVINO computes in float32 and rounds scores only as outputs. One that rounds to the lowest is below it by
        // less than 2^-11 of it, and float16 has no other number as close.
        const auto factor = nodes.constant(at + "/factor", *make_pad_value(element_type::float32, 1 - 1.0 / 2048));
        p.chosen.next_lower = nodes.add("Mul", at + "/next_lower", {p.chosen.lowest_score, factor});
    }
    const auto zero = nodes.constant(at + "/zero", *make_pad_value(element_type::float32, std::int64_t{0}));
    const auto below = nodes.add("Less", at + "/below_zero", {value, zero});
    p.chosen.any_score = nodes.add("Or", at + "/any", {below, nodes.add("Equal", at + "/is_zero", {value, zero})});
}

void read_most_rows(node_writer& nodes, pad_plan& p, const std::string& value)
{
    const std::string at = "max_detections";
    const auto zero = nodes.integers({0});
    auto rows = nodes.cast(at + "/int64", value, element_type::int64); // Min and Max take no integers in opset 11
    rows = nodes.add("Where", at + "/not_negative", {nodes.add("Less", at + "/below_zero", {rows, zero}), zero, rows});
    if (const auto most = most_rows(p)) {
        const auto limit = nodes.integers({*most});
        rows = nodes.add("Where", at + "/clamped", {nodes.add("Less", at + "/fewer", {rows, limit}), rows, limit});
    }
    p.chosen.most_rows = rows;
}

void add_default(onnx::GraphProto& graph, const planned_input& input)
{
    const number value = input.option == run_option::min_score ? number(*input.fallback)
                                                               : number(static_cast<std::int64_t>(*input.fallback));
    auto& tensor = *graph.add_initializer();
    tensor = *make_pad_value(input.element, value);
    tensor.set_name(input.name);
}

// From version 4 on, what is both an initializer and an input may be overridden, which callers could not do before.
void require_version_of_defaults(onnx::ModelProto& model)
{
    constexpr std::int64_t overridable = 4;
    if (model.ir_version() >= overridable) {
        return;
    }
    auto& graph = *model.mutable_graph();
    std::set<std::string> weights;
    for (const auto& tensor : graph.initializer()) {
        weights.insert(tensor.name());
    }
    for (const auto& tensor : graph.sparse_initializer()) {
        weights.insert(tensor.values().name());
    }
    auto& inputs = *graph.mutable_input();
    inputs.erase(std::remove_if(inputs.begin(), inputs.end(),
                                [&](const auto& input) { return weights.count(input.name()) != 0; }),
                 inputs.end());
    model.set_ir_version(overridable);
}

} // namespace

void read_exposed(onnx::GraphProto& graph, pad_plan& p, fresh_names& fresh, std::int64_t opset)
{
    node_writer nodes(graph, fresh, opset);
    for (auto& input : p.inputs) {
        input.value = input.per_image ? fresh("padbatch/" + input.name + "/of_image") : input.name;
        if (input.option == run_option::min_score) {
            read_lowest_score(nodes, p, input.value);
        } else {
            read_most_rows(nodes, p, input.value);
        }
    }
}

void take_exposed(node_writer& nodes, const pad_plan& p, const std::string& image)
{
    for (const auto& input : p.inputs) {
        if (input.per_image) {
            nodes.gather(input.name + "/of_image", input.name, image, 0, input.value);
        }
    }
}

void declare_exposed(onnx::ModelProto& model, const pad_plan& p)
{
    auto& graph = *model.mutable_graph();
    for (const auto& input : p.inputs) {
        if (input.fallback) {
            require_version_of_defaults(model);
            add_default(graph, input);
        }
        declare(*graph.add_input(), input.name, input.element, input.shape);
    }
}

} // namespace padbatch::onnx_tools
