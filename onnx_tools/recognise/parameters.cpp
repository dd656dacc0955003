// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/parameters.hpp>

#include <onnx_tools/model/wording.hpp>
#include <onnx_tools/recognise/cuts.hpp>
#include <onnx_tools/recognise/walk.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace padbatch::onnx_tools {
namespace {

// No graph that matters nests or forks more.
constexpr std::size_t deepest_scope = 8;
constexpr int longest_path = 64;
constexpr std::size_t most_paths = 4096;

// A graph inside those around it, the outermost first.
struct scope {
    std::vector<const graph_index*> graphs;
    std::vector<parameter_place::step> steps; // from each to the next

    [[nodiscard]] const graph_index& inner() const { return *graphs.back(); }

    void leave()
    {
        graphs.pop_back();
        steps.pop_back();
    }

    // Goes out to the graph whose node makes `value`, and returns that node; null if no node does.
    const onnx::NodeProto* find_producer(std::string_view value)
    {
        while (graphs.size() > 1 && inner().producer(value) == nullptr && inner().initializer(value) == nullptr) {
            leave();
        }
        return inner().producer(value);
    }

    [[nodiscard]] std::optional<double> constant_number(std::string_view value) const
    {
        std::optional<double> found;
        for (auto graph = graphs.rbegin(); graph != graphs.rend() && !found; ++graph) {
            found = (*graph)->constant_number(value);
        }
        return found;
    }

    [[nodiscard]] std::optional<std::int64_t> constant_integer(std::string_view value) const
    {
        for (auto graph = graphs.rbegin(); graph != graphs.rend(); ++graph) {
            if (const auto found = (*graph)->constant_integers(value)) {
                return found->size() == 1 ? std::optional(found->front()) : std::nullopt;
            }
        }
        return std::nullopt;
    }
};

struct scoped_node {
    const onnx::NodeProto* node = nullptr;
    scope around;
};

// A constant that a node reads.
struct reading_node {
    parameter_place place;
    double value = 0;

    bool operator==(const reading_node&) const = default;
};

reading_node read_at(const scope& around, const onnx::NodeProto& node, int input, double value)
{
    return {{around.steps, node.output(0), input}, value};
}

// The places of a parameter, as they are gathered.
class gathered {
public:
    void add(const reading_node& found)
    {
        if (std::find(m_places.begin(), m_places.end(), found) == m_places.end()) {
            m_places.push_back(found);
        }
    }

    // Each image has it, or none has.
    void expect(bool present)
    {
        m_present = m_present.value_or(present);
        if (*m_present != present) {
            lacks("not all images have it");
        }
    }

    // That what was found may be something else.
    void doubt(const std::string& why)
    {
        if (!m_places.empty()) {
            lacks(why);
        }
    }

    // That a place is missing. The first reason counts.
    void lacks(const std::string& why) { m_why = m_why.empty() ? why : m_why; }

