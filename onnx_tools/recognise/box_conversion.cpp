// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/box_conversion.hpp>

#include <onnx_tools/error.hpp>
#include <onnx_tools/model/node_writer.hpp>
#include <onnx_tools/model/value_types.hpp>
#include <onnx_tools/model/wording.hpp>
#include <onnx_tools/recognise/box_format.hpp>
#include <onnx_tools/recognise/flat_columns.hpp>
#include <onnx_tools/recognise/image_inputs.hpp>
#include <onnx_tools/recognise/padded_evidence.hpp>
#include <onnx_tools/recognise/pixel_boxes.hpp>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

namespace padbatch::onnx_tools {
namespace {

const char* const correct_format = "correct `box_format`, or leave it out";

bool are_two_corners(box_format format)
{
    return format == box_format::xyxy || format == box_format::yxyx;
}

[[noreturn]] void refuse_format(const std::string& found, const std::string& shown)
{
    throw tool_error(failure::refused, {found, "a format that agrees with them: " + shown, correct_format});
}

// Whether the first layers of the model read `image` as [B, C, H, W]: a Conv does, perhaps behind arithmetic.
bool is_read_with_channels_first(const graph_index& index, std::string_view image, int depth = 0)
{
    const auto& readers = index.readers(image);
    return std::any_of(readers.begin(), readers.end(), [&](const onnx::NodeProto* reader) {
        if (is(reader, {"Conv"})) {
            return reader->input(0) == image;
        }
        return depth < 16 && reader->output_size() == 1 &&
               is(reader, {"Identity", "Cast", "Add", "Sub", "Mul", "Div", "Unsqueeze", "Gather", "Pad", "Resize"}) &&
               is_read_with_channels_first(index, reader->output(0), depth + 1);
    });
}

class box_converter {
public:
    box_converter(const onnx::ModelProto& model, const recognise_options& options, detections& found)
        : m_options(options), m_found(found),
          m_model(rearranged_copy(model, found.rearranged.value_or(unchanged_outputs(model.graph())))),
          m_index(m_model.graph()), m_fresh(m_model.graph()), m_nodes(m_scratch, m_fresh, standard_opset(m_model)),
          m_format(options.boxes.value_or(box_format::xyxy))
    {
    }

    void run()
    {
        if (find_field(m_found, field::boxes) == nullptr) {
            misused(option() + " is given, but the model has no boxes", "a model with boxes", "leave the option out");
        }
        require_as_shown();
        if (m_options.normalised) {
            require_no_keypoints();
            take_images();
        } else if (m_format == box_format::xyxy) {
            return;
        }
        if (m_found.flat && !m_options.normalised && m_format != box_format::xywh) {
            name_columns(m_found.flat->columns);
        } else {
            add_nodes();
        }
        m_found.box_conversion = conversion_text(m_options);
    }

private:
    [[nodiscard]] std::string option() const { return m_options.boxes ? "`box_format`" : "`normalised`"; }

    // --- what the nodes show ----------------------------------------------------------------------------------

    void require_as_shown()
    {
        if (m_found.flat && !m_found.flat->boxes.empty()) {
            require_as_selected(*m_found.flat);
        } else if (m_found.flat) {
            require_shown_format(m_index, m_found.flat->rows, source_of(m_found.flat->rows), m_options);
        } else {
            for (const auto& value : find_field(m_found, field::boxes)->values) {
                require_shown_format(m_index, value, source_of(value), m_options);
            }
        }
        if (!m_found.family.empty() && m_options.normalised && doubt_about_pixels(m_index, m_found).empty()) {
            throw tool_error(failure::refused,
                             {"`normalised` is given, but the boxes are those of a " + m_found.family +
                                  ", the nodes show, and in pixels",
                              "boxes that are fractions of the image's size", "leave `normalised` out"});
        }
    }

    // The boxes that a NonMaxSuppression reads are what its attribute says.
    void require_as_selected(const flat_source& flat) const
    {
        const auto* node = m_index.producer(flat.rows);
        if (!is(node, {"NonMaxSuppression"}) || !m_options.boxes) {
            return;
        }
        const bool center = integer_attribute(*node, "center_point_box", 0) == 1;
        if (center ? m_format != box_format::cxcywh : !are_two_corners(m_format)) {
            refuse_format("`box_format` is " + std::string(name_of(m_format)) + ", but " + describe(*node) +
                              " reads the boxes as " + (center ? "centers and sizes" : "two corners"),
                          center ? "cxcywh" : "xyxy or yxyx");
        }
    }

    void require_no_keypoints() const
    {
        if (find_field(m_found, field::keypoints) != nullptr) {
            throw tool_error(failure::refused,
                             {"`normalised` is given, but nothing shows whether the keypoints are fractions too",
                              "a model without keypoints", "convert boxes and keypoints where their size is known"});
        }
    }

    // --- the images that fractions belong to -------------------------------------------------------------------

