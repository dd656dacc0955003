// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/pad/image_rows.hpp>

#include <algorithm>
#include <numeric>
#include <utility>

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
    const std::int64_t height = rows.image_rank - (rows.channels_last ? 3 : 2);
    const auto size = nodes.extents(at + "/image", rows.image, {height, height + 1, height, height + 1});
    return nodes.add("Div", at + "/normalised", {swapped, nodes.cast(at + "/image/cast", size, *f.from)});
}

bool all_known(const std::vector<dimension>& extents)
{
    return std::all_of(extents.begin(), extents.end(), [](const dimension& extent) { return extent.size.has_value(); });
}

// How many rows are kept, a one-dimensional tensor of one element.
std::string kept_rows(node_writer& nodes, const pad_plan& p)
{
    return p.chosen.most_rows.empty() ? nodes.integers({*p.max_detections}) : p.chosen.most_rows;
}

// `keys`, or such as leave rows where they are if callers choose as many as the model gives: none are cut off then.
std::string keys_unless_all(node_writer& nodes, const pad_plan& p, const std::string& at, const std::string& keys,
                            element_type type)
{
    const auto limit = limit_of(p);
    if (p.chosen.most_rows.empty() || !limit || most_rows(p).value_or(*limit) < *limit) {
        return keys;
    }
    const auto places =
        nodes.add("Range", at + "/places", {nodes.integer(0), nodes.extent(at + "/places", keys, 0), nodes.integer(1)});
    const auto in_place = nodes.add("Neg", at + "/in_place", {nodes.cast(at + "/places/cast", places, type)});
    const auto some = nodes.add("Less", at + "/some", {p.chosen.most_rows, nodes.integers({*limit})});
    return nodes.add("Where", at + "/keys", {some, keys, in_place});
}

// Keeps the M rows with the highest scores, the best first; among equal scores TopK takes those that come first.
void keep_best(node_writer& nodes, const pad_plan& p, std::size_t scores, row_values& rows)
{
    const std::string at = "best" + rows.where;
    const auto most = kept_rows(nodes, p);
    const auto count = nodes.extents(at, rows.fields[scores], {0});
    const auto fewer = nodes.add("Less", at + "/fewer", {count, most}); // Min takes no integers in opset 11
    const auto kept = nodes.add("Where", at + "/count", {fewer, count, most});
    const auto type = p.fields[scores].from == element_type::float64 ? element_type::float64 : element_type::float32;
    const auto keys =
        keys_unless_all(nodes, p, at, sortable(nodes, at + "/scores", p.fields[scores], rows.fields[scores]), type);
    const auto order = nodes.best(at + "/order", keys, kept);
    for (std::size_t i = 0; i < rows.fields.size(); ++i) {
        rows.fields[i] = nodes.gather(name(p.fields[i], rows) + "/best", rows.fields[i], order, 0);
    }
}

} // namespace

std::string sortable(node_writer& nodes, const std::string& name, const planned_field& scores, const std::string& value)
{
    return scores.from == element_type::float16 ? nodes.cast(name, value, element_type::float32) : value;
}

void require_equal_counts(node_writer& nodes, const pad_plan& p, row_values& rows)
{
    if (rows.fields.size() == 1) {
        return;
    }
    // A column of as many elements as each field has rows, side by side: only columns of one length can be joined.
    const std::string at = "count" + rows.where + "/equal";
    onnx::TensorProto nothing;
    nothing.set_data_type(onnx::TensorProto::FLOAT);
    nothing.add_dims(1);
    nothing.add_float_data(0.0F);
    std::vector<std::string> columns;
    for (std::size_t i = 0; i < rows.fields.size(); ++i) {
        const auto field = at + "/" + std::string(name_of(p.fields[i].kind));
        const auto count = nodes.extents(field, rows.fields[i], {0});
        columns.push_back(
            nodes.filled(field + "/column", nodes.concat(field + "/shape", {count, nodes.integers({1})}, 0), nothing));
    }
    // The field by which rows are counted takes part, so that this is not left out.
    const auto count = nodes.extents(at, nodes.concat(at + "/columns", columns, 1), {0});
    const auto counted = counted_field(p);
    const auto value = rows.fields[counted];
    std::vector<std::int64_t> axes(p.fields[counted].row.size() + (p.fields[counted].squeezed ? 1 : 0));
    std::iota(axes.begin(), axes.end(), 1);
    const auto shape =
        axes.empty() ? count : nodes.concat(at + "/shape", {count, nodes.extents(at + "/row", value, axes)}, 0);
    rows.fields[counted] = nodes.add("Reshape", name(p.fields[counted], rows) + "/counted", {value, shape});
}