    void write(parameter kind, model_parameters& all) const
    {
        if (m_places.empty() && m_why.empty()) {
            return;
        }
        const auto other = std::find_if(m_places.begin(), m_places.end(),
                                        [&](const reading_node& r) { return r.value != m_places.front().value; });
        if (!m_why.empty()) {
            all.fixed.push_back({kind, m_why});
        } else if (other != m_places.end()) {
            all.fixed.push_back({kind, "it is " + text_of_number(m_places.front().value) + " in one place and " +
                                           text_of_number(other->value) + " in another"});
        } else {
            found_parameter f{kind, m_places.front().value, {}};
            for (const auto& r : m_places) {
                f.places.push_back(r.place);
            }
            all.found.push_back(std::move(f));
        }
    }

private:
    std::vector<reading_node> m_places;
    std::optional<bool> m_present;
    std::string m_why;
};

bool compares(const onnx::NodeProto* node)
{
    return is(node, {"Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Equal"});
}

// Before opset 12 there is no GreaterOrEqual, and exporters write Not(Less).
std::string_view opposite(std::string_view op)
{
    return op == "Less"             ? "GreaterOrEqual"
           : op == "LessOrEqual"    ? "Greater"
           : op == "Greater"        ? "LessOrEqual"
           : op == "GreaterOrEqual" ? "Less"
                                    : "";
}

// Whether `node` is a NonMaxSuppression, or has one in a subgraph.
bool has_suppression(const onnx::NodeProto& node)
{
    bool found = is(&node, {"NonMaxSuppression"});
    for_each_subgraph(node, [&](const onnx::GraphProto& sub) {
        found = found || std::any_of(sub.node().begin(), sub.node().end(), has_suppression);
    });
    return found;
}

void add_once(std::vector<const onnx::NodeProto*>& nodes, const onnx::NodeProto* node)
{
    if (std::find(nodes.begin(), nodes.end(), node) == nodes.end()) {
        nodes.push_back(node);
    }
}

// What happens to scores on one of the ways to a NonMaxSuppression, its end first.
struct score_path {
    std::vector<reading_node> compared;         // with a constant, which decides whether a row stays
    std::vector<const onnx::NodeProto*> sorted; // by a TopK, which takes the best
    std::string doubt;
};

class suppression_reader {
public:
    explicit suppression_reader(const graph_index& index) : m_index(index) {}

    // The NonMaxSuppression whose kept rows `cut` cuts; null unless it is the only one.
    scoped_node suppression_before(const onnx::NodeProto& cut)
    {
        scoped_node found;
        if (!look_for_suppression({{&m_index}, {}}, cut.input(0), found)) {
            return {};
        }
        return found;
    }

    // The ways of the scores that `suppression` reads. `op` is the operator by which rows are chosen; others are in
    // doubt.
    std::vector<score_path> paths_of_scores(const scoped_node& suppression, std::string_view op)
    {
        m_op = op;
        return paths_to(suppression.around, suppression.node->input(1), 0);
    }

private:
    // Whether nothing speaks against it.
    bool look_for_suppression(scope around, std::string_view value, scoped_node& found)
    {
        for (int steps = 0; steps < longest_path; ++steps) {
            const auto* node = around.find_producer(value);
            if (node == nullptr) {
                return around.inner().initializer(value) != nullptr; // no rows
            }
            if (is(node, {"If"}) && around.graphs.size() < deepest_scope && node->output_size() == 1) {
                return look_into_branches(around, *node, found);
            }
            if (is(node, {"NonMaxSuppression"})) {
                if (found.node != nullptr) { // branches that only differ in how they drop a dimension
                    return found.node == node;
                }
                if (node->input_size() < 4) {
                    return false;
                }
                found = {node, std::move(around)};
                return true;
            }
            if (is(node, {"Constant", "ConstantOfShape"})) {
                return true; // no rows, in a branch for that
            }
            if (node->input_size() == 0 || !is(node, {"Identity", "Cast", "Squeeze", "Unsqueeze", "Gather", "GatherND",
                                                      "Reshape", "Flatten", "Slice", "Split", "Transpose"})) {
                return false;
            }
            value = node->input(0);
        }
        return false;
    }

    bool look_into_branches(const scope& around, const onnx::NodeProto& node, scoped_node& found)
    {
        bool sound = true;
        for (const auto& branch : node.attribute()) {
            if (branch.has_g()) {
                auto inside = around;
                inside.graphs.push_back(&index_of(branch.g()));
                inside.steps.push_back({node.output(0), branch.name()});
                sound = sound && branch.g().output_size() == 1 &&
                        look_for_suppression(std::move(inside), branch.g().output(0).name(), found);
            }
        }
        return sound;
    }

    const graph_index& index_of(const onnx::GraphProto& graph)
    {
        const auto known = m_indices.find(&graph);
        return known != m_indices.end() ? *known->second : *(m_indices[&graph] = &m_inner.emplace_back(graph));
    }

