// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/one_image.hpp>

#include <onnx_tools/model/functions.hpp>
#include <onnx_tools/model/node_writer.hpp>
#include <onnx_tools/model/value_types.hpp>
#include <onnx_tools/model/wording.hpp>
#include <onnx_tools/recognise/box_format.hpp>
#include <onnx_tools/recognise/flat_columns.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace padbatch::onnx_tools {
namespace {

// The number of images that the model declares to take.
std::optional<std::int64_t> declared_images(const onnx::GraphProto& graph, const std::string& input)
{
    for (const auto& info : graph.input()) {
        const auto shape = declared_type(info).shape;
        if (info.name() == input && !shape.empty()) {
            return shape.front().size;
        }
    }
    return std::nullopt;
}

class list_reader {
public:
    list_reader(const onnx::ModelProto& model, detections& found)
        : m_found(found), m_source(*found.flat), m_fresh(model.graph()),
          m_nodes(m_scratch, m_fresh, standard_opset(model))
    {
    }

    void run(const onnx::GraphProto& graph)
    {
        const bool selection = !m_source.boxes.empty();
        std::vector<std::string> values;
        for (const auto& f : m_found.fields) {
            const auto others = m_source.row_fields.find(f.kind);
            values.push_back(f.kind == field::boxes                ? boxes(f.element, selection)
                             : f.kind == field::labels             ? labels(f.element, selection)
                             : others != m_source.row_fields.end() ? others->second
                                                                   : scores(selection));
        }
        const auto image =
            m_nodes.cast("of_image/image",
                         selection ? column(flat_column::batch, 0) : list(flat_column::batch, m_source.batch_index),
                         element_type::int64);
        const auto order = best_of_image(image, values[place_of_scores()]);
        rearranged_outputs to;
        for (std::size_t i = 0; i < m_found.fields.size(); ++i) {
            auto& f = m_found.fields[i];
            const std::string name(name_of(f.kind));
            f.values = {m_nodes.gather("of_image/" + name, values[i], order, 0)};
            std::vector<dimension> shape(1);
            shape.insert(shape.end(), f.row.begin(), f.row.end());
            declare(to.outputs.emplace_back(), f.values.front(), f.element, shape);
            to.sources[f.values.front()] = source_of(f.kind, selection);
        }
        for (const auto& output : graph.output()) {
            const auto& others = m_found.other_outputs;
            if (std::find(others.begin(), others.end(), output.name()) != others.end()) {
                to.outputs.push_back(output);
            }
        }
        if (m_found.rearranged) {
            to.nodes = m_found.rearranged->nodes;
        }
        to.nodes.insert(to.nodes.end(), m_scratch.node().begin(), m_scratch.node().end());
        m_found.rearranged = std::move(to);
    }

private:
    [[nodiscard]] std::size_t place_of_scores() const
    {
        const auto& fields = m_found.fields;
        return static_cast<std::size_t>(
            std::find_if(fields.begin(), fields.end(), [](const auto& f) { return f.kind == field::scores; }) -
            fields.begin());
    }

    [[nodiscard]] std::int64_t position(flat_column name) const
    {
        return std::find(m_source.columns.begin(), m_source.columns.end(), name) - m_source.columns.begin();
    }

    std::string column(flat_column name, std::int64_t place)
    {
        return m_nodes.gather("of_list/" + std::string(name_of(name)), m_source.rows, m_nodes.integer(place), 1);
    }

    // A column of the rows; or a list beside them, as long as there are rows, or the run fails.
    std::string list(flat_column name, const std::string& value)
    {
        return value.empty() ? column(name, position(name))
                             : m_nodes.add("Reshape", "of_list/" + std::string(name_of(name)),
                                           {value, m_nodes.extents("of_list/rows", m_source.rows, {0})});
    }

