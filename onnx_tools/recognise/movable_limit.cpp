// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/movable_limit.hpp>

#include <onnx_tools/model/ranks.hpp>
#include <onnx_tools/model/wording.hpp>
#include <onnx_tools/recognise/region_masks.hpp>
#include <onnx_tools/recognise/walk.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace padbatch::onnx_tools {
namespace {

using value_set = std::unordered_set<std::string_view>;

// Follows rows from an output up to the cut that picks them.
class row_follower {
public:
    // `cut` is the result of the cut; `dependents` are the values that depend on it.
    row_follower(const graph_index& index, std::string_view cut, const value_set& dependents)
        : m_index(index), m_ranks(index), m_cut(cut), m_dependents(dependents)
    {
    }

    // Whether the rows of `value` are those that the cut picks, one for one and in their order. If not, `doubt` is the
    // node that shows it.
    bool follow(std::string_view value) { return follows(value, ends_at::cut, 0); }

    // The same for values that a Loop makes, a row at a time.
    bool follow_to_loop(std::string_view value) { return follows(value, ends_at::loop, 0); }

    [[nodiscard]] const onnx::NodeProto* doubt() const noexcept { return m_doubt; }

private:
    enum class ends_at { cut, loop };

    bool follows(std::string_view value, ends_at end, int depth)
    {
        auto& all = m_known[end == ends_at::loop ? 1 : 0];
        const auto [known, is_new] = all.try_emplace(value, false);
        if (!is_new) {
            return known->second;
        }
        const auto* node = m_index.producer(value);
        const bool result = node != nullptr && depth < 200 && passes(*node, end, depth + 1);
        if (!result && m_doubt == nullptr) {
            m_doubt = node;
        }
        all[value] = result;
        return result;
    }

    bool passes(const onnx::NodeProto& node, ends_at end, int depth)
    {
        if (end == ends_at::cut && picks_rows_of_cut(node)) {
            return true;
        }
        if (is(&node, {"Loop"})) {
            return end == ends_at::loop;
        }
        if (node.input_size() == 0) {
            return false;
        }
        const auto first = [&] { return follows(node.input(0), end, depth); };
        if (is(&node, {"Identity", "Cast", "Abs", "Neg", "Floor", "Ceil", "Round", "Exp", "Log", "Sqrt", "Sigmoid",
                       "Relu", "Not", "Reciprocal", "Softplus", "Tanh"})) {
            return first();
        }
        if (is(&node, {"Add", "Sub", "Mul", "Div", "Min", "Max", "Pow", "Mod", "Clip", "Greater", "GreaterOrEqual",
                       "Less", "LessOrEqual", "Equal", "And", "Or", "Where"})) {
            return row_by_row(node, end, depth);
        }
        if (is(&node, {"Concat"})) {
            return keeps_rows(integer_attribute(node, "axis", 0), node.output(0)) &&
                   std::all_of(node.input().begin(), node.input().end(),
                               [&](const auto& column) { return follows(column, end, depth); });
        }
        if (is(&node, {"Split"})) {
            return keeps_rows(integer_attribute(node, "axis", 0), node.input(0)) && first();
        }
        if (is(&node, {"Gather"}) && node.input_size() > 1) {
            if (m_dependents.count(node.input(0)) == 0) { // a table, such as one from label to label
                return integer_attribute(node, "axis", 0) == 0 && follows(node.input(1), end, depth);
            }
            return m_dependents.count(node.input(1)) == 0 &&
                   keeps_rows(integer_attribute(node, "axis", 0), node.input(0)) && first();
        }
        if (is(&node, {"Squeeze", "Unsqueeze"})) {
            return keeps_rows(axes_of(m_index, node), is(&node, {"Squeeze"}) ? node.input(0) : node.output(0)) &&
                   first();
        }
        if (is(&node, {"Transpose"})) {
            const auto* perm = attribute(node, "perm");
            return perm != nullptr && perm->ints_size() > 0 && perm->ints(0) == 0 && first();
        }
        if (is(&node, {"Slice"}) && node.input_size() > 3) {
            return keeps_rows(m_index.constant_integers(node.input(3)), node.input(0)) && first();
        }
        return false;
    }

    // Each operand has the rows, or is the same for any rows.
    bool row_by_row(const onnx::NodeProto& node, ends_at end, int depth)
    {
        return std::all_of(node.input().begin(), node.input().end(), [&](const auto& operand) {
            return operand.empty() || m_dependents.count(operand) == 0 || follows(operand, end, depth);
        });
    }

