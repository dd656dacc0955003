// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/forms/padded.hpp>

#include <onnx_tools/error.hpp>
#include <onnx_tools/model/wording.hpp>
#include <onnx_tools/recognise/box_conversion.hpp>
#include <onnx_tools/recognise/box_format.hpp>
#include <onnx_tools/recognise/evidence.hpp>
#include <onnx_tools/recognise/flat_columns.hpp>
#include <onnx_tools/recognise/graph_outputs.hpp>
#include <onnx_tools/recognise/integers.hpp>
#include <onnx_tools/recognise/moved_columns.hpp>
#include <onnx_tools/recognise/padded_evidence.hpp>
#include <onnx_tools/recognise/padded_rows.hpp>
#include <onnx_tools/recognise/pixel_boxes.hpp>
#include <onnx_tools/recognise/row_columns.hpp>
#include <onnx_tools/recognise/row_list.hpp>
#include <onnx_tools/recognise/undecided.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace padbatch::onnx_tools {
namespace {

const flat_columns usual_columns{flat_column::x1, flat_column::y1,    flat_column::x2,
                                 flat_column::y2, flat_column::score, flat_column::label};

const char* const expected_outputs = "[B, M, 6]: x1, y1, x2, y2, score, label; or [B, M, 5]: box and score, and [B, M] "
                                     "with the labels; or [B, M, 4] with the boxes, and [B, M] each for scores and "
                                     "labels; and perhaps [B] or [B, 1] with the number of rows of each image";

recognise_options said_columns(const flat_columns& columns)
{
    recognise_options said;
    said.columns = columns;
    return said;
}

recognise_options said_count(const std::string& output)
{
    recognise_options said;
    said.count_output = output;
    return said;
}

bool is_integer(const value_type& type)
{
    return type.element && !is_floating(*type.element) && *type.element != element_type::boolean;
}

// Whether an output has one number for each image.
bool is_per_image(const value_type& type)
{
    return type.element && *type.element != element_type::boolean &&
           (type.rank == 1 || (type.rank == 2 && last_extent(type) == 1));
}

bool may_be_rows(const value_type& type)
{
    const auto last = last_extent(type);
    return is_floating_of_rank(type, 3) && (!last || (*last >= 4 && *last <= 6));
}

bool may_be_column(const value_type& type)
{
    return type.rank == 2 && !is_per_image(type) && type.element && *type.element != element_type::boolean;
}

// Whether two outputs may have the same extents in front, images and rows.
bool may_agree(const value_type& a, const value_type& b)
{
    for (std::size_t d = 0; d < 2; ++d) {
        if (d < a.shape.size() && d < b.shape.size() && a.shape[d].size && b.shape[d].size &&
            *a.shape[d].size != *b.shape[d].size) {
            return false;
        }
    }
    return true;
}

class padded_recogniser {
public:
    padded_recogniser(const onnx::ModelProto& model, const recognise_options& options)
        : m_model(model), m_options(options), m_list(model), m_export(ultralytics_rows(model))
    {
    }

    detections run()
    {
        require_options();
        if (m_options.count_output) {
            find_told_count();
        }
        find_outputs();
        name_columns();
        require_names();
        require_box_format();
        require_any_batch();
        find_count();
        find_limit();
        require_no_other_rows();
        tell_real_rows();
        return rearranged();
    }

private:
    void require_options() const
    {
        if (!m_options.columns) {
            return;
        }
        require_columns(*m_options.columns, false);
        if (has(*m_options.columns, flat_column::batch)) {
            misused("`columns` names the column batch, but each image has its own rows in padded outputs",
                    "the columns of one row: a box, score and label", "leave the column batch out");
        }
        require_one_box_format(m_options);
    }

    // --- which output is what ---------------------------------------------------------------------------------------

    [[nodiscard]] bool is_told_count(const typed_value& output) const
    {
        return m_options.count_output && output.name == *m_options.count_output;
    }

