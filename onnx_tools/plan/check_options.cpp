// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/plan/check_options.hpp>

#include <onnx_tools/error.hpp>
#include <onnx_tools/model/wording.hpp>
#include <onnx_tools/plan/plan_exposed.hpp>
#include <onnx_tools/plan/threshold.hpp>
#include <padbatch/contract.hpp>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace padbatch::onnx_tools {
namespace {

// The fields that the padded model will have.
std::vector<field> fields_left(const detections& source, const pad_options& options)
{
    std::vector<field> kinds;
    for (const auto& f : source.fields) {
        if (f.kind != field::masks || options.masks != mask_choice::none) {
            kinds.push_back(f.kind);
        }
    }
    return kinds;
}

template <class Value, class Text>
void require_known_fields(const std::vector<field>& fields, const std::map<field, Value>& chosen,
                          const std::string& option, const std::string& also, const Text& text)
{
    for (const auto& [kind, value] : chosen) {
        if (std::find(fields.begin(), fields.end(), kind) == fields.end()) {
            misused(option + " " + std::string(name_of(kind)) + "=" + text(value) +
                        " names a field that this model does not have",
                    "one of: " + list_of(fields) + also, "correct the name, or leave the option out");
        }
    }
}

// A number that is compared with scores or mask probabilities.
void require_threshold(const std::string& option, const std::optional<double>& number)
{
    if (number && !is_threshold(*number)) {
        misused(option + " is " + text_of_number(*number), "a number above 0 and at most 1",
                "write, for example, " + option + " 0.5");
    }
}

// As the user wrote it.
std::string mask_type_option(const pad_options& options)
{
    const auto type = *options.mask_type;
    return "`mask_type` " + std::string(type == element_type::float32 ? "float" : name_of(type));
}

void require_masks(const detections& source, const pad_options& options)
{
    const auto* masks = find_field(source, field::masks);
    const bool thresholds = options.mask_type && *options.mask_type != element_type::float32;
    const auto given = [&]() -> std::string {
        return options.masks == mask_choice::roi    ? "`masks` roi"
               : options.masks == mask_choice::none ? "`masks` none"
               : options.mask_type                  ? mask_type_option(options)
               : options.mask_threshold             ? "`mask_threshold` " + text_of_number(*options.mask_threshold)
               : options.squeeze_masks              ? "`squeeze_masks`"
                                                    : "";
    }();
    if (masks == nullptr && !given.empty()) {
        misused(given + " is given, but the model has no masks", "a model with masks, such as a Mask R-CNN",
                "leave the option out");
    }
    if (options.masks == mask_choice::none && (options.mask_type || options.mask_threshold || options.squeeze_masks)) {
        misused("`masks` none is given together with an option that says how masks are written",
                "either no masks, or a way to write them",
                "leave out `mask_type`, `mask_threshold` and `squeeze_masks`, or `masks` none");
    }
    if (options.masks == mask_choice::roi && thresholds) {
        misused("`masks` roi is given together with " + mask_type_option(options),
                "the probabilities of each region, which pasting needs, or full masks above a threshold",
                "leave `mask_type` out, and give the threshold to paste_masks; or leave out `masks` roi");
    }
    if (masks != nullptr && options.mask_type && !is_floating(masks->element)) {
        misused(mask_type_option(options) + " is given, but the masks of this model are " + name_of(masks->element),
                "masks that are probabilities, which can be compared with a threshold", "leave the option out");
    }
    if (options.mask_threshold && !thresholds) {
        misused("`mask_threshold` " + text_of_number(*options.mask_threshold) +
                    " is given for masks that stay probabilities",
                "`mask_threshold` together with `mask_type` uint8 or `mask_type` bool",
                masks != nullptr && is_floating(masks->element) ? "add `mask_type` uint8, or leave `mask_threshold` out"
                                                                : "leave `mask_threshold` out");
    }
}

void require_layout(const detections& source, const pad_options& options)
{
    const auto& rules = rules_of(options.layout);
    const std::string layout = "`layout` " + std::string(rules.name);
    for (const auto kind : {field::boxes, field::scores, field::labels}) {
        if (options.layout != output_layout::torchvision && find_field(source, kind) == nullptr) {
            misused(layout + " needs " + std::string(name_of(kind)) + ", but this model has " +
                        list_of(fields_left(source, options)),
                    "boxes, scores and labels", "use `layout` torchvision, which takes any fields");
        }
    }
    if (rules.normalises_boxes && source.images.empty()) {
        throw tool_error(failure::refused,
                         {layout + " divides boxes by the size of the image, but the model's inputs are not images",
                          "one input [B, 3, H, W], or one input [3, H, W] for each image", "use another layout"});
    }
    const auto joined = std::find_if(rules.outputs.begin(), rules.outputs.end(), [](const layout_output& output) {
        return output.fields.size() > 1 &&
               std::find(output.fields.begin(), output.fields.end(), field::labels) != output.fields.end();
    });
    if (options.label_type && joined != rules.outputs.end()) {
        misused("`label_type` is given with " + layout + ", which puts labels and boxes into one tensor",
                "labels of the same type as the boxes", "leave `label_type` out");
    }
    if (options.label_type && find_field(source, field::labels) == nullptr) {
        misused("`label_type` is given, but the model has no labels", "a model with labels", "leave the option out");
    }
    if (rules.count_name.empty() && (options.count_type || options.flat_counts || options.count_name)) {
        misused("an option for the counts is given with " + layout + ", which has no counts",
                "a layout with counts; in this one, padding has a score of 0",
                "leave out `count_type`, `count_shape` and `rename` num_detections, or use another layout");
    }
}

void require_batch(const detections& source, const pad_options& options)
{
    if (!options.dynamic_batch) {
        if (!source.only_one_image.empty()) {
            throw tool_error(failure::refused,
                             {source.only_one_image + ": the model is right for one image at a time",
                              "`dynamic_batch`, which runs it for one image after the other",
                              "add `dynamic_batch`; or, for one image alone, declare that all first extents are 1: "
                              "python3 -m onnxruntime.tools.make_dynamic_shape_fixed does so"});
        }
        return;
    }
    if (source.flat) {
        misused("`dynamic_batch` is given for a model that takes any number of images as it is",
                "an export of one image",
                "leave `dynamic_batch` out: these rows are padded for as many images as the model takes");
    }
    if (source.batch != 1) {
        throw tool_error(failure::refused,
                         {"`dynamic_batch`: the model takes " + std::to_string(source.batch) + " images at a time",
                          "an export of one image, which can be repeated for each image of a batch",
                          "export the model with one image, torch.rand(1, 3, H, W) or [torch.rand(3, H, W)], and pass "
                          "that file; or leave `dynamic_batch` out"});
    }
    if (source.image_inputs.empty()) {
        throw tool_error(
            failure::refused,
            {"`dynamic_batch`: the inputs of the model are not one image, and nothing shows that they belong to one",
             "an input [1, 3, H, W] or [3, H, W], or others whose first extent is 1",
             "export the model with one image; or name its inputs: `per_image_input` NAME"});
    }
    if (!source.undecided_inputs.empty()) {
        const auto& name = source.undecided_inputs.front();
        throw tool_error(failure::refused,
                         {"`dynamic_batch`: nothing shows whether the input " + quoted(name) +
                              " belongs to each image, or whether all images share it",
                          "inputs whose first extent is 1, or the image's own symbol, or which have fewer than two "
                          "dimensions",
                          "say which: `per_image_input` " + shown(name) + ", or `shared_input` " + shown(name)});
    }
    if (std::holds_alternative<largest_of_batch>(options.max_detections) && !source.limit) {
        throw tool_error(
            failure::refused,
            {"`dynamic_batch` `max_detections` batch: the graph does not show how many detections an image "
             "can have at most, and each image is padded to that number first",
             "a constant that limits the kept rows, as in torchvision's models",
             "pass `max_detections` N (rows beyond N are dropped)"});
    }
}

void require_classes(const detections& source, const pad_options& options)
{
    if (!options.classes) {
        return;
    }
    const std::string option = options.classes->dropped ? "`exclude_classes`" : "`classes`";
    if (find_field(source, field::labels) == nullptr) {
        misused(option + " is given, but the model has no labels", "a model with labels", "leave the option out");
    }
    auto labels = options.classes->labels;
    std::sort(labels.begin(), labels.end());
    const auto twice = std::adjacent_find(labels.begin(), labels.end());
    if (labels.empty() || twice != labels.end()) {
        misused(option + (labels.empty() ? " names no label" : " names the label " + std::to_string(*twice) + " twice"),
                "one or more labels, each once", "correct the list");
    }
}

// Which parameters can be set, and what they are.
std::string settable(const detections& source)
{
    return source.parameters.empty()
               ? "a torchvision model whose nodes show its parameters"
               : "one of those that its nodes show: " + joined(source.parameters, ", ", [](const auto& found) {
                     return std::string(name_of(found.kind)) + " (" + text_of_number(found.value) + ")";
                 });
}

[[noreturn]] void refuse_setting(const detections& source, parameter kind, const std::string& given)
{
    const auto& fixed = source.fixed_parameters;
    const auto known = std::find_if(fixed.begin(), fixed.end(), [&](const auto& f) { return f.kind == kind; });
    throw tool_error(failure::refused,
                     {given + (known == fixed.end() ? ": the graph does not show where the model reads it"
                                                    : ": it cannot be changed in the graph: " + known->why),
                      settable(source),
                      known != fixed.end() && known->in_function
                          ? "inline the functions first: onnx.inliner.inline_local_functions(onnx.load(IN)) in Python"
                          : "export the model with that value, or leave the option out"});
}

void require_setting_in_range(parameter kind, const number& value, const std::string& given)
{
    const std::string name(name_of(kind));
    const auto* count = std::get_if<std::int64_t>(&value);
    const double n = std::visit([](auto v) { return static_cast<double>(v); }, value);
    if (is_count(kind) ? count == nullptr || *count < 1 || *count >= std::numeric_limits<std::int32_t>::max()
                       : !(n >= 0 && n <= 1)) {
        misused(given, is_count(kind) ? "a whole number from 1 to 2147483646" : "a number from 0 to 1",
                "write, for example, `set` " + name + (is_count(kind) ? "=200" : "=0.3"));
    }
}

void require_settings(const detections& source, const pad_options& options)
{
    for (const auto& [kind, value] : options.settings) {
        const std::string given = "`set` " + std::string(name_of(kind)) + "=" + text_of(value);
        require_setting_in_range(kind, value, given);
        if (std::none_of(source.parameters.begin(), source.parameters.end(),
                         [wanted = kind](const auto& found) { return found.kind == wanted; })) {
            refuse_setting(source, kind, given);
        }
        const auto* rows = std::get_if<std::int64_t>(&options.max_detections);
        if (kind == parameter::detections_per_img && rows != nullptr && value != number(*rows)) {
            misused(given + " is given together with `max_detections` " + std::to_string(*rows),
                    "one number for both, or `max_detections` batch",
                    "leave `set` detections_per_img out: `max_detections` sets it too, where the graph allows it");
        }
    }
}

} // namespace

