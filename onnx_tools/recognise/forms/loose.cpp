// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/forms/loose.hpp>

#include <onnx_tools/model/graph.hpp>
#include <onnx_tools/model/wording.hpp>
#include <onnx_tools/recognise/column_origin.hpp>
#include <onnx_tools/recognise/evidence.hpp>
#include <onnx_tools/recognise/flat_columns.hpp>
#include <onnx_tools/recognise/forms/loose_columns.hpp>
#include <onnx_tools/recognise/forms/loose_nodes.hpp>
#include <onnx_tools/recognise/forms/loose_parts.hpp>
#include <onnx_tools/recognise/graph_outputs.hpp>
#include <onnx_tools/recognise/integers.hpp>
#include <onnx_tools/recognise/row_origin.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace padbatch::onnx_tools {
namespace {

bool is_open(const std::vector<dimension>& shape)
{
    return !shape.empty() && !shape.front().size;
}

class loose_reader {
public:
    loose_reader(const onnx::ModelProto& model, const recognise_options& options)
        : m_options(options), m_model(model), m_index(model.graph()), m_fresh(model.graph()),
          m_sorter(m_index, options), m_outputs(typed_outputs(model, m_index))
    {
        start();
    }

    std::optional<loose_outputs> run()
    {
        if (m_options.fields) {
            return as_told();
        }
        const auto all = static_cast<std::int64_t>(m_outputs.size());
        const auto images = std::count_if(m_outputs.begin(), m_outputs.end(),
                                          [&](const auto& output) { return m_sorter.boxes_of(output).has_value(); });
        if (images == 0 || (images > 1 && all % images != 0) || images != m_options.batch.value_or(images) ||
            has_copies_of_boxes()) {
            return std::nullopt;
        }
        const auto slots = static_cast<std::size_t>(images == 1 ? all : all / images);
        for (const auto order : {output_order::by_image, output_order::by_field}) {
            if (images > 1 && m_options.order.value_or(order) != order) {
                continue;
            }
            bool fit = true;
            for (std::size_t image = 0; fit && image < static_cast<std::size_t>(images); ++image) {
                std::vector<const typed_value*> own;
                for (std::size_t slot = 0; slot < slots; ++slot) {
                    own.push_back(
                        &m_outputs[order == output_order::by_image ? image * slots + slot
                                                                   : slot * static_cast<std::size_t>(images) + image]);
                }
                fit = read_image(own, images > 1);
            }
            if (fit && m_found.images > 0) {
                m_found.order = order;
                return finish();
            }
            start();
        }
        return std::nullopt;
    }

private:
    void start()
    {
        m_found = {};
        m_fields.clear();
        m_others.clear();
        m_writer.emplace(m_model, m_index, m_fresh);
    }

    // Copies of one image's boxes are no second image.
    [[nodiscard]] bool has_copies_of_boxes() const
    {
        std::set<std::string_view> different;
        return std::any_of(m_outputs.begin(), m_outputs.end(), [&](const auto& output) {
            return m_sorter.boxes_of(output) && !different.insert(origin(m_index, output.name)).second;
        });
    }

    // The new outputs of one image; false if its outputs are nothing that is known.
    bool read_image(const std::vector<const typed_value*>& outputs, bool several)
    {
        m_origin = {};
        m_several = several;
        for (const auto* output : outputs) {
            if (const auto boxes = m_sorter.boxes_of(*output)) {
                m_origin = find_row_origin(m_index, output->name, boxes->leading_one ? 1 : 0);
            }
        }
        const auto parts = m_sorter.sorted(outputs, m_origin);
        if (!parts || (several && !parts->others.empty())) {
            return false;
        }
        const auto& boxes = parts->boxes.front();
        std::vector<loose_field> found;
        if (!read_parts(*parts, found)) {
            return false;
        }
        for (const auto& [kind, value] : parts->more) {
            found.push_back(m_writer->whole(kind, value));
        }
        for (const auto* other : parts->others) {
            if (is_left_over(*other)) {
                return false;
            }
            m_others.push_back(other);
        }
        // In the order of the outputs that they come from, as far as these are apart.
        std::vector<field> kinds;
        for (const auto& f : found) {
            kinds.push_back(f.kind);
        }
        if (m_found.images > 0 && kinds != m_found.fields) {
            return false;
        }
        m_found.fields = std::move(kinds);
        m_found.boxes = text_of(*boxes.output);
        m_found.may_be_padded = boxes.leading_one;
        m_fields.insert(m_fields.end(), found.begin(), found.end());
        const auto own = evidence_of(boxes);
        m_found.evidence = m_found.images > 0 && m_found.evidence.empty() ? "" : own;
        ++m_found.images;
        return true;
    }