    void find_outputs()
    {
        std::vector<const typed_value*> rows;
        std::vector<const typed_value*> columns;
        for (const auto& output : m_list.outputs) {
            if (is_told_count(output)) {
                continue;
            }
            if (may_be_rows(output.type)) {
                rows.push_back(&output);
            } else if (may_be_column(output.type)) {
                columns.push_back(&output);
            }
        }
        if (rows.size() != 1) {
            refuse_outputs();
        }
        m_rows = rows.front();
        if (const auto width = last_extent(m_rows->type)) {
            m_width = static_cast<std::size_t>(*width);
        } else { // what is not declared is checked when the model runs
            const bool counted = columns.size() == 3 && !m_options.count_output;
            m_width = 6 - std::min<std::size_t>(columns.size() - (counted ? 1 : 0), 2);
        }
        if (columns.size() == 7 - m_width && !m_options.count_output) {
            take_out_count(columns);
        }
        if (columns.size() != 6 - m_width) {
            refuse_outputs();
        }
        for (const auto& output : m_list.outputs) {
            const bool part = &output == m_rows || std::find(columns.begin(), columns.end(), &output) != columns.end();
            if (part) {
                if (!may_agree(output.type, m_rows->type)) {
                    refuse_outputs();
                }
                m_parts.push_back(&output);
            }
        }
    }

    // One column too many: it may be a count [B, 1] that declares no extents.
    void take_out_count(std::vector<const typed_value*>& columns) const
    {
        std::vector<std::string_view> rows{m_rows->name};
        std::vector<recognise_options> possible;
        for (const auto* column : columns) {
            rows.emplace_back(column->name);
            if (is_integer(column->type) && !last_extent(column->type)) {
                possible.push_back(said_count(column->name));
            }
        }
        const auto count = std::find_if(columns.begin(), columns.end(), [&](const auto* column) {
            return is_count_of(m_list.index, column->name, rows);
        });
        if (count != columns.end()) {
            columns.erase(count);
        } else if (!possible.empty()) {
            throw undecided({"one output too many may have a number for each row: " + list_of(m_list.outputs),
                             expected_outputs, "say which of them has the number of rows of each image"},
                            std::move(possible));
        }
    }

    [[noreturn]] void refuse_outputs() const
    {
        refuse("no outputs are rows that are padded already, or more than one reading fits: " + list_of(m_list.outputs),
               expected_outputs, "export the model with these outputs and no others like them");
    }

    // The columns of all parts, side by side in the order of the outputs.
    void name_columns()
    {
        if (m_options.columns) {
            m_columns = *m_options.columns;
            const auto& scores = part_with(flat_column::score);
            if (is_integer(scores.type)) {
                misused("`columns` has the score where the output " + text_of(scores) + " has integers",
                        "the columns of all outputs with rows, side by side in the order of the outputs",
                        "correct `columns`");
            }
            require_as_shown();
            return;
        }
        for (const auto* part : m_parts) {
            if (part == m_rows) {
                m_columns.insert(m_columns.end(), usual_columns.begin(),
                                 usual_columns.begin() + static_cast<std::ptrdiff_t>(m_width));
            } else {
                m_columns.push_back(m_width == 5 || is_label(*part) ? flat_column::label : flat_column::score);
            }
        }
        if (m_width > 4) {
            require_joined_order();
        }
        if (m_width == 6) {
            require_shown_order();
        } else if (m_width == 5) {
            require_label_apart();
        } else {
            require_label_and_score();
        }
    }

    [[nodiscard]] bool is_label(const typed_value& part) const
    {
        return is_integer(part.type) || was_integer(m_list.index, part.name);
    }

