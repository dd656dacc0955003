// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/possible_forms.hpp>

#include <onnx_tools/error.hpp>
#include <onnx_tools/model/graph.hpp>
#include <onnx_tools/model/value_types.hpp>
#include <onnx_tools/model/wording.hpp>
#include <onnx_tools/recognise/graph_outputs.hpp>
#include <onnx_tools/recognise/known_forms.hpp>
#include <onnx_tools/recognise/undecided.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace padbatch::onnx_tools {
namespace {

// A form that the types of the outputs allow.
struct possible_form {
    export_kind kind = export_kind::automatic;
    /// What the user can say besides the form; nothing to be said is a saying too. Each of them leads to a reading.
    std::vector<recognise_options> sayings;
    /// What the nodes do not show.
    std::optional<undecided> why;
};

// What holds for the one input of images, if there is one.
struct image_batch {
    bool known = false;
    std::optional<std::int64_t> size; // 1 without a dimension for images
};

image_batch batch_of_images(const onnx::ModelProto& model)
{
    const graph_index index(model.graph());
    std::vector<value_type> batches;
    bool images_alone = false;
    for (const auto* input : index.required_inputs()) {
        const auto type = declared_type(*input);
        if (type.rank == 4) {
            batches.push_back(type);
        }
        images_alone = images_alone || type.rank == 3;
    }
    if (batches.size() != 1) {
        return {images_alone, images_alone ? std::optional<std::int64_t>(1) : std::nullopt};
    }
    const auto& shape = batches.front().shape;
    return {true, shape.empty() ? std::nullopt : shape.front().size};
}

class possible_forms {
public:
    possible_forms(const onnx::ModelProto& model, const recognise_options& options)
        : m_model(model), m_options(options), m_batch(batch_of_images(model))
    {
    }

    [[nodiscard]] std::vector<possible_form> all() const
    {
        std::vector<possible_form> forms;
        for (const auto& form : all_forms) {
            if (auto found = possible(form)) {
                forms.push_back(std::move(*found));
            }
        }
        return forms;
    }

private:
    [[nodiscard]] std::optional<possible_form> possible(const known_form& form) const
    {
        if ((form.kind == export_kind::fields || form.kind == export_kind::nms) && m_options.count_output) {
            return std::nullopt; // which they do not have
        }
        if (auto found = possible_as(form, m_options)) {
            return found;
        }
        if (form.kind != export_kind::fields || m_batch.size != 1) {
            return std::nullopt;
        }
        // Where there is one image, a first extent that is not declared is 1 if the user says that these are fields.
        auto told = m_options;
        told.from = form.kind;
        return possible_as(form, told);
    }

    [[nodiscard]] std::optional<possible_form> possible_as(const known_form& form, recognise_options told) const
    {
        if (form.kind != export_kind::fields) {
            told.from = form.kind;
        }
        try {
            if (!fits(form.recognise(m_model, told))) {
                return std::nullopt;
            }
            return possible_form{form.kind, {recognise_options()}, std::nullopt};
        } catch (const undecided& e) {
            possible_form found{form.kind, e.sayings(), e};
            std::erase_if(found.sayings, [&](const auto& said) { return !leads_on(form, with(m_options, said), 0); });
            return e.sayings().empty() || !found.sayings.empty() ? std::optional(std::move(found)) : std::nullopt;
        } catch (const tool_error&) {
            return std::nullopt;
        }
    }

    // Whether the outputs are read with these options, or when more is said.
    [[nodiscard]] bool leads_on(const known_form& form, recognise_options told, int depth) const
    {
        told.from = form.kind;
        try {
            return fits(form.recognise(m_model, told));
        } catch (const undecided& e) {
            return depth < 4 && std::any_of(
                                    e.sayings().begin(), e.sayings().end(),
                                    [&](const auto& said) { return leads_on(form, with(told, said), depth + 1); });
        } catch (const tool_error&) {
            return false;
        }
    }

    // Fields are those of each image: there are as many images as the input has.
    [[nodiscard]] bool fits(const detections& found) const
    {
        return found.form != export_kind::fields || !m_batch.known || !m_batch.size || *m_batch.size == found.batch;
    }