std::string places_of_classes(node_writer& nodes, const class_choice& chosen, const std::string& labels,
                              const std::string& at)
{
    const auto integers = nodes.cast(at + "/labels", labels, element_type::int64);
    std::string any;
    for (const auto label : chosen.labels) {
        const auto equal = nodes.add("Equal", at + "/is_" + std::to_string(label), {integers, nodes.integer(label)});
        any = any.empty() ? equal : nodes.add("Or", at + "/or_" + std::to_string(label), {any, equal});
    }
    const auto kept = chosen.dropped ? nodes.add("Not", at + "/others", {any}) : any;
    return nodes.squeeze(at + "/kept", nodes.add("NonZero", at + "/places", {kept}), 0);
}

std::string places_of_high_scores(node_writer& nodes, const pad_plan& p, const std::string& scores,
                                  const std::string& at)
{
    std::string high;
    if (p.chosen.lowest_score.empty()) {
        high = nodes.add("Greater", at + "/high_enough", {scores, nodes.constant(at + "/bound", *p.score_above)});
    } else {
        const auto keys = sortable(nodes, at + "/scores", p.fields[place_of(p, field::scores).value()], scores);
        const auto above = nodes.add("Greater", at + "/higher", {keys, p.chosen.next_lower});
        const auto equal = nodes.add("Equal", at + "/equal", {keys, p.chosen.lowest_score});
        const auto either = nodes.add("Or", at + "/either", {above, equal});
        high = nodes.add("Or", at + "/high_enough", {either, p.chosen.any_score});
    }
    return nodes.squeeze(at + "/kept", nodes.add("NonZero", at + "/places", {high}), 0);
}

void drop_classes(node_writer& nodes, const pad_plan& p, row_values& rows)
{
    if (!p.classes || p.classes_at_cuts || p.classes_in_head) {
        return;
    }
    const std::string at = "classes" + rows.where;
    const auto kept = places_of_classes(nodes, *p.classes, rows.fields[place_of(p, field::labels).value()], at);
    for (std::size_t i = 0; i < rows.fields.size(); ++i) {
        rows.fields[i] = nodes.gather(name(p.fields[i], rows) + "/of_classes", rows.fields[i], kept, 0);
    }
    for (auto& value : rows.more) {
        value = nodes.gather(at + "/of_classes", value, kept, 0);
    }
}

void drop_low_scores(node_writer& nodes, const pad_plan& p, row_values& rows)
{
    if ((!p.score_above && p.chosen.lowest_score.empty()) || p.scores_at_cuts || p.scores_in_head) {
        return;
    }
    const auto scores = rows.fields[place_of(p, field::scores).value()];
    const std::string at = "min_score" + rows.where;
    const auto kept = places_of_high_scores(nodes, p, scores, at);
    for (std::size_t i = 0; i < rows.fields.size(); ++i) {
        rows.fields[i] = nodes.gather(name(p.fields[i], rows) + "/high_scores", rows.fields[i], kept, 0);
    }
    for (auto& value : rows.more) {
        value = nodes.gather(at + "/high_scores", value, kept, 0);
    }
}

void cut_rows(node_writer& nodes, const pad_plan& p, row_values& rows)
{
    if (!cuts_rows_at_end(p)) {
        return;
    }
    if (const auto scores = place_of(p, field::scores); scores && !p.source.best_first) {
        keep_best(nodes, p, *scores, rows);
        return;
    }
    for (std::size_t i = 0; i < rows.fields.size(); ++i) {
        rows.fields[i] = nodes.first(name(p.fields[i], rows) + "/first_rows", rows.fields[i], kept_rows(nodes, p), 0);
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

std::string padded_shape(node_writer& nodes, const planned_field& f, std::vector<std::int64_t> front,
                         const std::string& row)
{
    if (!all_known(f.row)) {
        return nodes.concat(std::string(name_of(f.kind)) + "/padded_shape", {nodes.integers(front), row}, 0);
    }
    for (const auto& extent : f.row) {
        front.push_back(*extent.size);
    }
    return nodes.integers(front);
}

} // namespace padbatch::onnx_tools