    // The user may know what the nodes do not show, but not against what they show.
    void require_as_shown() const
    {
        const auto& labels = part_with(flat_column::label);
        const auto& scores = part_with(flat_column::score);
        const bool apart = &scores != m_rows && is_label(scores) && !is_label(labels);
        const bool joined_box = std::all_of(corners.begin(), corners.end(), [&](flat_column column) {
            return !has(m_columns, column) || &part_with(column) == m_rows;
        });
        const bool joined_center = std::all_of(center_and_size.begin(), center_and_size.end(), [&](flat_column column) {
            return !has(m_columns, column) || &part_with(column) == m_rows;
        });
        if (!joined_box || !joined_center) {
            misused("`columns` " + text_of(m_columns) + " do not have the box in the output " + text_of(*m_rows),
                    "the columns of all outputs with rows, side by side in the order of the outputs: " +
                        joined(m_parts, ", ", [](const auto* part) { return quoted(part->name); }),
                    "correct `columns`");
        }
        const auto shown = &labels == m_rows && &scores == m_rows && m_width == 6 &&
                                   moves_columns(m_list.index, m_rows->name, 3) == nullptr
                               ? last_columns_of(m_list.index, m_rows->name)
                               : last_columns::unknown;
        // What the file says of itself holds for columns as they were joined.
        const bool named = m_export != ultralytics_export::none && m_width == 6 && m_columns != usual_columns &&
                           moves_columns(m_list.index, m_rows->name, 3) == nullptr && !has(m_columns, flat_column::cx);
        const bool joined = named || (shown == last_columns::score_label && m_columns.back() != flat_column::label) ||
                            (shown == last_columns::label_score && m_columns.back() != flat_column::score);
        if (apart || joined) {
            refuse("`columns` " + text_of(m_columns) + ": the output " + text_of(apart ? scores : *m_rows) +
                       " has labels where this has the score, since they were integers before they were converted",
                   "the columns of all outputs with rows, side by side in the order of the outputs",
                   "correct `columns`");
        }
    }

    // What nodes show of joined columns does not hold for columns that are put in another order afterwards.
    void require_joined_order() const
    {
        if (const auto* node = moves_columns(m_list.index, m_rows->name, 3)) {
            auto usual = usual_columns;
            usual.resize(m_width);
            throw undecided(
                {"the columns of the output " + text_of(*m_rows) + " are taken from others by " + describe(*node),
                 "columns in the order in which they are joined",
                 "name the columns of all outputs with rows, side by side"},
                {said_columns(m_width == 5 ? m_columns : usual)});
        }
    }

    void require_shown_order() const
    {
        const auto shown = last_columns_of(m_list.index, m_rows->name);
        auto other = usual_columns;
        std::swap(other.end()[-1], other.end()[-2]);
        if (shown == last_columns::label_score) {
            throw undecided({"the columns of the output " + text_of(*m_rows) +
                                 " end in label and score: of the last two, the nodes show, the first was an integer",
                             text_of(usual_columns), "name the columns"},
                            {said_columns(other)});
        }
        if (shown == last_columns::unknown && m_export == ultralytics_export::none) {
            throw undecided({"nothing shows which of the last two columns of the output " + text_of(*m_rows) +
                                 " is the label, and which the score",
                             "columns that are joined from scores and integer labels", "name the columns"},
                            {said_columns(usual_columns), said_columns(other)});
        }
    }

    // Labels beside boxes that have their score.
    void require_label_apart() const
    {
        const auto* column = m_parts.front() == m_rows ? m_parts.back() : m_parts.front();
        if (!is_label(*column)) {
            throw undecided({"nothing shows that the output " + text_of(*column) + " holds the labels of the rows in " +
                                 text_of(*m_rows),
                             "labels that are integers, or were before they were converted",
                             "name the columns of both, side by side"},
                            {said_columns(m_columns)});
        }
    }

