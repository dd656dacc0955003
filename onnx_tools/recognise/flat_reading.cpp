// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/flat_reading.hpp>

#include <onnx_tools/error.hpp>
#include <onnx_tools/model/wording.hpp>
#include <onnx_tools/recognise/column_origin.hpp>
#include <onnx_tools/recognise/row_columns.hpp>
#include <onnx_tools/recognise/row_images.hpp>
#include <onnx_tools/recognise/row_list.hpp>
#include <onnx_tools/recognise/undecided.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

namespace padbatch::onnx_tools {
namespace {

// An output that says whose the rows are.
struct image_list {
    const typed_value* value = nullptr;
    bool counts = false;
    std::string evidence;
};

class reader {
public:
    reader(const graph_index& index, const std::vector<typed_value>& outputs, const recognise_options& options)
        : m_index(index), m_outputs(outputs), m_options(options),
          m_named_index(named(options.batch_index, "batch_index")),
          m_named_counts(named(options.count_output, "count_output"))
    {
        if (m_named_index != nullptr && m_named_counts != nullptr) {
            throw tool_error(failure::usage,
                             {"`batch_index` and `count_output` are both given",
                              "the image of each row, or the number of rows of each image", "leave one of them out"});
        }
    }

    flat_reading run()
    {
        auto possible = joined_readings(true);
        const bool declared = !possible.empty();
        if (possible.empty() && m_options.columns) {
            possible = joined_readings(false); // whose extents are not declared
        }
        if (possible.empty()) {
            if (auto separate = separate_lists()) {
                return std::move(*separate);
            }
        }
        if (possible.size() != 1) {
            refuse_rows(possible.size() > 1);
        }
        auto& reading = possible.front();
        require_columns_shown(reading);
        if (!declared) { // something of each image, [B, M], may have the same type
            reading.evidence.clear();
        }
        return std::move(reading);
    }

private:
    const typed_value* named(const std::optional<std::string>& name, const char* option) const
    {
        if (!name) {
            return nullptr;
        }
        const auto at =
            std::find_if(m_outputs.begin(), m_outputs.end(), [&](const auto& output) { return output.name == *name; });
        if (at == m_outputs.end() || !is_list_type(at->type)) {
            throw tool_error(failure::usage,
                             {"`" + std::string(option) + "` names " +
                                  (at == m_outputs.end() ? quoted(*name) + ", which is no output" : text_of(*at)),
                              "an output [n] or [n, 1] of numbers, among " + list_of(m_outputs),
                              "correct the name, or leave `" + std::string(option) + "` out"});
        }
        return &*at;
    }

    // --- rows with columns ------------------------------------------------------------------------------------

    [[nodiscard]] std::vector<flat_reading> joined_readings(bool of_known_extent)
    {
        std::vector<flat_reading> readings;
        for (const auto& rows : m_outputs) {
            for (const bool with_image : {true, false}) {
                if (!is_rows(rows.type, with_image, of_known_extent)) {
                    continue;
                }
                flat_reading reading;
                reading.rows = &rows;
                if (m_options.columns) {
                    reading.columns = *m_options.columns;
                }
                if (with_image) {
                    readings.push_back(reading);
                    continue;
                }
                for (const auto& list : images_of(rows)) {
                    (list.counts ? reading.counts : reading.index) = list.value;
                    (list.counts ? reading.index : reading.counts) = nullptr;
                    reading.evidence = list.evidence;
                    readings.push_back(reading);
                }
            }
        }
        return readings;
    }

    [[nodiscard]] bool is_rows(const value_type& type, bool with_image, bool of_known_extent) const
    {
        const auto& columns = m_options.columns;
        const std::size_t count = columns ? columns->size() : with_image ? 7 : 6;
        if (columns && (columns->size() == 4 || has(*columns, flat_column::batch) != with_image)) {
            return false;
        }
        const auto last = last_extent(type);
        const bool fits = of_known_extent ? last && *last == static_cast<std::int64_t>(count) : !last;
        const bool detection_output = with_image && is_floating_of_rank(type, 4) && !type.shape.empty() &&
                                      type.shape[0].size.value_or(1) == 1 && type.shape[1].size == 1;
        return (is_floating_of_rank(type, 2) || detection_output) && fits;
    }

