// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/pad/pad.hpp>

#include <onnx_tools/model/graph.hpp>
#include <onnx_tools/pad/batch_loop.hpp>
#include <onnx_tools/pad/cut_changes.hpp>
#include <onnx_tools/pad/exposed_inputs.hpp>
#include <onnx_tools/pad/fixed_batch.hpp>
#include <onnx_tools/pad/flat_batch.hpp>
#include <onnx_tools/pad/settings.hpp>
#include <padbatch/contract.hpp>
#include <padbatch/version.hpp>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace padbatch::onnx_tools {
namespace {

// Frees `name` for an input or an output: whatever has it, in the graph or in a subgraph, gets another. Returns the new
// name of the graph's own value, if it had one of that name.
std::optional<std::string> free_value_name(onnx::GraphProto& graph, const std::string& name, fresh_names& fresh)
{
    std::optional<std::string> other;
    if (defined_names(graph).count(name) != 0) {
        other = fresh(name + "_unpadded");
        rename_value(graph, name, *other);
    }
    for (auto& node : *graph.mutable_node()) {
        for_each_subgraph(node, [&](onnx::GraphProto& sub) { (void)free_value_name(sub, name, fresh); });
    }
    return other;
}

// All values that a plan names are in the outermost graph.
void rename_in_plan(pad_plan& p, const std::string& from, const std::string& to)
{
    const auto rename = [&](std::string& value) { value = value == from ? to : value; };
    for (auto& f : p.fields) {
        for (auto& value : f.values) {
            rename(value);
        }
    }
    for (auto& cut : p.source.cuts) {
        rename(cut);
    }
    if (p.source.flat) {
        for (auto* value : {&p.source.flat->rows, &p.source.flat->batch_index, &p.source.flat->row_labels,
                            &p.source.flat->row_scores, &p.source.flat->boxes, &p.source.flat->scores}) {
            rename(*value);
        }
        for (auto& [kind, value] : p.source.flat->row_fields) {
            rename(value);
        }
    }
}

void free_names(onnx::GraphProto& graph, pad_plan& p, const std::vector<std::string>& names, fresh_names& fresh)
{
    for (const auto& name : names) {
        fresh.reserve(name);
    }
    for (const auto& name : names) {
        if (const auto other = free_value_name(graph, name, fresh)) {
            rename_in_plan(p, name, *other);
        }
    }
}

void free_input_names(onnx::GraphProto& graph, pad_plan& p, fresh_names& fresh)
{
    std::vector<std::string> names;
    for (const auto& input : p.inputs) {
        names.push_back(input.name);
    }
    free_names(graph, p, names, fresh);
}

void free_output_names(onnx::GraphProto& graph, pad_plan& p, fresh_names& fresh)
{
    std::vector<std::string> names;
    if (p.count) {
        names.push_back(p.count->name);
    }
    for (const auto& output : p.outputs) {
        names.push_back(output.name);
    }
    free_names(graph, p, names, fresh);
}

void record(onnx::ModelProto& model, const pad_plan& p)
{
    const auto write = [&](const char* key, const std::string& value) {
        if (!value.empty()) {
            auto& entry = *model.add_metadata_props();
            entry.set_key(key);
            entry.set_value(value);
        }
    };
    std::string fields;
    std::string columns;
    for (const auto& output : p.outputs) {
        std::string kinds;
        for (const auto i : output.fields) {
            const auto& f = p.fields[i];
            kinds += kinds.empty() ? "" : "+";
            kinds += f.normalised ? contract::normalised_boxes : name_of(f.kind);
        }
        auto& list = output.fields.size() == 1 ? fields : columns;
        list += (list.empty() ? "" : ",") + kinds + "=" + output.name;
    }
    write(contract::version_key, PADBATCH_VERSION);
    write(contract::count_key, p.count ? p.count->name : "");
    write(contract::fields_key, fields);
    write(contract::columns_key, columns);
    write(contract::max_detections_key,
          p.max_detections ? std::to_string(*p.max_detections) : contract::max_detections_of_batch);
    write(contract::batch_key, p.batch.size ? std::to_string(*p.batch.size) : contract::dynamic_batch);
    write(contract::layout_key, p.layout->layout == output_layout::torchvision ? "" : std::string(p.layout->name));
    write(contract::masks_key, p.masks == mask_choice::roi ? contract::region_masks : "");
}

} // namespace

void pad(onnx::ModelProto& model, const pad_plan& p)
{
    auto& graph = *model.mutable_graph();
    const std::int64_t opset = standard_opset(model);
    pad_plan changing = p; // values may be renamed
    fresh_names fresh(graph);
    apply_settings(graph, changing, fresh);
    free_input_names(graph, changing, fresh);
    read_exposed(graph, changing, fresh, opset);
    cut_to_chosen(graph, changing, fresh, opset);
    drop_classes_at_cuts(graph, changing, fresh, opset);
    drop_low_scores_at_cuts(graph, changing, fresh, opset);
    free_output_names(graph, changing, fresh);
    switch (p.how) {
    case batching::fixed: pad_fixed(graph, changing, fresh, opset); break;
    case batching::loop:
        pad_in_loop(graph, changing, fresh, opset);
        // Before version 4, weights must also be inputs, which those of a loop's body cannot be.
        model.set_ir_version(std::max<std::int64_t>(model.ir_version(), 4));
        break;
    case batching::flat: pad_flat(graph, changing, fresh, opset); break;
    }
    declare_exposed(model, changing);
    record(model, p);
}

} // namespace padbatch::onnx_tools
