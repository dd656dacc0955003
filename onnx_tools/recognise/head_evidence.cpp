// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/head_evidence.hpp>

#include <onnx_tools/recognise/walk.hpp>

#include <initializer_list>
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
        computed = computed || is(&node, {"Mul", "Add", "Sub", "Exp", "Pow", "Div", "ScatterND"});
        unknown = unknown || !(layer || computed);
        return std::vector<std::string_view>();
    });
    return computed ? std::optional(true) : layer && !unknown ? std::optional(false) : std::nullopt;
}

std::optional<score_activation> activation_of(const graph_index& index, std::string_view scores)
{
    const auto* node = producer_behind(
        index, scores, {"Identity", "Cast", "Transpose", "Reshape", "Flatten", "Squeeze", "Unsqueeze"}, 16);
    return is(node, {"Sigmoid"})   ? std::optional(score_activation::sigmoid)
           : is(node, {"Softmax"}) ? std::optional(score_activation::softmax)
                                   : std::nullopt;
}

bool is_anchor_count(std::int64_t anchors, const image_extents& image)
{
    for (const auto& strides : std::initializer_list<std::vector<std::int64_t>>{
             {8, 16, 32}, {8, 16, 32, 64}, {4, 8, 16, 32}, {16, 32}, {8, 16, 32, 64, 128}}) {
        std::int64_t cells = 0;
        for (const auto stride : strides) {
            cells += (image.first / stride) * (image.second / stride);
        }
        if (cells > 0 && (anchors == cells || anchors == 3 * cells)) {
            return true;
        }
    }
    return false;
}

} // namespace padbatch::onnx_tools
