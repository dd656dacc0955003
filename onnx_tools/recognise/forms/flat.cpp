// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/forms/flat.hpp>

#include <onnx_tools/error.hpp>
#include <onnx_tools/recognise/structure.hpp>

#include <algorithm>
#include <set>
#include <utility>

namespace padbatch::onnx_tools {
namespace {

using enum flat_column;
using columns = std::vector<flat_column>;

const columns corners{x1, y1, x2, y2};
const columns center_and_size{cx, cy, w, h};
const columns with_batch{batch, x1, y1, x2, y2, label, score};
const columns without_batch{x1, y1, x2, y2, score, label};

// The largest M that can be asked for.
constexpr std::int64_t most_rows = 2147483647;

bool has(const columns& in, flat_column column)
{
    return std::find(in.begin(), in.end(), column) != in.end();
}

bool has_all(const columns& in, const columns& wanted)
{
    return std::all_of(wanted.begin(), wanted.end(), [&](flat_column column) { return has(in, column); });
}

bool has_any(const columns& in, const columns& wanted)
{
    return std::any_of(wanted.begin(), wanted.end(), [&](flat_column column) { return has(in, column); });
}

// The columns that a user names: of boxes alone, or of rows.
void require_columns(const columns& given, bool boxes_alone)
{
    const auto refuse = [&](const std::string& what) {
        throw tool_error(failure::usage,
                         {"--columns " + what,
                          boxes_alone
                              ? "x1, y1, x2 and y2, or cx, cy, w and h, in the order in which the boxes have them"
                              : "x1, y1, x2 and y2, or cx, cy, w and h; label; score; and batch, unless another "
                                "output says the image of each row",
                          boxes_alone ? "name the four columns of the boxes, such as y1,x1,y2,x2"
                                      : "name every column once, such as batch,x1,y1,x2,y2,label,score"});
    };
    if (std::set(given.begin(), given.end()).size() != given.size()) {
        refuse("names a column twice");
    }
    if (has_all(given, corners) == has_all(given, center_and_size) ||
        (has_any(given, corners) && has_any(given, center_and_size))) {
        refuse("does not name the four columns of a box");
    }
    if (boxes_alone && given.size() != 4) {
        refuse("names " + std::to_string(given.size()) + " columns, and the boxes of a NonMaxSuppression have 4");
    }
    if (!boxes_alone && !has_all(given, {label, score})) {
        refuse(std::string("names no ") + (has(given, score) ? "label" : "score"));
    }
}

struct typed_value {
    std::string name;
    value_type type;
};

std::string text_of(const typed_value& value)
{
    const auto& type = value.type;
    std::string text = "'" + value.name + "' (";
    text += type.element ? std::string(name_of(*type.element)) : "no tensor of numbers";
    if (type.shape.empty()) {
        return text + (type.rank ? ", rank " + std::to_string(*type.rank) : ", unknown rank") + ")";
    }
    for (std::size_t d = 0; d < type.shape.size(); ++d) {
        const auto& extent = type.shape[d];
        text += d == 0 ? " [" : ", ";
        text += extent.size ? std::to_string(*extent.size) : extent.symbol.empty() ? "?" : extent.symbol;
    }
    return text + "])";
}

std::string list_of(const std::vector<typed_value>& values)
{
    std::string text;
    for (const auto& value : values) {
        text += (text.empty() ? "" : ", ") + text_of(value);
    }
    return text.empty() ? "none" : text;
}

bool is_floating_of_rank(const value_type& type, int rank)
{
    return type.element && is_floating(*type.element) && type.rank == rank;
}

std::optional<std::int64_t> last_extent(const value_type& type)
{
    return type.shape.empty() ? std::nullopt : type.shape.back().size;
}

class flat_recogniser {
public:
    flat_recogniser(const onnx::ModelProto& model, const recognise_options& options)
        : m_options(options), m_index(model.graph())
    {
        rank_finder ranks(m_index);
        for (const auto& info : model.graph().output()) {
            typed_value output{info.name(), declared_type(info)};
            if (output.type.element && !output.type.rank) {
                output.type.rank = ranks.rank_of(output.name);
            }
            m_outputs.push_back(std::move(output));
        }
        find_images();
    }

    detections run()
    {
        if (m_options.columns) {
            require_columns(*m_options.columns, m_options.from == export_kind::nms);
        }
        m_options.from == export_kind::nms ? read_selection() : read_rows();
        m_found.image_size = declared_image_size(m_index);
        for (const auto& output : m_outputs) {
            if (m_taken.count(output.name) == 0) {
                m_found.other_outputs.push_back(output.name);
            }
        }
        m_found.flat = std::move(m_source);
        return std::move(m_found);
    }

private:
    [[noreturn]] static void refuse(const std::string& found, const std::string& expected, const std::string& remedy)
    {
        throw tool_error(failure::refused, {found, expected, remedy});
    }

