// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/cli/tables.hpp>

#include <onnx_tools/model/wording.hpp>

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

namespace padbatch::onnx_tools::cli {
namespace {

table_row row_of(const onnx::ValueInfoProto& info)
{
    constexpr std::size_t widest = 40; // symbols that exporters make up can be of any length
    const auto type = declared_type(info);
    std::string shape = type.rank ? text_of_shape(type.shape) : "any shape";
    if (shape.size() > widest) {
        auto without_symbols = type.shape;
        for (auto& extent : without_symbols) {
            extent.symbol.clear();
        }
        shape = text_of_shape(without_symbols);
    }
    const int number = info.type().tensor_type().elem_type();
    return {shown(info.name()), type.element ? std::string(name_of(*type.element)) : onnx_type_name(number),
            std::move(shape), ""};
}

// For a batch of any size, the total is that of one image.
std::string text_of_size(const output_bytes& bytes, const std::vector<dimension>& shape)
{
    std::string text = text_of_bytes(bytes.known);
    for (const auto& factor : bytes.factors) {
        text += " x " + shown(factor);
    }
    const bool any_batch = !shape.front().size;
    const bool says_more = bytes.total && bytes.factors.size() > (any_batch ? 1U : 0U);
    return says_more ? text + " = " + text_of_bytes(*bytes.total) + (any_batch ? " per image" : "") : text;
}

} // namespace

std::string table(const std::vector<table_row>& rows)
{
    std::size_t name = 0;
    std::size_t type = 0;
    std::size_t shape = 0;
    for (const auto& row : rows) {
        name = std::max(name, row.name.size());
        type = std::max(type, row.type.size());
        shape = std::max(shape, row.shape.size());
    }
    const auto column = [](const std::string& text, std::size_t width) {
        return text + std::string(width + 2 - text.size(), ' ');
    };
    std::string text;
    for (const auto& row : rows) {
        std::string line =
            "  " + column(row.name, name) + column(row.type, type) + column(row.shape, shape) + row.bytes;
        line.erase(line.find_last_not_of(' ') + 1);
        text += line + "\n";
    }
    return text;
}

std::vector<table_row> declared_rows(const value_infos& outputs)
{
    std::vector<table_row> rows;
    for (const auto& info : outputs) {
        rows.push_back(row_of(info));
    }
    return rows;
}

std::vector<table_row> planned_rows(const onnx::ModelProto& model, const pad_plan& p)
{
    std::vector<table_row> rows;
    if (p.count) {
        rows.push_back({shown(p.count->name), std::string(name_of(p.count->element)), text_of_shape(p.count->shape),
                        text_of_size(p.count->bytes, p.count->shape)});
    }
    for (const auto& output : p.outputs) {
        rows.push_back({shown(output.name), std::string(name_of(output.element)), text_of_shape(output.shape),
                        text_of_size(output.bytes, output.shape)});
    }
    for (const auto& other : p.others) {
        rows.push_back({shown(other.name), std::string(name_of(other.element)), text_of_shape(other.shape), ""});
    }
    if (p.how == batching::loop) {
        return rows;
    }
    for (const auto& name : p.source.other_outputs) {
        for (const auto& info : model.graph().output()) {
            if (info.name() == name) {
                rows.push_back(row_of(info));
            }
        }
    }
    return rows;
}

std::string text_of_bytes(std::int64_t bytes)
{
    if (bytes < 10'000) {
        return std::to_string(bytes) + " B";
    }
    double size = static_cast<double>(bytes) / 1024;
    for (const char* unit : {"KiB", "MiB", "GiB", "TiB"}) {
        if (size < 1000) {
            std::array<char, 32> text{};
            std::snprintf(text.data(), text.size(), "%.1f %s", size, unit); // NOLINT(cppcoreguidelines-pro-type-vararg)
            return text.data();
        }
        size /= 1024;
    }
    return text_of_number(size) + " PiB";
}

} // namespace padbatch::onnx_tools::cli
