// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/padded_rows.hpp>

#include <onnx_tools/recognise/box_format.hpp>

#include <algorithm>
#include <cstddef>
#include <utility>

namespace padbatch::onnx_tools {
namespace {

class real_row_writer {
public:
    real_row_writer(node_writer& nodes, const padded_rows& source)
        : m_nodes(nodes), m_source(source), m_columns(source.columns), m_type(common_type(source))
    {
    }

    real_rows run() &&
    {
        const auto batch = m_nodes.extents("padded/batch", m_source.images, {0});
        const auto rows = join(batch);
        const auto places = m_nodes.add("NonZero", "padded/places", {are_real(rows, batch)});
        const auto by_row = m_nodes.add("Transpose", "padded/by_row", {places});
        const auto real = m_nodes.add("GatherND", "padded/real", {rows, by_row});
        const auto image = m_nodes.gather("padded/image", places, m_nodes.integer(0), 0);
        const auto known = with_known_boxes(real);
        return {known, image, std::move(m_columns)};
    }

private:
    // [B, M, columns]. Only outputs of the same extents can be joined, and the Reshape fails if they have another
    // number of images than the input, or of rows or columns than was found.
    std::string join(const std::string& batch)
    {
        std::vector<std::string> all;
        for (const auto& part : m_source.parts) {
            auto value = part.name;
            if (part.is_column) {
                value = m_nodes.unsqueeze("padded/column", value, 2);
            }
            if (part.element != m_type) {
                value = m_nodes.cast("padded/cast", value, m_type);
            }
            all.push_back(value);
        }
        const auto value = all.size() == 1 ? all.front() : m_nodes.concat("padded/joined", all, 2);
        const auto most =
            m_source.rows ? m_nodes.integers({*m_source.rows}) : m_nodes.extents("padded/rows", value, {1});
        const auto shape = m_nodes.concat(
            "padded/shape", {batch, most, m_nodes.integers({static_cast<std::int64_t>(m_columns.size())})}, 0);
        return m_nodes.add("Reshape", "padded", {value, shape});
    }

    // Whether each row is real, [B, M].
    std::string are_real(const std::string& rows, const std::string& batch)
    {
        const auto column = [&](flat_column which) {
            const auto place = std::find(m_columns.begin(), m_columns.end(), which) - m_columns.begin();
            return m_nodes.gather("padded/" + std::string(name_of(which)), rows, m_nodes.integer(place), 2);
        };
        if (m_source.ends == row_ends::before_label || m_source.ends == row_ends::before_score) {
            std::string mark;
            if (m_source.ends == row_ends::before_label) {
                const auto labels = m_nodes.cast("padded/labels", column(flat_column::label), element_type::int64);
                mark = m_nodes.add("Equal", "padded/is_end", {labels, m_nodes.integer(-1)});
            } else {
                onnx::TensorProto zero;
                zero.set_data_type(onnx::TensorProto::FLOAT);
                zero.add_float_data(0.0F);
                const auto scores = column(flat_column::score);
                const auto bound = m_nodes.cast("padded/zero", m_nodes.constant("padded/0", zero), m_type);
                mark =
                    m_nodes.add("Not", "padded/is_end", {m_nodes.add("Greater", "padded/is_scored", {scores, bound})});
            }
            const auto ends = m_nodes.cast("padded/ends", mark, element_type::int64);
            const auto before = m_nodes.add("CumSum", "padded/ends_before", {ends, m_nodes.integer(1)});
            return m_nodes.add("Equal", "padded/is_real", {before, m_nodes.integer(0)});
        }
        const auto most = m_nodes.extent("padded/most", rows, 1);
        const auto places = m_nodes.add("Range", "padded/row", {m_nodes.integer(0), most, m_nodes.integer(1)});
        const auto shape = m_nodes.concat("padded/count/shape", {batch, m_nodes.integers({1})}, 0);
        const auto counts =
            m_source.ends == row_ends::all
                ? m_nodes.add("Expand", "padded/count", {most, shape})
                : m_nodes.add("Reshape", "padded/count",
                              {m_nodes.cast("padded/count/int64", m_source.count, element_type::int64), shape});
        return m_nodes.add("Less", "padded/is_real", {places, counts});
    }

    // Rows [n, columns] whose boxes are what the list of all images can have: corners or centers, in pixels.
    std::string with_known_boxes(const std::string& rows)
    {
        if (m_source.boxes == box_format::xyxy && !m_source.normalised) {
            return rows;
        }
        return with_corners(m_nodes, rows, m_columns, m_source.boxes, m_type, 1, [&](const std::string& boxes) {
            return m_source.normalised ? to_pixels(m_nodes, boxes, m_type, m_source.images, m_source.height) : boxes;
        });
    }

    node_writer& m_nodes;
    const padded_rows& m_source;
    flat_columns m_columns;
    element_type m_type;
};

} // namespace

element_type common_type(const padded_rows& source)
{
    auto widest = element_type::float16;
    bool wide_labels = false;
    for (const auto& part : source.parts) {
        if (!is_floating(part.element)) {
            wide_labels = part.element != element_type::int8 && part.element != element_type::uint8;
        } else if (part.element == element_type::float64 || widest == element_type::float16) {
            widest = part.element;
        }
    }
    return wide_labels && widest == element_type::float16 ? element_type::float32 : widest;
}

real_rows write_real_rows(node_writer& nodes, const padded_rows& source)
{
    return real_row_writer(nodes, source).run();
}

} // namespace padbatch::onnx_tools