    // What shows that each row is a detection.
    [[nodiscard]] std::string evidence_of(const loose_value& boxes) const
    {
        if (!is_open(boxes.shape) || m_origin.padding != nullptr || !is_of_one_image(boxes)) {
            return "";
        }
        if (m_origin.selection != nullptr) {
            return describe(*m_origin.selection) + " decides how many rows " + quoted(boxes.output->name) + " has";
        }
        const auto& symbol = boxes.shape.front().symbol;
        return symbol.empty() || is_extent_of_input(symbol)
                   ? ""
                   : "the number of rows of " + quoted(boxes.output->name) + ", " + shown(symbol) + ", varies";
    }

    [[nodiscard]] bool is_extent_of_input(const std::string& symbol) const
    {
        const auto inputs = m_index.required_inputs();
        return std::any_of(inputs.begin(), inputs.end(), [&](const auto* input) {
            const auto shape = declared_type(*input).shape;
            return std::any_of(shape.begin(), shape.end(), [&](const auto& extent) { return extent.symbol == symbol; });
        });
    }

    // Whether the rows are those of one image: the output or an input says so.
    [[nodiscard]] bool is_of_one_image(const loose_value& boxes) const
    {
        if (boxes.leading_one) {
            return true;
        }
        const auto inputs = m_index.required_inputs();
        return std::any_of(inputs.begin(), inputs.end(), [&](const auto* input) {
            const auto type = declared_type(*input);
            return type.rank == 3 || (type.rank == 4 && !type.shape.empty() && type.shape.front().size == 1);
        });
    }

    // Whether an output that is no field has rows all the same.
    [[nodiscard]] bool is_left_over(const typed_value& output)
    {
        const auto& shape = output.type.shape;
        const bool fixed = !shape.empty() && std::all_of(shape.begin(), shape.end(),
                                                         [](const auto& extent) { return extent.size.has_value(); });
        return !fixed && output.type.rank != 0 &&
               (m_sorter.follows_selection(output, m_origin) || m_origin.selection == nullptr);
    }

    bool read_parts(const image_parts& parts, std::vector<loose_field>& found)
    {
        const auto& boxes = parts.boxes.front();
        const auto width = *boxes.shape.back().size;
        const auto floats = parts.floats.size();
        const auto integers = parts.integers.size();
        if (m_options.columns) {
            return read_columns(*m_options.columns, parts, found);
        }
        if (width == 4) {
            return read_apart(parts, found);
        }
        if (floats + integers > (width == 5 ? 1U : 0U)) {
            return false;
        }
        const auto names = columns_as_joined(m_index, boxes);
        if (names.empty()) {
            // A score apart and a label inside, or the other way round, are told apart by the nodes alone.
            if (width == 5 && integers == 1 && !are_moved(m_index, boxes)) {
                return read_columns(boxes_and_score, parts, found);
            }
            if (floats == 1) {
                if (m_several) {
                    return false;
                }
                refuse_column_and_list(boxes, parts.floats.front());
            }
            refuse_columns(boxes);
        }
        if (floats == 1 && has(names, flat_column::score) == !was_integer(m_index, parts.floats.front().output->name)) {
            return false;
        }
        return read_columns(names, parts, found);
    }

    // Boxes, scores and labels that are not joined.
    bool read_apart(const image_parts& parts, std::vector<loose_field>& found)
    {
        const auto* labels = parts.integers.empty() ? nullptr : &parts.integers.front();
        const loose_value* scores = nullptr;
        if (parts.floats.size() == 1 && parts.integers.size() <= 1) {
            scores = &parts.floats.front();
        } else if (parts.floats.size() == 2 && parts.integers.empty()) {
            const bool first = was_integer(m_index, parts.floats[0].output->name);
            if (first != was_integer(m_index, parts.floats[1].output->name)) {
                labels = &parts.floats[first ? 0 : 1];
                scores = &parts.floats[first ? 1 : 0];
            } else {
                if (!m_several) {
                    require_told_apart(m_index, m_outputs, parts);
                }
            }
        }
        const auto& boxes = parts.boxes.front();
        const bool usual = !boxes.leading_one && (labels == nullptr || !is_floating(*labels->output->type.element)) &&
                           scores != nullptr && scores->shape.size() == 1;
        if (scores == nullptr || usual || are_no_scores(*scores) || is_named_wrongly(*scores, true) ||
            (labels != nullptr && is_named_wrongly(*labels, false))) {
            return false;
        }
        for (const auto& output : m_outputs) { // in the order of the model
            if (&output == boxes.output) {
                found.push_back(m_writer->whole(field::boxes, boxes));
            } else if (&output == scores->output) {
                found.push_back(m_writer->whole(field::scores, *scores));
            } else if (labels != nullptr && &output == labels->output) {
                found.push_back(m_writer->whole(field::labels, *labels));
            }
        }
        return true;
    }

    // Whether the nodes show that these floats are the labels or the images of rows.
    [[nodiscard]] bool are_no_scores(const loose_value& value) const
    {
        const auto from = origin_of_column(m_index, value.output->name, 0).kind;
        return was_integer(m_index, value.output->name) || from == column_kind::image || from == column_kind::label;
    }

    static bool is_named_wrongly(const loose_value& value, bool scores)
    {
        const auto named = named_field(value.output->name);
        return named && *named != (scores ? field::scores : field::labels);
    }

