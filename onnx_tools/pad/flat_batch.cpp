// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/pad/flat_batch.hpp>

#include <onnx_tools/model/prune.hpp>
#include <onnx_tools/pad/image_rows.hpp>
#include <onnx_tools/pad/outputs.hpp>
#include <onnx_tools/plan/pad_value.hpp>

#include <algorithm>

namespace padbatch::onnx_tools {
namespace {

// Nothing is written row by row. A table [B, M] says which row of the list goes to each place of the output, and each
// field is gathered with it in one step. Where there is no row, the table says -1: the last row, which is padding.
class flat_padder {
public:
    flat_padder(onnx::GraphProto& graph, const pad_plan& p, fresh_names& fresh, std::int64_t opset)
        : m_graph(graph), m_plan(p), m_source(*p.source.flat), m_nodes(graph, fresh, opset)
    {
    }

    void run()
    {
        const auto used = values_in_use(m_graph);
        row_values rows = m_source.boxes.empty() ? rows_of_list() : rows_of_selection();
        if (!m_plan.source.images.empty()) {
            rows.image = m_plan.source.images.front();
            rows.image_rank = m_plan.source.image_rank;
            rows.channels_last = m_plan.source.channels_last;
        }
        drop_classes(m_nodes, m_plan, rows);
        drop_low_scores(m_nodes, m_plan, rows);
        const auto scores = rows.fields[scores_place()]; // of the model's own type
        convert_rows(m_nodes, m_plan, rows);
        group(scores, rows.more.front());
        write_counts();
        write_table();
        std::vector<std::string> padded;
        for (std::size_t i = 0; i < m_plan.fields.size(); ++i) {
            padded.push_back(write_field(i, rows.fields[i]));
        }
        join_fields(m_nodes, m_plan, padded);
        declare_outputs(m_graph, m_plan);
        remove_unused(m_graph, used);
    }

private:
    [[nodiscard]] std::size_t scores_place() const { return place_of(m_plan, field::scores).value(); }

    // --- the rows of each field, and the image of each row ----------------------------------------------------

    row_values rows_of_list()
    {
        row_values rows;
        for (const auto& f : m_plan.fields) {
            if (f.kind == field::boxes) {
                rows.fields.push_back(corners(f, m_source.rows));
            } else if (f.kind == field::labels) {
                const auto labels = column_or("labels/list", flat_column::label, m_source.row_labels);
                rows.fields.push_back(m_nodes.cast("labels/whole", labels, *f.from));
            } else if (const auto other = m_source.row_fields.find(f.kind); other != m_source.row_fields.end()) {
                rows.fields.push_back(other->second);
            } else {
                rows.fields.push_back(column_or("scores/list", flat_column::score, m_source.row_scores));
            }
        }
        const auto image = column_or("image/list", flat_column::batch, m_source.batch_index);
        rows.more.push_back(m_nodes.cast("image", image, element_type::int64));
        return rows;
    }

    row_values rows_of_selection()
    {
        const auto picked = [&](const char* name, std::int64_t i) {
            return m_nodes.gather(name, m_source.rows, m_nodes.integer(i), 1);
        };
        row_values rows;
        for (const auto& f : m_plan.fields) {
            if (f.kind == field::boxes) {
                const auto places = m_nodes.gather("boxes/places", m_source.rows, m_nodes.integers({0, 2}), 1);
                rows.fields.push_back(corners(f, m_nodes.add("GatherND", "boxes/selected", {m_source.boxes, places})));
            } else {
                rows.fields.push_back(f.kind == field::labels ? picked("labels/selected", 1)
                                                              : m_nodes.add("GatherND", "scores/selected",
                                                                            {m_source.scores, m_source.rows}));
            }
        }
        rows.more.push_back(picked("image/selected", 0));
        return rows;
    }

    [[nodiscard]] std::int64_t position(flat_column name) const
    {
        return std::find(m_source.columns.begin(), m_source.columns.end(), name) - m_source.columns.begin();
    }

    [[nodiscard]] bool is_column(flat_column name) const
    {
        return position(name) != static_cast<std::int64_t>(m_source.columns.size());
    }

    std::string column(const std::string& name, flat_column which)
    {
        return m_nodes.gather(name, m_source.rows, m_nodes.integer(position(which)), 1);
    }

    // A column of the rows; or a list beside them, as long as there are rows, or the run fails.
    std::string column_or(const std::string& name, flat_column which, const std::string& list)
    {
        return list.empty() ? column(name, which)
                            : m_nodes.add("Reshape", name, {list, m_nodes.extents("rows", m_source.rows, {0})});
    }

    // Boxes x1, y1, x2, y2, made from values with the columns of the source.
    std::string corners(const planned_field& f, const std::string& values)
    {
        using enum flat_column;
        const auto columns = [&](const std::string& name, const std::vector<flat_column>& names) {
            std::vector<std::int64_t> places;
            for (const auto each : names) {
                places.push_back(position(each));
            }
            return m_nodes.gather("boxes/" + name, values, m_nodes.integers(places), 1);
        };
        if (is_column(x1)) {
            return columns("corners", {x1, y1, x2, y2});
        }
        const auto center = columns("center", {cx, cy});
        const auto half =
            m_nodes.add("Mul", "boxes/half",
                        {columns("size", {w, h}), m_nodes.constant("boxes/0.5", *make_pad_value(*f.from, 0.5))});
        const auto low = m_nodes.add("Sub", "boxes/low", {center, half});
        const auto high = m_nodes.add("Add", "boxes/high", {center, half});
        return m_nodes.concat("boxes/corners", {low, high}, 1);
    }