    const onnx::ModelProto& m_model;
    const recognise_options& m_options;
    image_batch m_batch;
};

bool is_undecided(const std::exception_ptr& why)
{
    if (!why) {
        return false;
    }
    try {
        std::rethrow_exception(why);
    } catch (const undecided&) {
        return true;
    } catch (...) {
        return false;
    }
}

std::string condition_of(export_kind form)
{
    switch (form) {
    case export_kind::fields: return " if each row is a detection of one image";
    case export_kind::flat: return " if the rows of all images are in one list";
    case export_kind::nms: return " if a NonMaxSuppression selects from these boxes and scores";
    case export_kind::padded: return " if the last rows of an image may be padding";
    case export_kind::raw: return " if nothing is selected from these boxes and scores yet";
    case export_kind::automatic: break;
    }
    return "";
}

// The options of one way to read the outputs.
std::string command_of(export_kind form, const recognise_options& said)
{
    const auto more = text_of(said);
    return "`from` " + std::string(name_of(form)) + (more.empty() ? "" : " ") + more;
}

std::string commands_of(const possible_form& form)
{
    return joined(form.sayings, ", or ", [&](const auto& said) { return command_of(form.kind, said); });
}

[[noreturn]] void refuse_form(const onnx::ModelProto& model, const possible_form& form)
{
    if (form.why) {
        const auto& p = form.why->parts();
        const auto commands = commands_of(form);
        const bool fields_alone = form.kind == export_kind::fields && commands == "`from` fields";
        throw tool_error(failure::refused, {p.found, p.expected,
                                            form.why->lead() + (commands.empty() ? "" : ": ") + commands +
                                                (fields_alone ? condition_of(form.kind) : "") + form.why->or_else()});
    }
    const graph_index index(model.graph());
    throw tool_error(failure::refused,
                     {"nothing shows that the outputs are detections, although their types allow it: " +
                          list_of(typed_outputs(model, index)),
                      "rows that are picked by a NonMaxSuppression or a TopK",
                      "if they are, say so: " + command_of(form.kind, {})});
}

// The rows would be those of one image, but the input has several.
[[noreturn]] void refuse_rows_of_several(const onnx::ModelProto& model)
{
    const graph_index index(model.graph());
    throw tool_error(failure::refused,
                     {"nothing in the outputs says which image a row belongs to, and the input has several images: " +
                          list_of(typed_outputs(model, index)),
                      "the image of each row, or the number of rows of each image, as a column or an output",
                      "export the model with one of these, or with one image"});
}

// Whatever the columns and lists are called, the nodes show something else.
[[noreturn]] void refuse_columns_of_others(const onnx::ModelProto& model)
{
    const graph_index index(model.graph());
    throw tool_error(failure::refused,
                     {"the outputs have the types of boxes, labels and scores, but the nodes show that they are "
                      "something else: " +
                          list_of(typed_outputs(model, index)),
                      "boxes, scores that are no integers, and labels",
                      "export the model with boxes, labels and scores of each image"});
}

[[noreturn]] void refuse_forms(const onnx::ModelProto& model, const std::vector<possible_form>& forms)
{
    const graph_index index(model.graph());
    const auto shown =
        std::find_if(forms.begin(), forms.end(), [](const possible_form& form) { return form.why.has_value(); });
    // Where a value is one of several, the next refusal names them.
    const auto ways = joined(forms, "; or ", [](const possible_form& form) {
        const bool open = form.sayings.empty() || (form.why && !form.why->or_else().empty());
        return (open ? command_of(form.kind, {}) : commands_of(form)) + condition_of(form.kind);
    });
    throw tool_error(failure::refused,
                     {shown != forms.end() ? shown->why->parts().found
                                           : "the outputs may be detections in more than one form, and nothing shows "
                                             "which is right: " +
                                                 list_of(typed_outputs(model, index)),
                      shown != forms.end() ? shown->why->parts().expected
                                           : "nodes that pick rows, count them, or fill up with padding",
                      "say what they are: " + ways});
}

} // namespace

std::vector<export_kind> forms_besides(const onnx::ModelProto& model, export_kind told)
{
    std::vector<export_kind> kinds;
    for (const auto& form : possible_forms(model, {}).all()) {
        if (form.kind != told) {
            kinds.push_back(form.kind);
        }
    }
    return kinds;
}

void refuse_unproven_forms(const onnx::ModelProto& model, const recognise_options& options,
                           const std::exception_ptr& why_not)
{
    // Who names the outputs knows the form, and so does who sees rows that are cut as torchvision's models do.
    const bool is_known = options.fields || (why_not && !is_undecided(why_not) && graph_outputs(model).any_cut());
    const auto forms = is_known ? std::vector<possible_form>() : possible_forms(model, options).all();
    if (forms.size() == 1) {
        refuse_form(model, forms.front());
    }
    if (forms.size() > 1) {
        refuse_forms(model, forms);
    }
    const bool is_untrue = !why_not || is_undecided(why_not); // what could be said of these outputs
    if (is_untrue && batch_of_images(model).size != 1) {
        refuse_rows_of_several(model);
    }
    if (is_untrue) {
        refuse_columns_of_others(model);
    }
    std::rethrow_exception(why_not);
}

} // namespace padbatch::onnx_tools