    // Nobody has said what the columns are: the nodes must show it.
    void require_columns_shown(flat_reading& reading) const
    {
        const auto& rows = *reading.rows;
        const bool with_image = reading.index == nullptr && reading.counts == nullptr;
        const bool told = m_named_index != nullptr || m_named_counts != nullptr;
        const bool detection_output = rows.type.rank == 4;
        if (m_options.columns) {
            if (contradicts_nodes(m_index, rows, *m_options.columns)) {
                refuse("`columns` " + text_of(*m_options.columns) + ": the nodes show that the output " +
                           text_of(rows) + " has other columns there",
                       "the columns in the order in which the model has them: labels were integers when they were "
                       "joined, say",
                       "correct `columns`");
            }
            if (with_image || !told) {
                reading.evidence.clear();
            }
            return;
        }
        auto shown = columns_shown(m_index, rows, with_image);
        if (detection_output) {
            const auto& usual = known_columns(true)[2]; // the one order of such an output
            if (std::find(shown.fitting.begin(), shown.fitting.end(), usual) != shown.fitting.end()) {
                shown.fitting = {usual};
            }
        }
        if (!shown.certain && !(detection_output && shown.fitting.size() == 1)) {
            refuse_columns(reading, shown);
        }
        reading.columns = shown.fitting.front();
        if (with_image) {
            const auto at = std::find(reading.columns.begin(), reading.columns.end(), flat_column::batch);
            const auto& image = shown.origins[static_cast<std::size_t>(at - reading.columns.begin())];
            if (image.kind == column_kind::image && shown.certain) {
                reading.evidence = "a column of " + quoted(rows.name) + " is the image that " +
                                   describe(*image.suppression) + " selects from";
            }
        }
    }

    [[noreturn]] void refuse_columns(const flat_reading& reading, const shown_columns& shown) const
    {
        const auto& rows = *reading.rows;
        const bool with_image = reading.index == nullptr && reading.counts == nullptr;
        const auto& known = known_columns(with_image);
        if (shown.fitting.empty()) {
            throw undecided({"the columns of the output " + text_of(rows) +
                                 " are integers and scores in an order that no known exporter has",
                             "columns such as " + text_of(known.front()),
                             "name the columns as the model has them, with `columns`"},
                            {});
        }
        // The two that are most likely: Paddle's come with counts.
        auto first = known.front();
        auto second = known[reading.counts != nullptr ? 2 : 1];
        if (reading.counts != nullptr) {
            std::swap(first, second);
        }
        throw undecided(
            {"nothing shows which column of the output " + text_of(rows) + " is the label, and which the score",
             "columns that are joined from scores and integer labels", "name the columns"},
            {saying_columns(first), saying_columns(second)});
    }

    static recognise_options saying_columns(const flat_columns& columns)
    {
        recognise_options said;
        said.columns = columns;
        return said;
    }

    // --- whose rows ---------------------------------------------------------------------------------------------

    // Whether a value is known to have one element for each of these rows: both declare the same number, or are picked
    // by the same indices. (A number for each image has the same type.)
    [[nodiscard]] bool has_rows_of(const typed_value& value, const typed_value& rows) const
    {
        if (declares_rows_of(value, rows)) {
            return true;
        }
        const auto picked_by = [&](const std::string& name) -> std::string_view {
            const auto* node = producer_behind(m_index, name, {"Identity", "Cast", "Squeeze", "Unsqueeze"}, 16);
            const bool picks =
                is(node, {"Gather", "GatherND"}) && node->input_size() > 1 && integer_attribute(*node, "axis", 0) == 0;
            return picks ? origin(m_index, node->input(1)) : std::string_view();
        };
        const auto by = picked_by(value.name);
        return !by.empty() && by == picked_by(rows.name);
    }

    [[nodiscard]] static bool declares_rows_of(const typed_value& value, const typed_value& rows)
    {
        if (value.type.shape.empty() || rows.type.shape.empty()) {
            return false;
        }
        const auto& mine = value.type.shape.front();
        const auto& theirs = rows.type.shape.front();
        return mine.size ? mine.size == theirs.size : !mine.symbol.empty() && mine.symbol == theirs.symbol;
    }

    [[nodiscard]] static bool declares_other_rows(const typed_value& value, const typed_value& rows)
    {
        return !value.type.shape.empty() && !rows.type.shape.empty() &&
               value.type.shape.front().size != rows.type.shape.front().size;
    }

    // Whether the nodes show that `list` has the image of each row: what a NonMaxSuppression selects, by which the rows
    // were picked too, and no others since.
    [[nodiscard]] const onnx::NodeProto* proves_images(const typed_value& list, const typed_value& rows) const
    {
        const auto image = origin_of_column(m_index, list.name, 0);
        if (image.kind != column_kind::image) {
            return nullptr;
        }
        const int columns = static_cast<int>(last_extent(rows.type).value_or(1));
        bool same = false;
        for (int column = 0; column < columns; ++column) {
            const auto own = origin_of_column(m_index, rows.name, column);
            if (own.suppression == nullptr) {
                continue;
            }
            if (own.suppression != image.suppression || own.picks != image.picks) {
                return nullptr;
            }
            same = true;
        }
        return same ? image.suppression : nullptr;
    }

