// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/pad/image_rows.hpp>

namespace padbatch::onnx_tools {
namespace {

std::string name(const planned_field& f, const row_values& rows)
{
    return std::string(name_of(f.kind)) + rows.where;
}

// The field with the smallest rows, by which rows are counted.
std::size_t counted_field(const pad_plan& p)
{
    return place_of(p, field::scores).value_or(0);
}

// Boxes x1, y1, x2, y2 in pixels become y1, x1, y2, x2 in heights and widths of the image.
std::string normalised(node_writer& nodes, const planned_field& f, const row_values& rows, const std::string& value)
{
    const auto at = name(f, rows);
    const auto swapped = nodes.gather(at + "/yxyx", value, nodes.integers({1, 0, 3, 2}), 1);
    const std::int64_t height = rows.image_rank - 2;
    const auto size = nodes.extents(at + "/image", rows.image, {height, height + 1, height, height + 1});
    return nodes.add("Div", at + "/normalised", {swapped, nodes.cast(at + "/image/cast", size, *f.from)});
}

} // namespace

bool all_known(const std::vector<dimension>& extents)
{
    for (const auto& extent : extents) {
        if (!extent.size) {
            return false;
        }
    }
    return true;
}

void drop_low_scores(node_writer& nodes, const pad_plan& p, row_values& rows)
{
    if (!p.score_above) {
        return;
    }
    const auto scores = rows.fields[place_of(p, field::scores).value()];
    const std::string at = "min_score" + rows.where;
    const auto bound = nodes.constant(at + "/bound", *p.score_above);
    const auto high = nodes.add("Greater", at + "/high_enough", {scores, bound});
    const auto kept = nodes.squeeze(at + "/kept", nodes.add("NonZero", at + "/places", {high}), 0);
    for (std::size_t i = 0; i < rows.fields.size(); ++i) {
        rows.fields[i] = nodes.gather(name(p.fields[i], rows) + "/high_scores", rows.fields[i], kept, 0);
    }
    for (auto& value : rows.more) {
        value = nodes.gather(at + "/high_scores", value, kept, 0);
    }
}

void cut_rows(node_writer& nodes, const pad_plan& p, row_values& rows)
{
    if (!p.cuts_rows) {
        return;
    }
    for (std::size_t i = 0; i < rows.fields.size(); ++i) {
        rows.fields[i] = nodes.first(name(p.fields[i], rows) + "/first_rows", rows.fields[i],
                                     nodes.integers({*p.max_detections}), 0);
    }
}

void convert_rows(node_writer& nodes, const pad_plan& p, row_values& rows)
{
    for (std::size_t i = 0; i < rows.fields.size(); ++i) {
        const auto& f = p.fields[i];
        auto& value = rows.fields[i];
        if (f.above) {
            const auto bound = nodes.constant(name(f, rows) + "/threshold", *f.above);
            value = nodes.add("Greater", name(f, rows) + "/above_threshold", {value, bound});
        }
        if (f.normalised) {
            value = normalised(nodes, f, rows, value);
        }
        if (f.from != f.element) {
            value = nodes.cast(name(f, rows) + "/cast", value, f.element);
        }
        if (f.squeezed) {
            value = nodes.squeeze(name(f, rows) + "/squeezed", value, 1);
        }
    }
}

std::string row_count(node_writer& nodes, const pad_plan& p, const row_values& rows)
{
    return nodes.extents("count" + rows.where, rows.fields[counted_field(p)], {0});
}

std::string scalar_row_count(node_writer& nodes, const pad_plan& p, const row_values& rows)
{
    return nodes.extent("count" + rows.where, rows.fields[counted_field(p)], 0);
}

std::string row_extents(node_writer& nodes, const planned_field& f, const std::string& value)
{
    if (f.row.empty()) {
        return "";
    }
    std::vector<std::int64_t> extents;
    std::vector<std::int64_t> axes;
    for (std::size_t d = 0; d < f.row.size(); ++d) {
        extents.push_back(f.row[d].size.value_or(0));
        axes.push_back(static_cast<std::int64_t>(d) + 1);
    }
    return all_known(f.row) ? nodes.integers(extents)
                            : nodes.extents(std::string(name_of(f.kind)) + "/row", value, axes);
}

std::string padding_rows(node_writer& nodes, const planned_field& f, const std::string& missing, const std::string& row,
                         const std::string& where)
{
    const std::string at = std::string(name_of(f.kind)) + where;
    const auto shape = row.empty() ? missing : nodes.concat(at + "/padding_shape", {missing, row}, 0);
    return nodes.filled(at + "/padding", shape, f.pad_value);
}

} // namespace padbatch::onnx_tools
