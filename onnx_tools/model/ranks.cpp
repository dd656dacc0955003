// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/model/ranks.hpp>

#include <onnx_tools/model/value_types.hpp>

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

namespace padbatch::onnx_tools {
namespace {

using known_rank = std::optional<std::int64_t>;

// Works out ranks from the nodes upwards. Values of a subgraph are looked up in the graphs around it too.
class rank_inference {
public:
    rank_inference(const graph_index& index, rank_inference* outer) : m_index(index), m_outer(outer)
    {
        const auto& graph = index.graph();
        for (const auto* infos : {&graph.input(), &graph.output(), &graph.value_info()}) {
            for (const auto& info : *infos) {
                if (const auto rank = declared_type(info).rank) {
                    m_ranks.emplace(info.name(), rank);
                }
            }
        }
    }

    known_rank rank(const std::string& value)
    {
        if (const auto known = m_ranks.find(value); known != m_ranks.end()) {
            return known->second;
        }
        if (m_depth == deepest) {
            return std::nullopt;
        }
        m_ranks.emplace(value, std::nullopt); // ends the search in a broken graph with a cycle
        ++m_depth;
        const auto found = find(value);
        --m_depth;
        m_ranks[value] = found;
        return found;
    }

private:
    known_rank find(const std::string& value)
    {
        if (const auto* tensor = m_index.constant(value)) {
            return tensor->dims_size();
        }
        const auto* node = m_index.producer(value);
        if (node == nullptr) {
            return m_outer == nullptr ? std::nullopt : m_outer->rank(value);
        }
        return of_node(*node, value);
    }

    known_rank of_input(const onnx::NodeProto& node, int i)
    {
        return i < node.input_size() && !node.input(i).empty() ? rank(node.input(i)) : std::nullopt;
    }

    known_rank of_node(const onnx::NodeProto& node, const std::string& value)
    {
        static const std::unordered_set<std::string_view> same_as_first{"Abs",
                                                                        "Cast",
                                                                        "Clip",
                                                                        "Concat",
                                                                        "Exp",
                                                                        "Floor",
                                                                        "GatherElements",
                                                                        "Identity",
                                                                        "LogSoftmax",
                                                                        "Not",
                                                                        "Pad",
                                                                        "Relu",
                                                                        "Resize",
                                                                        "Round",
                                                                        "ScatterElements",
                                                                        "ScatterND",
                                                                        "Sigmoid",
                                                                        "Slice",
                                                                        "Softmax",
                                                                        "Split",
                                                                        "Neg",
                                                                        "Tile",
                                                                        "CumSum",
                                                                        "Sqrt",
                                                                        "TopK",
                                                                        "Transpose",
                                                                        "Conv",
                                                                        "BatchNormalization"};
        static const std::unordered_set<std::string_view> broadcasting{
            "Add",  "Sub",         "Mul",   "Div", "Max", "Min",   "Greater", "GreaterOrEqual",
            "Less", "LessOrEqual", "Equal", "And", "Or",  "Where", "Pow",     "Mod"};
        const auto op = standard_operator(node);
        if (op == "Constant") { // those that hold their number or list directly
            return attribute(node, "value_int") != nullptr || attribute(node, "value_float") != nullptr ? 0 : 1;
        }
        if (same_as_first.count(op) != 0) {
            return of_input(node, 0);
        }
        if (broadcasting.count(op) != 0) {
            known_rank highest = 0;
            for (int i = 0; i < node.input_size(); ++i) {
                const auto rank = of_input(node, i);
                highest = rank && highest ? std::max(*rank, *highest) : known_rank();
            }
            return highest;
        }
        if (op == "Gather") {
            return plus(plus(of_input(node, 0), of_input(node, 1)), -1);
        }
        if (op == "GatherND") {
            return gather_nd(node);
        }
        if (op == "Unsqueeze" || op == "Squeeze") {
            return plus(of_input(node, 0), op == "Unsqueeze" ? axes(node) : minus(axes(node)));
        }
        if (op == "ArgMax" || op == "ArgMin") {
            return plus(of_input(node, 0), integer_attribute(node, "keepdims", 1) - 1);
        }
        if (op == "ReduceMax" || op == "ReduceMin" || op == "ReduceSum" || op == "ReduceMean") {
            return integer_attribute(node, "keepdims", 1) == 1 ? of_input(node, 0)
                                                               : plus(of_input(node, 0), minus(axes(node)));
        }
        if (op == "MatMul") {
            const auto left = of_input(node, 0);
            const auto right = of_input(node, 1);
            return left && right && *left >= 2 && *right >= 2 ? std::max(left, right) : known_rank();
        }
        if (op == "Shape") {
            return 1;
        }
        if (op == "Flatten" || op == "NonZero" || op == "NonMaxSuppression") {
            return 2;
        }
        if (op == "RoiAlign") {
            return 4;
        }
        if (op == "Reshape" || op == "Expand") {
            return length(node.input_size() > 1 ? node.input(1) : "");
        }
        if (op == "ConstantOfShape") {
            return length(node.input_size() > 0 ? node.input(0) : "");
        }
        if (op == "Loop") {
            return of_loop(node, value);
        }
        if (op == "If") {
            return of_if(node, value);
        }
        return std::nullopt;
    }

