// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/cli/describe.hpp>

#include <onnx_tools/cli/exposed.hpp>
#include <onnx_tools/model/wording.hpp>
#include <onnx_tools/recognise/flat_columns.hpp>
#include <onnx_tools/recognise/head_kind.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

namespace padbatch::onnx_tools::cli {
namespace {

std::string labels_of(const class_choice& chosen)
{
    return joined(chosen.labels, ", ", [](std::int64_t label) { return std::to_string(label); });
}

class description {
public:
    explicit description(const pad_plan& p) : m_plan(p) {}

    std::vector<std::string> all() &&
    {
        say_masks();
        say_batch();
        say_rows();
        for (const auto& f : m_plan.fields) {
            say_conversion(f);
        }
        say_padding();
        for (const auto& output : m_plan.outputs) {
            if (output.fields.size() > 1) {
                say("joins " + names_of(output) + " into " + shown(output.name) + " along the last dimension");
            }
        }
        say(m_plan.count ? "writes the counts to " + shown(m_plan.count->name) + ", " +
                               std::string(name_of(m_plan.count->element)) + " " + text_of_shape(m_plan.count->shape)
                         : "writes no counts: the layout " + std::string(m_plan.layout->name) + " has none");
        say_others();
        return std::move(m_lines);
    }

private:
    void say(std::string line) { m_lines.push_back(std::move(line)); }

    [[nodiscard]] bool has_column(flat_column column) const { return has(m_plan.source.flat->columns, column); }

    void say_masks()
    {
        if (find_field(m_plan.source, field::masks) == nullptr) {
            return;
        }
        if (m_plan.masks == mask_choice::roi) {
            say("keeps the masks that the mask head makes for the region of each box, and does not paste them");
        } else if (m_plan.masks == mask_choice::none) {
            say("leaves masks out");
        }
    }

    void say_batch()
    {
        if (m_plan.how == batching::loop) {
            say("repeats the graph for each image of the batch, in a Loop");
            const auto& source = m_plan.source;
            if (source.image_inputs.size() > 1 || !source.shared_inputs.empty()) {
                say("gives each image its part of " +
                    joined(source.image_inputs, ", ", [](const auto& input) { return quoted(input.name); }));
            }
            if (!source.shared_inputs.empty()) {
                say("gives all images the same " + joined(source.shared_inputs, ", ", quoted));
            }
        }
    }

    void say_settings()
    {
        for (const auto& setting : m_plan.settings) {
            if (setting.kind != parameter::detections_per_img || !m_plan.new_limit) { // which is said as the limit
                say("sets " + std::string(name_of(setting.kind)) + ", " + text_of_number(setting.before) + ", to " +
                    text_of_number(setting.now) + " in " +
                    count_of(static_cast<std::int64_t>(setting.places.size()), "place"));
            }
        }
    }

    void say_rows()
    {
        const bool from_list = m_plan.how == batching::flat;
        if (!m_plan.source.real_rows.empty()) {
            say(m_plan.source.real_rows);
        }
        say_settings();
        if (m_plan.new_limit) {
            say("sets the limit of the model, " + count_of(m_plan.source.limit->rows, "row") + " of each image, to " +
                std::to_string(*m_plan.new_limit) +
                (*m_plan.new_limit < m_plan.source.limit->rows ? ": the other rows are not computed" : ""));
        }
        if (!m_plan.source.box_conversion.empty()) {
            say(m_plan.source.box_conversion);
        } else if (from_list && has_column(flat_column::cx)) {
            say("converts boxes from cx, cy, w, h to x1, y1, x2, y2");
        }
        if (m_plan.source.head) {
            say_selection();
        }
        if (m_plan.classes && !m_plan.classes_in_head) {
            say((m_plan.classes->dropped ? "drops rows of the labels " : "keeps only rows of the labels ") +
                labels_of(*m_plan.classes) +
                (m_plan.classes_at_cuts ? ", before the limit"
                 : m_plan.source.flat   ? ""
                                        : ", after the limit of the model: there may be fewer than it allows"));
        }
        if (m_plan.score_above && !m_plan.scores_in_head) {
            const auto own = threshold_of(m_plan);
            const bool lower = own && *m_plan.min_score <= *own;
            const auto& known = m_plan.source.parameters;
            const bool settable = std::any_of(known.begin(), known.end(),
                                              [](const auto& f) { return f.kind == parameter::score_thresh; });
            say("drops rows whose score is below " + text_of_number(*m_plan.min_score) +
                (m_plan.scores_at_cuts ? ", where the model cuts them" : "") +
                (lower ? "; the model already drops those below " + text_of_number(*own) +
                             (settable ? ", which --set score_thresh=T changes" : "")
                       : ""));
        }
        for (const auto& input : m_plan.inputs) {
            say("adds the input " + input_text(m_plan, input));
        }
        if (from_list) {
            say("gives each image its rows of the list, in descending order of score");
        } else if (m_plan.source.list_of_image) {
            say("puts the rows of each image in descending order of score");
        }
        if (m_plan.cuts_rows) {
            say("keeps the first " + count_of(*m_plan.max_detections, "row") + " of each image (the best)");
        }
    }

