// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/head_evidence.hpp>

#include <onnx_tools/recognise/walk.hpp>

#include <algorithm>
#include <cmath>
#include <sstream>
#include <string>
#include <vector>

namespace padbatch::onnx_tools {
namespace {

// The values that a node only passes on, in other types, shapes and places; nothing if it computes something else.
std::optional<std::vector<std::string_view>> passed_on(const onnx::NodeProto& node)
{
    if (is(&node, {"Concat"})) {
        return std::vector<std::string_view>(node.input().begin(), node.input().end());
    }
    if (is(&node, {"ScatterND"}) && node.input_size() == 3) { // some of them are replaced
        return std::vector<std::string_view>{node.input(0), node.input(2)};
    }
    if (node.input_size() > 0 && is(&node, {"Identity", "Cast", "Transpose", "Reshape", "Flatten", "Squeeze",
                                            "Unsqueeze", "Slice", "Split", "QuantizeLinear", "DequantizeLinear"})) {
        return std::vector<std::string_view>{node.input(0)};
    }
    return std::nullopt;
}

} // namespace

std::optional<std::int64_t> named_classes(const onnx::ModelProto& model)
{
    // A Python dictionary of numbers and strings: {0: 'person', 1: "driver's seat"}.
    const auto names = metadata(model, "names");
    if (names.size() < 2 || names.front() != '{' || names.back() != '}') {
        return std::nullopt;
    }
    std::int64_t count = 0;
    char quote = 0;
    for (std::size_t i = 0; i < names.size(); ++i) {
        const char c = names[i];
        if (quote != 0) {
            i += c == '\\' ? 1 : 0;
            quote = c == quote ? char(0) : quote;
        } else if (c == '\'' || c == '"') {
            quote = c;
        } else {
            count += c == ':' ? 1 : 0;
        }
    }
    return quote == 0 && count > 0 ? std::optional(count) : std::nullopt;
}

std::optional<std::pair<std::int64_t, std::int64_t>> keypoint_shape(const onnx::ModelProto& model)
{
    const auto text = metadata(model, "kpt_shape"); // [17, 3]
    std::int64_t count = 0;
    std::int64_t numbers = 0;
    char end = 0;
    std::istringstream in(text);
    char begin = 0;
    char comma = 0;
    in >> begin >> count >> comma >> numbers >> end;
    const bool sound = in && begin == '[' && comma == ',' && end == ']' && count > 0 && count <= 10000;
    return sound && (numbers == 2 || numbers == 3) ? std::optional(std::pair(count, numbers)) : std::nullopt;
}

std::optional<bool> are_decoded(const graph_index& index, std::string_view boxes)
{
    bool layer = false;
    bool computed = false;
    bool unknown = index.producer(boxes) == nullptr;
    walk_up(index, boxes, [&](const onnx::NodeProto& node) {
        if (const auto next = passed_on(node)) {
            return *next;
        }
        if (is(&node, {"Sigmoid"})) { // of scores, or of places that are computed with further up
            return std::vector<std::string_view>(node.input().begin(), node.input().end());
        }
        layer = layer || is(&node, {"Conv", "Gemm", "MatMul"});
        computed = computed || is(&node, {"Mul", "Add", "Sub", "Exp", "Pow", "Div"});
        unknown = unknown || !(layer || computed);
        return std::vector<std::string_view>();
    });
    return computed ? std::optional(true) : layer && !unknown ? std::optional(false) : std::nullopt;
}

namespace {

constexpr float image_extent = 8; // no image and no stride is smaller; no box is as large in fractions
constexpr int deepest = 32;

// The constant that a Mul or a Div takes, if all of its numbers are of one size: above `image_extent`, or below its
// reciprocal, or between.
enum class magnitude { large, small, medium };

std::optional<magnitude> magnitude_of(const graph_index& index, std::string_view value)
{
    const auto numbers = index.constant_floats(value);
    if (!numbers || numbers->empty()) {
        return std::nullopt;
    }
    const auto is_each = [&](auto holds) { return std::all_of(numbers->begin(), numbers->end(), holds); };
    return is_each([](float x) { return std::abs(x) >= image_extent; })       ? std::optional(magnitude::large)
           : is_each([](float x) { return std::abs(x) <= 1 / image_extent; }) ? std::optional(magnitude::small)
           : is_each([](float x) { return std::abs(x) < image_extent; })      ? std::optional(magnitude::medium)
                                                                              : std::nullopt;
}

std::optional<bool> are_fractions(const graph_index& index, std::string_view boxes, int depth);

// What holds for all of `values`, of which constants below 2 hold for both.
template <typename Values>
std::optional<bool> all_are_fractions(const graph_index& index, const Values& values, int depth)
{
    std::optional<bool> all;
    for (const auto& value : values) {
        if (const auto constant = index.constant_floats(value)) {
            if (std::any_of(constant->begin(), constant->end(), [](float x) { return std::abs(x) > 2; })) {
                return std::nullopt;
            }
            continue;
        }
        const auto here = are_fractions(index, value, depth + 1);
        if (!here || (all && *all != *here)) {
            return std::nullopt;
        }
        all = here;
    }
    return all;
}

std::optional<bool> are_fractions(const graph_index& index, std::string_view boxes, int depth)
{
    const auto* node = index.producer(boxes);
    if (node == nullptr || depth > deepest) {
        return std::nullopt;
    }
    if (is(node, {"Sigmoid"})) {
        return true;
    }
    if (is(node, {"ScatterND"})) {
        return std::nullopt; // some columns are others now
    }
    if (const auto next = passed_on(*node)) { // of what is joined, the box comes first
        return next->empty() ? std::nullopt : are_fractions(index, next->front(), depth + 1);
    }
    if (is(node, {"Add", "Sub"})) {
        return all_are_fractions(index, node->input(), depth);
    }
    if (!is(node, {"Mul", "Div"}) || node->input_size() != 2) {
        return std::nullopt;
    }
    const bool swapped = is(node, {"Mul"}) && index.constant_floats(node->input(0));
    const auto by = magnitude_of(index, node->input(swapped ? 0 : 1));
    if (by == magnitude::medium) {
        return are_fractions(index, node->input(swapped ? 1 : 0), depth + 1);
    }
    return by ? std::optional((by == magnitude::large) == is(node, {"Div"})) : std::nullopt;
}

} // namespace

std::optional<bool> are_fractions(const graph_index& index, std::string_view boxes)
{
    return are_fractions(index, boxes, 0);
}

namespace {

// The node that gives the numbers of `value`, in whatever order and shape.
const onnx::NodeProto* behind_moves(const graph_index& index, std::string_view value)
{
    return producer_behind(index, value,
                           {"Identity", "Cast", "Transpose", "Reshape", "Flatten", "Squeeze", "Unsqueeze"}, 16);
}

// The one integer that an input of a node is; nothing if it is not a constant or has not one element.
std::optional<std::int64_t> constant_integer(const graph_index& index, const onnx::NodeProto& node, int input)
{
    const auto numbers = node.input_size() > input ? index.constant_integers(node.input(input)) : std::nullopt;
    return numbers && numbers->size() == 1 ? std::optional(numbers->front()) : std::nullopt;
}

// Follows the first column of rows, or the last of their scores, to the node that computes it. `further` is whether
// other columns are joined behind the scores.
class column_maker {
public:
    column_maker(const graph_index& index, bool last, const row_columns_shown& where)
        : m_index(index), m_last(last), m_columns_last(where.columns_last), m_further(last && where.further)
    {
    }