    known_rank gather_nd(const onnx::NodeProto& node)
    {
        const auto data = of_input(node, 0);
        const auto indices = of_input(node, 1);
        // The last extent of the indices says how many dimensions of the data they index. In exports, these indices are
        // the transposed output of a NonZero, whose first extent is the rank of its input.
        if (node.input_size() < 2) {
            return std::nullopt;
        }
        const auto* transpose = node.input_size() > 1 ? m_index.producer(node.input(1)) : nullptr;
        const auto* non_zero =
            transpose != nullptr && standard_operator(*transpose) == "Transpose" && transpose->input_size() == 1
                ? m_index.producer(transpose->input(0))
                : nullptr;
        if (data && is(m_index.producer(origin(m_index, node.input(1))), {"NonMaxSuppression"})) {
            return plus(data, -2); // [n, 3], for which one extent is left of three
        }
        if (const auto width = width_of_columns(node.input(1), indices);
            data && indices && width && integer_attribute(node, "batch_dims", 0) == 0) {
            return *data + *indices - 1 - *width;
        }
        if (!data || !indices || non_zero == nullptr || standard_operator(*non_zero) != "NonZero") {
            return std::nullopt;
        }
        return plus(plus(data, *indices - 1), minus(of_input(*non_zero, 0)));
    }

    // The last extent of a value of this rank where it is one column, or columns side by side, as torch.export writes
    // indices.
    known_rank width_of_columns(std::string_view value, known_rank rank)
    {
        const auto* node = m_index.producer(value);
        const auto last = rank ? *rank - 1 : -1;
        for (int steps = 0; steps < 8 && is_copy(m_index, node) && node->input_size() == 1; ++steps) {
            node = m_index.producer(node->input(0));
        }
        if (!is(node, {"Concat"})) {
            return is_column(node, last) ? known_rank(1) : std::nullopt;
        }
        const auto axis = integer_attribute(*node, "axis", 0);
        const bool side_by_side = (axis == -1 || axis == last) &&
                                  std::all_of(node->input().begin(), node->input().end(), [&](const auto& column) {
                                      return is_column(m_index.producer(column), last);
                                  });
        return side_by_side ? known_rank(node->input_size()) : std::nullopt;
    }

    [[nodiscard]] bool is_column(const onnx::NodeProto* node, std::int64_t last) const
    {
        const auto axes = is(node, {"Unsqueeze"}) ? axes_of(m_index, *node) : std::nullopt;
        return axes &&
               std::any_of(axes->begin(), axes->end(), [&](std::int64_t axis) { return axis == -1 || axis == last; });
    }

    // How many axes Squeeze or Unsqueeze names: an attribute until opset 12, an input after it.
    known_rank axes(const onnx::NodeProto& node)
    {
        const auto named = axes_of(m_index, node);
        return named ? known_rank(static_cast<std::int64_t>(named->size())) : std::nullopt;
    }

    // The number of elements of a one-dimensional value that is used as a shape.
    known_rank length(const std::string& value)
    {
        if (const auto known = m_lengths.find(value); known != m_lengths.end()) {
            return known->second;
        }
        if (m_depth == deepest) {
            return std::nullopt;
        }
        m_lengths.emplace(value, std::nullopt); // ends the search in a cycle, as in rank()
        ++m_depth;
        const auto found = find_length(value);
        --m_depth;
        m_lengths[value] = found;
        return found;
    }

