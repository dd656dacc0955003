// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/evidence.hpp>

#include <onnx_tools/recognise/integers.hpp>
#include <onnx_tools/recognise/region_masks.hpp>
#include <onnx_tools/recognise/walk.hpp>

#include <algorithm>
#include <cctype>
#include <string>
#include <unordered_set>
#include <vector>

namespace padbatch::onnx_tools {
namespace {

// The Transpose that `value` is a result of, but for what is done to each element.
const onnx::NodeProto* transpose_of(const graph_index& index, std::string_view value)
{
    const auto* node = producer_behind(
        index, value,
        {"Identity", "Cast", "Clip", "Mul", "Div", "Add", "Sub", "Unsqueeze", "Squeeze", "Reshape", "Flatten"}, 32);
    return is(node, {"Transpose"}) ? node : nullptr;
}

// Whether a Transpose moves the rows of `value` to another dimension.
bool moves_rows(const graph_index& index, std::string_view value)
{
    const auto* node = transpose_of(index, value);
    if (node == nullptr) {
        return false;
    }
    const auto* perm = attribute(*node, "perm");
    return perm == nullptr || perm->ints_size() == 0 || perm->ints(0) != 0;
}

// Whether a Transpose moves any dimension of `value`.
bool moves_dimensions(const graph_index& index, std::string_view value)
{
    const auto* node = transpose_of(index, value);
    if (node == nullptr) {
        return false;
    }
    const auto* perm = attribute(*node, "perm");
    return perm == nullptr || !std::is_sorted(perm->ints().begin(), perm->ints().end());
}

// Whether `value` is four columns side by side, as torchvision puts boxes together.
bool joins_columns(const graph_index& index, std::string_view value)
{
    const auto* node = producer_behind(index, value, {"Identity", "Cast", "Clip", "Mul", "Div", "Add", "Sub"}, 32);
    if (!is(node, {"Concat"})) {
        return false;
    }
    const auto axis = integer_attribute(*node, "axis", 0);
    return (axis == 1 || axis == -1) && (node->input_size() == 4 || node->input_size() == 2);
}

// Whether `value` is a size: what a Shape gives, or a part of it.
bool is_size(const graph_index& index, std::string_view value)
{
    return is(producer_behind(index, value,
                              {"Identity", "Cast", "Unsqueeze", "Squeeze", "Reshape", "Flatten", "Gather", "Slice",
                               "Concat", "Mul", "Add", "Sub", "Div", "ReduceProd", "Min", "Max"},
                              32),
              {"Shape", "Size"});
}

bool declares_last(const output& o, std::int64_t size)
{
    return !o.type.shape.empty() && o.type.shape.back().size == size;
}

// Whether `value` is picked from probabilities, as the masks of regions are before they are pasted.
bool picks_probabilities(const graph_index& index, std::string_view value)
{
    return is(producer_behind(index, value,
                              {"Identity", "Cast", "Unsqueeze", "Squeeze", "Gather", "GatherND", "GatherElements",
                               "Reshape", "Flatten", "Slice", "Split"},
                              32),
              {"Sigmoid"});
}

// Whether `value` is made from masks: pasted by a loop, or picked from the probabilities of regions.
bool is_made_of_masks(const graph_index& index, std::string_view value)
{
    for (int steps = 0; steps < 32; ++steps) {
        const auto* node = index.producer(value);
        if (picks_probabilities(index, value)) {
            return true;
        }
        if (!is(node, {"Identity", "Cast", "Unsqueeze", "Squeeze", "Greater", "GreaterOrEqual", "Mul", "Clip", "Round",
                       "Slice", "Gather"}) ||
            node->input_size() == 0) {
            break;
        }
        value = node->input(0);
    }
    return find_region_masks(index, std::string(value)).has_value();
}

} // namespace

std::optional<field> named_field(std::string_view name)
{
    while (!name.empty() && (std::isdigit(static_cast<unsigned char>(name.back())) != 0)) {
        name.remove_suffix(1);
    }
    while (!name.empty() && std::string_view("_.:-/").find(name.back()) != std::string_view::npos) {
        name.remove_suffix(1);
    }
    std::string lower(name);
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); });
    return field_from_name(lower);
}

bool nodes_show(const graph_outputs& outputs, const output& o, field kind)
{
    const auto& index = outputs.index();
    switch (kind) {
    case field::boxes: return o.bound.cut != nullptr || joins_columns(index, o.name);
    case field::masks: return is_made_of_masks(index, o.name);
    default: return false;
    }
}

bool shows(const graph_outputs& outputs, const output& o, field kind)
{
    if (named_field(o.name) == kind || nodes_show(outputs, o, kind)) {
        return true;
    }
    const auto& shape = o.type.shape;
    switch (kind) {
    case field::boxes: return declares_last(o, 4);
    case field::keypoints: return declares_last(o, 3);
    case field::keypoints_scores: return !shape.empty() && shape.back().size && !declares_last(o, 4);
    case field::masks: return !outputs.any_cut() || (shape.size() == 3 && shape.back().size && !declares_last(o, 3));
    default: return true;
    }
}

bool contradicts(const graph_outputs& outputs, const output& o, field kind)
{
    const auto named = named_field(o.name);
    if ((named && *named != kind) || moves_rows(outputs.index(), o.name)) {
        return true;
    }
    // The last extent of keypoints, x, y and visible, is the width of no mask, and masks end in height and width.
    return (kind == field::scores && was_integer(outputs.index(), o.name)) ||
           (kind == field::labels && is_size(outputs.index(), o.name)) ||
           (kind == field::masks && (declares_last(o, 3) || moves_dimensions(outputs.index(), o.name)));
}

const onnx::NodeProto* owner_of(const graph_outputs& outputs, const output& o)
{
    // One step up the graph at a time, up to the first values that depend on the detections of one image alone.
    std::vector<std::string_view> level{o.name};
    std::unordered_set<std::string_view> seen;
    while (!level.empty()) {
        cut_set owners;
        std::vector<std::string_view> next;
        for (const auto value : level) {
            if (!seen.insert(value).second) {
                continue;
            }
            cut_set own;
            for (const auto* cut : outputs.cuts_above(value)) {
                if (outputs.bounds_rows(cut)) {
                    own.insert(cut);
                }
            }
            if (own.size() == 1) {
                owners.insert(*own.begin());
            } else if (const auto* node = outputs.index().producer(value); node != nullptr && !own.empty()) {
                const auto read = values_read(*node);
                next.insert(next.end(), read.begin(), read.end());
            }
        }
        if (!owners.empty()) {
            return owners.size() == 1 ? *owners.begin() : nullptr;
        }
        level = std::move(next);
    }
    return nullptr;
}

} // namespace padbatch::onnx_tools
