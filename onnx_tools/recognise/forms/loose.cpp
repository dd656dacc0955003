// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/forms/loose.hpp>

#include <onnx_tools/error.hpp>
#include <onnx_tools/model/node_writer.hpp>
#include <onnx_tools/model/ranks.hpp>
#include <onnx_tools/model/wording.hpp>
#include <onnx_tools/recognise/column_origin.hpp>
#include <onnx_tools/recognise/evidence.hpp>
#include <onnx_tools/recognise/flat_columns.hpp>
#include <onnx_tools/recognise/graph_outputs.hpp>
#include <onnx_tools/recognise/integers.hpp>
#include <onnx_tools/recognise/joined_columns.hpp>
#include <onnx_tools/recognise/moved_columns.hpp>
#include <onnx_tools/recognise/row_columns.hpp>
#include <onnx_tools/recognise/row_origin.hpp>
#include <onnx_tools/recognise/undecided.hpp>
#include <onnx_tools/recognise/walk.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string_view>
#include <utility>

namespace padbatch::onnx_tools {
namespace {

const flat_columns score_last{flat_column::x1, flat_column::y1,    flat_column::x2,
                              flat_column::y2, flat_column::label, flat_column::score};
const flat_columns label_last{flat_column::x1, flat_column::y1,    flat_column::x2,
                              flat_column::y2, flat_column::score, flat_column::label};

const flat_columns boxes_and_score{flat_column::x1, flat_column::y1, flat_column::x2, flat_column::y2,
                                   flat_column::score};
const flat_columns boxes_and_label{flat_column::x1, flat_column::y1, flat_column::x2, flat_column::y2,
                                   flat_column::label};

recognise_options with_columns(const flat_columns& columns)
{
    recognise_options said;
    said.columns = columns;
    return said;
}

// An output as a field of one image: its extents without the leading 1.
struct loose_value {
    const typed_value* output = nullptr;
    bool leading_one = false;
    std::vector<dimension> shape; // of which a rank is always known
};

// The outputs of one image, by what they may be.
struct image_parts {
    std::vector<loose_value> boxes;
    std::vector<loose_value> floats;
    std::vector<loose_value> integers;
    std::vector<std::pair<field, loose_value>> more; // masks and keypoints
    std::vector<const typed_value*> others;
};

// A field that is found.
struct loose_field {
    field kind = field::boxes;
    std::string value;
    element_type element = element_type::float32;
    std::vector<dimension> shape;
};

void declare_output(onnx::ValueInfoProto& info, const loose_field& f)
{
    info.set_name(f.value);
    auto& tensor = *info.mutable_type()->mutable_tensor_type();
    tensor.set_elem_type(to_onnx(f.element));
    tensor.mutable_shape()->clear_dim();
    for (const auto& extent : f.shape) {
        auto& dim = *tensor.mutable_shape()->add_dim();
        if (extent.size) {
            dim.set_dim_value(*extent.size);
        } else if (!extent.symbol.empty()) {
            dim.set_dim_param(extent.symbol);
        }
    }
}

bool is_open(const std::vector<dimension>& shape)
{
    return !shape.empty() && !shape.front().size;
}

class loose_reader {
public:
    loose_reader(const onnx::ModelProto& model, const recognise_options& options)
        : m_options(options), m_model(model), m_index(model.graph()), m_ranks(m_index), m_fresh(model.graph()),
          m_outputs(typed_outputs(model, m_index))
    {
        start();
    }