    known_rank find_length(const std::string& value)
    {
        if (const auto values = m_index.constant_integers(value)) {
            return static_cast<std::int64_t>(values->size());
        }
        const auto* node = m_index.producer(value);
        if (node == nullptr || node->input_size() == 0) {
            return std::nullopt;
        }
        const auto op = standard_operator(*node);
        if (op == "Cast" || op == "Identity") {
            return length(node->input(0));
        }
        if (op == "Shape") {
            return rank(node->input(0));
        }
        if (op == "ConstantOfShape") {
            const auto shape = m_index.constant_integers(node->input(0));
            return shape && shape->size() == 1 ? known_rank(shape->front()) : std::nullopt;
        }
        if (op == "Unsqueeze") { // of a scalar
            return rank(node->input(0)) == 0 ? known_rank(1) : std::nullopt;
        }
        if (op == "Gather" && node->input_size() > 1) {
            return length(node->input(1));
        }
        if (op == "Slice") {
            return sliced_length(*node);
        }
        if (op == "Concat") {
            known_rank sum = 0;
            for (const auto& input : node->input()) {
                sum = plus(sum, length(input));
            }
            return sum;
        }
        return std::nullopt;
    }

    // The length of what a Slice with constant bounds and steps of one gives.
    known_rank sliced_length(const onnx::NodeProto& node)
    {
        const auto whole = length(node.input(0));
        const auto bound = [&](int i, std::int64_t otherwise) -> known_rank {
            if (i >= node.input_size() || node.input(i).empty()) {
                return otherwise;
            }
            const auto values = m_index.constant_integers(node.input(i));
            return values && values->size() == 1 ? known_rank(values->front()) : std::nullopt;
        };
        auto start = bound(1, 0);
        auto end = bound(2, 0);
        if (!whole || !start || !end || bound(4, 1) != 1) {
            return std::nullopt;
        }
        for (auto* position : {&start, &end}) { // negative positions count from the end; all are clamped to the length
            *position = std::clamp(**position < 0 ? **position + *whole : **position, std::int64_t{0}, *whole);
        }
        return std::max<std::int64_t>(*end - *start, 0);
    }

    // The position of `value` among the outputs of `node`.
    static int position(const onnx::NodeProto& node, const std::string& value)
    {
        return static_cast<int>(std::find(node.output().begin(), node.output().end(), value) - node.output().begin());
    }

    // A state variable keeps the rank of its first value; a scan output has one dimension more than what each iteration
    // yields.
    known_rank of_loop(const onnx::NodeProto& node, const std::string& value)
    {
        const int i = position(node, value);
        const int states = node.input_size() - 2;
        if (i < states) {
            return of_input(node, i + 2);
        }
        const auto* body = attribute(node, "body");
        if (body == nullptr || i + 1 >= body->g().output_size()) {
            return std::nullopt;
        }
        return plus(rank_in(body->g(), body->g().output(i + 1).name()), 1);
    }

    known_rank of_if(const onnx::NodeProto& node, const std::string& value)
    {
        const int i = position(node, value);
        known_rank agreed;
        bool first = true;
        for (const char* name : {"then_branch", "else_branch"}) {
            const auto* branch = attribute(node, name);
            if (branch == nullptr || i >= branch->g().output_size()) {
                return std::nullopt;
            }
            const auto rank = rank_in(branch->g(), branch->g().output(i).name());
            if (!first && rank != agreed) {
                return std::nullopt;
            }
            agreed = rank;
            first = false;
        }
        return agreed;
    }

    known_rank rank_in(const onnx::GraphProto& subgraph, const std::string& value)
    {
        const graph_index index(subgraph);
        return rank_inference(index, this).rank(value);
    }

    static known_rank plus(known_rank a, known_rank b) { return a && b ? known_rank(*a + *b) : std::nullopt; }
    static known_rank minus(known_rank a) { return a ? known_rank(-*a) : std::nullopt; }

    // The ranks of detections are known a few dozen nodes up; the bound keeps the call stack small in any graph.
    static constexpr int deepest = 500;

    const graph_index& m_index;
    rank_inference* m_outer;
    int m_depth = 0;
    std::unordered_map<std::string, known_rank> m_ranks;
    std::unordered_map<std::string, known_rank> m_lengths;
};

} // namespace

struct rank_finder::state {
    rank_inference inference;
};

rank_finder::rank_finder(const graph_index& index) : m_state(new state{rank_inference(index, nullptr)}) {}
rank_finder::~rank_finder() = default;

std::optional<int> rank_finder::rank_of(const std::string& value)
{
    const auto rank = m_state->inference.rank(value);
    return rank && *rank >= 0 && *rank < 100 ? std::optional(static_cast<int>(*rank)) : std::nullopt;
}

} // namespace padbatch::onnx_tools
