// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/column_origin.hpp>

#include <onnx_tools/model/ranks.hpp>
#include <onnx_tools/model/value_types.hpp>
#include <onnx_tools/recognise/integers.hpp>

#include <algorithm>
#include <cstdint>
#include <utility>

namespace padbatch::onnx_tools {
namespace {

constexpr int deepest = 64; // a broken graph may have a cycle

const std::string* input(const onnx::NodeProto& node, int i)
{
    return i < node.input_size() && !node.input(i).empty() ? &node.input(i) : nullptr;
}

std::optional<std::vector<dimension>> declared_shape(const graph_index& index, std::string_view value)
{
    const auto& graph = index.graph();
    for (const auto* infos : {&graph.value_info(), &graph.output(), &graph.input()}) {
        for (const auto& info : *infos) {
            if (info.name() == value) {
                if (auto type = declared_type(info); type.rank) {
                    return std::move(type.shape);
                }
            }
        }
    }
    if (const auto* tensor = index.constant(value)) {
        std::vector<dimension> shape;
        for (const auto extent : tensor->dims()) {
            shape.push_back({extent, ""});
        }
        return shape;
    }
    return std::nullopt;
}

// Whether a Slice leaves nothing out between its ends.
bool steps_by_one(const graph_index& index, const onnx::NodeProto& slice)
{
    const auto* steps = input(slice, 4);
    const auto sizes = steps != nullptr ? index.constant_integers(*steps) : std::nullopt;
    return steps == nullptr ||
           (sizes && std::all_of(sizes->begin(), sizes->end(), [](auto step) { return step == 1; }));
}

class width_finder {
public:
    explicit width_finder(const graph_index& index) : m_index(index), m_ranks(index) {}

    std::optional<int> rank_of(const std::string& value, int depth = 0)
    {
        if (const auto rank = m_ranks.rank_of(value)) {
            return rank;
        }
        const auto* node = m_index.producer(value);
        if (is(node, {"Concat"})) {
            for (const auto& part : node->input()) {
                if (const auto rank = depth > deepest ? std::nullopt : rank_of(part, depth + 1)) {
                    return rank;
                }
            }
        }
        if (is(node, {"Identity", "Cast", "Slice", "Split"}) && depth <= deepest) {
            return rank_of(node->input(0), depth + 1);
        }
        if (is(node, {"Squeeze", "Unsqueeze"}) && depth <= deepest) {
            const auto rank = rank_of(node->input(0), depth + 1);
            const auto axes = axes_of(m_index, *node, 1);
            const int change = axes ? static_cast<int>(axes->size()) : 0;
            return rank && axes ? std::optional(is(node, {"Squeeze"}) ? *rank - change : *rank + change) : std::nullopt;
        }
        if (!is(node, {"GatherND"}) || node->input_size() < 2 || depth > deepest ||
            integer_attribute(*node, "batch_dims", 0) != 0) {
            return std::nullopt;
        }
        // The last extent of the places says how many dimensions they are in.
        const auto data = rank_of(node->input(0), depth + 1);
        const auto places = rank_of(node->input(1), depth + 1);
        const auto dimensions = of(node->input(1), depth + 1);
        return data && places && dimensions ? std::optional(*places - 1 + *data - *dimensions) : std::nullopt;
    }

    // Whether `axis` of `value` is that of its columns.
    bool is_last(const std::string& value, std::int64_t axis) { return axis == -1 || axis + 1 == rank_of(value); }

    // Whether a dimension inserted at `axis` comes after all others.
    bool is_new_last(const std::string& value, std::int64_t axis)
    {
        const auto rank = rank_of(value);
        return rank && (axis == -1 || axis == *rank);
    }

    // Whether `value` has one dimension.
    bool is_list(const std::string& value) { return rank_of(value) == 1; }