    std::optional<loose_outputs> run()
    {
        if (m_options.fields) {
            return as_told();
        }
        const auto all = static_cast<std::int64_t>(m_outputs.size());
        std::set<std::string_view> different;
        const auto images = std::count_if(m_outputs.begin(), m_outputs.end(), [&](const auto& output) {
            return boxes_of(output) && different.insert(origin(m_index, output.name)).second;
        });
        const auto boxes = std::count_if(m_outputs.begin(), m_outputs.end(),
                                         [&](const auto& output) { return boxes_of(output).has_value(); });
        if (images != boxes || images == 0 || (images > 1 && all % images != 0) ||
            images != m_options.batch.value_or(images)) {
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
        m_rows.clear();
        m_scratch.clear_node();
        m_nodes.emplace(m_scratch, m_fresh, standard_opset(m_model));
    }

    // Whether the first extent of an output is 1 in every run: it says so, or nodes put it there.
    [[nodiscard]] bool has_leading_one(const typed_value& output) const
    {
        const auto& shape = output.type.shape;
        if (output.type.rank.value_or(0) < 2) {
            return false;
        }
        if (!shape.empty() && shape.front().size) {
            return *shape.front().size == 1;
        }
        const auto* node = producer_behind(m_index, output.name, {"Identity", "Cast"}, 16);
        if (is(node, {"Unsqueeze"}) && adds_axis(m_index, *node, 0, 1)) {
            return true;
        }
        // The user says so, and a run fails if it is not so.
        return m_options.from == export_kind::fields;
    }

    static std::vector<dimension> shape_of(const typed_value& output, bool leading_one)
    {
        auto shape = output.type.shape;
        shape.resize(static_cast<std::size_t>(*output.type.rank));
        if (leading_one) {
            shape.erase(shape.begin());
        }
        return shape;
    }

    // The output as boxes, alone or with more columns.
    [[nodiscard]] std::optional<loose_value> boxes_of(const typed_value& output) const
    {
        const auto& type = output.type;
        if (!type.element || !is_floating(*type.element) || (type.rank != 2 && type.rank != 3)) {
            return std::nullopt;
        }
        const bool leading_one = type.rank == 3;
        if (leading_one && !has_leading_one(output)) {
            return std::nullopt;
        }
        loose_value value{&output, leading_one, shape_of(output, leading_one)};
        const auto& width = value.shape.back().size;
        const bool fits = m_options.columns ? width.value_or(0) == static_cast<std::int64_t>(m_options.columns->size())
                                            : width && *width >= 4 && *width <= 6;
        return fits ? std::optional(std::move(value)) : std::nullopt;
    }

    // Sorts the outputs of an image; nothing if there are boxes twice, or none.
    std::optional<image_parts> sorted(const std::vector<const typed_value*>& outputs)
    {
        image_parts parts;
        for (const auto* output : outputs) {
            if (auto boxes = boxes_of(*output)) {
                parts.boxes.push_back(std::move(*boxes));
            }
        }
        if (parts.boxes.size() != 1) {
            return std::nullopt;
        }
        const auto& boxes = parts.boxes.front();
        for (const auto* output : outputs) {
            if (output != boxes.output) {
                sort_in(*output, boxes, parts);
            }
        }
        return parts;
    }

    void sort_in(const typed_value& output, const loose_value& boxes, image_parts& parts)
    {
        const auto& type = output.type;
        if (!type.element || !type.rank || *type.rank == 0) {
            parts.others.push_back(&output);
            return;
        }
        const bool leading_one = boxes.leading_one && has_leading_one(output);
        loose_value value{&output, leading_one, shape_of(output, leading_one)};
        const auto& rows = value.shape.front().size;
        const auto& rows_of_boxes = boxes.shape.front().size;
        // A fixed extent where the boxes vary, such as the 2 of an image's size, is no number of rows.
        const bool has_rows = rows ? rows == rows_of_boxes : !rows_of_boxes || type.shape.empty();
        const auto rank = value.shape.size();
        const auto& last = value.shape.back().size;
        const bool one_number = rank == 1 || (rank == 2 && last == 1);
        if (has_rows && one_number && *type.element != element_type::boolean) {
            (is_floating(*type.element) ? parts.floats : parts.integers).push_back(std::move(value));
        } else if (has_rows && rank == 3 && last == 3 && is_floating(*type.element)) {
            parts.more.emplace_back(field::keypoints, std::move(value));
        } else if (has_rows && (rank == 3 || rank == 4) && follows_selection(output)) {
            parts.more.emplace_back(field::masks, std::move(value));
        } else {
            parts.others.push_back(&output);
        }
    }

    // The new outputs of one image; false if its outputs are nothing that is known.
    bool read_image(const std::vector<const typed_value*>& outputs, bool several)
    {
        m_origin = {};
        m_several = several;
        for (const auto* output : outputs) {
            if (const auto boxes = boxes_of(*output)) {
                m_origin = find_row_origin(m_index, output->name, boxes->leading_one ? 1 : 0);
            }
        }
        const auto parts = sorted(outputs);
        if (!parts || (several && !parts->others.empty())) {
            return false;
        }
        const auto& boxes = parts->boxes.front();
        std::vector<loose_field> found;
        if (!read_parts(*parts, found)) {
            return false;
        }
        for (const auto& [kind, value] : parts->more) {
            found.push_back(whole(kind, value));
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
        return !fixed && output.type.rank != 0 && (follows_selection(output) || m_origin.selection == nullptr);
    }

    // Whether an output depends on what is selected for the boxes.
    [[nodiscard]] bool follows_selection(const typed_value& output)
    {
        if (m_origin.selection == nullptr) {
            return false;
        }
        const auto& made = m_origin.selection->output();
        return dependents_of(m_index, std::vector<std::string_view>(made.begin(), made.end())).count(output.name) != 0;
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
        const auto names = shown_columns(boxes);
        if (names.empty()) {
            // A score apart and a label inside, or the other way round, are told apart by the nodes alone.
            if (width == 5 && integers == 1 && !are_moved(boxes)) {
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

    [[nodiscard]] bool are_moved(const loose_value& boxes) const
    {
        return moves_columns(m_index, boxes.output->name, boxes.leading_one ? 3 : 2) != nullptr;
    }

    // The columns of joined rows, as the nodes show them: which part is the box, and which of the others was an
    // integer. Empty if they do not.
    [[nodiscard]] flat_columns shown_columns(const loose_value& boxes) const
    {
        if (are_moved(boxes)) {
            return {};
        }
        const auto& order = joined_in(boxes).order;
        const auto width = *boxes.shape.back().size;
        const auto is_single = [](const column_block& block) { return block.width == 1; };
        const auto first_singles = std::find_if_not(order.begin(), order.end(), is_single) - order.begin();
        flat_columns names;
        const auto add_box = [&] { names.insert(names.end(), corners.begin(), corners.end()); };
        const auto add_single = [&](const column_block& block) {
            names.push_back(block.integer ? flat_column::label : flat_column::score);
        };
        if (order.size() == 2 && order[0].width == 5 && !order[0].integer && is_single(order[1]) && order[1].integer) {
            return label_last; // boxes with their scores
        }
        if (first_singles == width) { // the box first
            const auto box_end = order.begin() + 4;
            if (std::any_of(order.begin(), box_end, [](const auto& block) { return block.integer; })) {
                return {};
            }
            add_box();
            std::for_each(box_end, order.end(), add_single);
        } else {
            for (const auto& block : order) {
                if (block.width == 4) {
                    add_box();
                } else if (is_single(block)) {
                    add_single(block);
                } else {
                    return {};
                }
            }
        }
        auto once = names;
        std::sort(once.begin(), once.end());
        const bool repeats = std::adjacent_find(once.begin(), once.end()) != once.end();
        return repeats || names.size() != static_cast<std::size_t>(width) ? flat_columns() : names;
    }

    // Nobody has said what the columns are, and nothing shows it.
    [[noreturn]] static void refuse_columns(const loose_value& boxes)
    {
        if (*boxes.shape.back().size == 5) {
            throw undecided(
                {"nothing shows that the last column of the output " + text_of(*boxes.output) + " is the score",
                 "columns that are joined from boxes and scores", "name the columns"},
                {with_columns(boxes_and_score)});
        }
        throw undecided({"nothing shows which of the last two columns of the output " + text_of(*boxes.output) +
                             " is the label, and which the score",
                         "columns that are joined from scores and integer labels", "name the columns"},
                        {with_columns(label_last), with_columns(score_last)});
    }

    // One of the label and the score is beside the boxes, and the other in a list of its own.
    [[noreturn]] static void refuse_column_and_list(const loose_value& boxes, const loose_value& list)
    {
        throw undecided({"nothing shows which of the last column of the output " + text_of(*boxes.output) + " and " +
                             text_of(*list.output) + " is the label, and which the score",
                         "labels that are integers, or were before they were converted",
                         "name the columns of the first"},
                        {with_columns(boxes_and_score), with_columns(boxes_and_label)});
    }

    // The labels and the scores are lists of one type. Outputs are named from the first one on.
    void require_told_apart(const image_parts& parts) const
    {
        const auto is_part = [&](const typed_value& output) {
            return &output == parts.boxes.front().output || &output == parts.floats[0].output ||
                   &output == parts.floats[1].output;
        };
        if (m_several || m_outputs.size() < 3 || !std::all_of(m_outputs.begin(), m_outputs.begin() + 3, is_part)) {
            return;
        }
        recognise_options first;
        first.fields.emplace();
        if (m_outputs.size() > 3) {
            first.batch = 1;
        }
        auto second = first;
        second.fields.emplace();
        for (const auto& output : m_outputs) {
            if (is_part(output)) {
                const bool box = &output == parts.boxes.front().output;
                const bool front = &output == parts.floats[0].output;
                first.fields->push_back(box ? field::boxes : front ? field::labels : field::scores);
                second.fields->push_back(box ? field::boxes : front ? field::scores : field::labels);
            }
        }
        const auto is_score = [&](const loose_value& list) {
            return origin_of_column(m_index, list.output->name, 0).kind == column_kind::score;
        };
        std::vector<recognise_options> sayings;
        if (!is_score(parts.floats[0])) {
            sayings.push_back(std::move(first));
        }
        if (!is_score(parts.floats[1])) {
            sayings.push_back(std::move(second));
        }
        throw undecided({"nothing shows which of the outputs " + text_of(*parts.floats[0].output) + " and " +
                             text_of(*parts.floats[1].output) + " holds the labels, and which the scores",
                         "labels that are integers, or were before they were converted", "name the outputs"},
                        std::move(sayings));
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
                require_told_apart(parts);
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
                found.push_back(whole(field::boxes, boxes));
            } else if (&output == scores->output) {
                found.push_back(whole(field::scores, *scores));
            } else if (labels != nullptr && &output == labels->output) {
                found.push_back(whole(field::labels, *labels));
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
        const auto known = joined_in(boxes);
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
        found.push_back(box_columns(names, boxes, known));
        if (has_label) {
            found.push_back(one_column(field::labels, names, boxes, known));
        } else if (labels != nullptr) {
            found.push_back(whole(field::labels, *labels));
        }
        found.push_back(has_score ? one_column(field::scores, names, boxes, known) : whole(field::scores, *scores));
        return true;
    }

    // Boxes whose four columns the user names, and scores and labels of their own.
    bool read_apart_with(const flat_columns& names, const image_parts& parts, std::vector<loose_field>& found)
    {
        if (parts.floats.size() != 1 || parts.integers.size() > 1 || are_no_scores(parts.floats.front())) {
            return false;
        }
        const auto& boxes = parts.boxes.front();
        found.push_back(box_columns(names, boxes, joined_in(boxes)));
        if (!parts.integers.empty()) {
            found.push_back(whole(field::labels, parts.integers.front()));
        }
        found.push_back(whole(field::scores, parts.floats.front()));
        return true;
    }

    static void require_box_columns(const flat_columns& names)
    {
        const auto all = [&](const flat_columns& wanted) {
            return std::all_of(wanted.begin(), wanted.end(), [&](flat_column column) { return has(names, column); });
        };
        auto once = names;
        std::sort(once.begin(), once.end());
        const bool repeats = std::adjacent_find(once.begin(), once.end()) != once.end();
        const auto others = static_cast<std::size_t>(std::count_if(names.begin(), names.end(), [](flat_column column) {
            return column == flat_column::label || column == flat_column::score;
        }));
        if (repeats || all(corners) == all(center_and_size) || names.size() != 4 + others) {
            misused("`columns` " + text_of(names) + " are not the columns of one image's rows",
                    "x1, y1, x2 and y2, or cx, cy, w and h; and label and score where they are joined to the boxes",
                    "name every column of that output once, such as x1,y1,x2,y2,score,label");
        }
    }

    // The user may know what the nodes do not show, but not against what they show.
    static void require_as_shown(const flat_columns& names, const loose_value& boxes, const joined_columns& known)
    {
        std::size_t at = 0;
        for (const auto& block : known.order) {
            const bool conflict = block.width == 1 && block.integer && at < names.size() &&
                                  names[at] != flat_column::label && has(names, flat_column::label);
            if (conflict) {
                throw tool_error(failure::refused,
                                 {"`columns` " + text_of(names) + ": the output " + text_of(*boxes.output) +
                                      " has its labels in another column, since that was an integer before it was "
                                      "joined",
                                  "the columns in the order in which the model has them", "correct `columns`"});
            }
            at += static_cast<std::size_t>(block.width);
        }
    }

    // The value under the nodes that put a leading 1 there, or the trailing one of a single column.
    std::string peel(std::string value, bool& leading_one, bool& column, std::optional<element_type>* integers)
    {
        for (int steps = 0; steps < 64; ++steps) { // a broken graph may have a cycle
            const auto* node = m_index.producer(value);
            if (node == nullptr || node->input_size() == 0 || m_index.producer(node->input(0)) == nullptr) {
                break;
            }
            if (is(node, {"Unsqueeze"})) {
                const std::int64_t rows = leading_one ? 1 : 0;
                const bool front = leading_one && adds_axis(m_index, *node, 0, rows);
                const bool back = column && adds_axis(m_index, *node, rows + 1, rows);
                if ((!front && !back) || added_axes(m_index, *node) != (front ? 1 : 0) + (back ? 1 : 0)) {
                    break;
                }
                leading_one = leading_one && !front;
                column = column && !back;
            } else if (integers != nullptr && is(node, {"Cast"}) && integer_type(m_index, node->input(0))) {
                *integers = integer_type(m_index, node->input(0));
            } else if (!is(node, {"Identity"})) {
                break;
            }
            value = node->input(0);
        }
        return value;
    }

    std::string flattened(std::string value, bool leading_one, bool column, const std::string& name)
    {
        if (leading_one) {
            value = m_nodes->squeeze(name + "/of_image", value, 0);
        }
        return column ? m_nodes->squeeze(name + "/column", value, 1) : value;
    }

    // A field that is a part of joined columns. Labels become integers, as those of rows in one list do.
    loose_field from_block(field kind, const column_block& block, element_type element, std::vector<dimension> shape)
    {
        std::optional<element_type> integers;
        const bool converted = kind == field::labels && is_floating(element);
        bool leading_one = block.leading_one;
        bool column = true;
        const auto value = peel(block.value, leading_one, column, converted ? &integers : nullptr);
        const std::string name(name_of(kind));
        auto result = flattened(value, leading_one, column, name);
        if (converted && !integers) {
            integers = element_type::int64;
            result = m_nodes->cast(name + "/integers", result, element_type::int64);
        }
        return {kind, std::move(result), integers.value_or(element), std::move(shape)};
    }

    // A field that has an output of its own, whose type it keeps.
    loose_field whole(field kind, const loose_value& value)
    {
        auto shape = value.shape;
        bool column = (kind == field::labels || kind == field::scores) && shape.size() == 2;
        if (column) {
            shape.pop_back();
        }
        bool leading_one = value.leading_one;
        const auto& name = value.output->name;
        const auto inner = peel(name, leading_one, column, nullptr);
        auto result = flattened(inner, leading_one, column, std::string(name_of(kind)));
        if (result != name) {
            m_found.to.sources[result] = quoted(name);
        }
        return {kind, std::move(result), *value.output->type.element, std::move(shape)};
    }

    static std::int64_t place_of_column(const flat_columns& names, flat_column column)
    {
        return std::find(names.begin(), names.end(), column) - names.begin();
    }

    // The rows [n, columns] of an output.
    std::string rows_of(const loose_value& boxes)
    {
        auto& rows = m_rows[boxes.output->name];
        rows = rows.empty() ? flattened(boxes.output->name, boxes.leading_one, false, "rows") : rows;
        return rows;
    }

    loose_field one_column(field kind, const flat_columns& names, const loose_value& boxes, const joined_columns& known)
    {
        const auto place = place_of_column(names, kind == field::labels ? flat_column::label : flat_column::score);
        const auto element = *boxes.output->type.element;
        const std::vector<dimension> shape{boxes.shape.front()};
        const std::string what = "column " + std::to_string(place) + " of " + quoted(boxes.output->name);
        if (const auto* block = block_at(known, place, 1)) {
            auto f = from_block(kind, *block, element, shape);
            m_found.to.sources[f.value] = what;
            return f;
        }
        const std::string name(name_of(kind));
        loose_field f{kind, m_nodes->gather(name + "/column", rows_of(boxes), m_nodes->integer(place), 1), element,
                      shape};
        if (kind == field::labels) {
            f.value = m_nodes->cast(name + "/integers", f.value, element_type::int64);
            f.element = element_type::int64;
        }
        m_found.to.sources[f.value] = what;
        return f;
    }

    [[nodiscard]] joined_columns joined_in(const loose_value& boxes) const
    {
        return find_joined_columns(m_index, boxes.output->name, boxes.leading_one, boxes.shape.back().size.value_or(0));
    }

    loose_field box_columns(const flat_columns& names, const loose_value& boxes, const joined_columns& known)
    {
        const auto element = *boxes.output->type.element;
        const std::vector<dimension> shape{boxes.shape.front(), {4, ""}};
        const bool middle = has(names, flat_column::cx);
        std::vector<std::int64_t> places;
        for (const auto column : middle ? center_and_size : corners) {
            places.push_back(place_of_column(names, column));
        }
        const bool in_order = places[1] == places[0] + 1 && places[2] == places[1] + 1 && places[3] == places[2] + 1;
        std::string value;
        const auto* block = in_order ? block_at(known, places[0], 4) : nullptr;
        if (block != nullptr || names.size() == 4) {
            bool leading_one = block != nullptr ? block->leading_one : boxes.leading_one;
            bool column = false;
            const auto inner = peel(block != nullptr ? block->value : boxes.output->name, leading_one, column, nullptr);
            value = flattened(inner, leading_one, false, "boxes");
        }
        if (value.empty() || (names.size() == 4 && !in_order)) {
            value =
                m_nodes->gather("boxes/columns", value.empty() ? rows_of(boxes) : value, m_nodes->integers(places), 1);
        }
        if (middle) {
            value = corners_of(value, element);
        }
        m_found.to.sources[value] = names.size() == 4
                                        ? quoted(boxes.output->name)
                                        : "the columns " +
                                              joined(places, ", ", [](std::int64_t i) { return std::to_string(i); }) +
                                              " of " + quoted(boxes.output->name);
        return {field::boxes, value, element, shape};
    }

    // [n, 4] of cx, cy, w, h as x1, y1, x2, y2.
    std::string corners_of(const std::string& boxes, element_type element)
    {
        const auto center = m_nodes->gather("boxes/center", boxes, m_nodes->integers({0, 1}), 1);
        const auto size = m_nodes->gather("boxes/size", boxes, m_nodes->integers({2, 3}), 1);
        onnx::TensorProto half;
        half.set_data_type(onnx::TensorProto::FLOAT);
        half.add_float_data(0.5F);
        auto factor = m_nodes->constant("half", half);
        if (element != element_type::float32) {
            factor = m_nodes->cast("half/cast", factor, element);
        }
        const auto reach = m_nodes->add("Mul", "boxes/reach", {size, factor});
        const auto low = m_nodes->add("Sub", "boxes/low", {center, reach});
        const auto high = m_nodes->add("Add", "boxes/high", {center, reach});
        return m_nodes->concat("boxes/corners", {low, high}, 1);
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
            const bool leading_one = (kind == field::masks ? more >= 0 : more == 1) && has_leading_one(output);
            dropped = dropped || leading_one;
            loose_value value{&output, leading_one, shape_of(output, leading_one)};
            m_fields.push_back(whole(kind, value));
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
            declare_output(*add_output(), f);
        }
        for (const auto* other : m_others) {
            for (const auto& info : m_model.graph().output()) {
                if (info.name() == other->name) {
                    *add_output() = info;
                }
            }
        }
        m_found.to.nodes.assign(m_scratch.node().begin(), m_scratch.node().end());
        return std::move(m_found);
    }

    onnx::ValueInfoProto* add_output() { return &m_found.to.outputs.emplace_back(); }

    const recognise_options& m_options;
    const onnx::ModelProto& m_model;
    graph_index m_index;
    rank_finder m_ranks;
    fresh_names m_fresh;
    onnx::GraphProto m_scratch;
    std::optional<node_writer> m_nodes;
    std::vector<typed_value> m_outputs;
    row_origin m_origin;
    bool m_several = false;                    // images
    std::map<std::string, std::string> m_rows; // by output, without a leading 1
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
