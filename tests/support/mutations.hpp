// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_TESTS_SUPPORT_MUTATIONS_HPP
#define PADBATCH_TESTS_SUPPORT_MUTATIONS_HPP

#include <tests/support/mutant.hpp>
#include <tests/support/outline.hpp>

#include <onnx_tools/model/graph.hpp>

#include <cstdint>
#include <map>
#include <random>
#include <sstream>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

// What can happen to an export between its making and the rewrite. A step is a line of words, so that one that found
// something can be kept in a list. K is the position of an output, or several with commas between them.
//
//     drop K                        the output is gone
//     double K NAME                 a copy of its values follows as the last output
//     list K                        it is listed once more, under its own name
//     order P P P ...               the outputs follow one another in this order
//     rename K NAME K NAME ...      all at once
//     cast K TYPE
//     transpose K AXIS AXIS ...
//     unsqueeze K AXIS
//     squeeze K AXIS
//     repeat K                      its rows follow once more, twice as many as those of the other fields
//     hide K concat|reshape         the values pass through a node that keeps them as they are
//     unshape K                     the declared shape is gone
//     unshape                       all of them, those of inner values too
//     dims same|own|batch|open      the declared extents of outputs get other symbols, or symbols in place of numbers
//     further KIND K NAME           another output, at this place: size|ones|anchors (constants), count (rows of output
//     0) shuffle N, sort N             the nodes follow one another in another order, any or one in which they can run
//     function N                    some of the nodes are in a function of the model
//     reader N                      a node reads a value, and nothing reads the node
//     undefine N, remove N, cycle N the graph is broken: a node reads what is nowhere made, or what it makes itself
namespace padbatch::test {

/// Numbers that are the same with every standard library.
class mutation_draws {
public:
    explicit mutation_draws(std::uint32_t seed) : m_draw(seed) {}

    std::size_t below(std::size_t bound) { return static_cast<std::size_t>(m_draw()) % bound; }
    bool one_in(std::size_t n) { return below(n) == 0; }
    template <typename T>
    const T& of(const std::vector<T>& all)
    {
        return all.at(below(all.size()));
    }
    template <typename Swap>
    void shuffle(std::size_t n, const Swap& swap)
    {
        for (std::size_t i = n; i > 1; --i) {
            swap(i - 1, below(i));
        }
    }

private:
    std::mt19937 m_draw;
};

namespace detail {

// What is done to the outputs of a graph, whatever is known of them.
class output_editor {
protected:
    explicit output_editor(onnx::GraphProto& graph) : m_graph(graph) {}

    onnx::ValueInfoProto& info(std::size_t k) { return *m_graph.mutable_output(static_cast<int>(k)); }

    std::string fresh(const std::string& wanted) { return onnx_tools::fresh_names(m_graph)(wanted); }

    onnx::NodeProto& add_node(const std::string& op, const std::vector<std::string>& inputs, const std::string& output)
    {
        auto& node = *m_graph.add_node();
        node.set_op_type(op);
        node.set_name(fresh("mutation/" + op));
        for (const auto& input : inputs) {
            node.add_input(input);
        }
        node.add_output(output);
        return node;
    }

    // The name of the values before the output's, for a node that changes them.
    std::string before(std::size_t k)
    {
        const std::string name = info(k).name();
        const auto inner = fresh(name + "_before");
        onnx_tools::rename_value(m_graph, name, inner);
        info(k).set_name(name);
        return inner;
    }

    onnx::TensorShapeProto* declared_shape(std::size_t k)
    {
        auto& type = *info(k).mutable_type()->mutable_tensor_type();
        return type.has_shape() ? type.mutable_shape() : nullptr;
    }

    bool dims(std::istringstream& words)
    {
        std::string how;
        words >> how;
        int count = 0;
        for (auto& output : *m_graph.mutable_output()) {
            auto& type = *output.mutable_type()->mutable_tensor_type();
            for (int d = 0; type.has_shape() && d < type.shape().dim_size(); ++d) {
                auto& dim = *type.mutable_shape()->mutable_dim(d);
                if (how == "open" ? dim.has_dim_value() : !dim.has_dim_value()) {
                    dim.set_dim_param(how == "same"    ? "n"
                                      : how == "batch" ? "batch"
                                                       : "dim_" + std::to_string(count++));
                }
            }
        }
        return true;
    }

