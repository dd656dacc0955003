// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/undecided.hpp>

#include <onnx_tools/model/wording.hpp>
#include <onnx_tools/recognise/box_format.hpp>
#include <onnx_tools/recognise/flat_columns.hpp>
#include <onnx_tools/recognise/head_kind.hpp>

#include <cstdint>
#include <string_view>
#include <utility>

namespace padbatch::onnx_tools {
namespace {

// A name as it can be typed: in quotes where a shell would not leave it alone.
std::string typed(const std::string& name)
{
    const bool plain = !name.empty() && name.front() != '-' &&
                       name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:-") ==
                           std::string::npos;
    return plain ? name : "'" + name + "'";
}

std::string remedy_of(const problem& p, const std::vector<recognise_options>& sayings, const std::string& or_else)
{
    const auto ways = joined(sayings, ", or ", [](const recognise_options& said) { return text_of(said); });
    return p.remedy + (ways.empty() ? "" : ": " + ways) + or_else;
}

} // namespace

std::string text_of(const recognise_options& said)
{
    std::string text;
    const auto add = [&](std::string_view option, const std::string& value) {
        text += (text.empty() ? "`" : " `") + std::string(option) + "`" + (value.empty() ? "" : " ") + value;
    };
    if (said.fields) {
        add("fields", list_of(*said.fields, ","));
    }
    if (said.batch) {
        add("batch", std::to_string(*said.batch));
    }
    if (said.columns) {
        add("columns", joined(*said.columns, ",", [](flat_column column) { return name_of(column); }));
    }
    if (said.boxes) {
        add("box_format", std::string(name_of(*said.boxes)));
    }
    if (said.batch_index) {
        add("batch_index", typed(*said.batch_index));
    }
    if (said.count_output) {
        add("count_output", typed(*said.count_output));
    }
    const auto& head = said.head;
    if (head.kind) {
        add("head", std::string(name_of(*head.kind)));
    }
    if (head.class_count) {
        add("num_classes", std::to_string(*head.class_count));
    }
    if (head.keypoints) {
        add("keypoints", std::to_string(head.keypoints->first) + "x" + std::to_string(head.keypoints->second));
    }
    if (head.strides) {
        add("strides", head.strides->empty() ? "none" : joined(*head.strides, ",", [](std::int64_t stride) {
                return std::to_string(stride);
            }));
    }
    if (head.activation) {
        add("scores", std::string(name_of(*head.activation)));
    }
    return text;
}

recognise_options with(recognise_options options, const recognise_options& said)
{
    const auto take = [](auto& to, const auto& from) {
        if (from) {
            to = from;
        }
    };
    take(options.fields, said.fields);
    take(options.batch, said.batch);
    take(options.columns, said.columns);
    take(options.boxes, said.boxes);
    take(options.batch_index, said.batch_index);
    take(options.count_output, said.count_output);
    take(options.head.kind, said.head.kind);
    take(options.head.class_count, said.head.class_count);
    take(options.head.keypoints, said.head.keypoints);
    take(options.head.strides, said.head.strides);
    take(options.head.activation, said.head.activation);
    return options;
}

undecided::undecided(const problem& p, std::vector<recognise_options> sayings, std::string or_else)
    : tool_error(failure::refused, {p.found, p.expected, remedy_of(p, sayings, or_else)}),
      m_told(std::make_shared<const told>(told{p.remedy, std::move(sayings), std::move(or_else)}))
{
}

} // namespace padbatch::onnx_tools
