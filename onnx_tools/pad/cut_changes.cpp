// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/pad/cut_changes.hpp>

#include <onnx_tools/model/sort.hpp>
#include <onnx_tools/pad/image_rows.hpp>
#include <onnx_tools/pad/node_writer.hpp>

#include <algorithm>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace padbatch::onnx_tools {
namespace {

// Copies the nodes that make a value from what a cut keeps.
class chain_copier {
public:
    // `cut` is the result of the cut, `all` the value that the copies read instead.
    chain_copier(const onnx::GraphProto& graph, const std::string& cut, const std::string& all, fresh_names& fresh)
        : m_index(graph), m_fresh(fresh)
    {
        m_copies.emplace(cut, all);
        std::deque<std::string_view> pending{cut};
        m_dependents.emplace(cut);
        while (!pending.empty()) {
            const auto at = pending.front();
            pending.pop_front();
            for (const auto* reader : m_index.readers(at)) {
                for (const auto& result : reader->output()) {
                    if (m_dependents.insert(result).second) {
                        pending.push_back(result);
                    }
                }
            }
        }
    }

    // The name of the copy of `value`, or its own if it does not depend on the cut.
    std::string copy(const std::string& value)
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
            input = copy(input);
        }
        for (auto& output : *made.mutable_output()) {
            if (!output.empty()) {
                const auto name = m_fresh("padbatch/uncut/" + output);
                m_copies.emplace(output, name);
                output = name;
            }
        }
        m_nodes.push_back(std::move(made));
        return m_copies.at(value);
    }

    [[nodiscard]] std::vector<onnx::NodeProto>& nodes() noexcept { return m_nodes; }

private:
    graph_index m_index;
    fresh_names& m_fresh;
    std::unordered_set<std::string_view> m_dependents;
    std::unordered_map<std::string, std::string> m_copies;
    std::vector<onnx::NodeProto> m_nodes; // each after those that it reads
};

void append(onnx::GraphProto& graph, std::vector<onnx::NodeProto>& nodes)
{
    for (auto& node : nodes) {
        graph.add_node()->Swap(&node);
    }
}

// The node that makes `value`. There is one.
onnx::NodeProto& maker_of(onnx::GraphProto& graph, const std::string& value)
{
    return *std::find_if(graph.mutable_node()->begin(), graph.mutable_node()->end(),
                         [&](const auto& node) { return node.output_size() == 1 && node.output(0) == value; });
}

void drop_classes_at_cut(node_writer& nodes, const class_choice& chosen, const std::string& cut,
                         const std::string& labels, const std::string& at)
{
    auto& graph = nodes.graph();
    const std::string rows = maker_of(graph, cut).input(0);
    chain_copier chain(graph, cut, rows, nodes.fresh());
    const auto all_labels = chain.copy(labels);
    append(graph, chain.nodes());
    const auto kept = places_of_classes(nodes, chosen, all_labels, at);
    const auto of_classes = nodes.gather(at + "/rows", rows, kept, 0);
    maker_of(graph, cut).set_input(0, of_classes);
}

void drop_low_scores_at_cut(node_writer& nodes, const pad_plan& p, const std::string& cut, const std::string& scores,
                            const std::string& at)
{
    auto& graph = nodes.graph();
    const auto all = nodes.fresh()(at + "/rows");
    chain_copier chain(graph, cut, all, nodes.fresh());
    const auto compared = chain.copy(scores);
    append(graph, chain.nodes());
    maker_of(graph, cut).set_output(0, all);
    const auto bound = nodes.constant(at + "/bound", *p.score_above);
    const auto high = nodes.add("Greater", at + "/high_enough", {compared, bound});
    const auto kept = nodes.squeeze(at + "/kept", nodes.add("NonZero", at + "/places", {high}), 0);
    nodes.gather(at + "/high_scores", all, kept, 0, cut); // takes the place of what the cut kept
}

} // namespace

void set_limit(onnx::GraphProto& graph, const pad_plan& p, fresh_names& fresh)
{
    if (!p.new_limit) {
        return;
    }
    std::map<int, std::string> limits; // by their type
    std::vector<onnx::NodeProto> constants;
    const auto limit_of = [&](int type) {
        auto& name = limits[type];
        if (name.empty()) {
            onnx::TensorProto value;
            value.set_data_type(type);
            value.add_dims(1);
            if (type == onnx::TensorProto::INT32) {
                value.add_int32_data(static_cast<std::int32_t>(*p.new_limit));
            } else {
                value.add_int64_data(*p.new_limit);
            }
            auto& node = constants.emplace_back();
            node.set_op_type("Constant");
            node.set_name(fresh("padbatch/limit"));
            name = fresh(node.name() + ":0");
            node.add_output(name);
            auto& held = *node.add_attribute();
            held.set_name("value");
            held.set_type(onnx::AttributeProto::TENSOR);
            *held.mutable_t() = std::move(value);
        }
        return name;
    };
    {
        const graph_index index(graph);
        const std::unordered_set<std::string_view> cuts(p.source.cuts.begin(), p.source.cuts.end());
        std::vector<std::pair<onnx::NodeProto*, int>> found;
        for (auto& node : *graph.mutable_node()) {
            if (node.output_size() == 1 && cuts.count(node.output(0)) != 0) {
                int type = onnx::TensorProto::INT64;
                for (int i = 1; i < node.input_size(); ++i) { // all of them have one type
                    const auto* bound = index.constant(node.input(i));
                    type = bound != nullptr ? bound->data_type() : type;
                }
                found.emplace_back(&node, type);
            }
        }
        for (const auto& [node, type] : found) {
            node->set_input(2, limit_of(type));
        }
    }
    // Before all nodes, as those that read a value come after the one that makes it.
    auto& nodes = *graph.mutable_node();
    for (auto& constant : constants) {
        nodes.Add()->Swap(&constant);
        for (int i = nodes.size() - 1; i > 0; --i) {
            nodes.SwapElements(i, i - 1);
        }
    }
}

void drop_classes_at_cuts(onnx::GraphProto& graph, const pad_plan& p, fresh_names& fresh, std::int64_t opset)
{
    if (!p.classes_at_cuts) {
        return;
    }
    node_writer nodes(graph, fresh, opset);
    const auto& labels = p.fields[place_of(p, field::labels).value()].values;
    for (std::size_t image = 0; image < labels.size(); ++image) {
        drop_classes_at_cut(nodes, *p.classes, p.source.cuts[image], labels[image], "classes/" + std::to_string(image));
    }
    sort_nodes(graph);
}

void drop_low_scores_at_cuts(onnx::GraphProto& graph, const pad_plan& p, fresh_names& fresh, std::int64_t opset)
{
    if (!p.scores_at_cuts) {
        return;
    }
    node_writer nodes(graph, fresh, opset);
    const auto& scores = p.fields[place_of(p, field::scores).value()].values;
    for (std::size_t image = 0; image < scores.size(); ++image) {
        drop_low_scores_at_cut(nodes, p, p.source.cuts[image], scores[image], "min_score/" + std::to_string(image));
    }
    sort_nodes(graph);
}

} // namespace padbatch::onnx_tools