    onnx::GraphProto& m_graph;
};

class graph_changer : private output_editor {
public:
    explicit graph_changer(mutant& m) : output_editor(*m.model.mutable_graph()), m_mutant(m) {}

    // False if the step does not fit this graph.
    bool apply(const std::string& step)
    {
        std::istringstream words(step);
        std::string op;
        words >> op;
        static const std::map<std::string, bool (graph_changer::*)(std::istringstream&)> steps{
            {"drop", &graph_changer::drop},        {"double", &graph_changer::copy},
            {"list", &graph_changer::list},        {"order", &graph_changer::order},
            {"rename", &graph_changer::rename},    {"cast", &graph_changer::cast_outputs},
            {"transpose", &graph_changer::turn},   {"unsqueeze", &graph_changer::unsqueeze},
            {"squeeze", &graph_changer::squeeze},  {"hide", &graph_changer::hide},
            {"repeat", &graph_changer::repeat},    {"unshape", &graph_changer::unshape},
            {"dims", &graph_changer::dims},        {"further", &graph_changer::further},
            {"shuffle", &graph_changer::shuffle},  {"sort", &graph_changer::sort},
            {"reader", &graph_changer::reader},    {"undefine", &graph_changer::undefine},
            {"remove", &graph_changer::remove},    {"cycle", &graph_changer::cycle},
            {"function", &graph_changer::function}};
        const auto found = steps.find(op);
        if (found == steps.end()) {
            throw std::runtime_error("there is no mutation '" + op + "'");
        }
        if (!(this->*found->second)(words)) {
            return false;
        }
        m_mutant.steps.push_back(step);
        return true;
    }

private:
    using infos = google::protobuf::RepeatedPtrField<onnx::ValueInfoProto>;

    [[nodiscard]] bool is_output(std::size_t k) const { return k < m_mutant.outputs.size(); }

    // The outputs that a list such as 0,3 names; empty if one of them does not exist.
    std::vector<std::size_t> outputs_in(std::istringstream& words)
    {
        std::string text;
        words >> text;
        std::istringstream numbers(text);
        std::vector<std::size_t> all;
        for (std::string number; std::getline(numbers, number, ',');) {
            all.push_back(std::stoul(number));
            if (!is_output(all.back())) {
                return {};
            }
        }
        return all;
    }

    static std::vector<int> numbers_in(std::istringstream& words)
    {
        std::vector<int> all;
        for (int number = 0; words >> number;) {
            all.push_back(number);
        }
        return all;
    }

    // Whether a subgraph has a value of this name.
    static bool is_inside(const onnx::GraphProto& graph, const std::string& name)
    {
        bool found = false;
        for (const auto& node : graph.node()) {
            onnx_tools::for_each_subgraph(node, [&](const onnx::GraphProto& sub) {
                found = found || onnx_tools::defined_names(sub).count(name) != 0 || is_inside(sub, name);
            });
        }
        return found;
    }

    bool drop(std::istringstream& words)
    {
        auto all = outputs_in(words);
        if (all.empty() || all.size() >= m_mutant.outputs.size()) {
            return false;
        }
        std::sort(all.rbegin(), all.rend());
        for (const auto k : all) {
            m_graph.mutable_output()->DeleteSubrange(static_cast<int>(k), 1);
            m_mutant.outputs.erase(m_mutant.outputs.begin() + static_cast<std::ptrdiff_t>(k));
        }
        m_mutant.harmless = false;
        return true;
    }

    static onnx::AttributeProto& add_attribute(onnx::NodeProto& node, const std::string& name,
                                               onnx::AttributeProto::AttributeType type)
    {
        auto& attribute = *node.add_attribute();
        attribute.set_name(name);
        attribute.set_type(type);
        return attribute;
    }

    std::string add_constant(const tensor& t, const std::string& name)
    {
        auto& node = add_node("Constant", {}, name);
        auto& value = *add_attribute(node, "value", onnx::AttributeProto::TENSOR).mutable_t();
        value.set_data_type(t.type);
        for (const auto extent : t.shape) {
            value.add_dims(extent);
        }
        value.set_raw_data(std::string(t.bytes.begin(), t.bytes.end()));
        return name;
    }