    std::optional<int> of(std::string_view value, int depth = 0)
    {
        if (depth > deepest) {
            return std::nullopt;
        }
        if (const auto shape = declared_shape(m_index, value)) {
            if (shape->size() < 2) {
                return 1;
            }
            if (const auto& last = shape->back().size) {
                return static_cast<int>(*last);
            }
        }
        if (is_list(std::string(value))) {
            return 1;
        }
        const auto* node = m_index.producer(value);
        return node == nullptr ? std::nullopt : made_by(*node, value, depth + 1);
    }

    // The first column of each output of a Split along the columns, by the output's name.
    std::optional<int> offset_in_split(const onnx::NodeProto& split, std::string_view value, int depth = 0)
    {
        int offset = 0;
        for (int i = 0; i < split.output_size(); ++i) {
            if (split.output(i) == value) {
                return offset;
            }
            const auto width = width_of_part(split, i, depth + 1);
            if (!width) {
                return std::nullopt;
            }
            offset += *width;
        }
        return std::nullopt;
    }

private:
    std::optional<int> width_of_part(const onnx::NodeProto& split, int part, int depth)
    {
        if (const auto sizes = integers_of(m_index, split, 1, "split"); sizes && !sizes->empty()) {
            const auto i = static_cast<std::size_t>(part);
            return i < sizes->size() ? std::optional(static_cast<int>((*sizes)[i])) : std::nullopt;
        }
        const auto all = of(split.input(0), depth);
        return all && *all % split.output_size() == 0 ? std::optional(*all / split.output_size()) : std::nullopt;
    }

    std::optional<int> made_by(const onnx::NodeProto& node, std::string_view value, int depth)
    {
        if (node.input_size() == 0) {
            return std::nullopt;
        }
        const auto axis = integer_attribute(node, "axis", 0);
        if (is(&node, {"NonMaxSuppression"})) {
            return 3;
        }
        if (is(&node, {"GatherND"})) { // a list has been dealt with
            return rank_of(std::string(value)) ? of(node.input(0), depth) : std::nullopt;
        }
        if (is(&node, {"Transpose"})) {
            const auto* turned = m_index.producer(node.input(0));
            return is(turned, {"NonZero"}) ? rank_of(turned->input(0)) : std::nullopt;
        }
        if (is(&node, {"Where"})) {
            return node.input_size() > 1 ? of(node.input(1), depth) : std::nullopt;
        }
        if (is(&node, {"Reshape"})) {
            const auto shape = integers_of(m_index, node, 1, "shape");
            if (!shape || shape->empty()) {
                return std::nullopt;
            }
            return shape->size() == 1  ? std::optional(1)
                   : shape->back() > 0 ? std::optional(static_cast<int>(shape->back()))
                                       : std::nullopt;
        }
        if (is(&node, {"Unsqueeze"})) {
            const auto axes = axes_of(m_index, node, 1);
            if (!axes || axes->size() != 1) {
                return std::nullopt;
            }
            const auto rank = rank_of(node.input(0));
            return axes->front() == -1 || axes->front() == rank ? std::optional(1) : of(node.input(0), depth);
        }
        if (is(&node, {"Concat"}) && is_last(std::string(value), axis)) {
            int sum = 0;
            for (const auto& part : node.input()) {
                const auto width = of(part, depth);
                if (!width) {
                    return std::nullopt;
                }
                sum += *width;
            }
            return sum;
        }
        if (is(&node, {"Concat"}) && axis > 0 && !rank_of(std::string(value))) {
            return std::nullopt; // columns or rows
        }
        if (is(&node, {"Split"}) && is_last(node.input(0), axis)) {
            const auto place = std::find(node.output().begin(), node.output().end(), value) - node.output().begin();
            return width_of_part(node, static_cast<int>(place), depth);
        }
        if (is(&node, {"Gather"}) && node.input_size() > 1 && is_last(node.input(0), axis)) {
            const auto places = m_index.constant_integers(node.input(1));
            return places ? std::optional(static_cast<int>(places->size())) : of(node.input(0), depth);
        }
        if (is(&node, {"Slice"})) {
            return sliced(node, depth);
        }
        if (is(&node, {"Identity", "Cast", "Gather", "Compress", "Split", "Concat", "Add", "Sub", "Mul", "Div", "Clip",
                       "Min", "Max", "Round", "Floor", "Sigmoid", "Relu"})) {
            return of(node.input(0), depth);
        }
        return std::nullopt;
    }

