// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/forms/nms.hpp>

#include <onnx_tools/error.hpp>
#include <onnx_tools/model/wording.hpp>
#include <onnx_tools/recognise/column_origin.hpp>
#include <onnx_tools/recognise/flat_columns.hpp>
#include <onnx_tools/recognise/row_list.hpp>
#include <onnx_tools/recognise/row_nodes.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace padbatch::onnx_tools {
namespace {

// The largest M that may be requested.
constexpr std::int64_t most_rows = 2147483647;

class nms_recogniser {
public:
    nms_recogniser(const onnx::ModelProto& model, const recognise_options& options)
        : m_model(model), m_columns(options.columns), m_list(model)
    {
    }

    detections run()
    {
        if (m_columns) {
            require_columns(*m_columns, true);
        }
        read_selection();
        m_list.found.form = export_kind::nms;
        return std::move(m_list).finish();
    }

private:
    void read_selection()
    {
        std::set<const onnx::NodeProto*> nodes;
        for (const auto& output : m_list.outputs) {
            const auto* node =
                producer_behind(m_list.index, output.name, {"Identity", "Cast", "Squeeze", "Unsqueeze", "Reshape"}, 16);
            if (node != nullptr && standard_operator(*node) == "NonMaxSuppression" &&
                (node->domain().empty() || node->domain() == "ai.onnx") && is_selection(output.type)) {
                nodes.insert(node);
            }
        }
        if (nodes.size() > 1) {
            refuse("the outputs are the selections of " + std::to_string(nodes.size()) +
                       " NonMaxSuppression nodes: " + list_of(m_list.outputs),
                   "one selection", "export the model with only one of them");
        }
        if (nodes.empty()) {
            read_selection_by_type();
        } else {
            read_selection_of(**nodes.begin());
        }
    }

    // Of rank 3, it has a dimension of extent 1 in front, as in the model zoo's tiny YOLOv3.
    [[nodiscard]] static bool is_selection(const value_type& type)
    {
        const bool in_front = type.rank == 3 && !type.shape.empty() && type.shape.front().size == 1;
        const auto last = last_extent(type);
        return type.element && !is_floating(*type.element) && *type.element != element_type::boolean &&
               (!type.rank || type.rank == 2 || in_front) && (!last || *last == 3);
    }

    // The values that have the same elements as `value`, perhaps in other types and shapes or transposed.
    [[nodiscard]] std::set<std::string_view> same_elements(std::string_view value) const
    {
        std::set<std::string_view> all;
        while (all.insert(value).second) {
            const auto* node = m_list.index.producer(value);
            if (!is(node, {"Identity", "Cast", "Transpose", "Squeeze", "Unsqueeze", "Reshape", "Flatten"})) {
                break;
            }
            value = node->input(0);
        }
        return all;
    }

    void read_selection_of(const onnx::NodeProto& node)
    {
        if (node.input_size() < 2 || node.input(0).empty() || node.input(1).empty()) {
            refuse(describe(node) + " does not read both boxes and scores",
                   "a NonMaxSuppression with the inputs that ONNX requires",
                   "correct the node, or export the model again");
        }
        m_list.source.rows = node.output(0);
        m_list.source.boxes = node.input(0);
        m_list.source.scores = node.input(1);
        std::set<std::string_view> parts = same_elements(m_list.source.boxes);
        parts.merge(same_elements(m_list.source.scores));
        parts.insert(m_list.source.rows);
        const auto is_part = [&](const std::string& output) {
            const auto same = same_elements(output);
            return std::any_of(same.begin(), same.end(), [&](auto value) { return parts.count(value) != 0; });
        };
        for (const auto& output : m_list.outputs) {
            if (is_part(output.name)) {
                m_list.taken.insert(output.name);
            } else if (is_floating_of_rank(output.type, 3) && last_extent(output.type) == 4) {
                refuse("the output " + text_of(output) + " looks like boxes, but " + describe(node) +
                           " selects from other boxes, " + quoted(m_list.source.boxes),
                       "the boxes that are selected from (some models shift them by class first)",
                       "export the model without that output; or with rows of all images, [n, 7], for `from` flat");
            }
        }
        const bool center = integer_attribute(node, "center_point_box", 0) == 1;
        m_list.source.columns = m_columns.value_or(center ? center_and_size : corners);
        m_list.found.limit = limit_of(node);
        if (const auto least = node.input_size() > 4 ? m_list.index.constant_number(node.input(4)) : std::nullopt) {
            m_list.found.threshold = score_threshold{*least, describe(node)};
        }
        m_list.set_fields(element_type::float32, element_type::float32); // the node takes no other type
        m_list.found.evidence = "an output is what " + describe(node) + " selects";
    }

