// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/thresholds.hpp>

#include <onnx_tools/recognise/walk.hpp>

#include <string_view>
#include <vector>

namespace padbatch::onnx_tools {
namespace {

// The inputs of a node through which rows of scores pass, all of them or a selection.
std::vector<std::string_view> data_inputs(const onnx::NodeProto& node)
{
    if (standard_operator(node) == "Concat") {
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

} // namespace padbatch::onnx_tools
