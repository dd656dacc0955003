// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/selecting_plugin.hpp>

#include <onnx_tools/error.hpp>
#include <onnx_tools/model/ranks.hpp>
#include <onnx_tools/model/wording.hpp>
#include <onnx_tools/recognise/column_origin.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace padbatch::onnx_tools {
namespace {

constexpr std::string_view of_boxes = "EfficientNMS_TRT";        // gives a count, boxes, scores and classes
constexpr std::string_view of_indices = "EfficientNMS_ONNX_TRT"; // gives what a NonMaxSuppression does, int32 [n, 3]

bool is_plugin(const onnx::NodeProto& node)
{
    return node.op_type() == of_boxes || node.op_type() == of_indices;
}

class plugin_reader {
public:
    plugin_reader(const row_list& list, const onnx::NodeProto& node, const recognise_options& options)
        : m_list(list), m_node(node), m_told(options.head), m_options(options)
    {
    }

    found_head run()
    {
        require_no_head_options();
        require_outputs();
        read_inputs();
        read_selection();
        m_found.kind = head_kind::boxes_scores;
        m_found.evidence = describe(m_node) + " selects the outputs";
        m_found.source = quoted(m_node.input(0));
        return m_found;
    }

private:
    // The number that the plugin has in an attribute.
    [[nodiscard]] double real(std::string_view name, double otherwise) const
    {
        const auto* held = attribute(m_node, name);
        return held == nullptr                             ? otherwise
               : held->type() == onnx::AttributeProto::INT ? static_cast<double>(held->i())
                                                           : static_cast<double>(held->f());
    }

    [[nodiscard]] std::int64_t integer(std::string_view name, std::int64_t otherwise) const
    {
        return integer_attribute(m_node, name, otherwise);
    }

    void require_no_head_options() const
    {
        if (m_told.kind || m_told.strides || m_told.activation || m_told.keypoints || m_told.image_size ||
            m_told.multi_label || m_options.boxes || m_options.normalised) {
            misused("an option says how a head is to be read, but " + describe(m_node) + " does",
                    "`min_score`, `iou_threshold`, `max_detections`, `nms` and `class_agnostic`",
                    "leave the other options out");
        }
    }

    // All that the node gives is outputs of the model: other engines do not have it.
    void require_outputs()
    {
        const auto& nodes = m_list.index.graph().node();
        if (std::any_of(nodes.begin(), nodes.end(),
                        [&](const auto& node) { return &node != &m_node && is_plugin(node); })) {
            refuse("the model has several nodes like " + describe(m_node), "one", "export the model with one");
        }
        for (const auto& output : m_node.output()) {
            for (const auto* reader : m_list.index.readers(output)) {
                refuse(describe(*reader) + " reads what " + describe(m_node) +
                           " gives, and no other engine has that node",
                       "outputs of the node that are outputs of the model", "export the model without that node");
            }
        }
        for (const auto& output : m_list.outputs) {
            if (std::find(m_node.output().begin(), m_node.output().end(), output.name) != m_node.output().end()) {
                m_found.taken.push_back(output.name);
            }
        }
        const bool two_inputs = m_node.input_size() == 2 || (m_node.input_size() == 3 && m_node.input(2).empty());
        const int outputs = m_node.op_type() == of_boxes ? 4 : 1;
        if (m_found.taken.empty() || !two_inputs || m_node.output_size() != outputs) {
            refuse(describe(m_node) + (m_found.taken.empty() ? " gives no output of the model"
                                       : m_node.output_size() != outputs
                                           ? " has " + count_of(m_node.output_size(), "output")
                                       : m_node.input_size() == 3 ? " decodes boxes by anchors"
                                                                  : " reads " + count_of(m_node.input_size(), "value")),
                   "boxes and scores, and " + count_of(outputs, "output"),
                   "export the model with decoded boxes, or without that node");
        }
    }

