// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/pad/fixed_batch.hpp>

#include <onnx_tools/model/node_writer.hpp>
#include <onnx_tools/model/prune.hpp>
#include <onnx_tools/pad/image_rows.hpp>
#include <onnx_tools/pad/outputs.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace padbatch::onnx_tools {
namespace {

// Rewrites a graph that has separate values for each image.
class fixed_padder {
public:
    fixed_padder(onnx::GraphProto& graph, const pad_plan& p, fresh_names& fresh, std::int64_t opset)
        : m_graph(graph), m_plan(p), m_nodes(graph, fresh, opset)
    {
    }

    void run()
    {
        for (std::int64_t i = 0; i < m_plan.source.batch; ++i) {
            m_images.push_back(rows_of(static_cast<std::size_t>(i)));
        }
        write_counts();
        std::vector<std::string> padded;
        for (std::size_t i = 0; i < m_plan.fields.size(); ++i) {
            padded.push_back(write_field(i));
        }
        join_fields(m_nodes, m_plan, padded);
        const auto used = values_in_use(m_graph);
        declare_outputs(m_graph, m_plan);
        remove_unused(m_graph, used);
    }

private:
    row_values rows_of(std::size_t image)
    {
        row_values rows;
        rows.where = "/" + std::to_string(image);
        const auto& inputs = m_plan.source.images;
        if (!inputs.empty()) {
            rows.image = inputs.size() == 1 ? inputs.front() : inputs[image];
            rows.image_rank = m_plan.source.image_rank;
            rows.channels_last = m_plan.source.channels_last;
        }
        for (const auto& f : m_plan.fields) {
            rows.fields.push_back(f.values[image]);
        }
        // Joining them to M rows fails for any that are more or fewer, unless M follows from them or some are dropped.
        if (!m_plan.max_detections || cuts_rows_at_end(m_plan) || drops_rows(m_plan)) {
            require_equal_counts(m_nodes, m_plan, rows);
        }
        drop_classes(m_nodes, m_plan, rows);
        drop_low_scores(m_nodes, m_plan, rows);
        cut_rows(m_nodes, m_plan, rows);
        convert_rows(m_nodes, m_plan, rows);
        return rows;
    }

    // The number of rows of each image, and the output that holds it.
    void write_counts()
    {
        for (const auto& image : m_images) {
            m_rows.push_back(row_count(m_nodes, m_plan, image));
        }
        const auto all = m_nodes.concat("count/all", m_rows, 0);
        m_max =
            m_plan.max_detections ? m_nodes.integers({*m_plan.max_detections}) : m_nodes.largest("count/largest", all);
        for (std::size_t i = 0; i < m_rows.size(); ++i) {
            const std::string at = "count" + m_images[i].where + "/missing";
            const auto missing = m_nodes.add("Sub", at, {m_max, m_rows[i]});
            m_missing.push_back(m_plan.max_detections ? missing : m_nodes.not_negative(at, missing));
        }
        if (!m_plan.count) {
            return;
        }
        const bool flat = m_plan.count->flat;
        const std::string cast = "count/" + std::string(name_of(m_plan.count->element));
        const auto typed = m_nodes.cast(cast, all, m_plan.count->element, flat ? m_plan.count->name : "");
        if (!flat) {
            const auto shape = m_nodes.integers({m_plan.source.batch, 1});
            m_nodes.add("Reshape", "count/reshape", {typed, shape}, m_plan.count->name);
        }
    }

    std::string write_field(std::size_t i)
    {
        const auto& f = m_plan.fields[i];
        const std::string name(name_of(f.kind));
        std::vector<std::string> values;
        for (const auto& image : m_images) {
            values.push_back(image.fields[i]);
        }
        if (f.kind == field::masks && m_plan.widens_masks) {
            widen(f, values);
        }
        const auto row = row_extents(m_nodes, f, values.front());
        // Reshape reads 0 as "keep this extent", and M may be 0 if it follows the batch: -1 is right for both.
        const auto shape = padded_shape(m_nodes, f, {1, m_plan.max_detections.value_or(-1)}, row);
        const bool alone = values.size() == 1;
        std::vector<std::string> parts;
        for (std::size_t image = 0; image < values.size(); ++image) {
            const auto& where = m_images[image].where;
            auto rows = values[image];
            auto padding = padding_rows(m_nodes, f, m_missing[image], row, where);
            if (f.row.size() == 3) {
                // OpenVINO 2026.4 joins tensors of four dimensions wrongly if one of them is empty.
                rows = m_nodes.add("Reshape", name + where + "/flat", {rows, m_nodes.integers({-1})});
                padding = m_nodes.add("Reshape", name + where + "/padding/flat", {padding, m_nodes.integers({-1})});
            }
            // Image by image, so that a row too many in one cannot make up for one that another lacks.
            const auto joined = m_nodes.concat(name + where + "/joined", {rows, padding}, 0);
            parts.push_back(
                m_nodes.add("Reshape", name + where + "/padded", {joined, shape}, alone ? own_output(m_plan, i) : ""));
        }
        return alone ? parts.front() : m_nodes.concat(name + "/batch", parts, 0, own_output(m_plan, i));
    }

    // Pads every image's masks to the largest height, then to the largest width.
    void widen(const planned_field& f, std::vector<std::string>& values)
    {
        const std::string name(name_of(f.kind));
        const auto rank = static_cast<std::int64_t>(f.row.size()) + 1;
        for (const std::int64_t axis : {rank - 2, rank - 1}) {
            const std::string side = name + (axis == rank - 2 ? "/height" : "/width");
            std::vector<std::string> sizes;
            for (std::size_t i = 0; i < values.size(); ++i) {
                sizes.push_back(m_nodes.extents(side + m_images[i].where, values[i], {axis}));
            }
            const auto largest = m_nodes.largest(side + "/largest", m_nodes.concat(side + "/all", sizes, 0));
            std::vector<std::int64_t> before;
            for (std::int64_t d = 0; d < axis; ++d) {
                before.push_back(d);
            }
            for (std::size_t i = 0; i < values.size(); ++i) {
                const std::string at = side + m_images[i].where;
                const auto missing =
                    m_nodes.not_negative(at + "/missing", m_nodes.add("Sub", at + "/missing", {largest, sizes[i]}));
                std::vector<std::string> shape{m_nodes.extents(at + "/before", values[i], before), missing};
                if (axis + 1 < rank) {
                    shape.push_back(m_nodes.extents(at + "/after", values[i], {axis + 1}));
                }
                const auto margin_shape = m_nodes.concat(at + "/margin_shape", shape, 0);
                const auto margin = m_nodes.filled(at + "/margin", margin_shape, f.pad_value);
                values[i] = m_nodes.concat(at + "/widened", {values[i], margin}, axis);
            }
        }
    }

    onnx::GraphProto& m_graph;
    const pad_plan& m_plan;
    node_writer m_nodes;
    std::vector<row_values> m_images;
    std::vector<std::string> m_rows;    // n of each image, [1]
    std::vector<std::string> m_missing; // M - n of each image, [1]
    std::string m_max;                  // M, [1]
};

} // namespace

void pad_fixed(onnx::GraphProto& graph, const pad_plan& p, fresh_names& fresh, std::int64_t opset)
{
    fixed_padder(graph, p, fresh, opset).run();
}

} // namespace padbatch::onnx_tools