    std::optional<int> sliced(const onnx::NodeProto& node, int depth)
    {
        const auto axes = axes_of(m_index, node, 3);
        const auto starts = integers_of(m_index, node, 1, "starts");
        const auto ends = integers_of(m_index, node, 2, "ends");
        const auto all = of(node.input(0), depth);
        if (!axes || axes->size() != 1) {
            return std::nullopt;
        }
        if (!is_last(node.input(0), axes->front())) {
            return all;
        }
        if (!starts || !ends || starts->size() != 1 || ends->size() != 1 || !steps_by_one(m_index, node)) {
            return std::nullopt;
        }
        if (all) {
            const auto place = [&](std::int64_t at) {
                return std::clamp<std::int64_t>(at < 0 ? at + *all : at, 0, *all);
            };
            return static_cast<int>(std::max<std::int64_t>(0, place(ends->front()) - place(starts->front())));
        }
        const bool counted = starts->front() >= 0 && ends->front() > starts->front() && ends->front() < 1000;
        return counted ? std::optional(static_cast<int>(ends->front() - starts->front())) : std::nullopt;
    }

    const graph_index& m_index;
    rank_finder m_ranks;
};

// Follows a column up the graph, a node at a time.
class column_walk {
public:
    column_walk(const graph_index& index, std::string_view value, int column)
        : m_index(index), m_widths(index), m_value(value), m_column(column)
    {
    }

    column_origin run()
    {
        for (int steps = 0; steps < deepest && step(); ++steps) {
        }
        if (m_found.kind == column_kind::unknown && m_integer) {
            m_found.kind = column_kind::integer;
        }
        if (m_lost) {
            m_found.kind = column_kind::unknown;
        }
        if (m_changed && m_found.kind == column_kind::image) {
            m_found.kind = column_kind::integer; // no longer the image itself
        }
        if (!m_lost && !m_mixed) {
            m_found.value = m_value;
            m_found.column = m_column;
        }
        return std::move(m_found);
    }

private:
    // Goes up by one node; false at the end of the way.
    bool step()
    {
        const auto* node = m_index.producer(m_value);
        if (node == nullptr || node->input_size() == 0) {
            m_integer = m_integer || holds_integers(m_index, m_value);
            return false;
        }
        if (is(node, {"Identity"})) {
            return go(node->input(0));
        }
        if (is(node, {"Cast"})) {
            m_integer = m_integer || holds_integers(m_index, node->input(0));
            return go(node->input(0));
        }
        if (is(node, {"NonMaxSuppression"})) {
            return at_selection(*node);
        }
        if (is(node, {"ArgMax"}) || (is(node, {"TopK"}) && node->output_size() > 1 && node->output(1) == m_value)) {
            m_found.kind = is(node, {"ArgMax"}) ? column_kind::label : column_kind::integer;
            return false;
        }
        if (is(node, {"Where"})) {
            const int data = node->input_size() > 2 && is_constant(node->input(1)) ? 2 : 1;
            return node->input_size() > data && go(node->input(data));
        }
        if (is(node, {"Add", "Sub", "Mul", "Div", "Min", "Max", "Clip", "Round", "Floor", "Relu", "Mod"})) {
            m_changed = true;
            const int data = node->input_size() == 2 && is_constant(node->input(0)) ? 1 : 0;
            return go(node->input(data));
        }
        if (is(node, {"Concat"})) {
            return into_part(*node);
        }
        if (is(node, {"Slice"})) {
            return into_slice(*node);
        }
        if (is(node, {"Split"})) {
            if (!is_list(node->input(0)) && m_widths.is_last(node->input(0), integer_attribute(*node, "axis", 0))) {
                const auto offset = m_widths.offset_in_split(*node, m_value);
                m_column += offset.value_or(0);
                return offset && go(node->input(0));
            }
            if (!m_selected) {
                m_found.picks.push_back(m_value);
            }
            return go(node->input(0));
        }
        if (is(node, {"Gather", "GatherND", "GatherElements", "Compress"})) {
            return into_gathered(*node);
        }
        if (is(node, {"TopK"})) {
            return go(node->input(0));
        }
        if (is(node, {"Squeeze", "Unsqueeze", "Reshape", "Flatten", "Expand", "Transpose"})) {
            return through_dimensions(*node);
        }
        m_integer = m_integer || holds_integers(m_index, m_value);
        return false;
    }

