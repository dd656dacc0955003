// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/recognise.hpp>

#include <onnx_tools/error.hpp>
#include <onnx_tools/model/functions.hpp>
#include <onnx_tools/model/value_types.hpp>
#include <onnx_tools/model/wording.hpp>
#include <onnx_tools/recognise/box_conversion.hpp>
#include <onnx_tools/recognise/flat_columns.hpp>
#include <onnx_tools/recognise/forms/flat.hpp>
#include <onnx_tools/recognise/forms/raw.hpp>
#include <onnx_tools/recognise/inputs_of_image.hpp>
#include <onnx_tools/recognise/known_forms.hpp>
#include <onnx_tools/recognise/possible_forms.hpp>
#include <onnx_tools/recognise/undecided.hpp>
#include <padbatch/contract.hpp>

#include <algorithm>
#include <array>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace padbatch::onnx_tools {
namespace {

const known_form& form_of(export_kind kind)
{
    for (const auto& form : all_forms) {
        if (form.kind == kind) {
            return form;
        }
    }
    throw tool_error(failure::internal,
                     {"an unknown form of outputs", "a value of export_kind", "please report this bug"});
}

// What a form makes of the outputs, or why it cannot be read in them.
struct answer {
    std::optional<detections> found;
    std::exception_ptr why_not; // a tool_error
    bool shows_head = false;    // which cannot be read

    [[nodiscard]] bool is_proven() const { return found && !found->evidence.empty(); }
};

answer ask(const known_form& form, const onnx::ModelProto& model, const recognise_options& options)
{
    try {
        return {form.recognise(model, options), nullptr, false};
    } catch (const shown_head_refused&) {
        return {std::nullopt, std::current_exception(), true};
    } catch (const tool_error&) {
        return {std::nullopt, std::current_exception(), false};
    }
}

// Whether every output is a field of an image whose rows a node cuts: nothing is left for another form, which needs an
// output with the image of each row, counts, a selection, or a batch as its first extent.
bool is_settled(const detections& found)
{
    return found.form == export_kind::fields && !found.rearranged && found.limit && found.limit->at_cut &&
           found.other_outputs.empty();
}

// Whether the model is declared to take one image at a time.
bool takes_one_image(const onnx::ModelProto& model, const detections& found)
{
    bool one = false;
    for (const auto* input : graph_index(model.graph()).required_inputs()) {
        const auto shape = declared_type(*input).shape;
        if (shape.size() == 4 && shape.front().size != 1) {
            return false;
        }
        one = one || shape.size() == 4 || (shape.size() == 3 && found.images == std::vector{input->name()});
    }
    return found.batch == 1 && one;
}

// The form that the nodes prove. If they prove none, the outputs are read as fields, by their types.
detections proven_form(const onnx::ModelProto& model, const recognise_options& options)
{
    std::vector<answer> answers; // in the order of the forms
    std::vector<detections> all; // those that are proven
    for (const auto& form : all_forms) {
        if ((form.kind == export_kind::fields || form.kind == export_kind::nms) && options.count_output) {
            answers.emplace_back(); // which they do not have
            continue;
        }
        answers.push_back(ask(form, model, options));
        if (answers.back().is_proven()) {
            all.push_back(std::move(*answers.back().found));
        }
        if (!all.empty() && is_settled(all.front())) {
            break;
        }
    }
    if (all.size() == 2 && all[0].form == export_kind::fields && all[1].form == export_kind::flat &&
        takes_one_image(model, all[0])) {
        all.pop_back(); // a list of one image's rows, with their number, is that image's fields
    }
    if (all.size() == 2 && all[1].form == export_kind::raw && all[0].form == export_kind::padded) {
        all.erase(all.begin()); // what a plugin pads can be selected by standard operators
    }
    if (all.size() > 1) {
        throw tool_error(
            failure::refused,
            {"the outputs have more than one form: " +
                 joined(all, "; ",
                        [](const auto& each) { return std::string(name_of(each.form)) + ", since " + each.evidence; }),
             "outputs of one form", "say which one padding is to read: " + joined(all, ", or ", [](const auto& each) {
                                        return "`from` " + std::string(name_of(each.form));
                                    })});
    }
    if (!all.empty()) {
        return std::move(all.front());
    }
    for (const auto& each : answers) {
        if (each.shows_head) {
            std::rethrow_exception(each.why_not);
        }
    }
    auto& fields = answers.front();
    if (fields.found) {
        return std::move(*fields.found);
    }
    refuse_unproven_forms(model, options, fields.why_not ? fields.why_not : answers.back().why_not);
}

// The form that the user names. Where the outputs are not of that form, another may be the right one.
detections told_form(const onnx::ModelProto& model, const recognise_options& options)
{
    try {
        return form_of(options.from).recognise(model, options);
    } catch (const undecided&) {
        throw;
    } catch (const tool_error& e) {
        const auto others = e.kind() == failure::refused && !options.head.kind ? forms_besides(model, options.from)
                                                                               : std::vector<export_kind>();
        if (others.empty()) {
            throw;
        }
        throw tool_error(
            e.kind(),
            {e.parts().found, e.parts().expected,
             "use " +
                 joined(others, " or ", [](export_kind other) { return "`from` " + std::string(name_of(other)); }) +
                 "; or " + e.parts().remedy});
    }
}

// What is said about a raw head has no meaning for outputs that are detections already.
void require_no_head_options(const head_options& head)
{
    const char* given = head.kind             ? "`head`"
                        : head.iou_threshold  ? "`iou_threshold`"
                        : head.nms            ? "`nms`"
                        : head.multi_label    ? "`multi_label`"
                        : head.class_agnostic ? "`class_agnostic`"
                        : head.activation     ? "`scores`"
                        : head.strides        ? "`strides`"
                        : head.class_count    ? "`num_classes`"
                        : head.keypoints      ? "`keypoints`"
                        : head.image_size     ? "`image_size`"
                                              : "";
    if (*given != 0) {
        misused(std::string(given) + " is given, but the outputs are detections already",
                "a raw head, from which detections are to be selected",
                std::string("leave ") + given + " out; or, if the outputs are a raw head, add `from` raw");
    }
}

} // namespace

detections recognise(const onnx::ModelProto& model, const recognise_options& options)
{
    for (const auto& entry : model.metadata_props()) {
        if (entry.key().rfind(contract::key_prefix, 0) == 0) {
            throw tool_error(
                failure::refused,
                {"the model is already padded: its metadata says " + shown(entry.key()) + " = " + quoted(entry.value()),
                 "a model as it was exported",
                 "use the model as it is; or, for other options, pad the export that it was made from"});
        }
    }
    require_one_box_format(options);
    const readable_model readable(model);
    // What only one form has.
    const bool is_list = options.from == export_kind::automatic &&
                         (options.batch_index || (options.columns && has(*options.columns, flat_column::batch)));
    auto found = is_list                                  ? recognise_flat(*readable, options)
                 : options.from == export_kind::automatic ? proven_form(*readable, options)
                                                          : told_form(*readable, options);
    if (!found.head) {
        require_no_head_options(options.head);
    }
    find_inputs_of_image(graph_index(readable->graph()), options, found);
    convert_boxes(*readable, options, found);
    return found;
}

} // namespace padbatch::onnx_tools
