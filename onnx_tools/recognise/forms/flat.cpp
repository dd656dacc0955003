// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/forms/flat.hpp>

#include <onnx_tools/error.hpp>
#include <onnx_tools/model/wording.hpp>
#include <onnx_tools/recognise/evidence.hpp>
#include <onnx_tools/recognise/flat_columns.hpp>
#include <onnx_tools/recognise/flat_reading.hpp>
#include <onnx_tools/recognise/row_columns.hpp>
#include <onnx_tools/recognise/row_images.hpp>
#include <onnx_tools/recognise/row_list.hpp>
#include <onnx_tools/recognise/row_nodes.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace padbatch::onnx_tools {
namespace {

class flat_recogniser {
public:
    flat_recogniser(const onnx::ModelProto& model, const recognise_options& options)
        : m_model(model), m_options(options), m_list(model), m_nodes(model)
    {
    }

    detections run()
    {
        const bool boxes_alone = m_options.columns && m_options.columns->size() == 4;
        if (m_options.columns) {
            require_columns(*m_options.columns, boxes_alone);
        }
        const auto found = read_flat(m_list.index, m_list.outputs, m_options);
        take(found);
        m_list.found.only_one_image = why_only_one_image();
        m_list.found.form = export_kind::flat;
        m_list.found.evidence = found.evidence;
        return std::move(m_list).finish();
    }

private:
    // A wrong scale for all images but the first would be silent.
    [[nodiscard]] std::string why_only_one_image() const
    {
        const auto read =
            m_list.batch.size == 1 ? std::nullopt : reads_first_image_only(m_list.index, m_list.source.batch_input);
        if (!read) {
            return "";
        }
        const auto why =
            describe(*read->node) + " reads the first row of the input " + quoted(read->input) + " for all images";
        if (m_list.batch.size) {
            throw tool_error(failure::refused, {why, "a row of " + quoted(read->input) + " for each image",
                                                "export the model with one image, and use `dynamic_batch`"});
        }
        return why;
    }

    void take(const flat_reading& found)
    {
        auto& source = m_list.source;
        const auto& rows = *found.rows;
        source.rows = rows.name;
        source.columns = found.columns;
        source.row_labels = found.labels != nullptr ? found.labels->name : "";
        source.row_scores = found.scores != nullptr ? found.scores->name : "";
        source.batch_index = found.index != nullptr ? found.index->name : "";
        m_list.taken = {source.rows, source.row_labels, source.row_scores, source.batch_index};
        const auto& scores = found.scores != nullptr ? found.scores->type : rows.type;
        m_list.set_fields(*rows.type.element, *scores.element);
        m_list.found.doubt_about_pixels = doubt(found);
        if (found.counts != nullptr) {
            find_images_by_counts(found);
        } else if (rows.type.rank == 4) {
            find_images_up_to_end();
        }
    }

    // Paddle's rows: those with a label of -1 are no detections, and where nothing was found, its exporter puts a row
    // with a score of 0, and counts it.
    void find_images_by_counts(const flat_reading& found)
    {
        auto& source = m_list.source;
        const auto images = m_nodes.images_by_counts(source.rows, found.counts->name, source.batch_input);
        const bool paddle = !source.columns.empty() && source.columns.front() == flat_column::label;
        const auto place = [&](flat_column column) {
            return std::find(source.columns.begin(), source.columns.end(), column) - source.columns.begin();
        };
        m_nodes.require_not_negative("labels", source.row_labels.empty() ? m_nodes.column("labels/column", source.rows,
                                                                                          place(flat_column::label))
                                                                         : source.row_labels);
        if (paddle) {
            m_nodes.require_positive("scores", m_nodes.column("scores/column", source.rows, place(flat_column::score)));
        }
        source.batch_index = m_nodes.image_if_detection(source.rows, images);
        m_list.taken.insert(found.counts->name);
        finish(found, "the image of each row, counted by " + quoted(found.counts->name));
    }

    // The rows of an OpenVINO DetectionOutput end at one whose image is -1.
    void find_images_up_to_end()
    {
        auto& source = m_list.source;
        const auto model_rows = source.rows;
        source.rows = m_nodes.without_front(model_rows, 2);
        const auto place = std::find(source.columns.begin(), source.columns.end(), flat_column::batch);
        const auto images = m_nodes.column("image/column", source.rows, place - source.columns.begin());
        m_nodes.require_in_front_of_negative("image", images);
        source.batch_index = m_nodes.image_if_detection(source.rows, m_nodes.whole("image/whole", images));
        std::vector<onnx::ValueInfoProto> values(2);
        declare(values[0], source.rows, m_list.found.fields.front().element, {dimension(), {7, ""}});
        declare(values[1], source.batch_index, element_type::int64, {dimension()});
        m_list.found.rearranged = std::move(m_nodes).finish(m_model, m_list.taken, values);
        m_list.found.rearranged->sources = {
            {source.rows, quoted(model_rows)},
            {source.batch_index, "the images in " + quoted(model_rows) + ", up to the first -1"}};
    }

    void finish(const flat_reading& found, const std::string& what)
    {
        auto& source = m_list.source;
        std::vector<onnx::ValueInfoProto> values(1);
        declare(values[0], source.batch_index, element_type::int64, {dimension()});
        auto replaced = m_list.taken;
        for (const auto* kept : {found.rows, found.labels, found.scores}) {
            if (kept != nullptr) {
                replaced.erase(kept->name);
            }
        }
        m_list.found.rearranged = std::move(m_nodes).finish(m_model, replaced, values);
        m_list.found.rearranged->sources = {{source.batch_index, what}};
    }

    // Why boxes may not be in pixels of the images as they come in.
    [[nodiscard]] std::string doubt(const flat_reading& found) const
    {
        if (found.rows->type.rank == 4) {
            return "nothing shows whether the boxes of " + quoted(found.rows->name) + " are in pixels or normalised";
        }
        for (const auto* info : m_list.index.required_inputs()) {
            const auto type = declared_type(*info);
            if (info->name() != m_list.source.batch_input && type.rank && *type.rank >= 2 &&
                last_extent(type) != last_extent(found.rows->type) && // rather than rows that come in
                depends_on(m_list.index, found.rows->name, info->name())) {
                return "the rows " + quoted(found.rows->name) + " depend on the input " + quoted(info->name()) +
                       " too, which may scale the boxes";
            }
        }
        return "";
    }

    const onnx::ModelProto& m_model;
    const recognise_options& m_options;
    row_list m_list;
    row_nodes m_nodes;
};

} // namespace

detections recognise_flat(const onnx::ModelProto& model, const recognise_options& options)
{
    return flat_recogniser(model, options).run();
}

} // namespace padbatch::onnx_tools