    // Whether there are no columns: what is followed are the elements of a value.
    bool is_list(const std::string& value) { return m_elements || m_widths.is_list(value); }

    bool go(std::string_view to)
    {
        m_value = to;
        return true;
    }

    // Into a part of joined columns.
    bool go_into(const std::string& part)
    {
        if (!m_lost && !m_mixed) {
            m_found.value = part;
            m_found.column = m_column;
        }
        return go(part);
    }

    [[nodiscard]] bool is_constant(const std::string& value) const
    {
        return m_index.constant(value) != nullptr || is(m_index.producer(value), {"Constant", "ConstantOfShape"});
    }

    bool at_selection(const onnx::NodeProto& node)
    {
        m_integer = true;
        if (m_selected) {
            return false;
        }
        m_found.suppression = &node;
        m_found.kind = m_mixed         ? column_kind::integer
                       : m_column == 0 ? column_kind::image
                       : m_column == 1 ? column_kind::label
                                       : column_kind::integer;
        return false;
    }

    // Only where dimensions of extent 1 come or go, columns stay columns.
    bool through_dimensions(const onnx::NodeProto& node)
    {
        const auto& data = node.input(0);
        const auto axes = is(&node, {"Squeeze", "Unsqueeze"}) ? axes_of(m_index, node, 1) : std::nullopt;
        if (m_elements) {
            const bool last = axes && axes->size() == 1 && m_widths.is_new_last(std::string(m_value), axes->front());
            m_elements = !(is(&node, {"Squeeze"}) && last); // of a column
            m_mixed = m_mixed || !is(&node, {"Squeeze", "Unsqueeze", "Transpose"});
            return go(data);
        }
        if (is(&node, {"Unsqueeze"}) && !m_widths.is_list(data)) {
            if (axes && axes->size() == 1 && m_widths.is_new_last(data, axes->front())) {
                m_elements = true; // each is a row's
                m_column = 0;
                return go(data);
            }
        }
        if (is(&node, {"Transpose"})) {
            const auto* order = attribute(node, "perm");
            const bool stays = order != nullptr && order->ints_size() > 0 &&
                               order->ints(order->ints_size() - 1) == order->ints_size() - 1;
            return stays && go(data);
        }
        const auto before = m_widths.of(data);
        const auto after = m_widths.of(m_value);
        const bool same = before && after && *before == *after;
        if (!same && is(&node, {"Squeeze", "Unsqueeze"})) {
            m_lost = m_lost || !axes || !std::all_of(axes->begin(), axes->end(), [](auto axis) { return axis == 0; });
        } else if (!same && m_widths.is_list(std::string(m_value))) {
            m_elements = true;
            m_mixed = true;
        } else if (!same) {
            m_lost = true;
        }
        return go(data);
    }

    bool into_part(const onnx::NodeProto& node)
    {
        const auto axis = integer_attribute(node, "axis", 0);
        if (axis > 0 && !is_list(std::string(m_value)) && !m_widths.rank_of(std::string(m_value))) {
            m_lost = true; // columns or rows
            return false;
        }
        if (!m_widths.is_last(std::string(m_value), integer_attribute(node, "axis", 0)) ||
            is_list(std::string(m_value))) {
            m_lost = m_lost || m_mixed;
            return go(node.input(0)); // rows that follow one another
        }
        const auto all = m_widths.of(m_value);
        std::vector<std::optional<int>> widths;
        int known = 0;
        for (const auto& part : node.input()) {
            widths.push_back(m_widths.of(part));
            known += widths.back().value_or(0);
        }
        if (all && std::count(widths.begin(), widths.end(), std::nullopt) == 1) {
            *std::find(widths.begin(), widths.end(), std::nullopt) = *all - known;
        }
        int first = 0;
        for (int i = 0; i < node.input_size(); ++i) {
            const auto& width = widths[static_cast<std::size_t>(i)];
            if (!width) {
                break;
            }
            if (m_column < first + *width) {
                m_column -= first;
                return go_into(node.input(i));
            }
            first += *width;
        }
        return all && into_last_parts(node, widths, *all);
    }