void check_options(const detections& source, const pad_options& options)
{
    require_masks(source, options);
    require_layout(source, options);
    require_batch(source, options);
    const auto fields = fields_left(source, options);
    require_known_fields(fields, options.pad_values, "`pad_value`", "", [](const number& n) { return text_of(n); });
    require_known_fields(fields, options.names, "`rename`", std::string(", ") + contract::default_count_name,
                         [](const std::string& name) { return name; });
    if (options.min_score && find_field(source, field::scores) == nullptr) {
        misused("`min_score` is given, but the model has no scores", "a model with scores", "leave the option out");
    }
    require_classes(source, options);
    require_settings(source, options);
    check_exposed(source, options);
    const auto* rows = std::get_if<std::int64_t>(&options.max_detections);
    if (rows != nullptr && (*rows < 1 || *rows > std::numeric_limits<std::int32_t>::max())) {
        misused("`max_detections` is " + std::to_string(*rows), "a number from 1 to 2147483647, or batch",
                "choose the number of rows to pad every image to");
    }
    if (std::holds_alternative<model_limit>(options.max_detections) && !source.limit) {
        throw tool_error(failure::refused,
                         {"the graph does not show how many detections an image can have at most",
                          source.flat ? "a NonMaxSuppression that keeps a known number of rows"
                                      : "a constant that limits the kept rows, as in torchvision's models",
                          std::string("pass `max_detections` N (rows beyond N are dropped)") +
                              (options.dynamic_batch ? "" : " or `max_detections` batch")});
    }
    require_threshold("`min_score`", options.min_score);
    require_threshold("`mask_threshold`", options.mask_threshold);
}

} // namespace padbatch::onnx_tools
