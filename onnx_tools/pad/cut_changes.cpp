// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/pad/cut_changes.hpp>

#include <onnx_tools/model/node_writer.hpp>
#include <onnx_tools/model/sort.hpp>
#include <onnx_tools/pad/image_rows.hpp>
#include <onnx_tools/recognise/walk.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace padbatch::onnx_tools {
namespace {

// The nodes that cut the rows, image by image.
std::vector<onnx::NodeProto*> cut_nodes(onnx::GraphProto& graph, const pad_plan& p)
{
    std::unordered_map<std::string_view, std::size_t> images;
    for (std::size_t image = 0; image < p.source.cuts.size(); ++image) {
        images.emplace(p.source.cuts[image], image);
    }
    std::vector<onnx::NodeProto*> cuts(images.size());
    for (auto& node : *graph.mutable_node()) {
        if (const auto found = node.output_size() == 1 ? images.find(node.output(0)) : images.end();
            found != images.end()) {
            cuts[found->second] = &node;
        }
    }
    return cuts;
}

// A value that is made from other rows than those that a cut keeps, by copies of the nodes that make it from these.
struct copied_chain {
    std::string value;
    std::vector<onnx::NodeProto> nodes; // each after those that it reads
};

class chain_copier {
public:
    // `dependents` are the values that depend on the cuts.
    chain_copier(const graph_index& index, const std::unordered_set<std::string_view>& dependents, fresh_names& fresh)
        : m_index(index), m_dependents(dependents), m_fresh(fresh)
    {
    }

    // The copies of the nodes that make `value` from `cut`, the result of one, which read `rows` instead.
    copied_chain copy(const std::string& value, const std::string& cut, const std::string& rows)
    {
        m_copies = {{cut, rows}};
        copied_chain chain;
        chain.value = copy(value, chain.nodes);
        return chain;
    }

private:
    // The name of the copy of `value`, or its own if it does not depend on the cut.
    std::string copy(const std::string& value, std::vector<onnx::NodeProto>& nodes)
    {
        if (m_dependents.count(value) == 0) {
            return value;
        }
        if (const auto known = m_copies.find(value); known != m_copies.end()) {
            return known->second;
        }
        const auto* node = m_index.producer(value);
        onnx::NodeProto made = *node;
        made.set_name(m_fresh("padbatch/uncut/" + node->name()));
        for (auto& input : *made.mutable_input()) {
            input = copy(input, nodes);
        }
        for (auto& output : *made.mutable_output()) {
            if (!output.empty()) {
                const auto name = m_fresh("padbatch/uncut/" + output);
                m_copies.emplace(output, name);
                output = name;
            }
        }
        nodes.push_back(std::move(made));
        return m_copies.at(value);
    }

    const graph_index& m_index;
    const std::unordered_set<std::string_view>& m_dependents;
    fresh_names& m_fresh;
    std::unordered_map<std::string, std::string> m_copies;
};

// Each image's value of `kind`, made from `rows` instead of what its cut keeps.
std::vector<copied_chain> copy_chains(const onnx::GraphProto& graph, const pad_plan& p, field kind,
                                      const std::vector<std::string>& rows, fresh_names& fresh)
{
    const graph_index index(graph);
    const auto dependents = dependents_of(index, p.source.cuts);
    chain_copier copier(index, dependents, fresh);
    const auto& values = p.fields[place_of(p, kind).value()].values;
    std::vector<copied_chain> chains;
    for (std::size_t image = 0; image < values.size(); ++image) {
        chains.push_back(copier.copy(values[image], p.source.cuts[image], rows[image]));
    }
    return chains;
}

// The type of the bounds of a Slice: all of them have one.
int type_of_bounds(const graph_index& index, const onnx::NodeProto& cut)
{
    int type = onnx::TensorProto::INT64;
    for (int i = 1; i < cut.input_size(); ++i) {
        const auto* bound = index.constant(cut.input(i));
        type = bound != nullptr ? bound->data_type() : type;
    }
    return type;
}

void append(onnx::GraphProto& graph, std::vector<onnx::NodeProto>& nodes)
{
    for (auto& node : nodes) {
        graph.add_node()->Swap(&node);
    }
}

} // namespace

void cut_to_chosen(onnx::GraphProto& graph, const pad_plan& p, fresh_names& fresh, std::int64_t opset)
{
    if (p.chosen.most_rows.empty() || p.source.cuts.empty()) {
        return;
    }
    const auto cuts = cut_nodes(graph, p);
    std::vector<int> types;
    {
        const graph_index index(graph);
        for (const auto* cut : cuts) {
            types.push_back(type_of_bounds(index, *cut));
        }
    }
    node_writer nodes(graph, fresh, opset);
    std::string narrow;
    for (std::size_t image = 0; image < cuts.size(); ++image) {
        if (types[image] == onnx::TensorProto::INT32 && narrow.empty()) {
            narrow = nodes.cast("max_detections/int32", p.chosen.most_rows, element_type::int32);
        }
        cuts[image]->set_input(2, types[image] == onnx::TensorProto::INT32 ? narrow : p.chosen.most_rows);
    }
    sort_nodes(graph);
}

void drop_classes_at_cuts(onnx::GraphProto& graph, const pad_plan& p, fresh_names& fresh, std::int64_t opset)
{
    if (!p.classes_at_cuts) {
        return;
    }
    const auto cuts = cut_nodes(graph, p);
    std::vector<std::string> rows; // of all classes
    for (const auto* cut : cuts) {
        rows.push_back(cut->input(0));
    }
    auto labels = copy_chains(graph, p, field::labels, rows, fresh);
    node_writer nodes(graph, fresh, opset);
    for (std::size_t image = 0; image < cuts.size(); ++image) {
        const std::string at = "classes/" + std::to_string(image);
        append(graph, labels[image].nodes);
        const auto kept = places_of_classes(nodes, *p.classes, labels[image].value, at);
        cuts[image]->set_input(0, nodes.gather(at + "/rows", rows[image], kept, 0));
    }
    sort_nodes(graph);
}

void drop_low_scores_at_cuts(onnx::GraphProto& graph, const pad_plan& p, fresh_names& fresh, std::int64_t opset)
{
    if (!p.scores_at_cuts) {
        return;
    }
    const auto cuts = cut_nodes(graph, p);
    std::vector<std::string> rows; // with any score
    for (std::size_t image = 0; image < cuts.size(); ++image) {
        rows.push_back(fresh("min_score/" + std::to_string(image) + "/rows"));
    }
    auto scores = copy_chains(graph, p, field::scores, rows, fresh);
    node_writer nodes(graph, fresh, opset);
    for (std::size_t image = 0; image < cuts.size(); ++image) {
        const std::string at = "min_score/" + std::to_string(image);
        append(graph, scores[image].nodes);
        cuts[image]->set_output(0, rows[image]);
        const auto kept = places_of_high_scores(nodes, p, scores[image].value, at);
        nodes.gather(at + "/high_scores", rows[image], kept, 0, p.source.cuts[image]); // in place of what the cut kept
    }
    sort_nodes(graph);
}

} // namespace padbatch::onnx_tools