    bool copy(std::istringstream& words)
    {
        std::size_t k = 0;
        std::string name;
        if (!(words >> k >> name) || !is_output(k) || !m_mutant.outputs[k].is_detection() || !free_name(name)) {
            return false;
        }
        add_node("Identity", {info(k).name()}, name);
        auto& output = *m_graph.add_output();
        output = info(k);
        output.set_name(name);
        m_mutant.outputs.push_back(origin(m_mutant.outputs[k]));
        m_mutant.harmless = false;
        return true;
    }

    bool list(std::istringstream& words)
    {
        std::size_t k = 0;
        if (!(words >> k) || !is_output(k)) {
            return false;
        }
        auto& output = *m_graph.add_output();
        output = info(k);
        m_mutant.outputs.push_back(origin(m_mutant.outputs[k]));
        m_mutant.valid = false;
        m_mutant.harmless = false;
        return true;
    }

    bool order(std::istringstream& words)
    {
        const auto places = numbers_in(words);
        auto sorted = places;
        std::sort(sorted.begin(), sorted.end());
        for (std::size_t i = 0; i < sorted.size(); ++i) {
            if (sorted[i] != static_cast<int>(i)) {
                return false;
            }
        }
        if (places.size() != m_mutant.outputs.size()) {
            return false;
        }
        infos outputs;
        std::vector<origin> origins;
        for (const int place : places) {
            *outputs.Add() = m_graph.output(place);
            origins.push_back(m_mutant.outputs[static_cast<std::size_t>(place)]);
        }
        m_graph.mutable_output()->Swap(&outputs);
        m_mutant.outputs = std::move(origins);
        m_mutant.harmless = false;
        return true;
    }

    // Frees a name that an inner value may have.
    bool free_name(const std::string& name)
    {
        if (is_inside(m_graph, name)) {
            return false;
        }
        for (const auto& input : m_graph.input()) {
            if (input.name() == name) {
                return false;
            }
        }
        for (const auto& output : m_graph.output()) {
            if (output.name() == name) {
                return false;
            }
        }
        if (onnx_tools::defined_names(m_graph).count(name) != 0) {
            onnx_tools::rename_value(m_graph, name, fresh("inner_" + name));
        }
        return true;
    }

    bool rename(std::istringstream& words)
    {
        std::map<std::size_t, std::string> names;
        std::size_t k = 0;
        for (std::string name; words >> k >> name;) {
            if (!is_output(k)) {
                return false;
            }
            names[k] = name;
        }
        std::set<std::string> all;
        for (std::size_t other = 0; other < m_mutant.outputs.size(); ++other) {
            if (!all.insert(names.count(other) != 0 ? names[other] : info(other).name()).second) {
                return false;
            }
        }
        const auto call = [&](std::size_t place, const std::string& name) {
            const std::string old = info(place).name();
            onnx_tools::rename_value(m_graph, old, name);
        };
        for (const auto& [place, name] : names) {
            call(place, fresh("renamed"));
        }
        for (const auto& [place, name] : names) {
            if (!free_name(name)) {
                return false;
            }
            call(place, name);
            m_mutant.harmless = m_mutant.harmless && name.front() == 't';
        }
        return true;
    }

    static int type_named(const std::string& name)
    {
        static const std::map<std::string, int> types{
            {"float32", onnx_number::float32}, {"uint8", onnx_number::uint8},  {"int32", onnx_number::int32},
            {"int64", onnx_number::int64},     {"bool", onnx_number::boolean}, {"float16", onnx_number::float16},
            {"float64", onnx_number::float64}};
        return types.at(name);
    }

    bool cast_outputs(std::istringstream& words)
    {
        const auto all = outputs_in(words);
        std::string name;
        words >> name;
        const int type = type_named(name);
        for (const auto k : all) {
            const auto from = before(k);
            add_attribute(add_node("Cast", {from}, info(k).name()), "to", onnx::AttributeProto::INT).set_i(type);
            info(k).mutable_type()->mutable_tensor_type()->set_elem_type(type);
            m_mutant.outputs[k].changes.push_back({value_change::kind::cast, type, {}});
        }
        m_mutant.harmless = false;
        return !all.empty();
    }