    [[nodiscard]] bool is_other_column(const typed_value& list) const
    {
        const auto own = origin_of_column(m_index, list.name, 0);
        return own.kind == column_kind::label || own.kind == column_kind::box || own.kind == column_kind::score ||
               (own.kind == column_kind::integer && own.suppression != nullptr);
    }

    // The outputs that may say whose these rows are; those that the nodes prove, if there are any.
    [[nodiscard]] std::vector<image_list> images_of(const typed_value& rows) const
    {
        if (m_named_index != nullptr || m_named_counts != nullptr) {
            return {named_list(rows)};
        }
        std::vector<image_list> proven;
        std::vector<image_list> counts;
        std::vector<image_list> integers;
        std::vector<image_list> others;
        for (const auto& output : m_outputs) {
            if (&output == &rows || !is_list_type(output.type)) {
                continue;
            }
            const bool whole = !is_floating(*output.type.element);
            if (const auto* node = proves_images(output, rows)) {
                proven.push_back(
                    {&output, false, quoted(output.name) + " is the image that " + describe(*node) + " selects from"});
            } else if (const auto shown = counts_shown(m_index, output.name, rows.name);
                       shown && whole && !declares_rows_of(output, rows)) {
                counts.push_back(
                    {&output, true,
                     shown->of_these_rows ? shown->evidence + " the rows of each image, " + quoted(output.name) : ""});
            } else if (!shown && !declares_other_rows(output, rows) && has_rows_of(output, rows) &&
                       !is_other_column(output)) {
                (whole ? integers : others).push_back({&output, false, ""});
            }
        }
        const bool counted = counts.size() == 1 && !counts.front().evidence.empty();
        return !proven.empty()     ? proven
               : counted           ? counts
               : !integers.empty() ? integers
               : !counts.empty()   ? counts
                                   : others;
    }

    // The output that the user names; not against what the nodes show.
    [[nodiscard]] image_list named_list(const typed_value& rows) const
    {
        const bool counts = m_named_counts != nullptr;
        const auto& list = counts ? *m_named_counts : *m_named_index;
        const auto shown = counts_shown(m_index, list.name, rows.name);
        const auto images = origin_of_column(m_index, list.name, 0).kind == column_kind::image;
        if (counts && images) {
            refuse("the output " + text_of(list) + " is the image of each row: a NonMaxSuppression selects it",
                   "the number of rows of each image", "give it as `batch_index` " + list.name);
        }
        if (!counts && shown && !images) {
            refuse("the output " + text_of(list) + " is a number of rows: " + shown->evidence + " them",
                   "the image of each row", "give it as `count_output` " + list.name);
        }
        return {&list, counts,
                std::string(counts ? "`count_output`" : "`batch_index`") + " names " + quoted(list.name)};
    }

    // --- lists beside one another -------------------------------------------------------------------------------

    [[nodiscard]] std::optional<flat_reading> separate_lists() const
    {
        flat_reading reading;
        std::vector<const typed_value*> lists;
        for (const auto& output : m_outputs) {
            if (is_floating_of_rank(output.type, 2) && last_extent(output.type) == 4) {
                if (reading.rows != nullptr) {
                    return std::nullopt;
                }
                reading.rows = &output;
            } else if (is_list_type(output.type)) {
                lists.push_back(&output);
            }
        }
        const bool names_lists = m_options.columns && m_options.columns->size() == 6;
        if (reading.rows == nullptr || (m_options.columns && m_options.columns->size() != 4 && !names_lists)) {
            return std::nullopt;
        }
        reading.columns = m_options.columns.value_or(corners);
        auto images = images_of(*reading.rows);
        // An integer of each row may be its label.
        std::erase_if(images, [&](const image_list& list) {
            return list.evidence.empty() && !list.counts && !others_are_labels(*list.value, lists);
        });
        if (images.size() != 1) {
            return std::nullopt;
        }
        (images.front().counts ? reading.counts : reading.index) = images.front().value;
        reading.evidence = images.front().evidence;
        std::erase(lists, images.front().value);
        if (names_lists) {
            return as_named(reading, lists);
        }
        auto declared = lists;
        std::erase_if(declared, [&](const typed_value* list) { return !declares_rows_of(*list, *reading.rows); });
        if (set_lists(reading, declared) || set_lists(reading, lists)) {
            return reading;
        }
        require_told_apart(reading, lists);
        return std::nullopt;
    }

