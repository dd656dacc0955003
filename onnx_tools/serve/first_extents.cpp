// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/serve/first_extents.hpp>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <unordered_set>

namespace padbatch::onnx_tools {
namespace {

using op_set = std::unordered_set<std::string_view>;

// Whose result has the extents of the first input.
const op_set shaped_as_first{"Abs",
                             "Cast",
                             "Ceil",
                             "Clip",
                             "CumSum",
                             "DequantizeLinear",
                             "Dropout",
                             "Elu",
                             "Erf",
                             "Exp",
                             "Floor",
                             "HardSigmoid",
                             "HardSwish",
                             "Identity",
                             "IsNaN",
                             "LayerNormalization",
                             "LeakyRelu",
                             "Log",
                             "LogSoftmax",
                             "Mish",
                             "Neg",
                             "Not",
                             "PRelu",
                             "QuantizeLinear",
                             "Reciprocal",
                             "Relu",
                             "Round",
                             "ScatterElements",
                             "ScatterND",
                             "Selu",
                             "Sigmoid",
                             "Sign",
                             "Softmax",
                             "Softplus",
                             "Sqrt",
                             "Tanh",
                             "InstanceNormalization",
                             "BatchNormalization"};

// Whose result has the first extent of the first input, and others that do not matter.
const op_set first_as_first{"AveragePool",       "Conv",          "ConvTranspose",     "DepthToSpace",
                            "GlobalAveragePool", "GlobalMaxPool", "MaxPool",           "SpaceToDepth",
                            "QLinearConv",       "ConvInteger",   "GroupNormalization"};

const op_set broadcasting{"Add",  "And",         "Div", "Equal", "Greater", "GreaterOrEqual",
                          "Less", "LessOrEqual", "Max", "Min",   "Mod",     "Mul",
                          "Or",   "Pow",         "Sub", "Where", "Xor"};

const op_set reductions{"ArgMax",    "ArgMin",     "ReduceL1",  "ReduceL2",        "ReduceMax",      "ReduceMean",
                        "ReduceMin", "ReduceProd", "ReduceSum", "ReduceLogSumExp", "ReduceSumSquare"};

// What two operands say together; nothing is known where they contradict each other.
counted both(counted a, counted b)
{
    return a == b || b == counted::unknown ? a : a == counted::unknown ? b : counted::unknown;
}

bool is_standard(const onnx::NodeProto& node)
{
    return node.domain().empty() || node.domain() == "ai.onnx";
}

} // namespace

extent_finder::extent_finder(const graph_index& index, std::vector<std::string> images)
    : m_index(index), m_ranks(index), m_images(std::move(images))
{
}

counted extent_finder::extent_of(const std::string& value, std::int64_t axis)
{
    constexpr int deepest = 1000;
    const auto [known, added] =
        m_known.emplace(std::pair<std::string_view, std::int64_t>(value, axis), counted::unknown);
    if (!added || m_depth == deepest) { // the first also ends the search in a broken graph with a cycle
        return known->second;
    }
    ++m_depth;
    known->second = find(value, axis);
    --m_depth;
    return known->second;
}

counted extent_finder::find(const std::string& value, std::int64_t axis)
{
    const auto* node = m_index.producer(value);
    if (node == nullptr) {
        const bool image = axis == 0 && std::find(m_images.begin(), m_images.end(), value) != m_images.end();
        return image ? counted::images : counted::unknown;
    }
    return is_standard(*node) ? of_node(*node, axis) : counted::unknown;
}

counted extent_finder::of_node(const onnx::NodeProto& node, std::int64_t axis)
{
    const auto op = standard_operator(node);
    if (shaped_as_first.count(op) != 0) {
        return of_input(node, 0, axis);
    }
    if (broadcasting.count(op) != 0) {
        return of_operands(node, node.output(0), axis);
    }
    if (reductions.count(op) != 0) {
        return of_reduction(node, axis);
    }
    if (op == "NonMaxSuppression" || op == "NonZero") {
        return axis == (op == "NonZero" ? 1 : 0) ? counted::rows : counted::unknown;
    }
    if (op == "RoiAlign" || op == "GatherElements") {
        return op == "RoiAlign" && axis > 0 ? counted::unknown : of_input(node, 1, axis);
    }
    if (op == "Slice") {
        return of_slice(node, axis);
    }
    if (op == "Gather") {
        return of_gather(node, axis);
    }
    if (op == "GatherND") {
        const auto rank = rank_of_input(node, 1);
        return rank && axis + 1 < *rank ? of_input(node, 1, axis) : counted::unknown;
    }
    if (op == "Concat") {
        return of_concat(node, axis);
    }
    if (op == "Reshape") {
        return of_reshape(node, axis);
    }
    if (op == "Unsqueeze") {
        return of_unsqueeze(node, axis);
    }
    if (op == "Squeeze") {
        return of_squeeze(node, axis);
    }
    if (op == "Transpose") {
        const auto* order = attribute(node, "perm");
        const auto rank = rank_of_input(node, 0);
        if (order == nullptr) {
            return rank ? of_input(node, 0, *rank - 1 - axis) : counted::unknown;
        }
        return axis < order->ints_size() ? of_input(node, 0, order->ints(static_cast<int>(axis))) : counted::unknown;
    }
    if (op == "TopK" || op == "Split") {
        const auto along = axis_attribute(node, op == "TopK" ? -1 : 0);
        if (along && *along != axis) {
            return of_input(node, 0, axis);
        }
        return along && op == "TopK" && node.input_size() > 1 ? of_size(node.input(1)) : counted::unknown;
    }
    if (op == "Compress") {
        const bool any_axis = attribute(node, "axis") == nullptr;
        const auto along = any_axis ? std::optional<std::int64_t>(0) : axis_attribute(node, 0);
        return !along ? counted::unknown : *along == axis ? counted::rows : of_input(node, 0, axis);
    }
    if (op == "Pad") {
        const auto pads = node.input_size() > 1 ? m_index.constant_integers(node.input(1)) : std::nullopt;
        const auto rank = pads ? static_cast<std::int64_t>(pads->size() / 2) : 0;
        const bool kept = axis < rank && node.input_size() < 4 && (*pads)[static_cast<std::size_t>(axis)] == 0 &&
                          (*pads)[static_cast<std::size_t>(axis + rank)] == 0;
        return kept ? of_input(node, 0, axis) : counted::unknown;
    }
    if (axis > 0) {
        return counted::unknown;
    }
    if (op == "MatMul") {
        const auto rank = rank_of_input(node, 0);
        return rank && *rank >= 2 ? of_input(node, 0, 0) : counted::unknown;
    }
    const bool first = first_as_first.count(op) != 0 || (op == "Gemm" && integer_attribute(node, "transA", 0) == 0) ||
                       (op == "Flatten" && integer_attribute(node, "axis", 1) == 1) || op == "Resize";
    return first ? of_input(node, 0, 0) : counted::unknown;
}

// Operands of fewer dimensions are aligned at the last one.
counted extent_finder::of_operands(const onnx::NodeProto& node, const std::string& value, std::int64_t axis)
{
    const auto rank = m_ranks.rank_of(value);
    counted all = counted::unknown;
    for (int i = 0; i < node.input_size(); ++i) {
        const auto of_this = rank_of_input(node, i);
        if (!rank || !of_this) {
            return counted::unknown;
        }
        const auto own = axis - (*rank - *of_this);
        if (own < 0) {
            continue;
        }
        const auto found = of_input(node, i, own);
        if (found != counted::unknown && all != counted::unknown && found != all) {
            return counted::unknown;
        }
        all = both(all, found);
    }
    return all;
}

counted extent_finder::of_slice(const onnx::NodeProto& node, std::int64_t axis)
{
    const auto found = of_input(node, 0, axis);
    if (found != counted::images) {
        return found; // some of the rows are rows
    }
    const auto starts = integers_of(m_index, node, 1, "starts");
    const auto ends = integers_of(m_index, node, 2, "ends");
    const bool has_axes = attribute(node, "axes") != nullptr || (node.input_size() > 3 && !node.input(3).empty());
    const bool has_steps = node.input_size() > 4 && !node.input(4).empty();
    auto axes = axes_of(m_index, node, 3);
    const auto steps = integers_of(m_index, node, 4, "steps");
    if ((has_axes && !axes) || (!has_axes && !starts)) {
        return counted::unknown;
    }
    if (!has_axes) {
        axes.emplace();
        for (std::size_t i = 0; i < starts->size(); ++i) {
            axes->push_back(static_cast<std::int64_t>(i));
        }
    }
    const auto rank = rank_of_input(node, 0);
    for (std::size_t i = 0; i < axes->size(); ++i) {
        if ((*axes)[i] < 0 && !rank) {
            return counted::unknown;
        }
        if (((*axes)[i] < 0 ? (*axes)[i] + *rank : (*axes)[i]) != axis) {
            continue;
        }
        const bool whole = starts && i < starts->size() && (*starts)[i] == 0 && ends && i < ends->size() &&
                           (*ends)[i] >= std::numeric_limits<std::int32_t>::max() &&
                           (!has_steps || (steps && i < steps->size() && (*steps)[i] == 1));
        if (!whole) {
            return counted::unknown;
        }
    }
    return found;
}

counted extent_finder::of_gather(const onnx::NodeProto& node, std::int64_t axis)
{
    const auto along = axis_attribute(node, 0);
    const auto rank = rank_of_input(node, 1);
    if (!along) {
        return counted::unknown;
    }
    if (axis < *along) {
        return of_input(node, 0, axis);
    }
    if (!rank) {
        return counted::unknown;
    }
    return axis < *along + *rank ? of_input(node, 1, axis - *along) : of_input(node, 0, axis - *rank + 1);
}

counted extent_finder::of_concat(const onnx::NodeProto& node, std::int64_t axis)
{
    const auto along = axis_attribute(node, 0);
    if (!along) {
        return counted::unknown;
    }
    counted all = counted::unknown;
    for (int i = 0; i < node.input_size(); ++i) {
        const auto found = of_input(node, i, axis);
        if (*along == axis) {
            // Rows beside anything else are still as many as are found; images beside anything are no longer the batch.
            all = found == counted::rows ? counted::rows : all;
        } else {
            all = both(all, found);
        }
    }
    return all;
}

counted extent_finder::of_reshape(const onnx::NodeProto& node, std::int64_t axis)
{
    if (node.input_size() < 2) {
        return counted::unknown;
    }
    const auto shape = m_index.constant_integers(node.input(1));
    if (!shape) {
        return of_sizes(node.input(1), axis);
    }
    if (axis >= static_cast<std::int64_t>(shape->size())) {
        return counted::unknown;
    }
    const auto size = (*shape)[static_cast<std::size_t>(axis)];
    if (size == 0 && integer_attribute(node, "allowzero", 0) == 0) {
        return of_input(node, 0, axis);
    }
    // What is left for -1 varies as the rows do, whatever it is. Of images it is a multiple.
    return size == -1 && axis == 0 && of_input(node, 0, 0) == counted::rows ? counted::rows : counted::unknown;
}

// What the number at `position` of a computed shape counts: of `Concat(Shape(x), Unsqueeze(Gather(Shape(y), 0)), ...)`.
counted extent_finder::of_sizes(const std::string& sizes, std::int64_t position)
{
    const auto* node = producer_behind(m_index, sizes, {"Cast", "Identity"}, 8);
    if (!is(node, {"Concat"})) {
        return is(node, {"Shape"}) && node->attribute_size() == 0 ? of_input(*node, 0, position) : counted::unknown;
    }
    for (const auto& input : node->input()) {
        std::int64_t numbers = 1; // of a size by itself
        const auto* part = producer_behind(m_index, input, {"Cast", "Identity"}, 8);
        if (const auto known = m_index.constant_integers(input)) {
            numbers = static_cast<std::int64_t>(known->size());
        } else if (is(part, {"Shape"})) {
            const auto rank = rank_of_input(*part, 0);
            if (position == 0 || (rank && position < *rank)) {
                return of_sizes(input, position);
            }
            if (!rank) {
                return counted::unknown;
            }
            numbers = *rank;
        } else if (position == 0) {
            return of_size(input);
        } else if (!is(part, {"Unsqueeze", "Gather"})) {
            return counted::unknown; // which may be several numbers
        }
        if (position < numbers) {
            return counted::unknown;
        }
        position -= numbers;
    }
    return counted::unknown;
}

// What a computed number counts: `Gather(Shape(x), 0)`, as a scalar or not.
counted extent_finder::of_size(const std::string& value)
{
    const auto* size = producer_behind(m_index, value, {"Unsqueeze", "Cast", "Identity", "Squeeze", "Reshape"}, 8);
    if (!is(size, {"Gather"}) || size->input_size() < 2) {
        return counted::unknown;
    }
    const auto* shape = producer_behind(m_index, size->input(0), {"Cast", "Identity"}, 8);
    const auto which = m_index.constant_integers(size->input(1));
    if (!is(shape, {"Shape"}) || shape->attribute_size() != 0 || !which || which->size() != 1) {
        return counted::unknown;
    }
    const auto rank = rank_of_input(*shape, 0);
    return of_input(*shape, 0, which->front() < 0 ? which->front() + rank.value_or(0) : which->front());
}

counted extent_finder::of_unsqueeze(const onnx::NodeProto& node, std::int64_t axis)
{
    const auto axes = axes_of(m_index, node);
    const auto rank = rank_of_input(node, 0);
    if (!axes) {
        return counted::unknown;
    }
    std::int64_t before = 0;
    for (auto inserted : *axes) {
        if (inserted < 0) {
            if (!rank) {
                return counted::unknown;
            }
            inserted += *rank + static_cast<std::int64_t>(axes->size());
        }
        if (inserted == axis) {
            return counted::unknown;
        }
        before += inserted < axis ? 1 : 0;
    }
    return of_input(node, 0, axis - before);
}

counted extent_finder::of_squeeze(const onnx::NodeProto& node, std::int64_t axis)
{
    const auto axes = axes_of(m_index, node);
    const auto rank = rank_of_input(node, 0);
    if (!axes) {
        return counted::unknown;
    }
    std::vector<std::int64_t> removed;
    for (const auto each : *axes) {
        if (each < 0 && !rank) {
            return counted::unknown;
        }
        removed.push_back(each < 0 ? each + *rank : each);
    }
    std::sort(removed.begin(), removed.end());
    for (const auto each : removed) {
        axis += each <= axis ? 1 : 0;
    }
    return of_input(node, 0, axis);
}

counted extent_finder::of_reduction(const onnx::NodeProto& node, std::int64_t axis)
{
    const bool of_position = standard_operator(node) == "ArgMax" || standard_operator(node) == "ArgMin";
    const auto along = of_position ? axis_attribute(node, 0) : std::nullopt;
    const auto axes = !of_position ? axes_of(m_index, node) : along ? std::optional(std::vector{*along}) : std::nullopt;
    const auto rank = rank_of_input(node, 0);
    if (!axes) {
        return counted::unknown; // all of them, or not known
    }
    std::vector<std::int64_t> reduced;
    for (const auto each : *axes) {
        if (each < 0 && !rank) {
            return counted::unknown;
        }
        reduced.push_back(each < 0 ? each + *rank : each);
    }
    std::sort(reduced.begin(), reduced.end());
    const bool kept = integer_attribute(node, "keepdims", 1) != 0;
    for (const auto each : reduced) {
        if (kept && each == axis) {
            return counted::unknown;
        }
        axis += !kept && each <= axis ? 1 : 0;
    }
    return of_input(node, 0, axis);
}

counted extent_finder::of_input(const onnx::NodeProto& node, int input, std::int64_t axis)
{
    return input < node.input_size() && axis >= 0 ? extent_of(node.input(input), axis) : counted::unknown;
}

std::optional<std::int64_t> extent_finder::rank_of_input(const onnx::NodeProto& node, int input)
{
    const auto rank = input < node.input_size() ? m_ranks.rank_of(node.input(input)) : std::nullopt;
    return rank ? std::optional<std::int64_t>(*rank) : std::nullopt;
}

// The attribute `axis`, counted from the first dimension of the first input.
std::optional<std::int64_t> extent_finder::axis_attribute(const onnx::NodeProto& node, std::int64_t otherwise)
{
    const auto axis = integer_attribute(node, "axis", otherwise);
    const auto rank = axis < 0 ? rank_of_input(node, 0) : std::nullopt;
    return axis >= 0 ? std::optional(axis) : rank ? std::optional(axis + *rank) : std::nullopt;
}

} // namespace padbatch::onnx_tools