    std::vector<score_path> paths_to(scope around, std::string_view value, int depth)
    {
        const auto* node = around.find_producer(value);
        if (node == nullptr || node->input_size() == 0 || depth >= longest_path) {
            return {score_path()};
        }
        if (is(node, {"Concat"})) {
            std::vector<score_path> all;
            for (const auto& part : node->input()) {
                const auto paths = paths_to(around, part, depth + 1);
                if (all.size() + paths.size() > most_paths) {
                    return {score_path{{}, {}, describe(*node) + " joins too many"}};
                }
                all.insert(all.end(), paths.begin(), paths.end());
            }
            return all;
        }
        if (!is(node, {"Gather", "GatherND", "GatherElements", "Compress", "TopK", "Reshape", "Flatten", "Identity",
                       "Cast", "Squeeze", "Unsqueeze", "Slice", "Split", "Transpose"})) {
            return {score_path()};
        }
        auto paths = paths_to(around, node->input(0), depth + 1);
        score_path step;
        if (is(node, {"TopK"})) {
            step.sorted.push_back(node);
        } else if (is(node, {"Gather", "GatherND", "GatherElements", "Compress"}) && node->input_size() > 1) {
            look_at_choice(around, *node, step);
        }
        for (auto& path : paths) {
            path.compared.insert(path.compared.begin(), step.compared.begin(), step.compared.end());
            path.sorted.insert(path.sorted.begin(), step.sorted.begin(), step.sorted.end());
            path.doubt = step.doubt.empty() ? path.doubt : step.doubt;
        }
        return paths;
    }

    // Whether the rows that `node` picks are chosen by comparing them with a constant.
    void look_at_choice(const scope& around, const onnx::NodeProto& node, score_path& step)
    {
        const auto& graph = around.inner();
        const auto data = origin(graph, node.input(0));
        std::deque<std::string_view> pending{node.input(1)};
        std::set<std::string_view> seen;
        while (!pending.empty()) {
            const auto value = pending.front();
            pending.pop_front();
            const auto* maker = graph.producer(value);
            if (maker == nullptr || !seen.insert(value).second) {
                continue;
            }
            if (compares(maker)) {
                look_at_comparison(around, *maker, standard_operator(*maker), data, step);
            } else if (is(maker, {"Not"}) && compares(graph.producer(maker->input(0)))) {
                const auto& compared = *graph.producer(maker->input(0));
                look_at_comparison(around, compared, opposite(standard_operator(compared)), data, step);
            } else if (is(maker, {"And"})) { // of conditions, each of which must hold
                pending.insert(pending.end(), maker->input().begin(), maker->input().end());
            } else if (is(maker, {"Or", "Xor", "Not", "Where"})) {
                step.doubt = "rows are chosen by " + describe(*maker);
            } else if (maker->input_size() > 0 &&
                       (is_copy(graph, maker) || is(maker, {"NonZero", "Cast", "Transpose", "Squeeze", "Unsqueeze",
                                                            "Reshape", "Flatten", "Gather", "Split", "Slice"}))) {
                pending.push_back(maker->input(0));
            }
        }
        // Another node that compares the same scores with a constant may be one more place of the parameter.
        for (const auto* reader : graph.readers(data)) {
            if (compares(reader) && !step.compared.empty() && reader->output(0) != step.compared.front().place.node) {
                step.doubt = describe(*reader) + " compares the same scores";
            }
        }
    }

    // `op` is what `node` and a Not behind it come to.
    void look_at_comparison(const scope& around, const onnx::NodeProto& node, std::string_view op,
                            std::string_view data, score_path& step)
    {
        if (node.input_size() != 2 || !reads(around.inner(), node, data)) {
            return; // of sizes of boxes, say
        }
        const auto number = around.constant_number(node.input(1));
        if (op != m_op || origin(around.inner(), node.input(0)) != data || !number) {
            step.doubt = "rows are chosen by " + describe(node);
            return;
        }
        step.compared.push_back(read_at(around, node, 1, *number));
    }

    // Whether an input of `node` is `data`.
    static bool reads(const graph_index& index, const onnx::NodeProto& node, std::string_view data)
    {
        return std::any_of(node.input().begin(), node.input().end(),
                           [&](const auto& input) { return origin(index, input) == data; });
    }