    // The same, from the end.
    bool into_last_parts(const onnx::NodeProto& node, const std::vector<std::optional<int>>& widths, int all)
    {
        int first = all;
        for (int i = node.input_size() - 1; i >= 0 && widths[static_cast<std::size_t>(i)]; --i) {
            first -= *widths[static_cast<std::size_t>(i)];
            if (m_column >= first) {
                m_column -= first;
                return go_into(node.input(i));
            }
        }
        return false;
    }

    bool into_slice(const onnx::NodeProto& node)
    {
        const auto axes = axes_of(m_index, node, 3);
        const auto starts = integers_of(m_index, node, 1, "starts");
        if (!axes || !starts || axes->size() != starts->size()) {
            return false;
        }
        for (std::size_t i = 0; i < axes->size(); ++i) {
            if (!m_widths.is_last(node.input(0), (*axes)[i]) || is_list(node.input(0))) {
                if (!m_selected) {
                    m_found.picks.emplace_back(node.input_size() > 1 ? node.input(1) : node.output(0));
                }
                continue;
            }
            const auto all = m_widths.of(node.input(0));
            if (!steps_by_one(m_index, node) || ((*starts)[i] < 0 && !all)) {
                return false;
            }
            m_column += static_cast<int>((*starts)[i] < 0 ? (*starts)[i] + *all : (*starts)[i]);
        }
        return go(node.input(0));
    }

    bool into_gathered(const onnx::NodeProto& node)
    {
        if (node.input_size() < 2) {
            return false;
        }
        const auto& data = node.input(0);
        const auto axis = integer_attribute(node, "axis", 0);
        const auto places = m_index.constant_integers(node.input(1));
        if (is(&node, {"Gather"}) && places && !places->empty()) {
            const bool picks_column = places->size() == 1 && m_widths.is_last(data, axis) && !m_widths.is_list(data);
            if (picks_column || (m_widths.is_last(data, axis) && !is_list(data))) {
                m_elements = false;
                const auto at = static_cast<std::size_t>(m_column);
                const auto place = places->size() == 1 ? places->front() : at < places->size() ? (*places)[at] : -1;
                const auto all = m_widths.of(data);
                if (place < 0 && !all) {
                    return false;
                }
                m_column = static_cast<int>(place < 0 ? place + *all : place);
                return go(data);
            }
            const auto* turned = m_index.producer(data);
            if (axis == 0 && is(turned, {"Transpose"}) &&
                !is_list(data)) { // a row of columns and rows that are swapped
                m_column = static_cast<int>(places->front());
                return places->front() >= 0 && go(turned->input(0));
            }
            return false;
        }
        if (!m_selected && is(&node, {"GatherND"}) && picks_from_suppression(node)) {
            return false;
        }
        if (!m_mixed && is_threshold_of(data, node.input(1))) {
            m_found.kind = column_kind::score;
            return false;
        }
        if (!m_selected) {
            // What a NonMaxSuppression selects is where the rows begin, however it is looked up.
            const auto by = origin_of_column(m_index, node.input(1), 0);
            if (by.suppression != nullptr) {
                m_found.suppression = by.suppression;
                m_found.picks.insert(m_found.picks.end(), by.picks.begin(), by.picks.end());
                m_selected = true;
            } else {
                m_found.picks.push_back(origin(m_index, node.input(1)));
            }
        }
        return go(data);
    }