    bool read_columns(const flat_columns& names, const image_parts& parts, std::vector<loose_field>& found)
    {
        const auto& boxes = parts.boxes.front();
        const auto known = joined_in(m_index, boxes);
        require_box_columns(names);
        require_as_shown(names, boxes, known);
        const bool has_label = has(names, flat_column::label);
        const bool has_score = has(names, flat_column::score);
        std::vector<const loose_value*> apart;
        for (const auto* list : {&parts.floats, &parts.integers}) {
            for (const auto& value : *list) {
                apart.push_back(&value);
            }
        }
        if (apart.size() > (has_label ? 0U : 1U) + (has_score ? 0U : 1U) || (apart.empty() && !has_score)) {
            return false;
        }
        const loose_value* scores = nullptr;
        const loose_value* labels = nullptr;
        if (!has_score && has_label) {
            scores = apart.front();
        } else if (!has_label && has_score) {
            labels = apart.empty() ? nullptr : apart.front();
        } else if (!has_label) { // both are apart
            return read_apart_with(names, parts, found);
        }
        if (scores != nullptr && (!is_floating(*scores->output->type.element) || are_no_scores(*scores) ||
                                  is_named_wrongly(*scores, true))) {
            return false;
        }
        if (labels != nullptr && is_named_wrongly(*labels, false)) {
            return false;
        }
        found.push_back(m_writer->box_columns(names, boxes, known));
        if (has_label) {
            found.push_back(m_writer->one_column(field::labels, names, boxes, known));
        } else if (labels != nullptr) {
            found.push_back(m_writer->whole(field::labels, *labels));
        }
        found.push_back(has_score ? m_writer->one_column(field::scores, names, boxes, known)
                                  : m_writer->whole(field::scores, *scores));
        return true;
    }

    // Boxes whose four columns the user names, and scores and labels of their own.
    bool read_apart_with(const flat_columns& names, const image_parts& parts, std::vector<loose_field>& found)
    {
        if (parts.floats.size() != 1 || parts.integers.size() > 1 || are_no_scores(parts.floats.front())) {
            return false;
        }
        const auto& boxes = parts.boxes.front();
        found.push_back(m_writer->box_columns(names, boxes, joined_in(m_index, boxes)));
        if (!parts.integers.empty()) {
            found.push_back(m_writer->whole(field::labels, parts.integers.front()));
        }
        found.push_back(m_writer->whole(field::scores, parts.floats.front()));
        return true;
    }

    // The user names the outputs: only the leading extents are dropped.
    std::optional<loose_outputs> as_told()
    {
        const auto slots = m_options.fields->size();
        if (slots == 0 || m_options.batch.value_or(1) != 1 || m_outputs.size() < slots) {
            return std::nullopt;
        }
        bool dropped = false;
        for (std::size_t i = 0; i < m_outputs.size(); ++i) {
            const auto& output = m_outputs[i];
            if (i >= slots) {
                m_others.push_back(&output);
                continue;
            }
            const auto kind = (*m_options.fields)[i];
            if (!output.type.element || !output.type.rank || *output.type.rank == 0) {
                return std::nullopt;
            }
            const int more = *output.type.rank - usual_rank(kind);
            const bool leading_one = (kind == field::masks ? more >= 0 : more == 1) && m_sorter.has_leading_one(output);
            dropped = dropped || leading_one;
            loose_value value{&output, leading_one, shape_of(output, leading_one)};
            m_fields.push_back(m_writer->whole(kind, value));
            m_found.fields.push_back(kind);
            m_found.boxes = kind == field::boxes ? text_of(output) : m_found.boxes;
        }
        m_found.images = 1;
        m_found.evidence = "`fields` names the outputs";
        return dropped ? std::optional(finish()) : std::nullopt;
    }

    loose_outputs finish()
    {
        for (const auto& f : m_fields) {
            declare(*add_output(), f.value, f.element, f.shape);
        }
        for (const auto* other : m_others) {
            for (const auto& info : m_model.graph().output()) {
                if (info.name() == other->name) {
                    *add_output() = info;
                }
            }
        }
        m_found.to.nodes = m_writer->nodes();
        m_found.to.sources = m_writer->sources();
        return std::move(m_found);
    }

    onnx::ValueInfoProto* add_output() { return &m_found.to.outputs.emplace_back(); }

    const recognise_options& m_options;
    const onnx::ModelProto& m_model;
    graph_index m_index;
    fresh_names m_fresh;
    loose_sorter m_sorter;
    std::optional<loose_writer> m_writer;
    std::vector<typed_value> m_outputs;
    row_origin m_origin;
    bool m_several = false; // images
    std::vector<loose_field> m_fields;
    std::vector<const typed_value*> m_others;
    loose_outputs m_found;
};

} // namespace

std::optional<loose_outputs> read_loose(const onnx::ModelProto& model, const recognise_options& options)
{
    return loose_reader(model, options).run();
}

} // namespace padbatch::onnx_tools