    const graph_index& m_index;
    std::deque<graph_index> m_inner; // of branches
    std::map<const onnx::GraphProto*, const graph_index*> m_indices;
    std::string_view m_op;
};

class finder {
public:
    finder(const graph_index& index, const std::vector<const onnx::NodeProto*>& cuts)
        : m_index(index), m_cuts(cuts), m_reader(index)
    {
    }

    model_parameters run()
    {
        model_parameters all;
        for (const auto* cut : m_cuts) {
            const auto suppression = m_reader.suppression_before(*cut);
            if (suppression.node == nullptr) {
                return {}; // of another kind
            }
            add_once(m_suppressions, suppression.node);
            if (const auto* other = other_count_of(m_index, *cut)) {
                m_limit.lacks(describe(*other) + " goes by the number of rows too");
            }
            add_cut(*cut, m_limit);
            add_overlap(suppression, m_overlap);
            add_scores(m_reader.paths_of_scores(suppression, "Greater"), m_score, true);
            find_proposals(*cut, suppression);
        }
        if (m_aligns_regions) {
            look_at_proposals();
        } else if (!m_proposal_cuts.empty()) {
            m_doubt = "rows that were cut before are cut again";
        }
        look_for_others(m_index.graph());
        for (auto* each : {&m_limit, &m_score, &m_overlap, &m_candidates, &m_rpn_before, &m_rpn_after, &m_rpn_overlap,
                           &m_rpn_score}) {
            if (!m_doubt.empty()) { // as where a wrapper has a NonMaxSuppression of its own
                each->doubt(m_doubt);
            }
        }
        m_limit.write(parameter::detections_per_img, all);
        m_score.write(parameter::score_thresh, all);
        m_overlap.write(parameter::nms_thresh, all);
        m_candidates.write(parameter::topk_candidates, all);
        m_rpn_before.write(parameter::rpn_pre_nms_top_n, all);
        m_rpn_after.write(parameter::rpn_post_nms_top_n, all);
        m_rpn_overlap.write(parameter::rpn_nms_thresh, all);
        m_rpn_score.write(parameter::rpn_score_thresh, all);
        return all;
    }

private:
    void add_cut(const onnx::NodeProto& cut, gathered& limit)
    {
        const scope outermost{{&m_index}, {}};
        const auto rows = outermost.constant_integer(cut.input(2)); // a cut has one
        limit.add(read_at(outermost, cut, 2, static_cast<double>(rows.value_or(0))));
    }

    static void add_overlap(const scoped_node& suppression, gathered& overlap)
    {
        const auto number = suppression.around.constant_number(suppression.node->input(3));
        if (number) {
            overlap.add(read_at(suppression.around, *suppression.node, 3, *number));
        } else {
            overlap.lacks(describe(*suppression.node) + " reads a computed number");
        }
    }

    void add_scores(const std::vector<score_path>& paths, gathered& scores, bool with_candidates)
    {
        const bool none =
            std::all_of(paths.begin(), paths.end(), [](const score_path& path) { return path.compared.empty(); });
        scores.expect(!none);
        for (const auto& path : paths) {
            if (!path.doubt.empty()) {
                scores.lacks(path.doubt);
            } else if (path.compared.size() > 1) {
                scores.lacks("scores are compared with a number more than once");
            } else if (path.compared.empty() && !none) {
                scores.lacks("not all scores are compared with a number");
            } else if (!path.compared.empty()) {
                scores.add(path.compared.front());
            }
            if (with_candidates) {
                add_candidates(path.sorted);
            }
        }
    }

    // One TopK on each way, or none on any.
    void add_candidates(const std::vector<const onnx::NodeProto*>& sorted)
    {
        m_candidates.expect(!sorted.empty());
        if (sorted.size() > 1) {
            m_candidates.lacks("scores pass more than one TopK");
        } else if (!sorted.empty()) {
            add_most(*sorted.front(), m_candidates);
        }
    }

