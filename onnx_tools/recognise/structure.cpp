// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/structure.hpp>

#include <algorithm>
#include <deque>
#include <limits>
#include <unordered_set>

namespace padbatch::onnx_tools {
namespace {

// Walks from `value` up the graph, nearest nodes first, and calls `visit(node)` for each node once. `visit` returns the
// values to go on with.
template <typename Visit>
void walk_up(const graph_index& index, std::string_view value, const Visit& visit)
{
    std::deque<std::string_view> pending{value};
    std::unordered_set<const onnx::NodeProto*> seen;
    while (!pending.empty()) {
        const auto* node = index.producer(pending.front());
        pending.pop_front();
        if (node != nullptr && seen.insert(node).second) {
            const auto next = visit(*node);
            pending.insert(pending.end(), next.begin(), next.end());
        }
    }
}

// The node that makes `value`, behind nodes that only copy or convert it.
const onnx::NodeProto* origin(const graph_index& index, std::string_view value)
{
    return producer_behind(index, value, {"Identity", "Cast"}, 16);
}

// `value` as the result of a Slice of rows [0, constant) along the first axis.
row_cut as_cut(const graph_index& index, std::string_view value)
{
    const auto* node = origin(index, value);
    if (node == nullptr || node->op_type() != "Slice" || node->input_size() < 3) {
        return {};
    }
    const auto input_is = [&](int i, std::int64_t expected) {
        if (i >= node->input_size() || node->input(i).empty()) {
            return true; // absent: all axes from the first on, in steps of one
        }
        const auto values = index.constant_integers(node->input(i));
        return values && values->size() == 1 && values->front() == expected;
    };
    const auto ends = index.constant_integers(node->input(2));
    // An end of 2^31 - 1 or 2^63 - 1 is how exporters write "all of them".
    if (!input_is(1, 0) || !input_is(3, 0) || !input_is(4, 1) || !ends || ends->size() != 1 || ends->front() < 1 ||
        ends->front() >= std::numeric_limits<std::int32_t>::max()) {
        return {};
    }
    return {node, ends->front()};
}

row_cut cut_of_gather(const graph_index& index, const onnx::NodeProto& node)
{
    return is(&node, {"Gather", "GatherND", "GatherElements"}) && node.input_size() > 1 ? as_cut(index, node.input(1))
                                                                                        : row_cut();
}

// What a value depends on through `node`; not through its shape alone.
std::vector<std::string_view> dependencies(const onnx::NodeProto& node)
{
    return is(&node, {"Shape", "Size"}) ? std::vector<std::string_view>() : values_read(node);
}

// Whether `indices` come from a NonZero, as a boolean selection is written: each row is picked once at most.
bool is_selection(const graph_index& index, std::string_view indices)
{
    const auto* node = producer_behind(
        index, indices,
        {"Identity", "Cast", "Transpose", "Squeeze", "Unsqueeze", "Reshape", "Flatten", "Gather", "Split"}, 7);
    return is(node, {"NonZero"});
}

// The inputs of a node through which rows of scores pass, whole or chosen.
std::vector<std::string_view> data_inputs(const onnx::NodeProto& node)
{
    if (node.op_type() == "Concat") {
        return {node.input().begin(), node.input().end()};
    }
    if (node.input_size() > 0 &&
        is(&node, {"Gather", "GatherND", "GatherElements", "TopK", "Reshape", "Flatten", "Identity", "Cast", "Squeeze",
                   "Unsqueeze", "Slice", "Split", "Transpose", "Compress"})) {
        return {node.input(0)};
    }
    return {};
}

} // namespace

row_bound bound_of(const graph_index& index, const std::string& value)
{
    row_bound bound;
    const auto lower = [&](const row_cut& cut) {
        if (!bound.limit || cut.rows < bound.limit->rows) {
            bound.limit = row_limit{cut.rows, describe(*cut.node)};
        }
    };
    std::string_view at = value;
    for (int steps = 0; steps < 64; ++steps) { // wrappers add a few nodes; the bound is for graphs that go in a circle
        const auto* node = index.producer(at);
        if (node == nullptr || node->input_size() == 0) {
            break;
        }
        if (is(node, {"Gather", "GatherND"})) {
            const auto cut = cut_of_gather(index, *node);
            if (cut.node != nullptr && integer_attribute(*node, "axis", 0) == 0) {
                bound.cut = cut.node;
                lower(cut);
                break;
            }
            if (node->input_size() < 2 || !is_selection(index, node->input(1))) {
                break;
            }
        } else if (node->op_type() == "Slice") {
            if (const auto cut = as_cut(index, at); cut.node != nullptr) {
                lower(cut);
            }
        } else if (!is(node, {"Identity", "Cast", "Clip", "Compress"})) {
            break;
        }
        at = node->input(0);
    }
    return bound;
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

std::set<const onnx::NodeProto*> all_cuts(const graph_index& index, const std::string& value)
{
    std::set<const onnx::NodeProto*> cuts;
    walk_up(index, value, [&](const onnx::NodeProto& node) {
        if (const auto cut = cut_of_gather(index, node); cut.node != nullptr) {
            cuts.insert(cut.node);
        }
        return dependencies(node);
    });
    return cuts;
}

std::optional<score_threshold> find_threshold(const graph_index& index, const std::string& scores)
{
    std::optional<score_threshold> threshold;
    walk_up(index, scores, [&](const onnx::NodeProto& node) -> std::vector<std::string_view> {
        if (threshold) {
            return {};
        }
        auto data = data_inputs(node);
        for (const auto value : data) {
            for (const auto* reader : index.readers(value)) {
                if (!is(reader, {"Greater", "GreaterOrEqual"}) || reader->input_size() != 2 ||
                    reader->input(0) != value) {
                    continue;
                }
                if (const auto number = index.constant_number(reader->input(1)); number && !threshold) {
                    threshold = score_threshold{*number, describe(*reader)};
                }
            }
        }
        return data;
    });
    return threshold;
}

std::string family_of(const graph_index& index, const std::string& scores, const std::vector<field>& fields)
{
    bool roi_align = false;
    bool softmax = false;
    bool depthwise = false;
    bool sigmoid = false;
    walk_up(index, scores, [&](const onnx::NodeProto& node) {
        roi_align = roi_align || node.op_type() == "RoiAlign";
        softmax = softmax || node.op_type() == "Softmax";
        sigmoid = sigmoid || node.op_type() == "Sigmoid";
        depthwise = depthwise || (node.op_type() == "Conv" && integer_attribute(node, "group", 1) > 1);
        return values_read(node);
    });
    const auto has = [&](field f) { return std::find(fields.begin(), fields.end(), f) != fields.end(); };
    if (roi_align) {
        return has(field::masks) ? "Mask R-CNN" : has(field::keypoints) ? "Keypoint R-CNN" : "Faster R-CNN";
    }
    if (softmax) {
        return depthwise ? "SSDlite320" : "SSD300";
    }
    if (!sigmoid) {
        return "";
    }
    // Both take the sigmoid of their logits. FCOS then takes the root of class score times centre-ness.
    bool root = false;
    walk_up(index, scores, [&](const onnx::NodeProto& node) -> std::vector<std::string_view> {
        root = root || node.op_type() == "Sqrt";
        return node.op_type() == "Sigmoid" ? std::vector<std::string_view>() : values_read(node);
    });
    return root ? "FCOS" : "RetinaNet";
}

std::optional<std::pair<std::int64_t, std::int64_t>> declared_image_size(const graph_index& index)
{
    std::pair<std::int64_t, std::int64_t> size{0, 0};
    for (const auto* input : index.required_inputs()) {
        const auto shape = declared_type(*input).shape;
        if (shape.size() < 3 || !shape[shape.size() - 2].size || !shape.back().size) {
            return std::nullopt;
        }
        size.first = std::max(size.first, *shape[shape.size() - 2].size);
        size.second = std::max(size.second, *shape.back().size);
    }
    return size.first > 0 ? std::optional(size) : std::nullopt;
}

bool has_one_channel(const graph_index& index, const std::string& masks)
{
    const auto* node = origin(index, masks);
    if (node == nullptr || node->op_type() != "Unsqueeze") {
        return false;
    }
    if (const auto* axes = attribute(*node, "axes")) {
        return axes->ints_size() == 1 && axes->ints(0) == 1;
    }
    const auto axes = node->input_size() > 1 ? index.constant_integers(node->input(1)) : std::nullopt;
    return axes && *axes == std::vector<std::int64_t>{1};
}

} // namespace padbatch::onnx_tools