    [[nodiscard]] bool picks_rows_of_cut(const onnx::NodeProto& node) const
    {
        if (!is(&node, {"Gather", "GatherND", "GatherElements"}) || node.input_size() < 2 ||
            integer_attribute(node, "axis", 0) != 0 || m_dependents.count(node.input(0)) != 0) {
            return false;
        }
        auto rows = origin(m_index, node.input(1));
        if (const auto* column = m_index.producer(rows); is(&node, {"GatherND"}) && is(column, {"Unsqueeze"})) {
            rows = origin(m_index, column->input(0));
        }
        return rows == m_cut;
    }

    // Whether none of these axes of `value` is the first.
    [[nodiscard]] bool keeps_rows(const std::optional<std::vector<std::int64_t>>& axes, const std::string& value)
    {
        return axes && !axes->empty() &&
               std::all_of(axes->begin(), axes->end(), [&](std::int64_t axis) { return keeps_rows(axis, value); });
    }

    [[nodiscard]] bool keeps_rows(std::int64_t axis, const std::string& value)
    {
        if (axis < 0) {
            const auto rank = m_ranks.rank_of(value);
            return rank && axis + *rank > 0;
        }
        return axis > 0;
    }

    const graph_index& m_index;
    rank_finder m_ranks;
    std::string_view m_cut;
    const value_set& m_dependents;
    std::array<std::unordered_map<std::string_view, bool>, 2> m_known; // up to the cut, up to a Loop
    const onnx::NodeProto* m_doubt = nullptr;
};

// Whether the region masks of an image are picked from the probabilities of all regions by their classes.
bool is_made_by_mask_head(const graph_index& index, std::string_view masks)
{
    const auto regions = find_region_masks(index, std::string(masks));
    return regions && is(producer_behind(index, regions->value,
                                         {"Slice", "Split", "Unsqueeze", "Squeeze", "Reshape", "Gather", "GatherND",
                                          "Flatten", "Identity", "Cast"},
                                         32),
                         {"Sigmoid"});
}

movable_limit stays(std::string why)
{
    return {{}, std::move(why)};
}

} // namespace

movable_limit find_movable_limit(const graph_outputs& outputs, const reading& r)
{
    const auto& index = outputs.index();
    movable_limit found;
    std::vector<const onnx::NodeProto*> cuts;
    for (int image = 0; image < r.images; ++image) {
        const onnx::NodeProto* cut = nullptr;
        for (int slot = 0; slot < static_cast<int>(r.fields.size()); ++slot) {
            const auto& o = r.at(outputs.all(), image, slot);
            cut = cut != nullptr ? cut : o.bound.cut;
        }
        if (cut == nullptr || std::find(cuts.begin(), cuts.end(), cut) != cuts.end()) {
            return stays("no node cuts the rows of each image");
        }
        if (!keeps_best_first(index, *cut)) {
            return stays("the rows are not known to come best first");
        }
        if (const auto* other = other_count_of(index, *cut)) {
            return stays(describe(*other) + " goes by the number of rows that are cut");
        }
        cuts.push_back(cut);
        found.cuts.push_back(cut->output(0));
    }
    const auto dependents = dependents_of(index, found.cuts);
    for (int i = 0; i < outputs.size(); ++i) {
        if (!r.covers(i) && dependents.count(outputs[i].name) != 0) {
            return stays("the output " + quoted(outputs[i].name) + " depends on them too");
        }
    }
    for (int image = 0; image < r.images; ++image) {
        row_follower rows(index, found.cuts[static_cast<std::size_t>(image)], dependents);
        for (int slot = 0; slot < static_cast<int>(r.fields.size()); ++slot) {
            const auto kind = r.fields[static_cast<std::size_t>(slot)];
            const auto& name = r.at(outputs.all(), image, slot).name;
            const bool by_head = kind != field::boxes && kind != field::labels && kind != field::scores;
            if (by_head ? !rows.follow_to_loop(name) : !rows.follow(name)) {
                return stays("the rows of " + quoted(name) + " are not those that are cut, one for one" +
                             (rows.doubt() != nullptr ? ": " + describe(*rows.doubt()) : ""));
            }
            if (kind == field::masks && !is_made_by_mask_head(index, name)) {
                return stays("the masks " + quoted(name) + " are not made as in torchvision's models");
            }
        }
    }
    return found;
}

} // namespace padbatch::onnx_tools