    void require_label_and_score() const
    {
        std::vector<const typed_value*> columns;
        std::copy_if(m_parts.begin(), m_parts.end(), std::back_inserter(columns),
                     [&](const auto* part) { return part != m_rows; });
        if (is_label(*columns[0]) != is_label(*columns[1])) {
            const auto& scores = is_label(*columns[0]) ? *columns[1] : *columns[0];
            if (!scores.type.element || !is_floating(*scores.type.element)) {
                refuse_outputs();
            }
            return;
        }
        if (is_integer(columns[0]->type) || is_integer(columns[1]->type)) {
            refuse_outputs();
        }
        auto first = m_columns;
        auto second = m_columns;
        bool label = true;
        for (std::size_t i = 0; i < first.size(); ++i) {
            if (first[i] == flat_column::label || first[i] == flat_column::score) {
                first[i] = label ? flat_column::label : flat_column::score;
                second[i] = label ? flat_column::score : flat_column::label;
                label = false;
            }
        }
        throw undecided({"nothing shows which of the outputs " + text_of(*columns[0]) + " and " + text_of(*columns[1]) +
                             " holds the labels, and which the scores",
                         "labels that are integers, or were before they were converted",
                         "name the columns of all three, side by side"},
                        {said_columns(first), said_columns(second)});
    }

    // A name proves nothing, but one that says something else than what was found is a reason to ask.
    void require_names() const
    {
        if (m_options.columns) {
            return;
        }
        const bool many = m_parts.size() > 1;
        for (std::size_t i = 0, column = 0; i < m_parts.size(); ++i) {
            const auto& part = *m_parts[i];
            const auto named = named_field(part.name);
            const auto kind = &part == m_rows                           ? field::boxes
                              : m_columns[column] == flat_column::label ? field::labels
                                                                        : field::scores;
            column += &part == m_rows ? m_width : 1;
            if (named && (*named != kind || !many)) {
                throw undecided({"the output " + text_of(part) + " would be read as " +
                                     (many ? std::string(name_of(kind)) : "rows of boxes, scores and labels") +
                                     ", but bears the name of " + std::string(name_of(*named)),
                                 "names that fit what the outputs hold, or none of a field",
                                 "if it is right, name the columns"},
                                {said_columns(m_columns)});
            }
        }
    }

    // --- boxes ------------------------------------------------------------------------------------------------------

    void require_box_format()
    {
        require_other_units();
        if (m_options.columns || m_options.boxes) {
            require_shown_format(m_list.index, m_rows->name, "the output " + text_of(*m_rows), m_options);
            return;
        }
        const auto shown = boxes_of(m_list.index, m_rows->name);
        if (shown == shown_boxes::two_corners ||
            (shown == shown_boxes::unknown && m_export != ultralytics_export::none)) {
            return;
        }
        const bool told = shown == shown_boxes::center_and_extents || shown == shown_boxes::corner_and_extents;
        const bool center = shown == shown_boxes::center_and_extents;
        recognise_options said;
        said.boxes = center ? box_format::cxcywh : told ? box_format::xywh : box_format::xyxy;
        throw undecided(
            {told ? "the boxes in the output " + text_of(*m_rows) + " are " +
                        (center ? "centers and sizes" : "corners and sizes") + ", the nodes show"
                  : "nothing shows what the four numbers of a box in the output " + text_of(*m_rows) + " are",
             "boxes that the nodes make from a center, or that a NonMaxSuppression reads as corners",
             told ? "say so" : "say what they are"},
            {said},
            told
                ? "; and `normalised` if they are fractions of the image's size"
                : "; or xywh (the corner x1, y1, and the size), cxcywh or yxyx; and `normalised` if they are fractions "
                  "of the image's size");
    }

    // Ultralytics' boxes are in pixels, unless something computes others of them.
    void require_other_units() const
    {
        if (m_options.normalised && doubt_about_boxes().empty()) {
            refuse("`normalised` is given, but the boxes in the output " + text_of(*m_rows) +
                       " are in pixels: the file says that it is Ultralytics' export",
                   "boxes that are fractions of the image's size", "leave `normalised` out");
        }
    }

    [[nodiscard]] bool takes_any_batch() const { return !m_list.batch.size; }