    bool turn(std::istringstream& words)
    {
        const auto all = outputs_in(words);
        const auto order = numbers_in(words);
        for (const auto k : all) {
            auto& o = m_mutant.outputs[k];
            if (o.rank < 0 || axes_of(o).size() != order.size()) {
                return false;
            }
            const auto from = before(k);
            auto& node = add_node("Transpose", {from}, info(k).name());
            auto& perm = add_attribute(node, "perm", onnx::AttributeProto::INTS);
            for (const int axis : order) {
                perm.add_ints(axis);
            }
            if (auto* shape = declared_shape(k)) {
                const auto old = *shape;
                for (std::size_t d = 0; d < order.size(); ++d) {
                    *shape->mutable_dim(static_cast<int>(d)) = old.dim(order[d]);
                }
            }
            o.changes.push_back({value_change::kind::transpose, 0, order});
        }
        m_mutant.harmless = false;
        return !all.empty();
    }

    void add_with_axis(const std::string& op, std::size_t k, int axis)
    {
        const auto from = before(k);
        if (onnx_tools::standard_opset(m_mutant.model) < 13) {
            auto& node = add_node(op, {from}, info(k).name());
            add_attribute(node, "axes", onnx::AttributeProto::INTS).add_ints(axis);
            return;
        }
        tensor axes{onnx_number::int64, {1}, {}};
        append_number(axes, axis);
        const auto constant = add_constant(axes, fresh("mutation/axes"));
        add_node(op, {from, constant}, info(k).name());
    }

    bool unsqueeze(std::istringstream& words)
    {
        const auto all = outputs_in(words);
        int axis = 0;
        words >> axis;
        for (const auto k : all) {
            auto& o = m_mutant.outputs[k];
            if (o.rank < 0 || axis > static_cast<int>(axes_of(o).size())) {
                return false;
            }
            add_with_axis("Unsqueeze", k, axis);
            if (auto* shape = declared_shape(k)) {
                shape->add_dim()->set_dim_value(1);
                for (int d = shape->dim_size() - 1; d > axis; --d) {
                    shape->mutable_dim()->SwapElements(d, d - 1);
                }
            }
            o.changes.push_back({value_change::kind::unsqueeze, axis, {}});
        }
        m_mutant.harmless = false;
        return !all.empty();
    }

    bool squeeze(std::istringstream& words)
    {
        const auto all = outputs_in(words);
        int axis = 0;
        words >> axis;
        for (const auto k : all) {
            auto& o = m_mutant.outputs[k];
            const auto axes = axes_of(o);
            if (axis >= static_cast<int>(axes.size())) {
                return false;
            }
            const int which = axes[static_cast<std::size_t>(axis)];
            if (which != -1 && !(which == 1 && o.has_unit_channel)) {
                return false;
            }
            add_with_axis("Squeeze", k, axis);
            if (auto* shape = declared_shape(k)) {
                shape->mutable_dim()->DeleteSubrange(axis, 1);
            }
            o.changes.push_back({value_change::kind::squeeze, axis, {}});
        }
        // Masks [n, H, W] are promised, if all images have them.
        m_mutant.harmless = m_mutant.harmless && !all.empty() &&
                            std::all_of(m_mutant.outputs.begin(), m_mutant.outputs.end(), [](const origin& o) {
                                return o.field != "masks" || axes_of(o) == std::vector<int>{0, 2, 3};
                            });
        return !all.empty();
    }

    bool hide(std::istringstream& words)
    {
        const auto all = outputs_in(words);
        std::string how;
        words >> how;
        for (const auto k : all) {
            const auto from = before(k);
            if (how == "concat") {
                auto& node = add_node("Concat", {from}, info(k).name());
                add_attribute(node, "axis", onnx::AttributeProto::INT).set_i(0);
            } else {
                const auto shape = fresh("mutation/shape");
                add_node("Shape", {from}, shape);
                add_node("Reshape", {from, shape}, info(k).name());
            }
        }
        m_mutant.harmless = false;
        return !all.empty();
    }

    bool repeat(std::istringstream& words)
    {
        const auto all = outputs_in(words);
        for (const auto k : all) {
            auto& o = m_mutant.outputs[k];
            if (!o.is_detection() || axes_of(o).front() != 0) {
                return false;
            }
            const auto from = before(k);
            add_attribute(add_node("Concat", {from, from}, info(k).name()), "axis", onnx::AttributeProto::INT).set_i(0);
            o.changes.push_back({value_change::kind::repeat, 0, {}});
            if (auto* shape = declared_shape(k)) {
                *shape->mutable_dim(0) = {};
            }
        }
        m_mutant.harmless = false;
        return !all.empty();
    }

