// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/cuts.hpp>

#include <onnx_tools/model/ranks.hpp>
#include <onnx_tools/model/sort.hpp>
#include <onnx_tools/recognise/walk.hpp>

#include <algorithm>
#include <limits>
#include <string_view>
#include <vector>

namespace padbatch::onnx_tools {
namespace {

// `value` as the result of a Slice of rows [0, constant) along `axis`.
row_cut as_cut(const graph_index& index, std::string_view value, std::int64_t axis = 0)
{
    const auto* node = index.producer(origin(index, value));
    if (node == nullptr || standard_operator(*node) != "Slice" || node->input_size() < 3) {
        return {};
    }
    const auto input_is = [&](int i, std::int64_t expected) {
        if (i >= node->input_size() || node->input(i).empty()) {
            return i != 3 || expected == 0; // absent means all axes from the first on, in steps of one
        }
        const auto values = index.constant_integers(node->input(i));
        return values && values->size() == 1 && values->front() == expected;
    };
    const auto ends = index.constant_integers(node->input(2));
    // Exporters write "all rows" as an end of 2^31 - 1 or 2^63 - 1.
    if (!input_is(1, 0) || !input_is(3, axis) || !input_is(4, 1) || !ends || ends->size() != 1 || ends->front() < 1 ||
        ends->front() >= std::numeric_limits<std::int32_t>::max()) {
        return {};
    }
    return {node, ends->front()};
}

row_cut cut_of_gather(const graph_index& index, const onnx::NodeProto& node)
{
    if (!is(&node, {"Gather", "GatherND", "GatherElements"}) || node.input_size() < 2) {
        return {};
    }
    std::string_view rows = origin(index, node.input(1));
    if (const auto* column = index.producer(rows); is(&node, {"GatherND"}) && is(column, {"Unsqueeze"})) {
        rows = column->input(0); // indices [n, 1]
    }
    return as_cut(index, rows);
}

// Whether `indices` come from a NonZero, as in a boolean selection: each row is picked at most once.
bool is_selection(const graph_index& index, std::string_view indices)
{
    bool sliced = false;
    for (int steps = 0; steps < 12; ++steps) {
        const auto* node = index.producer(indices);
        if (is(node, {"NonZero"})) { // of more than one dimension, a column may have a row several times
            return !sliced || (node->input_size() == 1 && rank_finder(index).rank_of(node->input(0)) == 1);
        }
        sliced = sliced || is(node, {"Slice"});
        if (!is_copy(index, node) && (!is(node, {"Cast", "Transpose", "Squeeze", "Unsqueeze", "Reshape", "Flatten",
                                                 "Gather", "Split", "Slice"}) ||
                                      node->input_size() == 0)) {
            break;
        }
        indices = node->input(0);
    }
    return false;
}

// Whether the scores [1, classes, k] of a NonMaxSuppression are those of one class, made from a list. `scopes` are its
// graph and those around it, the outermost first.
bool has_one_class(const std::vector<const graph_index*>& scopes, std::string_view scores)
{
    const auto integers = [&](std::string_view value) {
        std::optional<std::vector<std::int64_t>> found;
        for (auto scope = scopes.rbegin(); scope != scopes.rend() && !found; ++scope) {
            found = (*scope)->constant_integers(value);
        }
        return found;
    };
    std::size_t added = 0;
    for (int steps = 0; steps < 8; ++steps) {
        const auto* node = scopes.back()->producer(scores);
        if (is(node, {"Unsqueeze"})) {
            const auto* axes = attribute(*node, "axes");
            const auto given = node->input_size() > 1 ? integers(node->input(1)) : std::nullopt;
            added += axes != nullptr ? static_cast<std::size_t>(axes->ints_size()) : given ? given->size() : 0;
        } else if (is(node, {"Reshape"}) && node->input_size() > 1) {
            const auto shape = integers(node->input(1));
            return shape && shape->size() == 3 && (*shape)[0] == 1 && (*shape)[1] == 1;
        } else if (!is(node, {"Identity", "Cast"})) {
            break;
        }
        scores = node->input(0);
    }
    return added == 2;
}

// Whether `value` is the list of rows that a NonMaxSuppression of one class keeps, or that a TopK sorts, or that either
// branch of an If (one of which may be for no rows at all) makes so.
// `scopes` are the graph of the value and those around it, the outermost first.
bool is_sorted_by_score(std::vector<const graph_index*> scopes, std::string_view value)
{
    for (int steps = 0; steps < 32; ++steps) {
        while (scopes.size() > 1 && scopes.back()->producer(value) == nullptr) {
            if (scopes.back()->initializer(value) != nullptr) {
                return true; // no rows
            }
            scopes.pop_back(); // a branch reads it from the graph around it
        }
        const auto& index = *scopes.back();
        const auto* node = index.producer(value);
        if (is(node, {"If"}) && scopes.size() < 8) {
            bool sorted = true;
            for_each_subgraph(*node, [&](const onnx::GraphProto& branch) {
                const graph_index inner(branch);
                auto inside = scopes;
                inside.push_back(&inner);
                sorted = sorted && branch.output_size() == 1 && node->output_size() == 1 &&
                         is_sorted_by_score(std::move(inside), branch.output(0).name());
            });
            return sorted;
        }
        if (is(node, {"Constant", "ConstantOfShape"})) {
            return scopes.size() > 1 && steps < 3; // no rows
        }
        if (node == nullptr || node->input_size() == 0) {
            return false;
        }
        if (is(node, {"NonMaxSuppression"})) {
            return node->input_size() > 1 && has_one_class(scopes, node->input(1));
        }
        if (is(node, {"TopK"})) {
            return integer_attribute(*node, "largest", 1) != 0 && integer_attribute(*node, "sorted", 1) != 0;
        }
        if (!is(node, {"Identity", "Cast", "Squeeze", "Unsqueeze", "Gather", "GatherND", "Reshape", "Flatten", "Slice",
                       "Split", "Transpose"})) {
            return false;
        }
        const auto* order = is(node, {"Gather", "GatherND"}) ? index.producer(origin(index, node->input(1))) : nullptr;
        value = is(order, {"TopK"}) ? node->input(1) : node->input(0);
    }
    return false;
}

// The most that a size can be, if it is a constant or the least of several values of which one is.
std::optional<std::int64_t> most_of(const graph_index& index, std::string_view size, int depth = 0)
{
    if (const auto values = index.constant_integers(size)) {
        return values->empty() ? std::nullopt : std::optional(*std::min_element(values->begin(), values->end()));
    }
    const auto* node = index.producer(size);
    if (depth > 16 || node == nullptr || node->input_size() == 0) {
        return std::nullopt;
    }
    if (is(node, {"Identity", "Cast", "Unsqueeze", "Squeeze", "Reshape"})) {
        return most_of(index, node->input(0), depth + 1);
    }
    const auto* all = is(node, {"ReduceMin"}) ? index.producer(node->input(0)) : node;
    if (!is(node, {"Min", "ReduceMin"}) || (is(node, {"ReduceMin"}) && !is(all, {"Concat"}))) {
        return std::nullopt;
    }
    std::optional<std::int64_t> least;
    for (const auto& input : all->input()) {
        const auto one = most_of(index, input, depth + 1);
        least = one && (!least || *one < *least) ? one : least;
    }
    return least;
}

// Follows rows up the graph, along whichever axis they lie.
class bound_finder {
public:
    explicit bound_finder(const graph_index& index) : m_index(index) {}

