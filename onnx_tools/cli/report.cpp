// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/cli/report.hpp>

#include <onnx_tools/model/wording.hpp>
#include <onnx_tools/recognise/head_kind.hpp>

namespace padbatch::onnx_tools::cli {

std::string headline(const detections& source)
{
    const std::string family = source.family.empty() ? "detections of an unknown family" : source.family;
    if (source.form == export_kind::padded) {
        return family + ", rows that are padded already";
    }
    if (source.head) {
        return "a raw head, " + std::string(name_of(*source.head));
    }
    if (source.flat) {
        return family + ", the rows of all images in one list";
    }
    const std::string text = family + ", " + count_of(source.batch, "image");
    return source.batch == 1
               ? text
               : text + ", outputs " + (source.order == output_order::by_image ? "image by image" : "field by field");
}

std::string before_and_after(const std::string& file, const std::vector<table_row>& before, const pad_plan& p,
                             const std::vector<table_row>& after)
{
    std::string inputs;
    if (p.how == batching::loop && p.source.image_inputs.size() + p.source.shared_inputs.size() > 1) {
        inputs = "inputs of each image: " +
                 joined(p.source.image_inputs, ", ", [](const auto& input) { return quoted(input.name); }) +
                 (p.source.shared_inputs.empty()
                      ? "\n"
                      : "; all images share " + joined(p.source.shared_inputs, ", ", quoted) + "\n");
    }
    return shown(file) + ": " + headline(p.source) + "\nbefore\n" + table(before) + "after\n" + table(after) + inputs;
}

std::string size_warnings(const pad_plan& p)
{
    constexpr std::int64_t gib = std::int64_t{1} << 30;
    std::string text;
    for (const auto& output : p.outputs) {
        if (output.bytes.total && *output.bytes.total > 2 * gib) {
            const bool any_batch = !output.shape.front().size;
            const bool any_size = output.bytes.factors.size() > (any_batch ? 1U : 0U);
            text += "warning: the output " + quoted(output.name) + " has " + text_of_bytes(*output.bytes.total) +
                    (any_batch ? " per image" : "") + (any_size ? " at the size that the inputs declare" : "") +
                    ";\n  a smaller --max-detections N, or --max-detections batch, makes it smaller\n";
        }
    }
    return text;
}

std::string limit_warning(const pad_plan& p)
{
    const auto& limit = p.source.limit;
    if (p.new_limit || !limit || !p.max_detections || *p.max_detections <= limit->rows) {
        return "";
    }
    return "warning: the model gives at most " + count_of(limit->rows, "row") + " of each image, and that stays (" +
           p.source.limit_stays + "): the rows from " + std::to_string(limit->rows) + " on are always padding\n";
}

} // namespace padbatch::onnx_tools::cli