    // --- which row goes where ---------------------------------------------------------------------------------

    // Finds the order of the rows image by image, the best of each first, and how many rows each image has. Among equal
    // scores TopK takes the lower index first, and NonZero goes through a matrix row by row.
    void group(const std::string& scores, const std::string& image)
    {
        const auto keys = sortable(m_nodes, "order/scores", m_plan.fields[scores_place()], scores);
        const auto by_score = m_nodes.best("order", keys, m_nodes.extents("order", keys, {0}));
        const auto sorted_image = m_nodes.gather("image/sorted", image, by_score, 0);

        // A row of no image, so that there is at least one row: not all runtimes can sum over nothing.
        const auto rows = m_nodes.concat("image/and_none", {sorted_image, m_nodes.integers({-1})}, 0);
        const auto batch = m_nodes.extent("batch", m_source.batch_input, 0);
        const auto images = m_nodes.add("Range", "batch/images", {m_nodes.integer(0), batch, m_nodes.integer(1)});
        const auto is_of =
            m_nodes.add("Equal", "image/is_of", {m_nodes.unsqueeze("batch/column", images, 1), rows}); // [B, n + 1]
        m_counts = m_nodes.sum("count/all", m_nodes.cast("image/ones", is_of, element_type::int64), 1);

        const auto places = m_nodes.add("NonZero", "image/places", {is_of}); // [2, n]
        const auto in_order = m_nodes.gather("image/rows", places, m_nodes.integer(1), 0);
        const auto order = m_nodes.gather("order/by_image", by_score, in_order, 0);
        m_order = m_nodes.concat("order/and_padding", {order, m_nodes.integers({-1})}, 0);
        m_starts = m_nodes.add("CumSum", "count/before", {m_counts, m_nodes.integer(0)});
        m_nodes.set("exclusive", 1);
    }

    void write_counts()
    {
        const auto at_most = [&](const std::string& rows) { // Min takes no integers in opset 11
            m_counts = m_nodes.add("Where", "count/kept",
                                   {m_nodes.add("Less", "count/fits", {m_counts, rows}), m_counts, rows});
        };
        if (!m_plan.chosen.most_rows.empty()) {
            at_most(m_plan.chosen.most_rows);
        }
        if (m_plan.max_detections) {
            m_max = m_nodes.integer(*m_plan.max_detections);
        } else {
            m_max = m_nodes.squeeze("count/most", m_nodes.largest_or_zero("count", m_counts), 0);
        }
        if (m_plan.cuts_rows && m_plan.chosen.most_rows.empty()) {
            at_most(m_max);
        }
        m_counts_column = m_nodes.unsqueeze("count/column", m_counts, 1);
        if (m_plan.count) {
            const bool flat = m_plan.count->flat;
            m_nodes.cast("count/" + std::string(name_of(m_plan.count->element)), flat ? m_counts : m_counts_column,
                         m_plan.count->element, m_plan.count->name);
        }
    }

    void write_table()
    {
        const auto places = m_nodes.add("Range", "table/places", {m_nodes.integer(0), m_max, m_nodes.integer(1)});
        const auto is_real = m_nodes.add("Less", "table/is_real", {places, m_counts_column}); // [B, M]
        const auto starts = m_nodes.unsqueeze("table/starts", m_starts, 1);
        const auto rows = m_nodes.add("Add", "table/rows", {starts, places});
        const auto all = m_nodes.add("Where", "table/or_padding", {is_real, rows, m_nodes.integer(-1)});
        m_table = m_nodes.gather("table", m_order, all, 0);
    }

    std::string write_field(std::size_t i, const std::string& rows)
    {
        const auto& f = m_plan.fields[i];
        const std::string name(name_of(f.kind));
        const auto padding = padding_rows(m_nodes, f, m_nodes.integers({1}), row_extents(m_nodes, f, rows), "");
        const auto and_padding = m_nodes.concat(name + "/and_padding", {rows, padding}, 0);
        return m_nodes.gather(name + "/padded", and_padding, m_table, 0, own_output(m_plan, i));
    }

    onnx::GraphProto& m_graph;
    const pad_plan& m_plan;
    const flat_source& m_source;
    node_writer m_nodes;
    std::string m_order;         // the rows image by image, then -1
    std::string m_counts;        // [B], at most M
    std::string m_counts_column; // [B, 1]
    std::string m_starts;        // [B], where the rows of each image begin in the order
    std::string m_max;           // M
    std::string m_table;         // [B, M]
};

} // namespace

void pad_flat(onnx::GraphProto& graph, const pad_plan& p, fresh_names& fresh, std::int64_t opset)
{
    flat_padder(graph, p, fresh, opset).run();
}

} // namespace padbatch::onnx_tools