    // `columns` names those of the boxes and the lists, side by side in the order of the outputs.
    [[nodiscard]] std::optional<flat_reading> as_named(flat_reading reading,
                                                       const std::vector<const typed_value*>& lists) const
    {
        if (lists.size() != 2) {
            return std::nullopt;
        }
        const auto names = std::exchange(reading.columns, {});
        auto name = names.begin();
        for (const auto& output : m_outputs) {
            if (&output == reading.rows) {
                reading.columns.assign(name, name + 4);
                name += 4;
            } else if (&output == lists[0] || &output == lists[1]) {
                (*name == flat_column::label ? reading.labels : reading.scores) = &output;
                ++name;
            }
        }
        const bool boxes_in_one =
            !has(reading.columns, flat_column::label) && !has(reading.columns, flat_column::score);
        if (!boxes_in_one || reading.labels == nullptr || reading.scores == nullptr ||
            !is_floating(*reading.scores->type.element)) {
            throw tool_error(failure::usage,
                             {"`columns` " + text_of(names) + " are not those of " + text_of(*reading.rows) + ", " +
                                  text_of(*lists[0]) + " and " + text_of(*lists[1]),
                              "the columns of all three, side by side in the order of the outputs",
                              "correct `columns`"});
        }
        return reading;
    }

    // Two lists of floating point are the labels and the scores, and only the user knows which is which.
    void require_told_apart(const flat_reading& reading, const std::vector<const typed_value*>& lists) const
    {
        if (m_options.columns || lists.size() != 2 || !is_floating(*lists[0]->type.element) ||
            !is_floating(*lists[1]->type.element)) {
            return;
        }
        flat_columns first;
        flat_columns second;
        for (const auto& output : m_outputs) {
            if (&output == reading.rows) {
                first.insert(first.end(), corners.begin(), corners.end());
                second.insert(second.end(), corners.begin(), corners.end());
            } else if (&output == lists[0] || &output == lists[1]) {
                first.push_back(&output == lists[0] ? flat_column::label : flat_column::score);
                second.push_back(&output == lists[0] ? flat_column::score : flat_column::label);
            }
        }
        throw undecided({"nothing shows which of the outputs " + text_of(*lists[0]) + " and " + text_of(*lists[1]) +
                             " holds the labels, and which the scores",
                         "labels that are integers, or were before they were converted",
                         "name the columns of all three, side by side"},
                        {saying_columns(first), saying_columns(second)});
    }

    // Whether the labels and scores of `reading` are certain to be among these.
    [[nodiscard]] bool set_lists(flat_reading& reading, std::vector<const typed_value*> lists) const
    {
        reading.labels = labels_among(lists);
        std::erase(lists, reading.labels);
        reading.scores = scores_among(lists);
        return reading.labels != nullptr && reading.scores != nullptr;
    }

    [[nodiscard]] bool is_label(const typed_value& list) const
    {
        const auto own = origin_of_column(m_index, list.name, 0);
        return own.kind == column_kind::label || (own.kind == column_kind::integer && own.suppression == nullptr);
    }

    [[nodiscard]] bool others_are_labels(const typed_value& list, const std::vector<const typed_value*>& lists) const
    {
        return std::any_of(lists.begin(), lists.end(), [&](const typed_value* other) {
            return other != &list && origin_of_column(m_index, other->name, 0).kind == column_kind::label;
        });
    }

    // The one of these that is certain to be the labels: the only integers, or the ones that the nodes show.
    [[nodiscard]] const typed_value* labels_among(const std::vector<const typed_value*>& lists) const
    {
        std::vector<const typed_value*> whole;
        std::vector<const typed_value*> shown;
        for (const auto* list : lists) {
            if (!is_floating(*list->type.element) && !counts_shown(m_index, list->name, list->name)) {
                whole.push_back(list);
            }
            if (is_label(*list)) {
                shown.push_back(list);
            }
        }
        return whole.size() == 1 ? whole.front() : shown.size() == 1 ? shown.front() : nullptr;
    }

    [[nodiscard]] const typed_value* scores_among(const std::vector<const typed_value*>& lists) const
    {
        std::vector<const typed_value*> floating;
        std::vector<const typed_value*> shown;
        for (const auto* list : lists) {
            if (!is_floating(*list->type.element)) {
                continue;
            }
            floating.push_back(list);
            if (origin_of_column(m_index, list->name, 0).kind == column_kind::score) {
                shown.push_back(list);
            }
        }
        return floating.size() == 1 ? floating.front() : shown.size() == 1 ? shown.front() : nullptr;
    }