    // What is selected from a raw head.
    void say_selection()
    {
        const auto& how = m_plan.source.selection;
        say("decodes the boxes and scores of the head " + std::string(name_of(*m_plan.source.head)));
        if (how.classes) {
            say((how.classes->dropped ? "leaves out the labels " : "takes only the labels ") + labels_of(*how.classes));
        }
        say("takes " + std::string(how.multi_label ? "every class" : "the best class") + " of an anchor" +
            (how.score ? " if its score is above " + text_of_number(*how.score) : ""));
        if (how.nms != suppression::none) {
            say("drops boxes that overlap more than " + text_of_number(how.iou_threshold) + " with a better one" +
                (how.class_agnostic                       ? ", of any class"
                 : how.nms == suppression::class_by_class ? " of their class, class by class"
                                                          : " of their class, which is moved apart from others"));
        }
        say("selects the best " + count_of(how.most, "row") + " of each image");
    }

    void say_conversion(const planned_field& f)
    {
        const std::string name(name_of(f.kind));
        const std::string type(name_of(f.element));
        if (f.above) {
            say("writes " + name + " as " + type + ", " + (f.element == element_type::boolean ? "true" : "1") +
                " where they are at least " + text_of_number(*m_plan.mask_threshold));
        }
        if (f.normalised) {
            say("writes " + name + " as y1, x1, y2, x2, divided by the height and width of the image");
        }
        if (!f.above && f.from && f.from != f.element) {
            say("converts " + name + " to " + type);
        }
        if (f.squeezed) {
            say("drops the 1 in " + name + " [n, 1, H, W]");
        }
    }

    void say_padding()
    {
        if (m_plan.widens_masks) {
            say("pads masks of different sizes to the largest height and width in the batch");
        }
        if (m_plan.max_detections) {
            say("pads every image to " + count_of(*m_plan.max_detections, "row"));
        } else if (m_plan.how == batching::loop) {
            say("pads every image to " + count_of(limit_of(m_plan).value(), "row") +
                " in the Loop, and then cuts to the largest count in the batch");
        } else {
            say("pads every image to the largest count in the batch");
        }
        for (const auto& f : m_plan.fields) {
            if (f.padding != number(std::int64_t{0})) {
                say("fills the padding of " + std::string(name_of(f.kind)) + " with " + text_of(f.padding));
            }
        }
    }

    [[nodiscard]] std::string names_of(const planned_output& output) const
    {
        std::vector<field> kinds;
        for (const auto i : output.fields) {
            kinds.push_back(m_plan.fields[i].kind);
        }
        return list_of(kinds);
    }

    void say_others()
    {
        const auto others = static_cast<std::int64_t>(m_plan.source.other_outputs.size());
        if (others != 0) {
            say((m_plan.how == batching::loop ? "stacks " : "keeps ") + count_of(others, "other output") +
                (m_plan.how == batching::loop ? ", image by image" : ""));
        }
    }

    const pad_plan& m_plan;
    std::vector<std::string> m_lines;
};

} // namespace

std::vector<std::string> describe(const pad_plan& p)
{
    return description(p).all();
}

} // namespace padbatch::onnx_tools::cli
