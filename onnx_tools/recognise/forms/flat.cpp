// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/forms/flat.hpp>

#include <onnx_tools/error.hpp>
#include <onnx_tools/model/wording.hpp>
#include <onnx_tools/recognise/evidence.hpp>
#include <onnx_tools/recognise/flat_columns.hpp>
#include <onnx_tools/recognise/row_list.hpp>

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace padbatch::onnx_tools {
namespace {

const flat_columns with_batch{flat_column::batch, flat_column::x1,    flat_column::y1,   flat_column::x2,
                              flat_column::y2,    flat_column::label, flat_column::score};
const flat_columns without_batch{flat_column::x1, flat_column::y1,    flat_column::x2,
                                 flat_column::y2, flat_column::score, flat_column::label};

class flat_recogniser {
public:
    flat_recogniser(const onnx::ModelProto& model, const recognise_options& options)
        : m_columns(options.columns), m_list(model)
    {
    }

    detections run()
    {
        if (m_columns) {
            require_columns(*m_columns, false);
        }
        read_rows();
        return std::move(m_list).finish();
    }

private:
    [[noreturn]] static void refuse(const std::string& found, const std::string& expected, const std::string& remedy)
    {
        throw tool_error(failure::refused, {found, expected, remedy});
    }

    // Whether a value is known to have one element for each of these rows: both declare the same number, or are picked
    // by the same indices. (A number for each image has the same type.)
    [[nodiscard]] bool has_rows_of(const typed_value& value, const typed_value& rows) const
    {
        if (!value.type.shape.empty() && !rows.type.shape.empty()) {
            const auto& mine = value.type.shape.front();
            const auto& theirs = rows.type.shape.front();
            if (mine.size ? mine.size == theirs.size : !mine.symbol.empty() && mine.symbol == theirs.symbol) {
                return true;
            }
        }
        const auto picked_by = [&](const std::string& name) -> std::string_view {
            const auto* node = producer_behind(m_list.index, name, {"Identity", "Cast", "Squeeze", "Unsqueeze"}, 16);
            const bool picks =
                is(node, {"Gather", "GatherND"}) && node->input_size() > 1 && integer_attribute(*node, "axis", 0) == 0;
            return picks ? origin(m_list.index, node->input(1)) : std::string_view();
        };
        const auto by = picked_by(value.name);
        return !by.empty() && by == picked_by(rows.name);
    }

    // The columns that `names` are when the nodes show which of the last two is the label: the one that was an integer
    // when the columns were joined. Nothing if they do not show it.
    [[nodiscard]] std::optional<flat_columns> shown_order(const typed_value& rows, flat_columns names) const
    {
        const auto* node = producer_behind(m_list.index, rows.name, {"Identity", "Cast"}, 16);
        if (!is(node, {"Concat"}) || node->input_size() < 3) {
            return std::nullopt;
        }
        const bool label_last = was_integer(m_list.index, node->input(node->input_size() - 1));
        if (label_last == was_integer(m_list.index, node->input(node->input_size() - 2))) {
            return std::nullopt;
        }
        names.end()[-1] = label_last ? flat_column::label : flat_column::score;
        names.end()[-2] = label_last ? flat_column::score : flat_column::label;
        return names;
    }

    // Nobody has said what the columns are: the nodes must show that they are the usual ones.
    void require_shown(const typed_value& rows, const flat_columns& usual) const
    {
        const auto shown = shown_order(rows, usual);
        if (shown == usual) {
            return;
        }
        const auto text = [](const flat_columns& columns) {
            return joined(columns, ",", [](flat_column column) { return name_of(column); });
        };
        if (shown) {
            refuse("the columns of the output " + text_of(rows) + " end in " +
                       (shown->back() == flat_column::label ? "score and label" : "label and score") +
                       ": of the last two, the nodes show, one was an integer",
                   text(usual), "name the columns: `columns` " + text(*shown));
        }
        auto other = usual;
        std::swap(other.end()[-1], other.end()[-2]);
        refuse("nothing shows which of the last two columns of the output " + text_of(rows) +
                   " is the label, and which the score",
               "columns that are joined from scores and integer labels",
               "name the columns: `columns` " + text(usual) + ", or `columns` " + text(other));
    }

    struct rows_reading {
        const typed_value* rows;
        const typed_value* index; // null if a column holds it
        flat_columns names;
    };

    void read_rows()
    {
        std::vector<rows_reading> possible;
        const std::vector<flat_columns> usual{with_batch, without_batch};
        const auto lists = m_columns ? std::vector<flat_columns>{*m_columns} : usual;
        for (const auto& names : lists) {
            add_readings(names, static_cast<std::int64_t>(names.size()), possible);
        }
        if (possible.empty() && m_columns) {
            add_readings(*m_columns, std::nullopt, possible);
        }
        if (possible.size() != 1) {
            refuse_rows(possible.size() > 1);
        }
        const auto& reading = possible.front();
        if (!m_columns) {
            require_shown(*reading.rows, reading.names);
        }
        m_list.source.rows = reading.rows->name;
        m_list.source.columns = reading.names;
        m_list.source.batch_index = reading.index != nullptr ? reading.index->name : "";
        m_list.taken = {m_list.source.rows, m_list.source.batch_index};
        m_list.set_fields(*reading.rows->type.element, *reading.rows->type.element);
    }

    void add_readings(const flat_columns& names, std::optional<std::int64_t> extent,
                      std::vector<rows_reading>& to) const
    {
        for (const auto& rows : m_list.outputs) {
            if (!is_floating_of_rank(rows.type, 2) || last_extent(rows.type) != extent) {
                continue;
            }
            if (has(names, flat_column::batch)) {
                to.push_back({&rows, nullptr, names});
                continue;
            }
            for (const auto* index : indices_of(rows)) {
                to.push_back({&rows, index, names});
            }
        }
    }

    // The outputs that may hold the image of each of these rows: the integer ones, if there are any.
    [[nodiscard]] std::vector<const typed_value*> indices_of(const typed_value& rows) const
    {
        std::vector<const typed_value*> integers;
        std::vector<const typed_value*> others;
        for (const auto& output : m_list.outputs) {
            const auto& type = output.type;
            const bool column = type.rank == 2 && last_extent(type) == 1;
            const bool as_many = type.shape.empty() || rows.type.shape.empty() ||
                                 type.shape.front().size == rows.type.shape.front().size;
            if (&output == &rows || !type.element || *type.element == element_type::boolean ||
                !(type.rank == 1 || column) || !as_many || !has_rows_of(output, rows)) {
                continue;
            }
            (is_floating(*type.element) ? others : integers).push_back(&output);
        }
        return integers.empty() ? others : integers;
    }

    [[noreturn]] void refuse_rows(bool many) const
    {
        const std::string found =
            std::string(many ? "the outputs can be read in more than one way as" : "no output holds") +
            " the rows of all images: " + list_of(m_list.outputs);
        if (!m_columns) {
            refuse(found,
                   "one output [n, 7]: batch, x1, y1, x2, y2, label, score; or one [n, 6]: x1, y1, x2, y2, score, "
                   "label, and one [n] with the image of each row",
                   "name the columns as the model has them, such as `columns` batch,cx,cy,w,h,score,label; or, if each "
                   "image has outputs of its own, leave `from` out");
        }
        const std::string extent = std::to_string(m_columns->size());
        refuse(found,
               "one output of floating point, [n, " + extent + "], as `columns` names them" +
                   (has(*m_columns, flat_column::batch) ? "" : ", and one [n] or [n, 1] with the image of each row"),
               "correct `columns`; or export the model with these outputs and no others like them");
    }

    const std::optional<flat_columns>& m_columns; // those named by the user
    row_list m_list;
};

} // namespace

detections recognise_flat(const onnx::ModelProto& model, const recognise_options& options)
{
    return flat_recogniser(model, options).run();
}

} // namespace padbatch::onnx_tools