    bool unshape(std::istringstream& words)
    {
        const auto clear = [&](std::size_t k) { info(k).mutable_type()->mutable_tensor_type()->clear_shape(); };
        std::size_t k = 0;
        if (words >> k) {
            if (!is_output(k)) {
                return false;
            }
            clear(k);
            return true;
        }
        for (std::size_t each = 0; each < m_mutant.outputs.size(); ++each) {
            clear(each);
        }
        m_graph.clear_value_info();
        return true;
    }

    bool further(std::istringstream& words)
    {
        std::string kind;
        std::size_t place = 0;
        std::string name;
        if (!(words >> kind >> place >> name) || place > m_mutant.outputs.size() || !free_name(name)) {
            return false;
        }
        origin o;
        onnx::ValueInfoProto made;
        made.set_name(name);
        auto& type = *made.mutable_type()->mutable_tensor_type();
        if (kind == "count") {
            if (!m_mutant.outputs.front().is_detection() || is_reshaped(m_mutant.outputs.front())) {
                return false;
            }
            const auto shape = fresh("mutation/shape");
            const auto zero = fresh("mutation/zero");
            add_node("Shape", {info(0).name()}, shape);
            tensor index{onnx_number::int64, {1}, {}};
            append_number(index, 0);
            add_constant(index, zero);
            add_attribute(add_node("Gather", {shape, zero}, name), "axis", onnx::AttributeProto::INT).set_i(0);
            o = m_mutant.outputs.front();
            o.field.clear();
            o.rank = -1;
            o.has_unit_channel = false;
            o.changes.push_back({value_change::kind::count, 0, {}});
            type.set_elem_type(onnx_number::int64);
            type.mutable_shape()->add_dim()->set_dim_value(1);
        } else {
            tensor t{kind == "size" ? onnx_number::int64 : onnx_number::float32, {2}, {}};
            t.shape = kind == "anchors" ? std::vector<std::int64_t>{5, 4} : std::vector<std::int64_t>{2};
            const std::size_t elements = kind == "anchors" ? 20 : 2;
            for (std::size_t i = 0; i < elements; ++i) {
                append_number(t, kind == "ones" ? 1 : 64 + 16 * static_cast<double>(i));
            }
            add_constant(t, name);
            type.set_elem_type(t.type);
            for (const auto extent : t.shape) {
                type.mutable_shape()->add_dim()->set_dim_value(extent);
            }
            o.constant = std::move(t);
        }
        m_mutant.outputs.insert(m_mutant.outputs.begin() + static_cast<std::ptrdiff_t>(place), std::move(o));
        auto& outputs = *m_graph.mutable_output();
        *outputs.Add() = made;
        for (int d = outputs.size() - 1; d > static_cast<int>(place); --d) {
            outputs.SwapElements(d, d - 1);
        }
        m_mutant.harmless = false;
        return true;
    }

    bool shuffle(std::istringstream& words)
    {
        mutation_draws draw(seed_in(words));
        auto& nodes = *m_graph.mutable_node();
        draw.shuffle(static_cast<std::size_t>(nodes.size()), [&](std::size_t a, std::size_t b) {
            nodes.SwapElements(static_cast<int>(a), static_cast<int>(b));
        });
        return true;
    }

    // Any order in which each node follows those that it reads from.
    bool sort(std::istringstream& words)
    {
        mutation_draws draw(seed_in(words));
        std::unordered_map<std::string, std::vector<int>> readers;
        std::unordered_map<std::string, bool> made;
        for (const auto& node : m_graph.node()) {
            for (const auto& output : node.output()) {
                made.emplace(output, true);
            }
        }
        std::vector<std::size_t> waits(static_cast<std::size_t>(m_graph.node_size()), 0);
        std::vector<int> ready;
        for (int i = 0; i < m_graph.node_size(); ++i) {
            std::set<std::string> reads;
            for (const auto value : onnx_tools::values_read(m_graph.node(i))) {
                if (made.count(std::string(value)) != 0) {
                    reads.insert(std::string(value));
                }
            }
            for (const auto& value : reads) {
                readers[value].push_back(i);
            }
            waits[static_cast<std::size_t>(i)] = reads.size();
            if (reads.empty()) {
                ready.push_back(i);
            }
        }
        google::protobuf::RepeatedPtrField<onnx::NodeProto> sorted;
        sorted.Reserve(m_graph.node_size());
        while (!ready.empty()) {
            const auto at = draw.below(ready.size());
            const int next = ready[at];
            ready[at] = ready.back();
            ready.pop_back();
            sorted.Add()->Swap(m_graph.mutable_node(next));
            for (const auto& output : sorted.Get(sorted.size() - 1).output()) {
                for (const int reader : readers[output]) {
                    if (--waits[static_cast<std::size_t>(reader)] == 0) {
                        ready.push_back(reader);
                    }
                }
            }
        }
        if (sorted.size() != m_graph.node_size()) {
            return false; // a cycle: an earlier step made it, and the nodes that were moved are lost
        }
        m_graph.mutable_node()->Swap(&sorted);
        return true;
    }