    void read_inputs()
    {
        const auto boxes = inner(m_node.input(0));
        const auto scores = inner(m_node.input(1));
        const auto width = last_extent(scores) ? last_extent(scores) : m_told.class_count;
        const bool sound = boxes.rank.value_or(3) == 3 && scores.rank.value_or(3) == 3 &&
                           last_extent(boxes).value_or(4) == 4 && width.value_or(1) >= 1;
        if (!sound || !width) {
            refuse(sound ? "the file does not show how many classes " + describe(m_node) + " reads"
                         : describe(m_node) + " reads " + text_of({m_node.input(0), boxes}) + " and " +
                               text_of({m_node.input(1), scores}),
                   "boxes [B, A, 4] and scores [B, A, C]",
                   sound ? "say how many: `num_classes` N" : "export the model with one box for each anchor");
        }
        if (m_told.class_count && *m_told.class_count != *width) {
            refuse(text_of({m_node.input(1), scores}) + " has scores of " + count_of(*width, "class") +
                       ", and `num_classes` says " + std::to_string(*m_told.class_count),
                   "the number of classes that " + describe(m_node) + " reads", "leave `num_classes` out");
        }
        auto& head = m_found.head;
        head.images = m_list.source.batch_input;
        head.boxes = {m_node.input(0), false, 0, 4, boxes.element == element_type::float32};
        head.scores = {m_node.input(1), false, 0, *width, scores.element == element_type::float32};
        head.format = integer(m_node.op_type() == of_boxes ? "box_coding" : "center_point_box", 0) == 1
                          ? box_format::cxcywh
                          : box_format::xyxy;
        head.activation = integer("score_activation", 0) == 1 ? score_activation::sigmoid : score_activation::none;
    }

    // What is declared of an inner value.
    [[nodiscard]] value_type inner(const std::string& name) const
    {
        const auto& graph = m_list.index.graph();
        for (const auto* infos : {&graph.value_info(), &graph.input(), &graph.output()}) {
            for (const auto& info : *infos) {
                if (info.name() == name) {
                    return declared_type(info);
                }
            }
        }
        value_type type;
        type.rank = rank_finder(m_list.index).rank_of(name);
        if (const auto width = columns_of(m_list.index, name)) {
            type.shape = {{}, {}, {*width, ""}};
        }
        return type;
    }

    void read_selection()
    {
        auto& how = m_found.selection;
        // It keeps scores that are equal to its threshold.
        const auto least = static_cast<float>(real("score_threshold", 0.25));
        how.score = m_told.score.value_or(static_cast<double>(std::nextafter(least, -1.0F)));
        how.iou_threshold = m_told.iou_threshold.value_or(real("iou_threshold", 0.5));
        how.most = m_told.most.value_or(
            integer(m_node.op_type() == of_boxes ? "max_output_boxes" : "max_output_boxes_per_class", 100));
        how.nms = m_told.nms.value_or(suppression::class_by_class);
        how.class_agnostic = m_told.class_agnostic || integer("class_agnostic", 0) == 1;
        how.multi_label = true;
        how.classes = m_told.classes;
        if (const auto background = integer("background_class", -1);
            background >= 0 && background < m_found.head.scores.columns) {
            leave_out(background);
        }
    }

    // No detections of a class.
    void leave_out(std::int64_t label)
    {
        auto& chosen = m_found.selection.classes;
        if (!chosen) {
            chosen = class_choice{{}, true};
        }
        const auto listed = std::find(chosen->labels.begin(), chosen->labels.end(), label);
        if (chosen->dropped && listed == chosen->labels.end()) {
            chosen->labels.push_back(label);
        } else if (!chosen->dropped && listed != chosen->labels.end()) {
            chosen->labels.erase(listed);
        }
    }

    const row_list& m_list;
    const onnx::NodeProto& m_node;
    const head_options& m_told;
    const recognise_options& m_options;
    found_head m_found;
};

} // namespace

const onnx::NodeProto* find_selecting_plugin(const graph_index& index)
{
    const auto& nodes = index.graph().node();
    const auto found = std::find_if(nodes.begin(), nodes.end(), is_plugin);
    return found != nodes.end() ? &*found : nullptr;
}

found_head head_of_plugin(const onnx::NodeProto& node, const row_list& list, const recognise_options& options)
{
    return plugin_reader(list, node, options).run();
}

} // namespace padbatch::onnx_tools
