// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/cli/inspect_json.hpp>

#include <onnx_tools/cli/describe.hpp>
#include <onnx_tools/recognise/flat_columns.hpp>
#include <onnx_tools/recognise/head_kind.hpp>
#include <onnx_tools/utf8.hpp>
#include <padbatch/contract.hpp>
#include <padbatch/version.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace padbatch::onnx_tools::cli {
namespace {

using json = nlohmann::ordered_json;

constexpr int schema = 1;

json extent_of(const dimension& extent)
{
    return extent.size ? json(*extent.size) : extent.symbol.empty() ? json() : json(extent.symbol);
}

json extents(const std::vector<dimension>& shape)
{
    json list = json::array();
    for (const auto& extent : shape) {
        list.push_back(extent_of(extent));
    }
    return list;
}

json total(const output_bytes& bytes)
{
    return bytes.total ? json(*bytes.total) : json();
}

json number_or_null(const std::optional<double>& number)
{
    return number ? json(*number) : json();
}

json declared(const value_infos& outputs)
{
    json list = json::array();
    for (const auto& info : outputs) {
        const auto type = declared_type(info);
        list.push_back({{"name", info.name()},
                        {"type", type.element ? std::string(name_of(*type.element))
                                              : onnx_type_name(info.type().tensor_type().elem_type())},
                        {"shape", type.rank ? extents(type.shape) : json()}});
    }
    return list;
}

json images_of(const detections& d)
{
    json images = json::array();
    for (std::size_t image = 0; image < static_cast<std::size_t>(d.batch); ++image) {
        json fields = json::object();
        for (const auto& f : d.fields) {
            fields[std::string(name_of(f.kind))] = f.values[image];
        }
        images.push_back(std::move(fields));
    }
    return images;
}

json list_of_rows(const flat_source& flat)
{
    json columns = json::array();
    for (const auto column : flat.columns) {
        columns.push_back(name_of(column));
    }
    const auto name = [](const std::string& value) { return value.empty() ? json() : json(value); };
    json others = json::object();
    for (const auto& [kind, value] : flat.row_fields) {
        others[std::string(name_of(kind))] = value;
    }
    return {{"rows", flat.rows},
            {"columns", std::move(columns)},
            {"batch_index", name(flat.batch_index)},
            {"row_labels", name(flat.row_labels)},
            {"row_scores", name(flat.row_scores)},
            {"row_fields", std::move(others)},
            {"boxes", name(flat.boxes)},
            {"scores", name(flat.scores)},
            {"batch_input", flat.batch_input}};
}

json outputs_of(const pad_plan& p)
{
    json outputs = json::array();
    if (p.count) {
        outputs.push_back({{"name", p.count->name},
                           {"field", contract::default_count_name},
                           {"fields", {contract::default_count_name}},
                           {"type", name_of(p.count->element)},
                           {"shape", extents(p.count->shape)},
                           {"bytes", total(p.count->bytes)}});
    }
    for (const auto& output : p.outputs) {
        json fields = json::array();
        json pad_values = json::array();
        for (const auto i : output.fields) {
            fields.push_back(name_of(p.fields[i].kind));
            pad_values.push_back(onnx_tools::text_of(p.fields[i].padding));
        }
        outputs.push_back({{"name", output.name},
                           {"field", fields.front()},
                           {"fields", fields},
                           {"type", name_of(output.element)},
                           {"shape", extents(output.shape)},
                           {"pad_value", pad_values.front()},
                           {"pad_values", pad_values},
                           {"bytes", total(output.bytes)}});
    }
    return outputs;
}

json inputs_of(const pad_plan& p)
{
    json inputs = json::array();
    for (const auto& input : p.inputs) {
        json fallback = number_or_null(input.fallback);
        if (input.fallback && input.element == element_type::int32) {
            fallback = static_cast<std::int64_t>(*input.fallback);
        }
        inputs.push_back({{"name", input.name},
                          {"type", name_of(input.element)},
                          {"shape", extents(input.shape)},
                          {"default", std::move(fallback)}});
    }
    return inputs;
}

std::string_view name_of(mask_choice choice)
{
    return choice == mask_choice::full ? "full" : choice == mask_choice::roi ? "roi" : "none";
}

json masks_of(const pad_plan& p)
{
    const auto& fields = p.source.fields;
    const bool any = std::any_of(fields.begin(), fields.end(), [](const auto& f) { return f.kind == field::masks; });
    return any ? json(name_of(p.masks)) : json();
}

json classes_of(const pad_plan& p, bool dropped)
{
    return p.classes && p.classes->dropped == dropped ? json(p.classes->labels) : json();
}

json sources_of(const detections& d)
{
    json sources = json::object();
    if (d.rearranged) {
        for (const auto& [value, source] : d.rearranged->sources) {
            sources[value] = source;
        }
    }
    return sources;
}

json parameters_of(const pad_plan& p)
{
    json list = json::array();
    for (const auto& found : p.source.parameters) {
        const auto set = std::find_if(p.settings.begin(), p.settings.end(),
                                      [&](const auto& setting) { return setting.kind == found.kind; });
        list.push_back({{"name", name_of(found.kind)},
                        {"value", found.value},
                        {"now", set == p.settings.end() ? found.value : set->now},
                        {"places", found.places.size()}});
    }
    return list;
}

json fixed_parameters_of(const detections& d)
{
    json list = json::array();
    for (const auto& fixed : d.fixed_parameters) {
        list.push_back({{"name", name_of(fixed.kind)}, {"why", fixed.why}});
    }
    return list;
}

json limit_json(const pad_plan& p)
{
    const auto& d = p.source;
    if (!d.limit) {
        return {};
    }
    return {{"rows", d.limit->rows},
            {"node", d.limit->node},
            {"model", d.limit->rows},
            {"now", p.new_limit.value_or(d.limit->rows)},
            {"moved", p.new_limit.has_value()},
            {"why_not", d.limit_stays.empty() ? json() : json(d.limit_stays)}};
}

json names_of_image_inputs(const detections& d)
{
    json names = json::array();
    for (const auto& input : d.image_inputs) {
        names.push_back(input.name);
    }
    return names;
}

json beginning(const model_as_it_is& model)
{
    return {{"schema", schema}, {"padbatch", PADBATCH_VERSION}, {"file", model.file}};
}

// Names in a model may hold any bytes. JSON is UTF-8, and a terminal must not obey what it shows.
std::string text_of(const json& document)
{
    return printable_lines(document.dump(2, ' ', false, json::error_handler_t::replace)) + "\n";
}

// Which raw head the outputs are, and what is selected from it.
json head_of(const detections& d)
{
    if (!d.head) {
        return {};
    }
    const auto& how = d.selection;
    return {{"kind", onnx_tools::name_of(*d.head)},
            {"score", how.score ? json(*how.score) : json()},
            {"iou_threshold", how.nms == suppression::none ? json() : json(how.iou_threshold)},
            {"max_detections", how.most},
            {"nms", onnx_tools::name_of(how.nms)},
            {"class_agnostic", how.class_agnostic},
            {"multi_label", how.multi_label}};
}

} // namespace