    // Up to sixty of the last two hundred nodes, as the outputs are made there, or a large part of the graph.
    bool function(std::istringstream& words)
    {
        mutation_draws draw(seed_in(words));
        const auto nodes = static_cast<std::size_t>(m_graph.node_size());
        if (onnx_tools::sorted_positions(m_graph).size() != nodes) {
            return false;
        }
        const auto from_end = draw.one_in(4) ? nodes : std::min<std::size_t>(nodes, 1 + draw.below(200));
        outline(m_mutant.model, nodes - from_end, draw.one_in(4) ? nodes : 1 + draw.below(60));
        return true;
    }

    static std::uint32_t seed_in(std::istringstream& words)
    {
        std::uint32_t seed = 0;
        words >> seed;
        return seed;
    }

    static bool makes_tensors(const onnx::NodeProto& node)
    {
        static const std::set<std::string> other{"Loop",           "If",
                                                 "Scan",           "SequenceEmpty",
                                                 "SequenceInsert", "SequenceConstruct",
                                                 "SequenceErase",  "SplitToSequence",
                                                 "Optional",       "Identity"};
        return other.count(node.op_type()) == 0 && node.output_size() > 0 && !node.output(0).empty();
    }

    // Some steps above an output, where what is removed with an output may have other readers.
    bool reader(std::istringstream& words)
    {
        mutation_draws draw(seed_in(words));
        const onnx_tools::graph_index index(m_graph);
        for (int tries = 0; tries < 100; ++tries) {
            std::string value = info(draw.below(m_mutant.outputs.size())).name();
            for (auto steps = draw.below(40); steps > 0; --steps) {
                const auto* node = index.producer(value);
                const auto reads = node == nullptr ? std::vector<std::string_view>() : onnx_tools::values_read(*node);
                if (reads.empty()) {
                    break;
                }
                value = std::string(draw.of(reads));
            }
            const auto* node = index.producer(value);
            if (node != nullptr && makes_tensors(*node)) {
                add_node("Identity", {value}, fresh("mutation/unused"));
                return true;
            }
        }
        return false;
    }

    void collect_nodes(onnx::GraphProto& graph, std::vector<onnx::NodeProto*>& nodes)
    {
        for (auto& node : *graph.mutable_node()) {
            nodes.push_back(&node);
            onnx_tools::for_each_subgraph(node, [&](onnx::GraphProto& sub) { collect_nodes(sub, nodes); });
        }
    }

    bool break_graph()
    {
        m_mutant.valid = false;
        m_mutant.harmless = false;
        return true;
    }

    bool undefine(std::istringstream& words)
    {
        mutation_draws draw(seed_in(words));
        std::vector<onnx::NodeProto*> nodes;
        collect_nodes(m_graph, nodes);
        for (int tries = 0; tries < 100; ++tries) {
            auto& node = *draw.of(nodes);
            if (node.input_size() > 0) {
                node.set_input(static_cast<int>(draw.below(static_cast<std::size_t>(node.input_size()))),
                               fresh("mutation/nowhere"));
                return break_graph();
            }
        }
        return false;
    }

    bool remove(std::istringstream& words)
    {
        mutation_draws draw(seed_in(words));
        const onnx_tools::graph_index index(m_graph);
        for (int tries = 0; tries < 100; ++tries) {
            const int i = static_cast<int>(draw.below(static_cast<std::size_t>(m_graph.node_size())));
            for (const auto& output : m_graph.node(i).output()) {
                if (!index.readers(output).empty()) {
                    m_graph.mutable_node()->DeleteSubrange(i, 1);
                    return break_graph();
                }
            }
        }
        return false;
    }