    std::string boxes(element_type element, bool selection)
    {
        const bool center = has(m_source.columns, flat_column::cx);
        std::vector<std::int64_t> places;
        for (const auto name : center ? center_and_size : corners) {
            places.push_back(position(name));
        }
        auto rows = m_source.rows;
        if (selection) {
            const auto selected = m_nodes.gather("of_list/places", m_source.rows, m_nodes.integers({0, 2}), 1);
            rows = m_nodes.add("GatherND", "of_list/selected", {m_source.boxes, selected});
        }
        const auto numbers = m_nodes.gather("of_list/boxes", rows, m_nodes.integers(places), 1);
        return to_corners(m_nodes, numbers, center ? box_format::cxcywh : box_format::xyxy, element, 1);
    }

    std::string labels(element_type element, bool selection)
    {
        return m_nodes.cast("of_list/label/whole",
                            selection ? column(flat_column::label, 1) : list(flat_column::label, m_source.row_labels),
                            element);
    }

    std::string scores(bool selection)
    {
        return selection ? m_nodes.add("GatherND", "of_list/score", {m_source.scores, m_source.rows})
                         : list(flat_column::score, m_source.row_scores);
    }

    // The places of the rows of image 0 in the list, the best first; of equal ones, TopK takes those that come first.
    std::string best_of_image(const std::string& image, const std::string& scores)
    {
        const bool half = m_found.fields[place_of_scores()].element == element_type::float16; // which is not sorted
        const auto keys = half ? m_nodes.cast("of_image/keys", scores, element_type::float32) : scores;
        const auto order = m_nodes.best("of_image/order", keys, m_nodes.extents("of_image/order", keys, {0}));
        const auto sorted = m_nodes.gather("of_image/sorted", image, order, 0);
        const auto own = m_nodes.add("Equal", "of_image/is_first", {sorted, m_nodes.integer(0)});
        const auto places = m_nodes.squeeze("of_image/kept", m_nodes.add("NonZero", "of_image/places", {own}), 0);
        return m_nodes.gather("of_image/rows", order, places, 0);
    }

    // Where a field is from, in words.
    [[nodiscard]] std::string source_of(field kind, bool selection) const
    {
        const auto known = [&](const std::string& value) {
            if (m_found.rearranged) {
                const auto source = m_found.rearranged->sources.find(value);
                if (source != m_found.rearranged->sources.end()) {
                    return source->second;
                }
            }
            return quoted(value);
        };
        if (selection) {
            return (kind == field::boxes    ? known(m_source.boxes)
                    : kind == field::scores ? known(m_source.scores)
                                            : std::string("classes")) +
                   ", selected by " + known(m_source.rows);
        }
        const auto others = m_source.row_fields.find(kind);
        const auto& list = others != m_source.row_fields.end() ? others->second
                           : kind == field::labels             ? m_source.row_labels
                           : kind == field::scores             ? m_source.row_scores
                                                               : std::string();
        if (!list.empty() || m_source.columns.size() == 4) {
            return known(list.empty() ? m_source.rows : list);
        }
        if (kind == field::boxes) {
            const auto& names = has(m_source.columns, flat_column::cx) ? center_and_size : corners;
            return "the columns " + joined(names, ", ", [](flat_column each) { return name_of(each); }) + " of " +
                   known(m_source.rows);
        }
        return "the column " + std::string(name_of(kind == field::labels ? flat_column::label : flat_column::score)) +
               " of " + known(m_source.rows);
    }

    detections& m_found;
    flat_source m_source;
    fresh_names m_fresh;
    onnx::GraphProto m_scratch;
    node_writer m_nodes;
};

} // namespace

detections as_fields_of_image(const onnx::ModelProto& model, detections found)
{
    if (!found.flat) {
        return found;
    }
    const auto images = declared_images(model.graph(), found.flat->batch_input);
    if (!images && found.only_one_image.empty()) {
        return found;
    }
    const readable_model readable(model);
    const auto copy = rearranged_copy(*readable, found.rearranged.value_or(unchanged_outputs(model.graph())));
    list_reader(copy, found).run(copy.graph());
    found.list_of_image = std::move(found.flat);
    found.flat.reset();
    found.batch = images.value_or(1);
    found.best_first = true;
    found.only_one_image.clear();
    return found;
}

} // namespace padbatch::onnx_tools