    // Null if it cannot be followed so far.
    const onnx::NodeProto* of(std::string_view value)
    {
        for (int steps = 0; steps < 64; ++steps) {
            const auto* node = m_index.producer(value);
            if (node == nullptr ||
                !is(node, {"Identity", "Cast", "QuantizeLinear", "DequantizeLinear", "Reshape", "Flatten", "Squeeze",
                           "Unsqueeze", "Transpose", "Concat", "Slice", "Split", "ScatterND"})) {
                return node;
            }
            const int from = input_with_column(*node, value);
            if (from < 0 || from >= node->input_size()) {
                return nullptr;
            }
            value = node->input(from);
        }
        return nullptr;
    }

private:
    // Which input of a node that only moves numbers has the column; -1 if that is not known.
    int input_with_column(const onnx::NodeProto& node, std::string_view value)
    {
        if (is(&node, {"Concat"})) {
            if (!m_last || !is_along_columns(integer_attribute(node, "axis", 0))) {
                return 0;
            }
            const int behind = m_further ? 2 : 1;
            m_further = false;
            return node.input_size() - behind;
        }
        if (is(&node, {"ScatterND"})) {
            return m_last && !m_further ? 0 : -1; // boxes are replaced, in place
        }
        if (is(&node, {"Transpose"})) {
            m_columns_last = !m_columns_last;
            return exchanges_last_two(node) ? 0 : -1;
        }
        const bool kept = is(&node, {"Slice"})   ? keeps_column(node)
                          : is(&node, {"Split"}) ? !is_along_columns(integer_attribute(node, "axis", 0)) ||
                                                       value == node.output(m_last ? node.output_size() - 1 : 0)
                          : is(&node, {"Reshape", "Flatten", "Squeeze", "Unsqueeze"})
                              ? m_columns_last || keeps_middle(node) // they stay the last, or none are left to follow
                              : true;
        return kept ? 0 : -1;
    }