    row_bound of(std::string_view at)
    {
        row_bound bound;
        std::int64_t axis = 0;
        for (int steps = 0; steps < 64; ++steps) { // wrappers add a few nodes; the bound is for graphs with a cycle
            const auto* node = m_index.producer(at);
            if (node == nullptr || node->input_size() == 0) {
                break;
            }
            if (is(node, {"Gather", "GatherND"})) {
                const auto along = is(node, {"Gather"}) ? integer_attribute(*node, "axis", 0) : 0;
                if (along == axis) {
                    if (const auto cut = cut_of_gather(m_index, *node); cut.node != nullptr) {
                        bound.cut = cut.node;
                        lower(bound, cut, true);
                        break;
                    }
                    const auto sorted = as_top(node->input_size() > 1 ? node->input(1) : "");
                    if (sorted.node != nullptr) {
                        lower(bound, sorted, false);
                        break;
                    }
                    if (node->input_size() < 2 || !is_selection(m_index, node->input(1))) {
                        break;
                    }
                } else if (along < axis) { // it may also count from the end
                    break;
                }
            } else if (standard_operator(*node) == "Slice") {
                if (const auto cut = as_cut(m_index, at, axis); cut.node != nullptr) {
                    lower(bound, cut, false);
                }
            } else if (is(node, {"TopK"})) {
                const auto sorted = as_top(at);
                if (sorted.node == nullptr || axis != 0) {
                    break;
                }
                lower(bound, sorted, false);
                break;
            } else if (is(node, {"Squeeze", "Unsqueeze"})) {
                const auto before = axis_before(m_index, *node, axis);
                if (!before) {
                    break;
                }
                axis = *before;
            } else if (!is_copy(m_index, node) && !is(node, {"Cast", "Clip", "Compress"})) {
                break;
            }
            at = node->input(0);
        }
        return bound;
    }

private:
    static void lower(row_bound& bound, const row_cut& cut, bool picks_rows)
    {
        if (!bound.limit || cut.rows < bound.limit->rows) {
            bound.limit = row_limit{cut.rows, describe(*cut.node), picks_rows};
        }
    }

    // The TopK of a list that `value` is a result of, and the most that it keeps.
    [[nodiscard]] row_cut as_top(std::string_view value) const
    {
        const auto* node = m_index.producer(origin(m_index, value));
        if (!is(node, {"TopK"}) || node->input_size() < 2) {
            return {};
        }
        const auto along = integer_attribute(*node, "axis", -1);
        const auto most = most_of(m_index, node->input(1));
        const auto rank = rank_finder(m_index).rank_of(node->input(0));
        return rank == 1 && (along == 0 || along == -1) && most && *most > 0 ? row_cut{node, *most} : row_cut{};
    }