    // Rows of a batch that the exporter has built into the graph look like any others, but those of the other images
    // are missing.
    void require_any_batch() const
    {
        if (!takes_any_batch()) {
            return;
        }
        for (const auto* part : m_parts) {
            if (const auto* node = built_batch(m_list.index, m_list.source.batch_input, part->name)) {
                refuse("the input " + quoted(m_list.source.batch_input) +
                           " declares any number of images, but the rows in " + text_of(*part) +
                           " are put together from images at fixed places of the batch, by " + describe(*node),
                       "nodes that hold for every image of a batch, or an input that declares how many there are",
                       "export the model with a fixed number of images (dynamic=False for Ultralytics)");
            }
        }
    }

    // --- how many rows are real -------------------------------------------------------------------------------------

    [[nodiscard]] std::vector<std::string_view> part_names() const
    {
        std::vector<std::string_view> names;
        for (const auto* part : m_parts) {
            names.emplace_back(part->name);
        }
        return names;
    }

    void find_count()
    {
        if (m_count != nullptr) {
            return;
        }
        std::vector<const typed_value*> possible;
        for (const auto& output : m_list.outputs) {
            const bool column = output.type.rank == 2 && !last_extent(output.type); // taken out of the columns
            if ((is_per_image(output.type) || column) && is_integer(output.type) &&
                std::find(m_parts.begin(), m_parts.end(), &output) == m_parts.end()) {
                possible.push_back(&output);
            }
        }
        if (possible.empty()) {
            return;
        }
        const auto proven = std::find_if(possible.begin(), possible.end(), [&](const auto* output) {
            return is_count_of(m_list.index, output->name, part_names()) && !named_field(output->name);
        });
        // They are the first rows only where the rows with the best scores are.
        if (proven == possible.end() || picked_by(m_list.index, part_with(flat_column::score).name) == nullptr) {
            throw undecided(
                {"nothing shows that the output " + text_of(*possible.front()) + " is the number of rows of each image",
                 "a count that the nodes make of the scores that pass a comparison", "if it is, say so"},
                {said_count(possible.front()->name)});
        }
        m_count = *proven;
    }

    void find_told_count()
    {
        const auto found = std::find_if(m_list.outputs.begin(), m_list.outputs.end(),
                                        [&](const auto& output) { return is_told_count(output); });
        if (found == m_list.outputs.end()) {
            misused("`count_output` names " + quoted(*m_options.count_output) +
                        ", which is no output of the model: " + list_of(m_list.outputs),
                    "the output with the number of rows of each image", "correct the name");
        }
        const auto& type = found->type;
        const bool fits = type.element && *type.element != element_type::boolean &&
                          (type.rank == 1 || (type.rank == 2 && (!last_extent(type) || last_extent(type) == 1)));
        if (!fits) {
            misused("`count_output` names the output " + text_of(*found) + ", which has more than one number an image",
                    "numbers [B] or [B, 1]", "name the output with the number of rows of each image");
        }
        m_count = &*found;
    }

    // Other outputs with a row for each detection would no longer fit rows that are dropped and sorted.
    void require_no_other_rows() const
    {
        for (const auto& output : m_list.outputs) {
            const auto& type = output.type;
            if (&output == m_count || std::find(m_parts.begin(), m_parts.end(), &output) != m_parts.end() ||
                (type.rank && *type.rank < 2) || is_per_image(type)) {
                continue;
            }
            const auto second = type.shape.size() > 1 ? type.shape[1].size : std::nullopt;
            const auto& limit = m_list.found.limit;
            if (!second || (limit && *second == limit->rows)) {
                refuse("the output " + text_of(output) +
                           " may have a row for each detection, but is no box, score or label",
                       "outputs whose second extent shows that they have something else",
                       "export the model without that output");
            }
        }
    }

    void find_limit()
    {
        for (const auto* part : m_parts) {
            if (part->type.shape.size() > 1 && part->type.shape[1].size) {
                m_list.found.limit = row_limit{*part->type.shape[1].size, "the shape of " + quoted(part->name)};
                break;
            }
        }
        for (const auto* part : m_parts) {
            if (!m_list.found.limit) {
                m_list.found.limit = padded_rows_of(m_list.index, part->name);
            }
        }
        if (m_list.found.limit && m_list.found.limit->rows < 1) {
            refuse("the output " + text_of(*m_rows) + " has no rows", expected_outputs, "export the model with rows");
        }
    }