    void take_images()
    {
        if (m_found.flat) {
            m_found.images = {m_found.flat->batch_input};
            m_found.image_rank = 4;
        } else if (m_found.images.empty()) {
            find_images();
        }
        std::vector<bool> last;
        for (const auto& name : m_found.images) {
            last.push_back(height_dimension(m_index, name) == m_found.image_rank - 3);
        }
        if (std::find(last.begin(), last.end(), !last.front()) != last.end()) {
            throw tool_error(failure::refused, {"`normalised`: some images have their channels first, others last",
                                                "images of one kind", "export the model with images of one kind"});
        }
        m_found.channels_last = last.front();
        m_found.in_pixels = true;
    }

    // One input of rank 4, or one of rank 3 for each image, among others.
    void find_images()
    {
        for (const int rank : {4, 3}) {
            std::vector<std::string> names;
            for (const auto* input : m_index.required_inputs()) {
                if (declared_type(*input).rank == rank) {
                    names.push_back(input->name());
                }
            }
            if (names.size() == (rank == 4 ? 1 : static_cast<std::size_t>(m_found.batch))) {
                m_found.images = std::move(names);
                m_found.image_rank = rank;
                return;
            }
        }
        throw tool_error(failure::refused,
                         {"`normalised` multiplies boxes by the size of the image, but it is not clear which input is "
                          "the image",
                          "one input [B, 3, H, W], or one input [3, H, W] for each image",
                          "leave `normalised` out, and multiply the boxes where their size is known"});
    }

    // --- conversion -------------------------------------------------------------------------------------------

    // The four numbers of a box by their names.
    void name_columns(std::vector<flat_column>& columns) const
    {
        const auto& names = m_format == box_format::cxcywh ? center_and_size
                            : m_format == box_format::yxyx
                                ? flat_columns{flat_column::y1, flat_column::x1, flat_column::y2, flat_column::x2}
                                : corners;
        for (auto& column : columns) {
            const auto place = std::find(corners.begin(), corners.end(), column);
            if (place != corners.end()) {
                column = names[static_cast<std::size_t>(place - corners.begin())];
            }
        }
    }

    void add_nodes()
    {
        const auto doubt = m_options.normalised ? "" : doubt_about_pixels(m_index, m_found);
        m_found.doubt_about_pixels = doubt;
        m_found.in_pixels = doubt.empty();
        if (!m_found.rearranged) {
            m_found.rearranged = unchanged_outputs(m_model.graph());
        }
        if (m_found.flat) {
            convert_list(*m_found.flat);
        } else {
            auto& boxes = *std::find_if(m_found.fields.begin(), m_found.fields.end(),
                                        [](const recognised_field& each) { return each.kind == field::boxes; });
            for (std::size_t i = 0; i < boxes.values.size(); ++i) {
                const auto converted = pixels_of(to_corners(m_nodes, boxes.values[i], m_format, boxes.element, 1),
                                                 boxes.element, m_found.images.size() > 1 ? i : 0);
                replace(boxes.values[i], converted);
            }
        }
        m_found.rearranged->nodes.insert(m_found.rearranged->nodes.end(), m_scratch.node().begin(),
                                         m_scratch.node().end());
    }

    [[nodiscard]] std::string pixels_of(const std::string& boxes, element_type element, std::size_t image)
    {
        return m_options.normalised ? to_pixels(m_nodes, boxes, element, m_found.images[image],
                                                m_found.image_rank - (m_found.channels_last ? 3 : 2))
                                    : boxes;
    }

    // The boxes that are selected from, [B, k, 4]; or the columns of rows, whose other columns stay, behind the box.
    void convert_list(flat_source& flat)
    {
        const bool selected = !flat.boxes.empty();
        auto& value = selected ? flat.boxes : flat.rows;
        const std::int64_t axis = selected ? 2 : 1;
        const auto element = find_field(m_found, field::boxes)->element;
        replace(value, with_corners(m_nodes, value, flat.columns, m_format, element, axis,
                                    [&](const std::string& boxes) { return pixels_of(boxes, element, 0); }));
    }

    // The name of the output that a value is, or is made from.
    [[nodiscard]] std::string source_of(const std::string& value) const
    {
        if (m_found.rearranged) {
            const auto known = m_found.rearranged->sources.find(value);
            if (known != m_found.rearranged->sources.end()) {
                return known->second;
            }
        }
        return quoted(value);
    }

    // `with` stands where `value` did, as an output too.
    void replace(std::string& value, const std::string& with)
    {
        m_found.rearranged->sources[with] =
            source_of(value) + ", as corners" + (m_options.normalised ? " in pixels" : "");
        for (auto& output : m_found.rearranged->outputs) {
            if (output.name() == value) {
                output.set_name(with);
            }
        }
        value = with;
    }