    void find_images()
    {
        std::vector<typed_value> inputs;
        std::vector<typed_value> images;
        for (const auto* info : m_index.required_inputs()) {
            inputs.push_back({info->name(), declared_type(*info)});
            if (inputs.back().type.rank == 4) {
                images.push_back(inputs.back());
            }
        }
        if (images.size() != 1) {
            refuse("the inputs do not tell which one holds the images: " + list_of(inputs),
                   "one input [B, 3, H, W], whose first extent is the number of images",
                   "export the model with the images as its only input of rank 4");
        }
        m_source.batch_input = images.front().name;
        m_batch = images.front().type.shape.front();
        const auto is_channels = [&](std::size_t d) {
            const auto size = images.front().type.shape[d].size.value_or(0);
            return size == 1 || size == 3;
        };
        if (is_channels(1) || !is_channels(3)) { // else height and width are not the last two
            m_found.images = {m_source.batch_input};
            m_found.image_rank = 4;
        }
    }

    // Whether a value with this type is said to have something for each image.
    [[nodiscard]] bool is_of_batch(const value_type& type) const
    {
        return !type.shape.empty() && !type.shape.front().symbol.empty() && type.shape.front().symbol == m_batch.symbol;
    }

    struct rows_reading {
        const typed_value* rows;
        const typed_value* index; // null when a column says it
        columns names;
    };

    void read_rows()
    {
        std::vector<rows_reading> possible;
        const std::vector<columns> usual{with_batch, without_batch};
        const auto lists = m_options.columns ? std::vector<columns>{*m_options.columns} : usual;
        for (const auto& names : lists) {
            add_readings(names, static_cast<std::int64_t>(names.size()), possible);
        }
        if (possible.empty() && m_options.columns) {
            add_readings(*m_options.columns, std::nullopt, possible);
        }
        if (possible.size() != 1) {
            refuse_rows(possible.size() > 1);
        }
        const auto& reading = possible.front();
        m_source.rows = reading.rows->name;
        m_source.columns = reading.names;
        m_source.batch_index = reading.index != nullptr ? reading.index->name : "";
        m_taken = {m_source.rows, m_source.batch_index};
        describe_fields(*reading.rows->type.element, *reading.rows->type.element);
    }

    void add_readings(const columns& names, std::optional<std::int64_t> extent, std::vector<rows_reading>& to) const
    {
        for (const auto& rows : m_outputs) {
            if (!is_floating_of_rank(rows.type, 2) || last_extent(rows.type) != extent) {
                continue;
            }
            if (has(names, batch)) {
                to.push_back({&rows, nullptr, names});
                continue;
            }
            for (const auto* index : indices_of(rows)) {
                to.push_back({&rows, index, names});
            }
        }
    }

    // The outputs that may say the image of each of these rows: integers, if there are any. One that has something for
    // each image, such as a count, does not; but rows are not out of the question that are called so (YOLOv7's export
    // calls their number `batch`).
    [[nodiscard]] std::vector<const typed_value*> indices_of(const typed_value& rows) const
    {
        std::vector<const typed_value*> integers;
        std::vector<const typed_value*> others;
        for (const auto& output : m_outputs) {
            const auto& type = output.type;
            const bool column = type.rank == 2 && last_extent(type) == 1;
            const bool as_many = type.shape.empty() || rows.type.shape.empty() ||
                                 type.shape.front().size == rows.type.shape.front().size;
            if (&output == &rows || !type.element || *type.element == element_type::boolean ||
                !(type.rank == 1 || column) || !as_many || (is_of_batch(type) && !is_of_batch(rows.type))) {
                continue;
            }
            (is_floating(*type.element) ? others : integers).push_back(&output);
        }
        return integers.empty() ? others : integers;
    }

    [[noreturn]] void refuse_rows(bool many) const
    {
        const std::string found =
            std::string(many ? "the outputs can be read in more than one way as" : "no output is") +
            " the rows of all images: " + list_of(m_outputs);
        if (!m_options.columns) {
            refuse(found,
                   "one output [n, 7]: batch, x1, y1, x2, y2, label, score; or one [n, 6]: x1, y1, x2, y2, score, "
                   "label, and one [n] with the image of each row",
                   "name the columns as the model has them, such as --columns batch,cx,cy,w,h,score,label");
        }
        const std::string extent = std::to_string(m_options.columns->size());
        refuse(found,
               "one output of floating point, [n, " + extent + "], as --columns names them" +
                   (has(*m_options.columns, batch) ? "" : ", and one [n] or [n, 1] with the image of each row"),
               "correct --columns; or export the model with these outputs and no others like them");
    }

    void read_selection()
    {
        std::set<const onnx::NodeProto*> nodes;
        for (const auto& output : m_outputs) {
            const auto* node = m_index.producer(origin(output.name));
            if (node != nullptr && node->op_type() == "NonMaxSuppression" &&
                (node->domain().empty() || node->domain() == "ai.onnx")) {
                nodes.insert(node);
            }
        }
        if (nodes.size() > 1) {
            refuse("the outputs are the selections of " + std::to_string(nodes.size()) +
                       " NonMaxSuppression nodes: " + list_of(m_outputs),
                   "one selection", "export the model with one of them");
        }
        if (nodes.empty()) {
            read_selection_by_type();
        } else {
            read_selection_of(**nodes.begin());
        }
    }