    // The constant that the k of `top` is the least of, with the number of rows that there are.
    void add_most(const onnx::NodeProto& top, gathered& most)
    {
        const scope outermost{{&m_index}, {}};
        std::string_view value = top.input_size() > 1 ? std::string_view(top.input(1)) : std::string_view();
        if (const auto folded = outermost.constant_integer(value)) {
            most.lacks("it is folded with the number of rows into one number, " + std::to_string(*folded) + ", which " +
                       describe(top) + " reads");
            return;
        }
        for (int steps = 0; steps < longest_path; ++steps) {
            const auto* node = m_index.producer(value);
            if (node == nullptr || node->input_size() == 0) {
                break;
            }
            const auto* maker = is(node, {"ReduceMin"}) ? m_index.producer(node->input(0)) : node;
            if ((is(node, {"Min"}) && node->input_size() > 1) || (is(node, {"ReduceMin"}) && is(maker, {"Concat"}))) {
                add_constant_operand(*maker, most);
                return;
            }
            if (!is_copy(m_index, node) && !is(node, {"Cast", "Reshape", "Squeeze", "Unsqueeze"})) {
                break;
            }
            value = node->input(0);
        }
        most.lacks("the number of rows that " + describe(top) +
                   " takes is not the least of a constant and the rows that there are");
    }

    void add_constant_operand(const onnx::NodeProto& least, gathered& most)
    {
        const scope outermost{{&m_index}, {}};
        int found = 0;
        for (int i = 0; i < least.input_size(); ++i) {
            if (const auto number = outermost.constant_integer(least.input(i))) {
                most.add(read_at(outermost, least, i, static_cast<double>(*number)));
                ++found;
            }
        }
        if (found != 1) {
            most.lacks(describe(least) + " has " + std::to_string(found) + " constant operands");
        } else if (!is_number_of_best(least.output(0), 0)) {
            most.lacks("other nodes read the result of " + describe(least) + " too");
        }
    }

    // Whether `value` is read as the k of TopK nodes only.
    bool is_number_of_best(const std::string& value, int depth)
    {
        const auto& readers = m_index.readers(value);
        return depth < longest_path &&
               std::all_of(
                   readers.begin(), readers.end(),
                   [&](const onnx::NodeProto* reader) {
                       if (is(reader, {"TopK"})) {
                           return reader->input(0) != value;
                       }
                       return (is_copy(m_index, reader) ||
                               is(reader, {"Cast", "Reshape", "Squeeze", "Unsqueeze", "ReduceMin"})) &&
                              reader->input(0) == value && is_number_of_best(reader->output(0), depth + 1);
                   });
    }

    // The cuts of the proposals that the rows in front of `cut` come from, and whether a RoiAlign lies between.
    void find_proposals(const onnx::NodeProto& cut, const scoped_node& suppression)
    {
        walk_up(m_index, cut.input(0), [&](const onnx::NodeProto& node) -> std::vector<std::string_view> {
            look_for_another(suppression, node);
            m_aligns_regions = m_aligns_regions || is(&node, {"RoiAlign"});
            if (is_cut_gather(m_index, node)) {
                add_once(m_proposal_cuts, nearest_cut(m_index, node.output(0)).node);
                return {};
            }
            return dependencies(node); // a number of rows passes no NonMaxSuppression
        });
    }

    // Rows may be suppressed once in each stage.
    void look_for_another(const scoped_node& suppression, const onnx::NodeProto& node)
    {
        const auto& steps = suppression.around.steps;
        const bool own = steps.empty() ? &node == suppression.node : node.output(0) == steps.front().node;
        if (!own && has_suppression(node)) {
            m_doubt = "rows pass more than one NonMaxSuppression";
        }
    }