    // Whether columns stay where they are: [B, columns, h, w] becomes [B, columns, A].
    [[nodiscard]] bool keeps_middle(const onnx::NodeProto& node) const
    {
        const auto shape =
            is(&node, {"Reshape"}) && node.input_size() > 1 ? m_index.constant_integers(node.input(1)) : std::nullopt;
        return shape && shape->size() == 3 && (*shape)[1] >= 0 && (*shape)[2] == -1;
    }

    static bool exchanges_last_two(const onnx::NodeProto& node)
    {
        const auto* perm = attribute(node, "perm");
        return perm != nullptr && perm->ints_size() == 3 && perm->ints(0) == 0 && perm->ints(1) == 2;
    }

    // Rows [B, columns, A], or [B, A, columns] with perhaps more dimensions between.
    [[nodiscard]] bool is_along_columns(std::int64_t axis) const
    {
        return m_columns_last ? axis >= 2 || axis == -1 : axis == 1 || axis == -2;
    }

    [[nodiscard]] bool keeps_column(const onnx::NodeProto& slice) const
    {
        const auto number = [&](int input) { return constant_integer(m_index, slice, input); };
        const auto axis = number(3);
        return axis && (!is_along_columns(*axis) || (m_last ? number(2).value_or(0) > 1'000'000 : number(1) == 0));
    }