    [[nodiscard]] const typed_value& part_with(flat_column column) const
    {
        std::size_t first = 0;
        const auto place =
            static_cast<std::size_t>(std::find(m_columns.begin(), m_columns.end(), column) - m_columns.begin());
        for (const auto* part : m_parts) {
            first += part == m_rows ? m_width : 1;
            if (place < first) {
                return *part;
            }
        }
        return *m_rows;
    }

    void tell_real_rows()
    {
        const auto& index = m_list.index;
        const auto& scores = part_with(flat_column::score);
        m_labels = &part_with(flat_column::label);
        const auto* picked = picked_by(index, scores.name);
        const auto* dropping = dropping_node(index, scores.name);
        const std::string_view column =
            &scores != m_rows ? std::string_view(scores.name)
                              : score_column_of(index, m_rows->name, m_columns.back() == flat_column::score);
        const bool filled = is_filled_with(index, scores.name, 0) && picked != nullptr && dropping != nullptr;
        if (m_count != nullptr) {
            m_ends = row_ends::counted;
            m_list.found.real_rows = "reads how many rows of each image are real from " + shown(m_count->name);
        } else if (m_labels != m_rows && is_filled_with(index, m_labels->name, -1)) {
            m_ends = row_ends::before_label;
            m_list.found.real_rows = "takes the rows of each image before the first label of -1";
        } else if (m_export == ultralytics_export::end2end ||
                   (dropping == nullptr && is(picked, {"TopK"}) && are_above_zero(index, column))) {
            m_ends = row_ends::all;
            m_list.found.real_rows = "takes all rows of each image, since nothing in the model drops any";
        } else {
            m_ends = row_ends::before_score;
            m_list.found.real_rows = std::string("takes the rows of each image before the first score of 0") +
                                     (filled ? ", with which the model fills up" : "");
        }
        if (m_list.batch.size == 1 && !m_list.found.limit) {
            return; // loose rows of one image look the same
        }
        if (m_export != ultralytics_export::none) {
            m_list.found.evidence = "the file says that it is Ultralytics' export of finished detections";
        } else if (picked != nullptr) {
            m_list.found.evidence = "the rows in " + quoted(m_rows->name) + " are picked by " + describe(*picked);
        }
    }

    // --- nodes ------------------------------------------------------------------------------------------------------

    [[nodiscard]] detections rearranged()
    {
        padded_rows described;
        for (const auto* part : m_parts) {
            described.parts.push_back({part->name, *part->type.element, part != m_rows});
        }
        described.columns = m_columns;
        described.ends = m_ends;
        described.count = m_count != nullptr ? m_count->name : "";
        described.rows = m_list.found.limit ? std::optional(m_list.found.limit->rows) : std::nullopt;
        described.images = m_list.source.batch_input;
        described.height = m_options.normalised ? height_dimension(m_list.index, described.images) : 2;
        described.boxes = m_options.boxes.value_or(box_format::xyxy);
        described.normalised = m_options.normalised;
        const auto type = common_type(described);
        onnx::GraphProto scratch;
        fresh_names fresh(m_model.graph());
        node_writer nodes(scratch, fresh, standard_opset(m_model));
        const auto made = write_real_rows(nodes, described);
        const auto& rows = made.rows;
        const auto& image = made.image;

        rearranged_outputs to;
        const auto symbol = fresh("padbatch_rows");
        const dimension any_rows{std::nullopt, symbol};
        declare(to.outputs.emplace_back(), rows, type,
                {any_rows, {static_cast<std::int64_t>(made.columns.size()), ""}});
        declare(to.outputs.emplace_back(), image, element_type::int64, {any_rows});
        std::set<std::string> replaced(m_count != nullptr ? std::set<std::string>{m_count->name}
                                                          : std::set<std::string>{});
        std::string parts;
        for (const auto* part : m_parts) {
            replaced.insert(part->name);
            parts += (parts.empty() ? "" : ", ") + quoted(part->name);
        }
        for (const auto& output : m_model.graph().output()) {
            if (replaced.count(output.name()) == 0) {
                to.outputs.push_back(output);
            }
        }
        to.nodes.assign(scratch.node().begin(), scratch.node().end());
        to.sources = {{rows, "the real rows of " + parts}, {image, "the image of each of these rows"}};
        return read(to, made, type);
    }

