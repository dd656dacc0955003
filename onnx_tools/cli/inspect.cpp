// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/cli/inspect.hpp>

#include <onnx_tools/cli/describe.hpp>
#include <onnx_tools/cli/report.hpp>
#include <onnx_tools/model/wording.hpp>
#include <onnx_tools/recognise/flat_columns.hpp>
#include <onnx_tools/utf8.hpp>

#include <string>
#include <utility>
#include <vector>

namespace padbatch::onnx_tools::cli {
namespace {

// The model's own output, or what a value was made from.
std::string source_of(const detections& d, const std::string& value)
{
    if (d.rearranged) {
        const auto found = d.rearranged->sources.find(value);
        if (found != d.rearranged->sources.end()) {
            return printable(found->second);
        }
    }
    return quoted(value);
}

std::vector<table_row> rows_of_images(const detections& d)
{
    std::vector<table_row> rows;
    for (std::size_t image = 0; image < static_cast<std::size_t>(d.batch); ++image) {
        for (const auto& f : d.fields) {
            rows.push_back(
                {"image " + std::to_string(image), std::string(name_of(f.kind)), source_of(d, f.values[image]), ""});
        }
    }
    return rows;
}

std::vector<table_row> rows_of_list(const detections& d)
{
    const auto& flat = *d.flat;
    const auto columns = joined(flat.columns, ", ", [](flat_column column) { return name_of(column); });
    if (flat.boxes.empty()) {
        std::vector<table_row> rows{{"rows", source_of(d, flat.rows), "", ""}, {"columns", columns, "", ""}};
        for (const auto& [name, list] :
             {std::pair("labels", &flat.row_labels), std::pair("scores", &flat.row_scores)}) {
            if (!list->empty()) {
                rows.push_back({name, source_of(d, *list), "", ""});
            }
        }
        for (const auto& [kind, list] : flat.row_fields) {
            rows.push_back({std::string(name_of(kind)), source_of(d, list), "", ""});
        }
        rows.push_back({"image of each row",
                        flat.batch_index.empty() ? "the column batch" : source_of(d, flat.batch_index), "", ""});
        rows.push_back({"number of images", "that of " + quoted(flat.batch_input), "", ""});
        return rows;
    }
    return {{"selection", source_of(d, flat.rows), "", ""},
            {"boxes", source_of(d, flat.boxes), "", ""},
            {"columns", columns, "", ""},
            {"scores", source_of(d, flat.scores), "", ""},
            {"number of images", "that of " + quoted(flat.batch_input), "", ""}};
}

std::string recognised(const pad_plan& p)
{
    const auto& d = p.source;
    std::string text = table(d.flat ? rows_of_list(d) : rows_of_images(d));
    text += "  form: " + std::string(name_of(d.form)) +
            (d.evidence.empty() ? ", by the types of the outputs\n" : ", since " + d.evidence + "\n");
    for (const auto& name : d.other_outputs) {
        text += "  other output: " + quoted(name) + (p.how == batching::loop ? "\n" : ", kept as it is\n");
    }
    if (d.image_inputs.size() + d.shared_inputs.size() + d.undecided_inputs.size() > 1) {
        for (const auto& input : d.image_inputs) {
            text += "  input of each image: " + quoted(input.name) + "\n";
        }
        for (const auto& name : d.shared_inputs) {
            text += "  input that all images share: " + quoted(name) + "\n";
        }
        for (const auto& name : d.undecided_inputs) {
            text +=
                "  input of each image, or shared: " + quoted(name) + "; --per-image-input or --shared-input says\n";
        }
    }
    text += d.limit ? "  limit: " + count_of(d.limit->rows, "row") + " per image, cut by " + d.limit->node +
                          (d.limit_stays.empty() ? "; --max-detections N changes it" : "; it stays: " + d.limit_stays) +
                          "\n"
                    : "  limit: not found in the graph\n";
    text += d.threshold ? "  score threshold: " + text_of_number(d.threshold->score) + ", compared by " +
                              d.threshold->node + "\n"
                        : "  score threshold: not found in the graph\n";
    for (const auto& found : d.parameters) {
        text += "  --set " + std::string(name_of(found.kind)) + "=: " + text_of_number(found.value) + ", read in " +
                count_of(static_cast<std::int64_t>(found.places.size()), "place") + "\n";
    }
    for (const auto& fixed : d.fixed_parameters) {
        text += "  " + std::string(name_of(fixed.kind)) + " cannot be set: " + fixed.why + "\n";
    }
    return text;
}

// Indented, each warning marked by a dash.
std::string serving(const std::vector<std::string>& warnings)
{
    std::string text;
    for (const auto& warning : warnings) {
        text += "  - ";
        for (const char c : warning) {
            text += c == '\n' ? "\n    " : std::string(1, c);
        }
        text += '\n';
    }
    return text.empty() ? "  nothing to report\n" : text;
}

} // namespace

std::string inspect_text(const model_as_it_is& before, const rewritten_model& after)
{
    const auto& p = after.plan;
    std::string text = shown(before.file) + ": " + headline(p.source) + "\n\nrecognised\n" + recognised(p) +
                       "\nserving the model as it is\n" + serving(before.serving_warnings) + "\npadded outputs\n" +
                       table(after.outputs) + "\nthe rewrite\n";
    for (const auto& line : describe(p)) {
        text += "  " + line + "\n";
    }
    text += "\nserving the result\n" + serving(after.serving_warnings);
    if (after.needs_rows) {
        text += "\nThe limit is not known, so the rewrite needs --max-detections N or --max-detections batch. This "
                "report shows what `batch` would do.\n";
    }
    const std::string warnings = limit_warning(p) + size_warnings(p);
    return warnings.empty() ? text : text + "\n" + warnings;
}

std::string inspect_text(const model_as_it_is& model)
{
    return shown(model.file) + "\n\noutputs\n" + table(declared_rows(model.outputs)) +
           "\nserving the model as it is\n" + serving(model.serving_warnings);
}

} // namespace padbatch::onnx_tools::cli
