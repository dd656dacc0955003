// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/padded_evidence.hpp>

#include <onnx_tools/model/ranks.hpp>
#include <onnx_tools/recognise/integers.hpp>
#include <onnx_tools/recognise/walk.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <deque>
#include <functional>
#include <initializer_list>
#include <limits>
#include <unordered_set>

namespace padbatch::onnx_tools {
namespace {

constexpr int deepest = 64; // a broken graph may have a cycle

// The node that makes `value`, once nodes that only copy or convert it are passed over.
const onnx::NodeProto* behind_copies(const graph_index& index, std::string_view value)
{
    return producer_behind(index, value, {"Identity", "Cast", "Unsqueeze", "Squeeze", "Reshape", "Flatten"}, 16);
}

bool constant_position(const graph_index& index, const onnx::NodeProto& node)
{
    return node.input_size() > 1 && index.constant_integers(node.input(1)).has_value();
}

// Whether a Gather may take columns apart, or put them in another order.
bool picks_columns(const graph_index& index, const onnx::NodeProto& node)
{
    return is(&node, {"Gather"}) && integer_attribute(node, "axis", 0) != 0 && constant_position(index, node);
}

// The values that `node` has the rows of its result from, whole or in part, by which of them is tried first. Empty for
// nodes that compute something else, and unless `any_columns`, for those that pick columns.
std::vector<std::string_view> rows_from(const graph_index& index, const onnx::NodeProto& node, bool any_columns)
{
    std::vector<std::string_view> from;
    const auto add = [&](int i) {
        if (i < node.input_size() && !node.input(i).empty() && index.constant(node.input(i)) == nullptr) {
            from.emplace_back(node.input(i));
        }
    };
    if (is(&node, {"Identity", "Cast", "GatherND", "GatherElements", "Slice", "Squeeze", "Unsqueeze", "Reshape",
                   "Flatten", "Expand", "Tile", "Clip", "Transpose", "Pad", "Compress", "Split"}) ||
        (is(&node, {"Gather"}) && (any_columns || !picks_columns(index, node)))) {
        add(0);
    } else if (is(&node, {"Mul", "Div", "Min", "Max"})) {
        add(0);
        if (from.empty()) {
            add(1);
        }
    } else if (is(&node, {"ScatterND", "ScatterElements"})) {
        add(2);
        add(0);
    } else if (is(&node, {"Where"})) {
        add(1);
        add(2);
    } else if (is(&node, {"Concat"})) {
        for (int i = 0; i < node.input_size(); ++i) {
            add(i);
        }
    }
    return from;
}

// Walks up the nodes that pass rows on, and calls `visit(value, node)` on each; `visit` returns whether to go on there.
template <typename Visit>
void walk_rows(const graph_index& index, std::string_view value, bool any_columns, const Visit& visit)
{
    std::deque<std::string_view> pending{value};
    std::unordered_set<std::string_view> seen;
    while (!pending.empty()) {
        const auto now = pending.front();
        pending.pop_front();
        const auto* node = index.producer(now);
        if (node != nullptr && seen.insert(now).second && visit(now, *node)) {
            const auto next = rows_from(index, *node, any_columns);
            pending.insert(pending.end(), next.begin(), next.end());
        }
    }
}

// --- boxes ------------------------------------------------------------------------------------------------------

// The Sub or Add that a column, or two of them, was computed by, but for scales and limits; null if it is none.
const onnx::NodeProto* sum_behind(const graph_index& index, std::string_view value)
{
    const auto* node = producer_behind(
        index, value,
        {"Identity", "Cast", "Unsqueeze", "Squeeze", "Reshape", "Flatten", "Clip", "Mul", "Div", "Min", "Max"}, 16);
    return is(node, {"Sub", "Add"}) && node->input_size() == 2 ? node : nullptr;
}

// Whether `low` is c - a, and `high` is c + b.
bool are_corners(const graph_index& index, const onnx::NodeProto* low, const onnx::NodeProto* high)
{
    if (!is(low, {"Sub"}) || !is(high, {"Add"})) {
        return false;
    }
    const auto center = origin(index, low->input(0));
    return origin(index, high->input(0)) == center || origin(index, high->input(1)) == center;
}

// What a column is, but for its type and shape.
std::string_view column_origin_of(const graph_index& index, std::string_view value)
{
    for (int steps = 0; steps < 16; ++steps) {
        value = origin(index, value);
        const auto* node = index.producer(value);
        if (!is(node, {"Unsqueeze", "Squeeze", "Reshape"})) {
            break;
        }
        value = node->input(0);
    }
    return value;
}

shown_boxes boxes_of_columns(const graph_index& index, const onnx::NodeProto& concat)
{
    std::vector<const onnx::NodeProto*> sums;
    for (const auto& column : concat.input()) {
        sums.push_back(sum_behind(index, column));
    }
    const auto n = sums.size();
    if (n < 2) {
        return shown_boxes::unknown;
    }
    const bool in_pairs = n < 4; // two columns each, and perhaps scores behind them
    if (are_corners(index, sums[0], sums[1]) ||
        (n >= 4 && are_corners(index, sums[0], sums[2]) && are_corners(index, sums[1], sums[3]))) {
        return shown_boxes::two_corners;
    }
    // The middle of two corners, and the distance between them.
    const bool center =
        in_pairs ? is(sums[0], {"Add"}) && is(sums[1], {"Sub"})
                 : is(sums[0], {"Add"}) && is(sums[1], {"Add"}) && is(sums[2], {"Sub"}) && is(sums[3], {"Sub"});
    if (center) {
        return shown_boxes::center_and_extents;
    }
    const auto is_distance_from = [&](std::size_t extent, int corner) {
        return is(sums[extent], {"Sub"}) &&
               column_origin_of(index, sums[extent]->input(1)) == column_origin_of(index, concat.input(corner));
    };
    // The center minus half of the size that stands beside it.
    const auto* half = in_pairs && is(sums[0], {"Sub"}) ? index.producer(sums[0]->input(1)) : nullptr;
    if (is(half, {"Mul", "Div"}) && half->input_size() == 2 &&
        (index.constant_number(half->input(1)) == (is(half, {"Mul"}) ? 0.5 : 2.0)) &&
        column_origin_of(index, half->input(0)) == column_origin_of(index, concat.input(1))) {
        return shown_boxes::corner_and_extents;
    }
    const bool corner = in_pairs ? is_distance_from(1, 0) : is_distance_from(2, 0) && is_distance_from(3, 1);
    return corner ? shown_boxes::corner_and_extents : shown_boxes::unknown;
}

// Whether some columns of a box are computed where they are joined, and others are not: then the others do not tell
// what the box is.
bool joins_computed_columns(const graph_index& index, const onnx::NodeProto& concat)
{
    const auto& columns = concat.input();
    const auto computed = std::count_if(columns.begin(), columns.end(), [&](const std::string& column) {
        return sum_behind(index, column) != nullptr;
    });
    return columns.size() >= 2 && columns.size() != 3 && computed > 0;
}

// Whether `node` multiplies boxes by the matrix that makes corners of centers and sizes.
bool multiplies_to_corners(const graph_index& index, const onnx::NodeProto& node)
{
    const auto matrix = is(&node, {"MatMul"}) ? index.constant_floats(node.input(1)) : std::nullopt;
    return matrix && *matrix == std::vector<float>{1, 0, 1, 0, 0, 1, 0, 1, -.5F, 0, .5F, 0, 0, -.5F, 0, .5F};
}

// The values that hold the boxes which a NonMaxSuppression of this kind reads, before they are moved by class.
std::unordered_set<std::string_view> suppressed_boxes(const graph_index& index, bool center)
{
    std::unordered_set<std::string_view> values;
    for (const auto& node : index.graph().node()) {
        if (!is(&node, {"NonMaxSuppression"}) || node.input_size() < 2 ||
            (integer_attribute(node, "center_point_box", 0) == 1) != center) {
            continue;
        }
        std::string_view value = node.input(0);
        for (int steps = 0; steps < deepest && values.insert(value).second; ++steps) {
            const auto* above = index.producer(value);
            if (above == nullptr || above->input_size() == 0 ||
                !(is(above, {"Identity", "Cast", "Unsqueeze", "Squeeze", "Reshape", "Add", "Mul", "Div", "Slice",
                             "Transpose"}) ||
                  (is(above, {"Gather"}) && !picks_columns(index, *above)))) {
                break;
            }
            value = above->input(0);
        }
    }
    return values;
}

// --- what a tensor is filled with -----------------------------------------------------------------------------------

bool holds(const onnx::TensorProto& tensor, double number)
{
    const auto one = [&](auto value) { return static_cast<double>(value) == number; };
    const auto raw = [&](auto zero) {
        if (tensor.raw_data().size() != sizeof(zero)) {
            return false;
        }
        std::copy(tensor.raw_data().begin(), tensor.raw_data().end(), reinterpret_cast<char*>(&zero));
        return one(zero);
    };
    switch (tensor.data_type()) {
    case onnx::TensorProto::FLOAT: return tensor.float_data_size() == 1 ? one(tensor.float_data(0)) : raw(0.0F);
    case onnx::TensorProto::DOUBLE: return tensor.double_data_size() == 1 ? one(tensor.double_data(0)) : raw(0.0);
    case onnx::TensorProto::INT64:
        return tensor.int64_data_size() == 1 ? one(tensor.int64_data(0)) : raw(std::int64_t{});
    case onnx::TensorProto::INT32:
        return tensor.int32_data_size() == 1 ? one(tensor.int32_data(0)) : raw(std::int32_t{});
    default: return false;
    }
}

// Whether `value` is `number` everywhere.
bool is_everywhere(const graph_index& index, std::string_view value, double number, int depth = 0)
{
    if (const auto* tensor = index.constant(value)) {
        return holds(*tensor, number);
    }
    const auto* node = producer_behind(index, value, {"Identity", "Cast", "Expand", "Unsqueeze", "Reshape"}, 16);
    if (node == nullptr || depth > 8) {
        return false;
    }
    if (is(node, {"ConstantOfShape"})) {
        const auto* held = attribute(*node, "value");
        return held == nullptr ? number == 0 : holds(held->t(), number);
    }
    if (is(node, {"Constant"})) {
        const auto* held = attribute(*node, "value");
        const auto* real = attribute(*node, "value_float");
        const auto* whole = attribute(*node, "value_int");
        return held != nullptr   ? holds(held->t(), number)
               : real != nullptr ? static_cast<double>(real->f()) == number
                                 : whole != nullptr && static_cast<double>(whole->i()) == number;
    }
    if (is(node, {"Neg"})) {
        return is_everywhere(index, node->input(0), -number, depth + 1);
    }
    if (is(node, {"Mul"})) { // ones that are multiplied
        return (is_everywhere(index, node->input(0), 1, depth + 1) &&
                is_everywhere(index, node->input(1), number, depth + 1)) ||
               (is_everywhere(index, node->input(1), 1, depth + 1) &&
                is_everywhere(index, node->input(0), number, depth + 1));
    }
    return false;
}

// --- nodes that pick rows, or drop them -----------------------------------------------------------------------------

bool is_named(const onnx::NodeProto& node, std::initializer_list<std::string_view> parts)
{
    return std::any_of(parts.begin(), parts.end(),
                       [&](std::string_view part) { return node.op_type().find(part) != std::string::npos; });
}

bool suppresses(const onnx::NodeProto& node)
{
    return is_named(node, {"NonMaxSuppression", "NMS"}); // TensorRT's and others' too, of whatever domain
}

// The nearest node above `value` for which `wanted` holds, subgraphs included.
const onnx::NodeProto* nearest_above(const graph_index& index, std::string_view value,
                                     const std::function<bool(const onnx::NodeProto&)>& wanted)
{
    const std::function<bool(const onnx::NodeProto&)> holds_one = [&](const onnx::NodeProto& node) {
        bool found = wanted(node);
        for_each_subgraph(node, [&](const onnx::GraphProto& sub) {
            found = found || std::any_of(sub.node().begin(), sub.node().end(), holds_one);
        });
        return found;
    };
    const onnx::NodeProto* nearest = nullptr;
    walk_up(index, value, [&](const onnx::NodeProto& node) {
        if (nearest == nullptr && holds_one(node)) {
            nearest = &node;
        }
        return nearest == nullptr ? values_read(node) : std::vector<std::string_view>();
    });
    return nearest;
}

std::optional<std::int64_t> single(const graph_index& index, std::string_view value)
{
    const auto numbers = index.constant_integers(value);
    return numbers && numbers->size() == 1 ? std::optional(numbers->front()) : std::nullopt;
}

// Whether a Slice leaves the second dimension alone.
bool keeps_rows(const graph_index& index, const onnx::NodeProto& slice)
{
    const auto axes = slice.input_size() > 3 ? index.constant_integers(slice.input(3)) : std::nullopt;
    return axes && std::all_of(axes->begin(), axes->end(), [](std::int64_t axis) { return axis != 1 && axis >= -1; });
}

// The Shape node that `shape` is, or begins with; null if it is none.
const onnx::NodeProto* extents_behind(const graph_index& index, std::string_view shape)
{
    const auto* node = producer_behind(index, shape, {"Identity", "Cast", "Concat"}, 16);
    return is(node, {"Shape"}) ? node : nullptr;
}

// Whether a TopK takes the best of each image: of [B, n], or along the second dimension of [B, n, ...].
bool takes_rows(const graph_index& index, rank_finder& ranks, const onnx::NodeProto& topk)
{
    const auto axis = integer_attribute(topk, "axis", -1);
    if (axis == 1) {
        return true;
    }
    const auto* scores = index.producer(topk.input(0));
    const bool column = is(scores, {"Gather"}) && integer_attribute(*scores, "axis", 0) == 2 &&
                        constant_position(index, *scores) && index.constant(scores->input(1)) != nullptr &&
                        index.constant(scores->input(1))->dims_size() == 0;
    return axis == -1 && (column || is(scores, {"Flatten"}) || ranks.rank_of(topk.input(0)) == 2);
}

// The second of the extents that `shape` names.
std::optional<std::int64_t> second_extent(const graph_index& index, std::string_view shape)
{
    if (const auto all = index.constant_integers(shape)) {
        return all->size() == 3 || all->size() == 2 ? std::optional((*all)[1]) : std::nullopt;
    }
    const auto* node = producer_behind(index, shape, {"Identity", "Cast"}, 16);
    return is(node, {"Concat"}) && node->input_size() >= 2 && node->input_size() <= 3 ? single(index, node->input(1))
                                                                                      : std::nullopt;
}

// How many rows of each image the node that makes `value` gives; nothing if that is no constant.
std::optional<std::int64_t> rows_at(const graph_index& index, rank_finder& ranks, std::string_view value)
{
    if (const auto* tensor = index.constant(value)) { // zeros that rows are written into
        return tensor->dims_size() == 3 ? std::optional(tensor->dims(1)) : std::nullopt;
    }
    const auto* node = index.producer(value);
    if (is(node, {"TopK"}) && node->input_size() > 1 && takes_rows(index, ranks, *node)) {
        return single(index, node->input(1));
    }
    if (is(node, {"ConstantOfShape", "Expand"})) {
        return second_extent(index, node->input(node->input_size() - 1));
    }
    if (node != nullptr && suppresses(*node)) {
        const auto most = integer_attribute(*node, "max_output_boxes", integer_attribute(*node, "keepTopK", 0));
        return most > 0 ? std::optional(most) : std::nullopt;
    }
    return std::nullopt;
}

} // namespace

last_columns last_columns_of(const graph_index& index, std::string_view rows)
{
    auto shown = last_columns::unknown;
    bool agree = true;
    walk_rows(index, rows, false, [&](std::string_view, const onnx::NodeProto& node) {
        const auto axis = integer_attribute(node, "axis", 0);
        const int n = node.input_size();
        if (!is(&node, {"Concat"}) || axis == 0 || (n != 3 && n != 4 && n != 6)) {
            return true;
        }
        // The box must come first: as a whole, as two corners, or number by number.
        const bool box_first = n == 3 ? boxes_of(index, node.input(0)) != shown_boxes::unknown
                                      : boxes_of_columns(index, node) != shown_boxes::unknown;
        const bool label_last = was_integer(index, node.input(n - 1));
        if (!box_first || label_last == was_integer(index, node.input(n - 2)) || (n == 4 && !label_last)) {
            return true; // of four, the last may be empty: Ultralytics' further numbers of a row
        }
        const auto here = label_last ? last_columns::score_label : last_columns::label_score;
        agree = agree && (shown == last_columns::unknown || shown == here);
        shown = here;
        return false;
    });
    return agree ? shown : last_columns::unknown;
}

shown_boxes boxes_of(const graph_index& index, std::string_view boxes)
{
    const auto corners = suppressed_boxes(index, false);
    const auto centers = suppressed_boxes(index, true);
    auto shown = shown_boxes::unknown;
    bool agree = true;
    walk_rows(index, boxes, false, [&](std::string_view value, const onnx::NodeProto& node) {
        auto here = shown_boxes::unknown;
        if (corners.count(value) != centers.count(value)) {
            here = corners.count(value) != 0 ? shown_boxes::two_corners : shown_boxes::center_and_extents;
        } else if (is(&node, {"Concat"})) {
            here = boxes_of_columns(index, node);
            agree = agree && (here != shown_boxes::unknown || !joins_computed_columns(index, node));
        } else if (multiplies_to_corners(index, node) ||
                   (suppresses(node) && attribute(node, "box_coding") != nullptr &&
                    integer_attribute(node, "box_coding", 0) == 0)) {
            here = shown_boxes::two_corners;
        }
        if (here == shown_boxes::unknown) {
            return true;
        }
        agree = agree && (shown == shown_boxes::unknown || shown == here);
        shown = here;
        return false;
    });
    return agree ? shown : shown_boxes::unknown;
}

bool is_filled_with(const graph_index& index, std::string_view value, double number)
{
    bool filled = false;
    walk_rows(index, value, true, [&](std::string_view, const onnx::NodeProto& node) {
        if (is(&node, {"ScatterND", "ScatterElements"})) {
            filled = filled || is_everywhere(index, node.input(0), number);
        } else if (is(&node, {"Where"})) {
            filled =
                filled || is_everywhere(index, node.input(1), number) || is_everywhere(index, node.input(2), number);
        } else if (is(&node, {"Concat"})) {
            filled = filled || std::any_of(node.input().begin(), node.input().end(),
                                           [&](const auto& input) { return is_everywhere(index, input, number); });
        } else if (is(&node, {"Pad"})) {
            const auto* mode = attribute(node, "mode");
            const bool constant = mode == nullptr || mode->s() == "constant";
            filled = filled || (constant && (node.input_size() < 3 || node.input(2).empty()
                                                 ? number == 0
                                                 : is_everywhere(index, node.input(2), number)));
        }
        return !filled;
    });
    return filled;
}

const onnx::NodeProto* picked_by(const graph_index& index, std::string_view value)
{
    const auto picks = [](const onnx::NodeProto& node) { return is(&node, {"TopK"}) || suppresses(node); };
    const onnx::NodeProto* found = nullptr;
    walk_rows(index, value, true, [&](std::string_view, const onnx::NodeProto& node) {
        if (found == nullptr && picks(node)) {
            found = &node;
        } else if (found == nullptr && is(&node, {"Gather", "GatherND", "GatherElements"}) && node.input_size() > 1 &&
                   !constant_position(index, node)) {
            found = nearest_above(index, node.input(1), picks);
        }
        return found == nullptr;
    });
    return found;
}

const onnx::NodeProto* dropping_node(const graph_index& index, std::string_view value)
{
    return nearest_above(index, value, [](const onnx::NodeProto& node) {
        return standard_operator(node).empty() || suppresses(node) || is(&node, {"NonZero", "Compress"});
    });
}

bool are_above_zero(const graph_index& index, std::string_view scores)
{
    const auto* node =
        producer_behind(index, scores,
                        {"Identity", "Cast", "Unsqueeze", "Squeeze", "Reshape", "Flatten", "Transpose", "TopK",
                         "Gather", "GatherND", "GatherElements", "Slice", "Split", "ReduceMax", "Concat"},
                        deepest);
    return is(node, {"Sigmoid", "Softmax"});
}

std::string_view score_column_of(const graph_index& index, std::string_view rows, bool last)
{
    const auto* node = producer_behind(index, rows, {"Identity", "Cast"}, 16);
    return is(node, {"Concat"}) && node->input_size() >= 3
               ? std::string_view(node->input(node->input_size() - (last ? 1 : 2)))
               : std::string_view();
}

std::optional<row_limit> padded_rows_of(const graph_index& index, std::string_view value)
{
    rank_finder ranks(index);
    for (int steps = 0; steps < deepest; ++steps) {
        if (const auto limit = rows_at(index, ranks, value)) {
            const auto* by = index.producer(value);
            return *limit > 0 && *limit <= 2147483647
                       ? std::optional(row_limit{*limit, by == nullptr ? std::string("a constant") : describe(*by)})
                       : std::nullopt;
        }
        const auto* node = index.producer(value);
        if (node == nullptr || node->input_size() == 0) {
            return std::nullopt;
        }
        // PyTorch's x[image, place] is a Gather from flattened rows, and a Reshape to the extents of the places.
        const auto* shape =
            is(node, {"Reshape"}) && node->input_size() > 1 ? extents_behind(index, node->input(1)) : nullptr;
        int next = 0;
        if (is(node, {"Gather", "GatherND", "GatherElements"}) && node->input_size() > 1 &&
            !constant_position(index, *node)) {
            next = 1; // there are as many rows as places
        } else if (is(node, {"Where"}) && node->input_size() > 1) {
            next = index.constant(node->input(1)) == nullptr ? 1 : 2;
        } else if (is(node, {"Concat"})) {
            // Columns side by side; along other dimensions there would be more rows. Of the places that a GatherND
            // reads, the image comes first.
            const auto axis = integer_attribute(*node, "axis", 0);
            if (axis != -1 && axis != 2) {
                return std::nullopt;
            }
            next = node->input_size() - 1;
        } else if (shape == nullptr &&
                   !is(node, {"Identity", "Cast", "Add", "Slice", "Squeeze", "Unsqueeze", "Expand", "Clip", "Mul",
                              "Div", "Mod", "Sub", "ScatterND", "Floor"}) &&
                   !is(node, {"Gather"})) {
            return std::nullopt;
        }
        if (next >= node->input_size() || (is(node, {"Slice"}) && !keeps_rows(index, *node))) {
            return std::nullopt;
        }
        value = shape != nullptr ? shape->input(0) : node->input(next);
    }
    return std::nullopt;
}

bool is_count_of(const graph_index& index, std::string_view count, const std::vector<std::string_view>& rows)
{
    const auto* sum = behind_copies(index, count);
    if (sum != nullptr && is_named(*sum, {"EfficientNMS", "BatchedNMS"})) {
        return sum->output_size() > 0 && origin(index, count) == sum->output(0) &&
               std::all_of(rows.begin(), rows.end(),
                           [&](std::string_view row) { return index.producer(origin(index, row)) == sum; });
    }
    if (sum == nullptr || !is(sum, {"ReduceSum"})) {
        return false;
    }
    const auto* compared = behind_copies(index, sum->input(0));
    if (compared == nullptr || !is(compared, {"Greater", "GreaterOrEqual"}) || compared->input_size() != 2) {
        return false;
    }
    // The score may be a column of the rows, and be compared before it was joined to the others.
    const auto* scores = behind_copies(index, compared->input(0));
    bool found = false;
    for (const auto row : rows) {
        walk_rows(index, row, true, [&](std::string_view value, const onnx::NodeProto& node) {
            found = found || &node == scores || value == origin(index, compared->input(0));
            return !found && (is(&node, {"Identity", "Cast", "Unsqueeze", "Squeeze", "Slice", "Concat"}) ||
                              picks_columns(index, node));
        });
    }
    return found;
}

const onnx::NodeProto* built_batch(const graph_index& index, const std::string& input, std::string_view value)
{
    // All values whose first extent is the batch: computed from the input, layer by layer.
    std::unordered_set<std::string_view> batched{input};
    std::deque<std::string_view> pending{input};
    std::unordered_set<const onnx::NodeProto*> apart;
    while (!pending.empty()) {
        const std::string now(pending.front());
        pending.pop_front();
        for (const auto* reader : index.readers(now)) {
            const bool data = reader->input_size() > 0 && reader->input(0) == now;
            const bool first_axis = integer_attribute(*reader, "axis", 0) == 0;
            if (data && first_axis &&
                ((is(reader, {"Gather"}) && constant_position(index, *reader) &&
                  index.constant_integers(reader->input(1))->size() == 1) ||
                 (is(reader, {"Split"}) && reader->output_size() > 1))) {
                apart.insert(reader);
                continue;
            }
            bool keeps =
                is(reader,
                   {"Identity", "Cast", "Relu",    "LeakyRelu",      "Sigmoid", "HardSigmoid", "HardSwish", "Clip",
                    "Exp",      "Sqrt", "Pow",     "Tanh",           "Erf",     "Add",         "Sub",       "Mul",
                    "Div",      "Pad",  "Greater", "GreaterOrEqual", "Where"}) ||
                (data && is(reader, {"Conv", "ConvTranspose", "BatchNormalization", "InstanceNormalization",
                                     "LayerNormalization", "MaxPool", "AveragePool", "GlobalAveragePool", "Resize",
                                     "Upsample", "MatMul", "DequantizeLinear", "QuantizeLinear"}));
            if (data && is(reader, {"Softmax", "LogSoftmax", "TopK", "ArgMax", "Flatten"})) {
                keeps = integer_attribute(*reader, "axis", -1) != 0;
            } else if (data && is(reader, {"Gather", "GatherElements", "Split"})) {
                keeps = !first_axis;
            } else if (is(reader, {"Concat"})) { // along the first dimension, other images are added
                keeps = !first_axis || reader->input(0) == now;
            } else if (data && is(reader, {"ReduceMax", "ReduceMean", "ReduceSum", "Squeeze", "Unsqueeze"})) {
                const auto axes = axes_of(index, *reader);
                keeps = axes && std::find(axes->begin(), axes->end(), 0) == axes->end();
            } else if (data && is(reader, {"Transpose"})) {
                const auto* perm = attribute(*reader, "perm");
                keeps = perm != nullptr && perm->ints_size() > 0 && perm->ints(0) == 0;
            } else if (data && is(reader, {"Slice"})) {
                const auto axes = reader->input_size() > 3 ? index.constant_integers(reader->input(3)) : std::nullopt;
                keeps = axes && std::find(axes->begin(), axes->end(), 0) == axes->end();
                const auto end = axes && axes->size() == 1 && !keeps ? single(index, reader->input(2)) : std::nullopt;
                if (end && *end > 0 && *end < std::numeric_limits<std::int32_t>::max()) {
                    apart.insert(reader);
                    continue;
                }
            } else if (data && is(reader, {"Reshape"})) {
                const auto shape = reader->input_size() > 1 ? index.constant_integers(reader->input(1)) : std::nullopt;
                keeps = !shape || (!shape->empty() && shape->front() <= 0);
            }
            if (keeps) {
                for (const auto& result : reader->output()) {
                    if (batched.insert(result).second) {
                        pending.emplace_back(result);
                    }
                }
            }
        }
    }
    if (apart.empty()) {
        return nullptr;
    }
    return nearest_above(index, value, [&](const onnx::NodeProto& node) { return apart.count(&node) != 0; });
}

ultralytics_export ultralytics_rows(const onnx::ModelProto& model)
{
    const auto names = metadata(model, "names");
    if (metadata(model, "task") != "detect" || names.empty() || names.front() != '{') {
        return ultralytics_export::none;
    }
    if (metadata(model, "end2end") == "True") {
        return ultralytics_export::end2end;
    }
    return metadata(model, "nms") == "True" || metadata(model, "args").find("'nms': True") != std::string::npos
               ? ultralytics_export::nms
               : ultralytics_export::none;
}

} // namespace padbatch::onnx_tools