    const graph_index& m_index;
};

} // namespace

std::optional<std::int64_t> axis_before(const graph_index& index, const onnx::NodeProto& node, std::int64_t axis)
{
    const bool adds = is(&node, {"Unsqueeze"});
    auto axes = axes_of(index, node).value_or(std::vector<std::int64_t>());
    if (axes.empty() || node.input_size() == 0) {
        return std::nullopt;
    }
    for (auto& each : axes) {
        if (each < 0) {
            const auto rank = rank_finder(index).rank_of(adds ? node.output(0) : node.input(0));
            if (!rank) {
                return std::nullopt;
            }
            each += *rank;
        }
    }
    std::sort(axes.begin(), axes.end());
    if (adds) {
        const auto in_front = std::count_if(axes.begin(), axes.end(), [&](auto each) { return each < axis; });
        return std::find(axes.begin(), axes.end(), axis) != axes.end() ? std::nullopt
                                                                       : std::optional<std::int64_t>(axis - in_front);
    }
    for (const auto each : axes) {
        axis += each <= axis ? 1 : 0;
    }
    return axis;
}

row_bound bound_of(const graph_index& index, const std::string& value)
{
    return bound_finder(index).of(value);
}

row_cut nearest_cut(const graph_index& index, const std::string& value)
{
    row_cut cut;
    walk_up(index, value, [&](const onnx::NodeProto& node) -> std::vector<std::string_view> {
        if (cut.node == nullptr) {
            cut = cut_of_gather(index, node);
        }
        return cut.node == nullptr ? dependencies(node) : std::vector<std::string_view>();
    });
    return cut;
}

std::vector<std::string_view> dependencies(const onnx::NodeProto& node)
{
    return is(&node, {"Shape", "Size"}) ? std::vector<std::string_view>() : values_read(node);
}

const onnx::NodeProto* other_count_of(const graph_index& index, const onnx::NodeProto& cut)
{
    std::string_view rows = cut.input(0);
    for (int steps = 0; steps < 64; ++steps) {
        for (const auto* reader : index.readers(rows)) {
            if (is(reader, {"Shape", "Size"})) {
                const auto counted = dependents_of(index, reader->output());
                const auto& outputs = index.graph().output();
                if (std::any_of(outputs.begin(), outputs.end(),
                                [&](const auto& output) { return counted.count(output.name()) != 0; })) {
                    return reader;
                }
            }
        }
        const auto* node = index.producer(rows);
        if (!is_copy(index, node) && (!is(node, {"Cast", "Squeeze", "Unsqueeze", "Reshape", "Flatten", "Slice", "Split",
                                                 "Transpose", "Gather", "GatherND"}) ||
                                      node->input_size() == 0)) {
            break;
        }
        rows = node->input(0);
    }
    return nullptr;
}

bool is_cut_gather(const graph_index& index, const onnx::NodeProto& node)
{
    return cut_of_gather(index, node).node != nullptr;
}

bool keeps_best_first(const graph_index& index, const onnx::NodeProto& cut)
{
    return is_sorted_by_score({&index}, cut.input(0));
}

cut_sets::cut_sets(const graph_index& index) : m_index(index)
{
    (void)shared({});
    const auto& nodes = index.graph().node();
    for (const int i : sorted_positions(index.graph())) {
        const auto& node = nodes[i];
        std::size_t set = 0;
        for (const auto value : dependencies(node)) {
            const auto* maker = index.producer(value);
            if (const auto found = m_of_node.find(maker); found != m_of_node.end()) {
                set = joined(set, found->second);
            }
        }
        if (const auto cut = cut_of_gather(index, node); cut.node != nullptr) {
            set = joined(set, shared({cut.node}));
        }
        m_of_node.emplace(&node, set);
    }
}

const cut_set& cut_sets::of(std::string_view value) const
{
    const auto found = m_of_node.find(m_index.producer(value));
    return *m_sets[found == m_of_node.end() ? 0 : found->second];
}

std::size_t cut_sets::shared(cut_set set)
{
    const auto [entry, added] = m_numbers.try_emplace(std::move(set), m_sets.size());
    if (added) {
        m_sets.push_back(&entry->first);
    }
    return entry->second;
}

std::size_t cut_sets::joined(std::size_t a, std::size_t b)
{
    if (a == b || b == 0) {
        return a;
    }
    if (a == 0) {
        return b;
    }
    const auto [entry, added] = m_joined.try_emplace(std::minmax(a, b), 0);
    if (added) {
        cut_set both = *m_sets[a];
        both.insert(m_sets[b]->begin(), m_sets[b]->end());
        entry->second = shared(std::move(both));
    }
    return entry->second;
}

} // namespace padbatch::onnx_tools