    // --- refusals -----------------------------------------------------------------------------------------------

    // What a user may say about outputs that the nodes do not tell apart, and that would be enough; but for the
    // columns.
    [[nodiscard]] std::vector<recognise_options> sayings() const
    {
        std::vector<recognise_options> likely;
        std::vector<recognise_options> all;
        for (const bool counts : {false, true}) {
            for (const auto& output : m_outputs) {
                if (!is_list_type(output.type) || is_floating(*output.type.element) || is_other_column(output) ||
                    (counts ? has_declared_rows(output) : has_declared_images(output))) {
                    continue;
                }
                recognise_options said;
                (counts ? said.count_output : said.batch_index) = output.name;
                const auto could = could_read(with(m_options, said));
                if (could != fit::none) {
                    all.push_back(said);
                }
                if (could == fit::good) {
                    likely.push_back(std::move(said));
                }
            }
        }
        return likely.empty() ? all : likely;
    }

    // Whether an output declares a number for each row, of an output that has rows.
    [[nodiscard]] bool has_declared_rows(const typed_value& list) const
    {
        return std::any_of(m_outputs.begin(), m_outputs.end(), [&](const typed_value& output) {
            return is_floating_of_rank(output.type, 2) && last_extent(output.type).value_or(4) >= 4 &&
                   declares_rows_of(list, output);
        });
    }

    // Whether an output declares a number for each image, by the symbol that the images have.
    [[nodiscard]] bool has_declared_images(const typed_value& list) const
    {
        const auto inputs = m_index.required_inputs();
        return !has_declared_rows(list) && std::any_of(inputs.begin(), inputs.end(), [&](const auto* input) {
            const auto type = declared_type(*input);
            return type.rank == 4 && !type.shape.empty() && !type.shape.front().symbol.empty() &&
                   !list.type.shape.empty() && list.type.shape.front().symbol == type.shape.front().symbol;
        });
    }

    // How well outputs could be read if more were said: not at all, or with lists that declare other rows than the
    // boxes, or well.
    enum class fit { none, poor, good };
    [[nodiscard]] fit could_read(const recognise_options& told) const
    {
        try {
            const auto reading = reader(m_index, m_outputs, told).run();
            const auto agrees = [&](const typed_value* list) {
                return list == nullptr || declares_rows_of(*list, *reading.rows);
            };
            return agrees(reading.labels) && agrees(reading.scores) ? fit::good : fit::poor;
        } catch (const undecided& e) {
            return e.sayings().empty() ? fit::none : fit::good; // what is to be said next
        } catch (const tool_error&) {
            return fit::none;
        }
    }

    [[noreturn]] void refuse_rows(bool many) const
    {
        const std::string found =
            std::string(many ? "the outputs can be read in more than one way as" : "no output holds") +
            " the rows of all images: " + list_of(m_outputs);
        if (auto all =
                m_named_index == nullptr && m_named_counts == nullptr ? sayings() : std::vector<recognise_options>();
            !all.empty()) {
            throw undecided({found + "; nothing shows whether integers are the image of each row or the number of rows "
                                     "of each image",
                             "nodes that pick the image of each row, or count the rows of each image",
                             "say what they are"},
                            std::move(all));
        }
        if (!m_options.columns) {
            refuse(found,
                   "one output [n, 7]: batch, x1, y1, x2, y2, label, score; or one [n, 6]: x1, y1, x2, y2, score, "
                   "label, or one each of boxes [n, 4], scores [n] and labels [n], and one with the image of each row "
                   "or the number of rows of each image",
                   "name the columns as the model has them, such as `columns` batch,cx,cy,w,h,score,label; or, if each "
                   "image has outputs of its own, leave `from` out");
        }
        const std::string extent = std::to_string(m_options.columns->size());
        refuse(found,
               "one output of floating point, [n, " + extent + "], as `columns` names them" +
                   (has(*m_options.columns, flat_column::batch) ? ""
                                                                : ", and one [n] or [n, 1] with the image of each row"),
               "correct `columns`; or export the model with these outputs and no others like them");
    }

    const graph_index& m_index;
    const std::vector<typed_value>& m_outputs;
    const recognise_options& m_options;
    const typed_value* m_named_index;
    const typed_value* m_named_counts;
};

} // namespace

flat_reading read_flat(const graph_index& index, const std::vector<typed_value>& outputs,
                       const recognise_options& options)
{
    return reader(index, outputs, options).run();
}

} // namespace padbatch::onnx_tools