    // Whether the boxes or scores that a NonMaxSuppression reads are looked up where it says.
    bool picks_from_suppression(const onnx::NodeProto& node)
    {
        const auto* places = producer_behind(m_index, node.input(1), {"Identity", "Cast"}, 16);
        const auto* selects = places;
        std::vector<std::string_view> picks;
        bool of_scores = true;
        if (is(places, {"Concat"}) && places->input_size() >= 2) { // image and box, or image, class and box
            const auto image = origin_of_column(m_index, places->input(0), 0);
            const auto box = origin_of_column(m_index, places->input(places->input_size() - 1), 0);
            const auto label = origin_of_column(m_index, places->input(1), 0);
            const bool same = image.kind == column_kind::image && box.suppression == image.suppression &&
                              box.kind == column_kind::integer && box.picks == image.picks;
            of_scores = places->input_size() == 3 && label.kind == column_kind::label && label.picks == image.picks;
            selects = same ? image.suppression : nullptr;
            picks = image.picks;
        } else if (is(places, {"Gather"}) && integer_attribute(*places, "axis", 0) == 1 &&
                   m_index.constant_integers(places->input(1)) == std::vector<std::int64_t>{0, 2}) {
            selects = producer_behind(m_index, places->input(0), {"Identity", "Cast"}, 16);
            of_scores = false;
        }
        if (selects == nullptr || !is(selects, {"NonMaxSuppression"}) || selects->input_size() < 2) {
            return false;
        }
        const auto from = origin(m_index, node.input(0));
        const bool boxes = from == origin(m_index, selects->input(0)) && selects != places;
        const bool scores = from == origin(m_index, selects->input(1)) && of_scores;
        if (!boxes && !scores) {
            return false;
        }
        m_found.kind = boxes ? column_kind::box : column_kind::score;
        m_found.suppression = selects;
        m_found.picks.insert(m_found.picks.end(), picks.begin(), picks.end());
        return true;
    }

    // Whether `picks` are the places where this column of `data` is above a number: rows are picked by their scores.
    [[nodiscard]] bool is_threshold_of(const std::string& data, const std::string& picks)
    {
        const auto* places =
            producer_behind(m_index, picks, {"Identity", "Cast", "Transpose", "Squeeze", "Reshape"}, 16);
        const auto* compares = places != nullptr && is(places, {"NonZero"})
                                   ? producer_behind(m_index, places->input(0), {"Identity", "Cast"}, 16)
                                   : nullptr;
        if (compares == nullptr || !is(compares, {"Greater", "GreaterOrEqual"}) || !is_constant(compares->input(1))) {
            return false;
        }
        const auto* column = producer_behind(m_index, compares->input(0), {"Identity", "Squeeze"}, 16);
        if (column == nullptr || !is(column, {"Gather", "Slice"}) ||
            origin(m_index, column->input(0)) != origin(m_index, data)) {
            return false;
        }
        const auto which = is(column, {"Gather"}) ? m_index.constant_integers(column->input(1))
                                                  : integers_of(m_index, *column, 1, "starts");
        const auto width = m_widths.of(column->output(0));
        return which && which->size() == 1 && which->front() == m_column &&
               (is(column, {"Gather"}) ? m_widths.is_last(data, integer_attribute(*column, "axis", 0)) : width == 1);
    }

    const graph_index& m_index;
    width_finder m_widths;
    std::string_view m_value;
    int m_column;
    bool m_integer = false;
    bool m_elements = false;
    bool m_mixed = false; // they may be of several columns
    bool m_changed = false;
    bool m_lost = false;     // which column it is; how the rows were picked may still be seen
    bool m_selected = false; // by a NonMaxSuppression: what comes before concerns no rows
    column_origin m_found;
};

} // namespace

column_origin origin_of_column(const graph_index& index, std::string_view value, int column)
{
    return column_walk(index, value, column).run();
}

std::optional<int> columns_of(const graph_index& index, std::string_view value)
{
    return width_finder(index).of(value);
}

} // namespace padbatch::onnx_tools