    // The rows in one list, read as such.
    [[nodiscard]] detections read(rearranged_outputs& to, const real_rows& made, element_type type)
    {
        const auto copy = rearranged_copy(m_model, to);
        row_list list(copy);
        list.found.images = m_list.found.images;
        list.found.limit = m_list.found.limit;
        list.source.rows = made.rows;
        list.source.columns = made.columns;
        list.source.batch_index = made.image;
        list.taken = {made.rows, made.image};
        list.set_fields(type, type);
        if (is_integer(m_labels->type)) {
            list.found.fields[1].element = *m_labels->type.element;
        }
        list.found.evidence = m_list.found.evidence;
        list.found.real_rows = m_list.found.real_rows;
        list.found.form = export_kind::padded;
        if (m_options.normalised) {
            list.found.images = {list.source.batch_input};
            list.found.image_rank = 4;
            list.found.channels_last = height_dimension(list.index, list.source.batch_input) == 1;
            list.found.in_pixels = true;
        } else {
            list.found.box_doubt = doubt_about_boxes();
        }
        list.found.box_conversion = conversion_text(m_options);
        auto found = std::move(list).finish();
        found.limit_stays = "the model pads to it itself";
        found.rearranged = std::move(to);
        return found;
    }

    // Why boxes may not be in pixels of the input. Those of Ultralytics' exports are, as they were picked.
    [[nodiscard]] std::string doubt_about_boxes() const
    {
        return m_export != ultralytics_export::none && !changes_picked_columns(m_list.index, m_rows->name)
                   ? ""
                   : "nothing shows that the boxes of padded rows are in pixels of the input";
    }

    const onnx::ModelProto& m_model;
    const recognise_options& m_options;
    row_list m_list;
    ultralytics_export m_export;
    const typed_value* m_rows = nullptr;     // those of three dimensions, which have the boxes
    std::size_t m_width = 0;                 // their columns
    std::vector<const typed_value*> m_parts; // these and the columns beside them, in the order of the outputs
    flat_columns m_columns;
    const typed_value* m_labels = nullptr;
    const typed_value* m_count = nullptr;
    row_ends m_ends = row_ends::all;
};

} // namespace

detections recognise_padded(const onnx::ModelProto& model, const recognise_options& options)
{
    return padded_recogniser(model, options).run();
}

bool may_be_padded(const onnx::ModelProto& model)
{
    const graph_index index(model.graph());
    const typed_value* rows = nullptr;
    const auto outputs = typed_outputs(model, index);
    std::int64_t columns = 0;
    std::int64_t others = 0; // of types that loose rows of images have, but for one count
    for (const auto& output : outputs) {
        const auto& type = output.type;
        if (may_be_rows(type)) {
            if (rows != nullptr) {
                return false;
            }
            rows = &output;
        } else if (may_be_column(type) && last_extent(type) != 4) {
            ++columns;
        } else if (type.rank && *type.rank < 3) {
            ++others;
        }
    }
    const auto inputs = index.required_inputs();
    const auto images =
        std::count_if(inputs.begin(), inputs.end(), [](const auto* input) { return declared_type(*input).rank == 4; });
    if (rows == nullptr || images != 1 || others > 1) {
        return false;
    }
    if (const auto width = last_extent(rows->type)) {
        return columns + *width >= 6 && columns + *width <= 7;
    }
    return columns > 0 || last_columns_of(index, rows->name) != last_columns::unknown ||
           ultralytics_rows(model) != ultralytics_export::none;
}

} // namespace padbatch::onnx_tools