    // Every NonMaxSuppression belongs to an image or to its proposals. Another may be that of an image whose outputs
    // are not read as detections, and has the same parameters.
    void look_for_others(const onnx::GraphProto& graph)
    {
        for (const auto& node : graph.node()) {
            if (is(&node, {"NonMaxSuppression"}) &&
                std::find(m_suppressions.begin(), m_suppressions.end(), &node) == m_suppressions.end() &&
                m_doubt.empty()) {
                m_doubt = "the graph has one more NonMaxSuppression than the images that are read, " + describe(node);
            }
            for_each_subgraph(node, [&](const onnx::GraphProto& sub) { look_for_others(sub); });
        }
    }

    // A node other than the cut itself that goes by the number of proposals, null if there is none: exporters that know
    // sizes build in how many the example had, at most the limit, or compute it again.
    [[nodiscard]] const onnx::NodeProto* other_reader_of_number(const onnx::NodeProto& cut) const
    {
        if (const auto* other = other_count_of(m_index, cut)) {
            return other;
        }
        const auto most = m_index.constant_integers(cut.input(2));
        const auto dependents = dependents_of(m_index, cut.output());
        const auto& nodes = m_index.graph().node();
        const auto found = std::find_if(nodes.begin(), nodes.end(), [&](const onnx::NodeProto& node) {
            if (!is(&node, {"Reshape"}) || node.input_size() < 2 || dependents.count(node.input(0)) == 0) {
                return false;
            }
            const auto shape = m_index.constant_integers(node.input(1));
            return shape && most && !shape->empty() && shape->front() > 1 && shape->front() == most->front();
        });
        return found == nodes.end() ? nullptr : &*found;
    }

    void look_at_proposals()
    {
        const auto lacks = [&](const std::string& why) {
            for (auto* rpn : {&m_rpn_before, &m_rpn_after, &m_rpn_overlap, &m_rpn_score}) {
                rpn->lacks(why);
            }
        };
        if (m_proposal_cuts.size() != m_cuts.size()) {
            lacks("the proposals of " + count_of(static_cast<std::int64_t>(m_cuts.size()), "image") + " are cut in " +
                  std::to_string(m_proposal_cuts.size()) + " places");
        }
        std::vector<const onnx::NodeProto*> sorted;
        for (const auto* cut : m_proposal_cuts) {
            const auto suppression = m_reader.suppression_before(*cut);
            if (suppression.node == nullptr) {
                lacks("the rows that " + describe(*cut) + " cuts are not those of a NonMaxSuppression");
                continue;
            }
            add_once(m_suppressions, suppression.node);
            if (const auto* other = other_reader_of_number(*cut)) {
                lacks("the graph is built for the proposals that it was exported with: " + describe(*other) +
                      " goes by their number too");
            }
            add_cut(*cut, m_rpn_after);
            add_overlap(suppression, m_rpn_overlap);
            add_scores(m_reader.paths_of_scores(suppression, "GreaterOrEqual"), m_rpn_score, false);
            walk_up(m_index, cut->input(0), [&](const onnx::NodeProto& node) {
                look_for_another(suppression, node);
                if (is(&node, {"TopK"})) {
                    add_once(sorted, &node);
                }
                if (is_cut_gather(m_index, node)) {
                    m_doubt = "proposals are cut more than once";
                }
                return dependencies(node);
            });
        }
        for (const auto* top : sorted) {
            add_most(*top, m_rpn_before);
        }
    }

    const graph_index& m_index;
    const std::vector<const onnx::NodeProto*>& m_cuts;
    suppression_reader m_reader;
    gathered m_limit;
    gathered m_score;
    gathered m_overlap;
    gathered m_candidates;
    gathered m_rpn_before;
    gathered m_rpn_after;
    gathered m_rpn_overlap;
    gathered m_rpn_score;
    std::vector<const onnx::NodeProto*> m_proposal_cuts;
    std::vector<const onnx::NodeProto*> m_suppressions;
    bool m_aligns_regions = false;
    std::string m_doubt;
};

} // namespace

model_parameters find_parameters(const graph_index& index, const std::vector<const onnx::NodeProto*>& cuts)
{
    return finder(index, cuts).run();
}

} // namespace padbatch::onnx_tools
