// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/forms/fields.hpp>

#include <onnx_tools/error.hpp>
#include <onnx_tools/model/wording.hpp>
#include <onnx_tools/recognise/column_origin.hpp>
#include <onnx_tools/recognise/description.hpp>
#include <onnx_tools/recognise/flat_columns.hpp>
#include <onnx_tools/recognise/forms/loose.hpp>
#include <onnx_tools/recognise/graph_outputs.hpp>
#include <onnx_tools/recognise/readings.hpp>
#include <onnx_tools/recognise/refusal.hpp>
#include <onnx_tools/recognise/search.hpp>
#include <onnx_tools/recognise/undecided.hpp>

#include <exception>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace padbatch::onnx_tools {
namespace {

reading read(const graph_outputs& outputs, const recognise_options& options)
{
    auto [possible, incomplete] = search(outputs, options);
    if (possible.empty() && (options.batch || options.order)) {
        refuse_options(outputs, options, read(outputs, {}));
    }
    if (possible.empty() && !incomplete) {
        refuse_unrecognised(outputs);
    }
    if (possible.empty()) {
        refuse_incomplete(outputs, *incomplete);
    }
    if (possible.size() > 1 && possible[0].count() == possible[1].count()) {
        refuse_ambiguous(outputs, possible[0], possible[1]);
    }
    return possible.front();
}

// The user may know what the graph does not show, but not against what it shows.
void require_own_rows(const graph_outputs& outputs, const reading& r)
{
    for (int image = 0; image < r.images; ++image) {
        for (int slot = 0; slot < static_cast<int>(r.fields.size()); ++slot) {
            if (is_misplaced(outputs, r, image, slot)) {
                refuse_misplaced(outputs, r, image, slot);
            }
        }
    }
}

[[noreturn]] void refuse_columns(const onnx::ModelProto& model, const flat_columns& columns)
{
    const graph_index index(model.graph());
    const std::string names = joined(columns, ",", [](flat_column column) { return name_of(column); });
    misused("no outputs of one image fit `columns` " + names + ": " + list_of(typed_outputs(model, index)),
            "one output [n, " + std::to_string(columns.size()) + "] or [1, n, " + std::to_string(columns.size()) +
                "], and outputs [n] or [1, n] with the label and the score if they are not among its columns",
            "correct `columns`; or use `from` flat for rows of all images in one list");
}

// Copies of one image's values are no second image, and the labels or images of rows are neither scores nor part of a
// box, whatever type they have.
void require_own_values(const graph_index& index, const detections& found)
{
    std::map<std::string_view, std::string> all;
    for (const auto& f : found.fields) {
        const int columns = f.kind == field::boxes ? 4 : f.kind == field::scores ? 1 : 0;
        for (const auto& value : f.values) {
            for (int column = 0; column < columns; ++column) {
                const auto from = origin_of_column(index, value, column).kind;
                if (from == column_kind::image || from == column_kind::label) {
                    throw tool_error(failure::refused,
                                     {"the output " + quoted(value) + " would be read as " +
                                          std::string(name_of(f.kind)) + ", but the nodes show that it has " +
                                          (from == column_kind::image ? "the image of each row" : "labels"),
                                      "boxes, labels and scores of each row",
                                      "export the model with these as outputs of their own"});
                }
            }
            const auto [at, is_new] = all.emplace(origin(index, value), value);
            if (!is_new) {
                throw tool_error(
                    failure::refused,
                    {"the outputs " + quoted(at->second) + " and " + quoted(value) + " hold the same values",
                     "values of its own for each field of each image", "export the model without one of them"});
            }
        }
    }
}

// The rows that one NonMaxSuppression selects for a whole batch are not those of one image, unless the user says so.
void require_one_image(const graph_index& index, const detections& found)
{
    const auto* boxes = find_field(found, field::boxes);
    if (boxes == nullptr || boxes->values.size() != 1) {
        return;
    }
    for (const auto* input : index.required_inputs()) {
        const auto type = declared_type(*input);
        const auto* node = type.rank == 4 && !(!type.shape.empty() && type.shape.front().size)
                               ? origin_of_column(index, boxes->values.front(), 0).suppression
                               : nullptr;
        const auto* read = node != nullptr && node->input_size() > 0
                               ? producer_behind(index, node->input(0), {"Identity", "Cast"}, 16)
                               : nullptr;
        const bool of_one = is(read, {"Unsqueeze"}) && axes_of(index, *read) == std::vector<std::int64_t>{0};
        if (node != nullptr && !of_one) {
            throw tool_error(
                failure::refused,
                {"the input " + quoted(input->name()) + " takes any number of images, and " + describe(*node) +
                     " selects from all of them at once: nothing says which image each row belongs to",
                 "the rows of one image; or another output with the image of each row, which is the first column of "
                 "what the node selects",
                 "export the model with that output; or, if it is right for one image only, use `from` fields"});
        }
    }
}

// What has a row for each box, by the symbol that the file gives to the number of rows, is a field or makes the outputs
// something else. Where rows are cut, the nodes say more than that.
void require_no_rows_left(const onnx::GraphProto& graph, const detections& found)
{
    const auto* boxes = find_field(found, field::boxes);
    if (boxes == nullptr || boxes->values.empty() || found.limit) {
        return;
    }
    const auto symbol_of = [&](const std::string& name) -> std::string {
        for (const auto& output : graph.output()) {
            const auto shape = declared_type(output).shape;
            if (output.name() == name && !shape.empty()) {
                return shape.front().symbol;
            }
        }
        return "";
    };
    const auto rows = symbol_of(boxes->values.front());
    for (const auto& other : found.other_outputs) {
        if (!rows.empty() && symbol_of(other) == rows) {
            throw tool_error(failure::refused,
                             {"the output " + quoted(other) + " has as many rows as " + quoted(boxes->values.front()) +
                                  ", which the file calls " + shown(rows) + ", but is no field of an image",
                              "boxes, labels and scores of each image",
                              "export the model without that output; or, if the others are the fields of an image, use "
                              "`from` fields"});
        }
    }
}

// Outputs in torchvision's own shapes.
detections recognise_as_they_are(const onnx::ModelProto& model, const recognise_options& options)
{
    const graph_outputs outputs(model);
    if (outputs.size() == 0) {
        refuse_without_outputs();
    }
    const auto found = options.fields ? read_as_told(outputs.all(), options) : read(outputs, options);
    require_own_rows(outputs, found);
    auto described = describe(outputs, found);
    require_own_values(outputs.index(), described);
    if (options.from == export_kind::automatic && !options.fields) {
        require_one_image(outputs.index(), described);
        require_no_rows_left(model.graph(), described);
    }
    return described;
}

// Nobody has said that these rows are those of one image, all of them detections, and nothing shows it.
[[noreturn]] void refuse_unproven(const loose_outputs& loose)
{
    throw undecided({"nothing shows that each row of the output " + loose.boxes + " is a detection" +
                         (loose.may_be_padded ? ": the last ones may be padding" : " of one image"),
                     "a number of rows that varies, as where a NonMaxSuppression decides it", "say what they are"},
                    {recognise_options()});
}

detections recognise_loose(const onnx::ModelProto& model, const loose_outputs& loose, const recognise_options& options)
{
    const auto copy = rearranged_copy(model, loose.to);
    recognise_options told;
    told.fields = loose.fields;
    told.batch = loose.images;
    told.order = output_order::by_image;
    auto found = recognise_as_they_are(copy, told);
    found.order = loose.order;
    if (!found.limit || !found.limit->at_cut) {
        found.family.clear(); // which goes by more than that only where rows are cut as torchvision's models do
    }
    if (found.evidence.empty()) {
        found.evidence = loose.evidence;
    }
    if (found.evidence.empty() && options.from == export_kind::automatic) {
        refuse_unproven(loose);
    }
    found.rearranged = loose.to;
    return found;
}

} // namespace

detections recognise_fields(const onnx::ModelProto& model, const recognise_options& options)
{
    if (options.columns) {
        if (const auto loose = read_loose(model, options)) {
            return recognise_loose(model, *loose, options);
        }
        refuse_columns(model, *options.columns);
    }
    std::exception_ptr why;
    try {
        return recognise_as_they_are(model, options);
    } catch (const tool_error&) {
        why = std::current_exception();
    }
    if (const auto loose = read_loose(model, options)) {
        return recognise_loose(model, *loose, options);
    }
    std::rethrow_exception(why);
}

} // namespace padbatch::onnx_tools