    // What the node keeps per class, times the number of classes. Nothing if its constant is a mere formality, not
    // below the number of boxes.
    [[nodiscard]] std::optional<row_limit> limit_of(const onnx::NodeProto& node) const
    {
        const auto most = node.input_size() > 2 ? m_list.index.constant_integers(node.input(2)) : std::nullopt;
        const auto shape = shape_of(m_list.source.scores);
        if (!most || most->size() != 1 || shape.size() != 3 || !shape[1].size || *shape[1].size < 1) {
            return std::nullopt;
        }
        const auto of_class = most->front();
        if (of_class < 1 || of_class > most_rows / *shape[1].size || (shape[2].size && of_class >= *shape[2].size)) {
            return std::nullopt;
        }
        return row_limit{of_class * *shape[1].size, describe(node)};
    }

    [[nodiscard]] std::vector<dimension> shape_of(const std::string& value) const
    {
        const auto& graph = m_list.index.graph();
        for (const auto* infos : {&graph.output(), &graph.value_info(), &graph.input()}) {
            for (const auto& info : *infos) {
                if (info.name() == value) {
                    return declared_type(info).shape;
                }
            }
        }
        return {};
    }

    // The three outputs, if they do not come from such a node, or not directly.
    void read_selection_by_type()
    {
        std::vector<const typed_value*> rows;
        std::vector<const typed_value*> boxes;
        std::vector<const typed_value*> scores;
        for (const auto& output : m_list.outputs) {
            const auto& type = output.type;
            if ((type.element == element_type::int64 || type.element == element_type::int32) && is_selection(type) &&
                last_extent(type) == 3) {
                rows.push_back(&output);
            } else if (is_floating_of_rank(type, 3)) {
                (last_extent(type) == 4 ? boxes : scores).push_back(&output);
            }
        }
        if (rows.size() != 1 || boxes.size() != 1 || scores.size() != 1) {
            refuse(
                "no output is what a NonMaxSuppression node selects, and the outputs cannot be told apart by their "
                "types: " +
                    list_of(m_list.outputs),
                "an output [n, 3] of such a node; or one of integers, [n, 3] or [1, n, 3], one float [B, k, 4] and one "
                "[B, classes, k]",
                "export the model with these outputs; or use `from` flat where it has the rows of all images");
        }
        m_list.source.rows = rows.front()->name;
        m_list.source.boxes = boxes.front()->name;
        m_list.source.scores = scores.front()->name;
        // Rows of a selection may have been taken out.
        const auto* node = origin_of_column(m_list.index, rows.front()->name, 0).suppression;
        const bool center = node != nullptr && integer_attribute(*node, "center_point_box", 0) == 1;
        m_list.source.columns = m_columns.value_or(center ? center_and_size : corners);
        m_list.taken = {m_list.source.rows, m_list.source.boxes, m_list.source.scores};
        m_list.set_fields(*boxes.front()->type.element, *scores.front()->type.element);
        const auto& type = rows.front()->type;
        if (type.rank == 3 || type.element != element_type::int64) {
            row_nodes nodes(m_model);
            m_list.source.rows = nodes.whole("selection", type.rank == 3 ? nodes.without_front(rows.front()->name, 1)
                                                                         : rows.front()->name);
            onnx::ValueInfoProto info;
            declare(info, m_list.source.rows, element_type::int64, {dimension(), {3, ""}});
            m_list.found.rearranged = std::move(nodes).finish(m_model, {rows.front()->name}, {info});
            m_list.found.rearranged->sources = {{m_list.source.rows, quoted(rows.front()->name)}};
        }
    }

    const onnx::ModelProto& m_model;
    const std::optional<flat_columns>& m_columns; // those named by the user
    row_list m_list;
};

} // namespace

detections recognise_nms(const onnx::ModelProto& model, const recognise_options& options)
{
    return nms_recogniser(model, options).run();
}

} // namespace padbatch::onnx_tools