    const recognise_options& m_options;
    detections& m_found;
    onnx::ModelProto m_model; // with the outputs that it has so far
    graph_index m_index;
    fresh_names m_fresh;
    onnx::GraphProto m_scratch;
    node_writer m_nodes;
    box_format m_format;
};

// Nobody has said what the boxes are, and they are passed on as corners: the nodes must not show something else. The
// images of one model have boxes of one kind.
void require_corners(const onnx::ModelProto& model, const detections& found)
{
    const auto* boxes = find_field(found, field::boxes);
    const bool selected = found.flat && !found.flat->boxes.empty(); // its node says what they are
    if (boxes == nullptr || selected || (!found.flat && boxes->values.empty())) {
        return;
    }
    const auto& value = found.flat ? found.flat->rows : boxes->values.front();
    const auto copy = found.rearranged ? rearranged_copy(model, *found.rearranged) : onnx::ModelProto();
    const graph_index index(found.rearranged ? copy.graph() : model.graph());
    const auto shown = boxes_of(index, value);
    const bool center = shown == shown_boxes::center_and_extents;
    if (center || shown == shown_boxes::corner_and_extents) {
        throw tool_error(failure::refused, {"the boxes of " + quoted(value) + " are " +
                                                (center ? "centers" : "corners") + " and sizes, the nodes show",
                                            "two corners, x1, y1, x2, y2",
                                            std::string("say so: `box_format` ") + (center ? "cxcywh" : "xywh") +
                                                "; and `normalised` if they are fractions of the image's size"});
    }
}

} // namespace

void require_one_box_format(const recognise_options& options)
{
    if (!options.boxes || !options.columns) {
        return;
    }
    const auto& columns = *options.columns;
    if (std::search(columns.begin(), columns.end(), corners.begin(), corners.end()) == columns.end()) {
        misused("`box_format` is given together with `columns`, which say how boxes are written",
                "x1,y1,x2,y2 in `columns` for the place of the four numbers, whatever they are",
                "write x1,y1,x2,y2 there, or leave `box_format` out");
    }
}

void require_shown_format(const graph_index& index, std::string_view boxes, const std::string& which,
                          const recognise_options& options)
{
    if (!options.boxes) {
        return;
    }
    const auto told = "`box_format` is " + std::string(name_of(*options.boxes)) + ", but the boxes of " + which;
    switch (boxes_of(index, boxes)) {
    case shown_boxes::two_corners:
        if (!are_two_corners(*options.boxes)) {
            refuse_format(told + " are two corners, the nodes show", "xyxy or yxyx");
        }
        break;
    case shown_boxes::center_and_extents:
        if (*options.boxes != box_format::cxcywh) {
            refuse_format(told + " are centers and sizes, the nodes show", "cxcywh");
        }
        break;
    case shown_boxes::corner_and_extents:
        if (*options.boxes != box_format::xywh) {
            refuse_format(told + " are a corner and a size, the nodes show", "xywh");
        }
        break;
    case shown_boxes::unknown: break;
    }
}

std::int64_t height_dimension(const graph_index& index, const std::string& input)
{
    const auto inputs = index.required_inputs();
    const auto info =
        std::find_if(inputs.begin(), inputs.end(), [&](const auto* each) { return each->name() == input; });
    const auto type = info == inputs.end() ? value_type() : declared_type(**info);
    const auto& shape = type.shape;
    const auto rank = type.rank.value_or(0);
    const auto channels = shape.size() >= 3 ? shape[shape.size() - 3].size : std::nullopt;
    const bool first =
        (channels == 1 || channels == 3) || (!has_channels_last(shape) && is_read_with_channels_first(index, input));
    if ((rank != 3 && rank != 4) || (!first && !has_channels_last(shape))) {
        throw tool_error(failure::refused,
                         {"`normalised` multiplies boxes by the size of the image, but nothing shows which extents of "
                          "the input " +
                              (info == inputs.end() ? quoted(input) : text_of({input, type})) + " are height and width",
                          "an input of 1 or 3 channels, [B, 3, H, W], [B, H, W, 3], [3, H, W] or [H, W, 3]",
                          "declare the extents of the input, or multiply the boxes where their size is known"});
    }
    return rank - (first ? 2 : 3);
}

std::string conversion_text(const recognise_options& options)
{
    const auto format = options.boxes.value_or(box_format::xyxy);
    if (format == box_format::xyxy && !options.normalised) {
        return "";
    }
    std::string text = "converts boxes";
    if (format != box_format::xyxy) {
        text += " from " + std::string(name_of(format));
    }
    return text + (options.normalised ? " from fractions of the width and height of the input" : "") +
           " to x1, y1, x2, y2" + (options.normalised ? " in pixels" : "");
}

void convert_boxes(const onnx::ModelProto& model, const recognise_options& options, detections& found)
{
    if (found.form == export_kind::padded || found.form == export_kind::raw) {
        return; // which convert theirs
    }
    if (options.boxes || options.normalised) {
        box_converter(model, options, found).run();
    } else if (!options.columns) {
        require_corners(model, found);
    }
}

} // namespace padbatch::onnx_tools