std::string inspect_json(const model_as_it_is& before, const rewritten_model& after)
{
    const auto& p = after.plan;
    const auto& d = p.source;
    json document = beginning(before);
    document.update({
        {"family", d.family.empty() ? json() : json(d.family)},
        {"batch", d.flat ? json() : json(d.batch)},
        {"order", d.flat ? json() : json(d.order == output_order::by_image ? "image" : "field")},
        {"form", onnx_tools::name_of(d.form)},
        {"evidence", d.evidence.empty() ? json() : json(d.evidence)},
        {"images", images_of(d)},
        {"flat", d.flat ? list_of_rows(*d.flat) : json()},
        {"head", head_of(d)},
        {"sources", sources_of(d)},
        {"declared_outputs", declared(before.outputs)},
        {"other_outputs", d.other_outputs},
        {"limit", limit_json(p)},
        {"score_threshold", d.threshold ? json{{"score", d.threshold->score}, {"node", d.threshold->node}} : json()},
        {"parameters", parameters_of(p)},
        {"fixed_parameters", fixed_parameters_of(d)},
        {"needs_max_detections", after.needs_rows},
        {"max_detections", p.max_detections ? json(*p.max_detections) : json(contract::max_detections_of_batch)},
        {"dynamic_batch", !p.batch.size},
        {"output_batch", extent_of(p.batch)},
        {"layout", p.layout->name},
        {"masks", masks_of(p)},
        {"mask_threshold", number_or_null(p.mask_threshold)},
        {"min_score", number_or_null(p.min_score)},
        {"classes", classes_of(p, false)},
        {"exclude_classes", classes_of(p, true)},
        {"exposed", inputs_of(p)},
        {"per_image_inputs", names_of_image_inputs(d)},
        {"shared_inputs", d.shared_inputs},
        {"outputs", outputs_of(p)},
        {"rewrite",
         {{"cuts_rows", p.cuts_rows},
          {"min_score_at_cut", p.scores_at_cuts},
          {"classes_at_cut", p.classes_at_cuts},
          {"widens_masks", p.widens_masks},
          {"steps", describe(p)}}},
        {"serving_warnings", {{"as_it_is", before.serving_warnings}, {"result", after.serving_warnings}}},
    });
    return text_of(document);
}

std::string inspect_json(const model_as_it_is& model, const std::string& why)
{
    json document = beginning(model);
    document.update({
        {"error", why},
        {"declared_outputs", declared(model.outputs)},
        {"serving_warnings", {{"as_it_is", model.serving_warnings}}},
    });
    return text_of(document);
}

} // namespace padbatch::onnx_tools::cli