    bool cycle(std::istringstream& words)
    {
        mutation_draws draw(seed_in(words));
        const onnx_tools::graph_index index(m_graph);
        for (int tries = 0; tries < 100; ++tries) {
            auto& node =
                *m_graph.mutable_node(static_cast<int>(draw.below(static_cast<std::size_t>(m_graph.node_size()))));
            if (node.input_size() == 0 || node.output_size() == 0 || node.output(0).empty()) {
                continue;
            }
            const auto* maker =
                index.producer(node.input(static_cast<int>(draw.below(static_cast<std::size_t>(node.input_size())))));
            if (maker == nullptr || maker == &node || maker->input_size() == 0) {
                continue;
            }
            for (auto& each : *m_graph.mutable_node()) {
                if (&each == maker) {
                    each.set_input(0, node.output(0));
                    return break_graph();
                }
            }
        }
        return false;
    }

    mutant& m_mutant;
};

} // namespace detail

/// Applies a step. False, with a mutant that is of no use any more, if the step does not fit it.
[[nodiscard]] inline bool apply(mutant& m, const std::string& step)
{
    return detail::graph_changer(m).apply(step);
}

/// Draws a step that fits `m`, most of the time.
inline std::string draw_step(const mutant& m, mutation_draws& draw)
{
    static const std::vector<std::string> field_names{"boxes", "labels",    "scores",
                                                      "masks", "keypoints", "keypoints_scores"};
    const std::size_t count = m.outputs.size();
    const auto number = [](std::size_t n) { return std::to_string(n); };
    const auto any = [&] { return draw.below(count); };
    // An output, or those of its field in all images.
    const auto some = [&](std::size_t k) {
        std::string list = number(k);
        if (m.outputs[k].is_detection() && !draw.one_in(3)) {
            list.clear();
            for (std::size_t other = 0; other < count; ++other) {
                if (m.outputs[other].field == m.outputs[k].field) {
                    list += (list.empty() ? "" : ",") + number(other);
                }
            }
        }
        return list;
    };
    const auto in_order = [&](const std::vector<std::size_t>& places) {
        std::string step = "order";
        for (const auto place : places) {
            step += " " + number(place);
        }
        return step;
    };
    std::vector<std::size_t> places(count);
    for (std::size_t k = 0; k < count; ++k) {
        places[k] = k;
    }
    const auto name_of = [&](std::size_t k) { return m.model.graph().output(static_cast<int>(k)).name(); };
    const auto own_name = [&] { return "t" + number(1000 + draw.below(9000)); };
    const auto telling_name = [&] {
        const auto& field = draw.of(field_names);
        return draw.one_in(2) ? field : field + (draw.one_in(2) ? "_" : "") + number(draw.below(3));
    };
    const std::string seed = number(draw.below(1000000));
    switch (draw.below(32)) {
    case 0: return "drop " + number(any());
    case 1: return "drop " + some(any());
    case 2: { // an image
        const auto image = m.outputs[any()].image;
        std::string list;
        for (std::size_t k = 0; k < count; ++k) {
            if (m.outputs[k].is_detection() && m.outputs[k].image == image) {
                list += (list.empty() ? "" : ",") + number(k);
            }
        }
        return "drop " + list;
    }
    case 3: return "double " + number(any()) + " " + (draw.one_in(2) ? own_name() : telling_name());
    case 4: return "list " + number(any());
    case 5:
    case 6: std::swap(places[any()], places[any()]); return in_order(places);
    case 7:
    case 8: { // two images' values of one field
        const auto k = any();
        for (std::size_t other = 0; other < count; ++other) {
            if (m.outputs[other].field == m.outputs[k].field && m.outputs[other].image != m.outputs[k].image &&
                m.outputs[k].is_detection()) {
                std::swap(places[k], places[other]);
                break;
            }
        }
        return in_order(places);
    }
    case 9:
        draw.shuffle(count, [&](std::size_t a, std::size_t b) { std::swap(places[a], places[b]); });
        return in_order(places);
    case 10: { // whole images, or whole fields, in another order
        const bool images = draw.one_in(2);
        const auto turn = draw.below(3) + 1;
        std::stable_sort(places.begin(), places.end(), [&](std::size_t a, std::size_t b) {
            const auto key = [&](std::size_t k) -> std::size_t {
                const auto& o = m.outputs[k];
                const auto field = static_cast<std::size_t>(std::find(field_names.begin(), field_names.end(), o.field) -
                                                            field_names.begin());
                return !o.is_detection() ? 1000 : images ? (o.image + turn) % 4 : (field + turn) % 6;
            };
            return key(a) < key(b);
        });
        return in_order(places);
    }
    case 11: { // image by image or field by field
        const bool by_image = draw.one_in(2);
        std::stable_sort(places.begin(), places.end(), [&](std::size_t a, std::size_t b) {
            const auto key = [&](std::size_t k) -> std::string {
                const auto& o = m.outputs[k];
                return !o.is_detection() ? "z" : by_image ? number(o.image) : o.field;
            };
            return key(a) < key(b);
        });
        return in_order(places);
    }
    case 12:
    case 13: {
        static const std::vector<std::string> types{"float32", "float16", "float64", "int64", "int32", "uint8", "bool"};
        return "cast " + some(any()) + " " + draw.of(types);
    }
    case 14:
    case 15: {
        const auto k = any();
        const auto rank = axes_of(m.outputs[k]).size();
        std::vector<std::size_t> axes(rank);
        for (std::size_t d = 0; d < rank; ++d) {
            axes[d] = d;
        }
        draw.shuffle(rank, [&](std::size_t a, std::size_t b) { std::swap(axes[a], axes[b]); });
        if (rank == 2) {
            axes = {1, 0};
        }
        std::string step = "transpose " + some(k);
        for (const auto axis : axes) {
            step += " " + number(axis);
        }
        return step;
    }
    case 16: {
        const auto k = any();
        return "unsqueeze " + some(k) + " " + number(draw.below(axes_of(m.outputs[k]).size() + 1));
    }
    case 17: {
        std::vector<std::size_t> squeezable;
        for (std::size_t k = 0; k < count; ++k) {
            if (m.outputs[k].has_unit_channel) {
                squeezable.push_back(k);
            }
        }
        return squeezable.empty() ? "unshape" : "squeeze " + some(draw.of(squeezable)) + " 1";
    }
    case 18: {
        std::string step = "rename";
        for (std::size_t k = 0; k < count; ++k) {
            step += " " + number(k) + " t" + number(1000 * (k + 1) + draw.below(1000));
        }
        return step;
    }
    case 19: {
        const auto k = any();
        const auto other = any();
        return k == other ? "unshape " + number(k)
                          : "rename " + number(k) + " " + name_of(other) + " " + number(other) + " " + name_of(k);
    }
    case 20: return "rename " + number(any()) + " " + telling_name();
    case 21: { // each field is called as another
        const auto turn = draw.below(6);
        std::string step = "rename";
        for (std::size_t k = 0; k < count; ++k) {
            const auto& o = m.outputs[k];
            const auto field = static_cast<std::size_t>(std::find(field_names.begin(), field_names.end(), o.field) -
                                                        field_names.begin());
            if (o.is_detection()) {
                step += " " + number(k) + " " + field_names[(field + turn) % 6] + (k == 0 ? "" : "_" + number(o.image));
            }
        }
        return step;
    }
    case 22: return (draw.one_in(2) ? "shuffle " : "sort ") + seed;
    case 23: return "reader " + seed;
    case 24: return (draw.one_in(3) ? "undefine " : draw.one_in(2) ? "remove " : "cycle ") + seed;
    case 25: return "hide " + some(any()) + (draw.one_in(2) ? " concat" : " reshape");
    case 26: return "unshape";
    case 27: return "unshape " + number(any());
    case 30: return "function " + seed;
    case 28: return "repeat " + some(any());
    case 29: {
        static const std::vector<std::string> how{"same", "own", "batch", "open"};
        return "dims " + draw.of(how);
    }
    default: {
        static const std::vector<std::string> kinds{"size", "ones", "anchors", "count"};
        return "further " + draw.of(kinds) + " " + number(draw.one_in(2) ? count : draw.below(count + 1)) + " " +
               (draw.one_in(2)   ? own_name()
                : draw.one_in(2) ? "image_size"
                                 : telling_name());
    }
    }
}

} // namespace padbatch::test

#endif