    // The value that `value` is, or is a conversion of.
    [[nodiscard]] std::string origin(std::string value) const
    {
        for (int steps = 0; steps < m_index.graph().node_size(); ++steps) {
            const auto* node = m_index.producer(value);
            if (node == nullptr || (node->op_type() != "Cast" && node->op_type() != "Identity")) {
                break;
            }
            value = node->input(0);
        }
        return value;
    }

    void read_selection_of(const onnx::NodeProto& node)
    {
        m_source.rows = node.output(0);
        m_source.boxes = node.input(0);
        m_source.scores = node.input(1);
        const std::set<std::string> parts{m_source.rows, origin(m_source.boxes), origin(m_source.scores)};
        for (const auto& output : m_outputs) {
            if (parts.count(origin(output.name)) != 0) {
                m_taken.insert(output.name);
            } else if (is_floating_of_rank(output.type, 3) && last_extent(output.type) == 4) {
                refuse("the output " + text_of(output) + " looks like boxes, and " + describe(node) +
                           " selects from others, '" + m_source.boxes + "'",
                       "the boxes that are selected from (some models move them apart by class first)",
                       "export the model without that output; or with rows of all images, [n, 7], for --from flat");
            }
        }
        const bool center = integer_attribute(node, "center_point_box", 0) == 1;
        m_source.columns = m_options.columns.value_or(center ? center_and_size : corners);
        m_found.limit = limit_of(node);
        if (const auto least = node.input_size() > 4 ? m_index.constant_number(node.input(4)) : std::nullopt) {
            m_found.threshold = score_threshold{*least, describe(node)};
        }
        describe_fields(element_type::float32, element_type::float32); // the node takes no others
    }

    // What the node keeps of each class, times the classes. Nothing where its constant is there for form's sake, no
    // less than there are boxes.
    [[nodiscard]] std::optional<row_limit> limit_of(const onnx::NodeProto& node) const
    {
        const auto most = node.input_size() > 2 ? m_index.constant_integers(node.input(2)) : std::nullopt;
        const auto shape = shape_of(m_source.scores);
        if (!most || most->size() != 1 || shape.size() != 3 || !shape[1].size || *shape[1].size < 1) {
            return std::nullopt;
        }
        const auto of_class = most->front();
        if (of_class < 1 || of_class > most_rows / *shape[1].size || (shape[2].size && of_class >= *shape[2].size)) {
            return std::nullopt;
        }
        return row_limit{of_class * *shape[1].size, describe(node)};
    }

    [[nodiscard]] std::vector<dimension> shape_of(const std::string& value) const
    {
        const auto& graph = m_index.graph();
        for (const auto* infos : {&graph.output(), &graph.value_info(), &graph.input()}) {
            for (const auto& info : *infos) {
                if (info.name() == value) {
                    return declared_type(info).shape;
                }
            }
        }
        return {};
    }

    // The three outputs, where they do not come from such a node, at least not straight.
    void read_selection_by_type()
    {
        std::vector<const typed_value*> rows;
        std::vector<const typed_value*> boxes;
        std::vector<const typed_value*> scores;
        for (const auto& output : m_outputs) {
            const auto& type = output.type;
            if (type.element == element_type::int64 && type.rank == 2 && last_extent(type) == 3) {
                rows.push_back(&output);
            } else if (is_floating_of_rank(type, 3)) {
                (last_extent(type) == 4 ? boxes : scores).push_back(&output);
            }
        }
        if (rows.size() != 1 || boxes.size() != 1 || scores.size() != 1) {
            refuse("no output is what a NonMaxSuppression node selects, and the types of the outputs do not tell: " +
                       list_of(m_outputs),
                   "an output [n, 3] of such a node; or one int64 [n, 3], one float [B, k, 4] and one [B, classes, k]",
                   "export the model with these outputs; or use --from flat where it has the rows of all images");
        }
        m_source.rows = rows.front()->name;
        m_source.boxes = boxes.front()->name;
        m_source.scores = scores.front()->name;
        m_source.columns = m_options.columns.value_or(corners);
        m_taken = {m_source.rows, m_source.boxes, m_source.scores};
        describe_fields(*boxes.front()->type.element, *scores.front()->type.element);
    }

    void describe_fields(element_type boxes, element_type scores)
    {
        m_found.fields = {{field::boxes, {}, boxes, {{4, ""}}},
                          {field::labels, {}, element_type::int64, {}},
                          {field::scores, {}, scores, {}}};
    }

    const recognise_options& m_options;
    graph_index m_index;
    std::vector<typed_value> m_outputs;
    dimension m_batch;             // B, as the input declares it
    std::set<std::string> m_taken; // the outputs that the padded ones replace
    flat_source m_source;
    detections m_found;
};

} // namespace

detections recognise_flat(const onnx::ModelProto& model, const recognise_options& options)
{
    return flat_recogniser(model, options).run();
}

} // namespace padbatch::onnx_tools