    const graph_index& m_index;
    bool m_last;
    bool m_columns_last;
    bool m_further;
};

// Whether a Slice leaves out the last class, and nothing else: [..., :-1].
bool takes_last_class(const graph_index& index, const onnx::NodeProto& slice)
{
    const auto is_one = [&](int input, std::int64_t wanted, std::int64_t or_else) {
        const auto number = constant_integer(index, slice, input);
        return number && (*number == wanted || *number == or_else);
    };
    return is_one(1, 0, 0) && is_one(2, -1, -1) && is_one(3, -1, 2) &&
           (slice.input_size() < 5 || slice.input(4).empty() || is_one(4, 1, 1));
}

// Whether scores [B, Q, C] add up to 1 for each query.
bool is_along_classes(const onnx::NodeProto& softmax)
{
    const auto axis = integer_attribute(softmax, "axis", 1); // older opsets' default, which flattens
    return axis == -1 || axis == 2;
}

// Whether a product is one of scores, as of an object and of its class.
bool multiplies_scores(const graph_index& index, const onnx::NodeProto& node)
{
    return is(&node, {"Mul"}) && std::all_of(node.input().begin(), node.input().end(), [&](const auto& factor) {
               return is(producer_behind(index, factor,
                                         {"Identity", "Cast", "Transpose", "Reshape", "Flatten", "Squeeze", "Unsqueeze",
                                          "Slice", "Split"},
                                         16),
                         {"Sigmoid"});
           });
}

} // namespace

shown_scores scores_among(const graph_index& index, std::string_view numbers)
{
    bool layer = false;
    bool activated = false;
    walk_up(index, numbers, [&](const onnx::NodeProto& node) {
        layer = layer || is(&node, {"Conv", "Gemm", "MatMul"});
        activated = activated || is(&node, {"Sigmoid", "Softmax", "HardSigmoid"}) || multiplies_scores(index, node);
        return passed_on(node).value_or(std::vector<std::string_view>());
    });
    return activated ? shown_scores::scores : layer ? shown_scores::logits : shown_scores::unknown;
}

std::optional<score_activation> activation_of(const graph_index& index, std::string_view scores,
                                              const row_columns_shown& where)
{
    const auto* node = column_maker(index, true, where).of(scores);
    if (node == nullptr && lost_last_class(index, scores)) {
        node = producer_behind(index, behind_moves(index, scores)->input(0), {"Identity", "Cast"}, 16);
    }
    if (is(node, {"Mul"}) && multiplies_scores(index, *node)) {
        return score_activation::sigmoid;
    }
    return is(node, {"Sigmoid"})                              ? std::optional(score_activation::sigmoid)
           : is(node, {"Softmax"}) && is_along_classes(*node) ? std::optional(score_activation::softmax)
                                                              : std::nullopt;
}

bool are_logits(const graph_index& index, std::string_view scores, const row_columns_shown& where)
{
    const auto* node = column_maker(index, true, where).of(scores);
    const auto constant = [&](int input) { return index.constant_floats(node->input(input)).has_value(); };
    if (is(node, {"Add"}) && node->input_size() == 2 && (constant(0) || constant(1))) { // a layer's bias
        node = producer_behind(index, node->input(constant(0) ? 1 : 0), {"Identity", "Cast"}, 16);
    }
    return is(node, {"Conv", "Gemm", "MatMul"});
}

bool lost_last_class(const graph_index& index, std::string_view scores)
{
    const auto* node = behind_moves(index, scores);
    return is(node, {"Slice"}) && takes_last_class(index, *node);
}

bool are_computed(const graph_index& index, std::string_view boxes, const row_columns_shown& where)
{
    return is(column_maker(index, false, where).of(boxes), {"Mul", "Add", "Sub", "Div", "MatMul"}) ||
           is(producer_behind(index, boxes, {"Identity", "Cast", "Transpose", "Reshape", "Concat"}, 16), {"ScatterND"});
}

std::optional<std::size_t> shown_columns(const graph_index& index, std::string_view rows, bool further)
{
    const auto shows = [&](bool columns_last) {
        const row_columns_shown where{columns_last, further};
        return are_computed(index, rows, where) && activation_of(index, rows, where).has_value();
    };
    const bool middle = shows(false);
    return middle == shows(true) ? std::nullopt : std::optional<std::size_t>(middle ? 1 : 2);
}

const std::vector<std::vector<std::int64_t>>& usual_strides()
{
    static const std::vector<std::vector<std::int64_t>> all{{8, 16, 32}, {8, 16, 32, 64}, {4, 8, 16, 32},
                                                            {8, 16},     {16, 32},        {8, 16, 32, 64, 128}};
    return all;
}

std::int64_t cells_of(const std::vector<std::int64_t>& strides, const image_extents& image)
{
    std::int64_t cells = 0;
    for (const auto stride : strides) {
        cells += (image.first / stride) * (image.second / stride);
    }
    return cells;
}

bool is_anchor_count(std::int64_t anchors, const image_extents& image)
{
    return std::any_of(usual_strides().begin(), usual_strides().end(), [&](const auto& strides) {
        const auto cells = cells_of(strides, image);
        return cells > 0 && (anchors == cells || anchors == 3 * cells);
    });
}

} // namespace padbatch::onnx_tools
