// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/forms/raw.hpp>

#include <onnx_tools/error.hpp>
#include <onnx_tools/model/node_writer.hpp>
#include <onnx_tools/model/wording.hpp>
#include <onnx_tools/recognise/box_conversion.hpp>
#include <onnx_tools/recognise/column_origin.hpp>
#include <onnx_tools/recognise/flat_columns.hpp>
#include <onnx_tools/recognise/head_evidence.hpp>
#include <onnx_tools/recognise/head_kind.hpp>
#include <onnx_tools/recognise/padded_evidence.hpp>
#include <onnx_tools/recognise/raw_head.hpp>
#include <onnx_tools/recognise/row_list.hpp>
#include <onnx_tools/recognise/undecided.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace padbatch::onnx_tools {
namespace {

constexpr double usual_score = 0.25; // Ultralytics' own
constexpr double usual_iou_threshold = 0.7;
constexpr std::int64_t usual_most = 300;

class raw_recogniser {
public:
    raw_recogniser(const onnx::ModelProto& model, const recognise_options& options)
        : m_model(model), m_options(options), m_told(options.head), m_list(model), m_classes(named_classes(model))
    {
    }

    detections run()
    {
        for (const auto& output : m_list.outputs) {
            if (is_floating_of_rank(output.type, 3)) {
                m_tensors.push_back(&output);
            }
        }
        if (const auto* plugin = suppressing_plugin()) {
            read_plugin(*plugin);
        } else {
            find_kind();
            require_options();
            find_head();
            choose();
            m_rows_name = m_rows->name;
        }
        require_any_batch();
        return written();
    }

private:
    // --- which head it is -------------------------------------------------------------------------------------------

    void find_kind()
    {
        if (m_told.kind) {
            m_kind = m_told.kind;
            m_evidence = "`head` says so";
            return;
        }
        const bool finished = metadata(m_model, "end2end") == "True" || metadata(m_model, "nms") == "True" ||
                              metadata(m_model, "args").find("'nms': True") != std::string::npos;
        if (m_tensors.size() == 1 && m_classes && !finished) {
            const auto& shape = m_tensors.front()->type.shape;
            for (const auto kind : kinds_of_metadata()) {
                const auto more = columns_besides_classes(kind);
                const bool anchors_last = !has_objectness(kind);
                const std::size_t dimension = anchors_last ? 1 : 2;
                if (more && dimension < shape.size() && shape[dimension].size == *more + *m_classes &&
                    m_list.outputs.size() == (has_masks(kind) ? 2U : 1U)) {
                    m_kind = kind;
                    m_evidence = "the metadata names " + count_of(*m_classes, "class") + ", and " +
                                 text_of(*m_tensors.front()) + " has " + std::to_string(*more) + " columns more";
                    return;
                }
            }
        }
        const auto possible = possible_heads();
        if (possible.empty()) {
            refuse_outputs("a head of YOLO or DETR: boxes and class scores of every anchor or query");
        }
        throw undecided({"nothing shows which kind of raw head the outputs are: " + list_of(m_list.outputs),
                         "a head of YOLO or DETR: boxes and class scores of every anchor or query",
                         "if they are one, say which"},
                        possible);
    }

    // The heads that Ultralytics' exporters write such metadata for.
    [[nodiscard]] std::vector<head_kind> kinds_of_metadata() const
    {
        const auto task = metadata(m_model, "task");
        return task == "detect"    ? std::vector{head_kind::yolo}
               : task == "segment" ? std::vector{head_kind::yolo_seg}
               : task == "pose"    ? std::vector{head_kind::yolo_pose}
               : task == "obb"     ? std::vector{head_kind::yolo_obb}
               : task.empty() && !metadata(m_model, "stride").empty()
                   ? std::vector{head_kind::yolo_objectness, head_kind::yolo_objectness_seg}
                   : std::vector<head_kind>();
    }

    [[nodiscard]] static bool has_objectness(head_kind kind)
    {
        return kind == head_kind::yolo_objectness || kind == head_kind::yolo_objectness_seg;
    }

    [[nodiscard]] static bool has_masks(head_kind kind)
    {
        return kind == head_kind::yolo_seg || kind == head_kind::yolo_objectness_seg;
    }

    [[nodiscard]] static bool is_yolo(head_kind kind)
    {
        return kind != head_kind::boxes_scores && kind != head_kind::detr;
    }

    // How many columns a row has but for those of its classes; nothing if it cannot be such a head.
    [[nodiscard]] std::optional<std::int64_t> columns_besides_classes(head_kind kind) const
    {
        if (has_masks(kind)) {
            const auto* prototypes = find_prototypes();
            return prototypes != nullptr
                       ? std::optional((has_objectness(kind) ? 5 : 4) + *prototypes->type.shape[1].size)
                       : std::nullopt;
        }
        if (kind == head_kind::yolo_pose) {
            const auto points = keypoints();
            return points ? std::optional(4 + points->first * points->second) : std::nullopt;
        }
        return kind == head_kind::yolo ? 4 : 5; // with an objectness, or an angle
    }

    // What masks are put together from, [B, P, h, w].
    [[nodiscard]] const typed_value* find_prototypes() const
    {
        const typed_value* found = nullptr;
        for (const auto& output : m_list.outputs) {
            if (is_floating_of_rank(output.type, 4) && output.type.shape.size() == 4 && output.type.shape[1].size) {
                if (found != nullptr) {
                    return nullptr;
                }
                found = &output;
            }
        }
        return found;
    }

    // How many keypoints there are, and of how many numbers.
    [[nodiscard]] std::optional<std::pair<std::int64_t, std::int64_t>> keypoints() const
    {
        return m_told.keypoints ? m_told.keypoints : keypoint_shape(m_model);
    }

    // What could be said about outputs of these types.
    [[nodiscard]] std::vector<recognise_options> possible_heads() const
    {
        std::vector<head_kind> kinds;
        if (m_tensors.size() == 1) {
            kinds = find_prototypes() != nullptr
                        ? std::vector{head_kind::yolo_seg, head_kind::yolo_objectness_seg}
                        : std::vector{head_kind::yolo, head_kind::yolo_objectness, head_kind::boxes_scores};
        } else if (m_tensors.size() == 2 && std::any_of(m_tensors.begin(), m_tensors.end(), [](const auto* tensor) {
                       return last_extent(tensor->type) == 4;
                   })) {
            kinds = {head_kind::boxes_scores, head_kind::detr};
        }
        std::vector<recognise_options> all;
        for (const auto kind : kinds) {
            all.emplace_back().head.kind = kind;
        }
        return all;
    }

    // What belongs to heads of another kind.
    void require_options() const
    {
        const std::string head = "`head` " + std::string(name_of(*m_kind));
        const auto no = [&](bool given, const std::string& option, const std::string& where) {
            if (given) {
                misused(option + " is given for " + head, option + " for " + where, "leave " + option + " out");
            }
        };
        const bool yolo = is_yolo(*m_kind);
        no(m_told.strides.has_value() && *m_kind != head_kind::yolo_objectness, "`strides`", "`head` yolo-objectness");
        no(m_told.keypoints.has_value() && *m_kind != head_kind::yolo_pose, "`keypoints`", "`head` yolo-pose");
        no(m_told.activation.has_value() && yolo, "`scores`", "`head` detr and `head` boxes-scores");
        no(m_told.image_size.has_value() && yolo, "`image_size`", "boxes that are fractions of the image's size");
        no(m_options.boxes.has_value() && *m_kind != head_kind::boxes_scores, "`box_format`", "`head` boxes-scores");
        no(m_options.normalised && *m_kind != head_kind::boxes_scores, "`normalised`", "`head` boxes-scores");
        if (m_options.columns) {
            misused("`columns` is given for " + head, "`columns` for rows of detections", "leave `columns` out");
        }
        if (m_told.class_agnostic && m_told.nms == suppression::class_by_class) {
            misused("`class_agnostic` is given together with `nms` class-by-class",
                    "boxes that suppress those of all classes, or those of their own", "leave one of them out");
        }
    }

    // --- a plugin that selects --------------------------------------------------------------------------------------

    // TensorRT's EfficientNMS, of which all that the model reads is outputs. Other engines do not have it.
    [[nodiscard]] const onnx::NodeProto* suppressing_plugin() const
    {
        const onnx::NodeProto* found = nullptr;
        for (const auto& node : m_list.index.graph().node()) {
            if (node.op_type() != "EfficientNMS_TRT" && node.op_type() != "EfficientNMS_ONNX_TRT") {
                continue;
            }
            if (found != nullptr) {
                refuse("the model has several nodes like " + describe(node), "one", "export the model with one");
            }
            found = &node;
        }
        return found;
    }

    // The number that the plugin has in an attribute.
    [[nodiscard]] static double real_attribute(const onnx::NodeProto& node, std::string_view name, double otherwise)
    {
        const auto* held = attribute(node, name);
        return held != nullptr ? static_cast<double>(held->f()) : otherwise;
    }

    void read_plugin(const onnx::NodeProto& node)
    {
        require_no_head();
        for (const auto& output : node.output()) {
            for (const auto* reader : m_list.index.readers(output)) {
                refuse(describe(*reader) + " reads what " + describe(node) +
                           " gives, and no other engine has that node",
                       "outputs of the node that are outputs of the model", "export the model without that node");
            }
        }
        for (const auto& output : m_list.outputs) {
            if (std::find(node.output().begin(), node.output().end(), output.name) != node.output().end()) {
                m_taken.push_back(output.name);
            }
        }
        if (m_taken.empty() || node.input_size() != 2) {
            refuse(describe(node) + (m_taken.empty() ? " gives no output of the model" : " decodes boxes by anchors"),
                   "boxes and scores, and outputs of the model", "export the model with decoded boxes, or without it");
        }
        const auto boxes = inner(node.input(0));
        const auto scores = inner(node.input(1));
        const auto width = last_extent(scores) ? last_extent(scores) : m_told.class_count;
        if ((boxes.rank && boxes.rank != 3) || !width || *width < 1) {
            refuse(width ? "the boxes that " + describe(node) + " reads are not [B, A, 4]"
                         : "the file does not show how many classes " + describe(node) + " reads",
                   "boxes [B, A, 4] and scores [B, A, C]",
                   width ? "export the model with one box for each anchor" : "say how many: `num_classes` N");
        }
        m_kind = head_kind::boxes_scores;
        m_head.images = m_list.source.batch_input;
        m_head.boxes = {node.input(0), false, 0, 4, boxes.element.value_or(element_type::float32)};
        m_head.scores = {node.input(1), false, 0, *width, scores.element.value_or(element_type::float32)};
        m_head.format = integer_attribute(node, "box_coding", 0) == 1 ? box_format::cxcywh : box_format::xyxy;
        m_head.activation =
            integer_attribute(node, "score_activation", 0) == 1 ? score_activation::sigmoid : score_activation::none;
        m_rows_name = node.input(0);
        m_evidence = describe(node) + " selects the outputs";
        // It keeps scores that are equal to its threshold.
        const auto least = static_cast<float>(real_attribute(node, "score_threshold", 0.25));
        m_selection.score = m_told.score.value_or(static_cast<double>(std::nextafter(least, -1.0F)));
        m_selection.iou_threshold = m_told.iou_threshold.value_or(real_attribute(node, "iou_threshold", 0.5));
        m_selection.most = m_told.most.value_or(integer_attribute(node, "max_output_boxes", 100));
        m_selection.nms = m_told.nms.value_or(suppression::class_by_class);
        m_selection.class_agnostic = m_told.class_agnostic || integer_attribute(node, "class_agnostic", 0) == 1;
        m_selection.multi_label = true;
        m_selection.classes = m_told.classes;
        if (const auto background = integer_attribute(node, "background_class", -1);
            background >= 0 && background < *width) {
            leave_out(background);
        }
    }

    // No detections of a class.
    void leave_out(std::int64_t label)
    {
        auto& chosen = m_selection.classes;
        if (!chosen) {
            chosen = class_choice{{}, true};
        }
        const auto listed = std::find(chosen->labels.begin(), chosen->labels.end(), label);
        if (chosen->dropped && listed == chosen->labels.end()) {
            chosen->labels.push_back(label);
        } else if (!chosen->dropped && listed != chosen->labels.end()) {
            chosen->labels.erase(listed);
        }
    }

    void require_no_head() const
    {
        if (m_told.kind || m_told.strides || m_told.activation || m_told.keypoints || m_told.image_size ||
            m_told.multi_label || m_options.boxes || m_options.normalised) {
            misused("an option says how a head is to be read, but a node of the model does",
                    "`min_score`, `iou_threshold`, `max_detections`, `nms` and `class_agnostic`",
                    "leave the other options out");
        }
    }

    // What is declared of an inner value.
    [[nodiscard]] value_type inner(const std::string& name) const
    {
        const auto& graph = m_list.index.graph();
        for (const auto* infos : {&graph.value_info(), &graph.input(), &graph.output()}) {
            for (const auto& info : *infos) {
                if (info.name() == name) {
                    return declared_type(info);
                }
            }
        }
        value_type type;
        if (const auto width = columns_of(m_list.index, name)) {
            type.shape = {{}, {}, {*width, ""}};
        }
        return type;
    }

    // --- its parts --------------------------------------------------------------------------------------------------

    void find_head()
    {
        m_head.images = m_list.source.batch_input;
        m_head.height = m_list.found.images.empty() ? 1 : 2; // where that matters, it is looked into
        if (*m_kind == head_kind::yolo_obb) {
            refuse("the boxes in " + list_of(m_list.outputs) + " are turned by an angle",
                   "boxes along the axes: ONNX has no NonMaxSuppression for others",
                   "export the model with nms=True, and pad that; or suppress in the program that reads the head");
        }
        if (is_yolo(*m_kind)) {
            find_yolo();
        } else {
            find_boxes_and_scores();
        }
    }

    [[noreturn]] void refuse_outputs(const std::string& expected) const
    {
        refuse("the outputs are no such head: " + list_of(m_list.outputs), expected,
               "say which head they are, if they are another; or export the model with the outputs of such a head");
    }

    void find_yolo()
    {
        const bool objectness = has_objectness(*m_kind);
        const std::string expected = std::string("one output ") + (objectness ? "[B, A, 5 + C" : "[B, 4 + C") +
                                     (has_masks(*m_kind)                ? " + P"
                                      : *m_kind == head_kind::yolo_pose ? " + K * 3"
                                                                        : "") +
                                     (objectness ? "]" : ", A]") +
                                     (has_masks(*m_kind) ? " and one of prototypes, [B, P, h, w]" : "");
        if (*m_kind == head_kind::yolo_pose && !keypoints()) {
            refuse("nothing shows how many keypoints the rows of " + list_of(m_list.outputs) + " have",
                   "metadata with a kpt_shape, as Ultralytics' exports have it",
                   "say how many, and of how many numbers, such as `keypoints` 17x3");
        }
        const auto others = columns_besides_classes(*m_kind);
        if (m_tensors.size() != 1 || !others) {
            refuse_outputs(expected);
        }
        const auto& rows = *m_tensors.front();
        const auto which = dimension_of_columns(rows, *others);
        const auto width = rows.type.shape.size() == 3 ? rows.type.shape[which].size : std::nullopt;
        if (!width || *width <= *others) {
            refuse_outputs(expected);
        }
        if (m_told.class_count.value_or(m_classes.value_or(*width - *others)) != *width - *others) {
            refuse("the output " + text_of(rows) + " has " + count_of(*width, "column") + ", and " +
                       (m_told.class_count ? "`num_classes` says" : "the metadata names") + " " +
                       count_of(m_told.class_count.value_or(m_classes.value_or(0)), "class"),
                   std::to_string(*others) + " columns more than there are classes",
                   "say which head it is, if it is another; or, if it is right, `num_classes` " +
                       std::to_string(*width - *others));
        }
        const auto part = [&](std::int64_t first, std::int64_t columns) {
            return head_part{rows.name, which == 1, first, columns, *rows.type.element};
        };
        const std::int64_t first = objectness ? 5 : 4;
        const std::int64_t classes = *width - *others;
        m_head.boxes = part(0, 4);
        m_head.scores = part(first, classes);
        if (objectness) {
            m_head.objectness = part(4, 1);
        }
        m_taken = {rows.name};
        if (has_masks(*m_kind)) {
            m_head.coefficients = part(first + classes, *others - first);
            m_prototypes = find_prototypes();
        } else if (*m_kind == head_kind::yolo_pose) {
            m_head.keypoints = part(first + classes, *others - first);
            m_head.keypoint_numbers = keypoints()->second;
        }
        m_head.format = box_format::cxcywh;
        m_head.anchors = rows.type.shape[which == 1 ? 2 : 1].size;
        m_rows = &rows;
        if (objectness) {
            find_strides();
        }
    }

    // Which of the last two dimensions has the columns.
    [[nodiscard]] std::size_t dimension_of_columns(const typed_value& rows, std::int64_t others) const
    {
        const auto& shape = rows.type.shape;
        if (shape.size() != 3 || (!shape[1].size && !shape[2].size)) {
            refuse("the output " + text_of(rows) + " does not declare how many columns it has",
                   "a declared number of columns", "export the model with the shape of its output");
        }
        if (!shape[1].size || !shape[2].size) {
            return shape[1].size ? 1 : 2;
        }
        if (const auto classes = m_told.class_count ? m_told.class_count : m_classes) {
            const auto fits = [&](std::size_t d) { return *shape[d].size == others + *classes; };
            if (fits(1) != fits(2)) {
                return fits(1) ? 1 : 2;
            }
        }
        const auto image = declared_size();
        const auto counts = [&](std::size_t d) { return image && is_anchor_count(*shape[d].size, *image); };
        if (counts(1) != counts(2)) {
            return counts(1) ? 2 : 1;
        }
        // Heads have far more anchors than columns.
        if (*shape[1].size >= 8 * *shape[2].size || *shape[2].size >= 8 * *shape[1].size) {
            return *shape[1].size < *shape[2].size ? 1 : 2;
        }
        if (m_told.class_count || m_classes) {
            refuse("no dimension of the output " + text_of(rows) + " fits " +
                       count_of(m_told.class_count ? *m_told.class_count : *m_classes, "class"),
                   "one of them " + std::to_string(others) + " more than there are classes",
                   "correct `num_classes`, or say which head it is, if it is another");
        }
        std::vector<recognise_options> sayings;
        for (const std::size_t d : {1, 2}) {
            if (*shape[d].size > others) {
                sayings.emplace_back().head.class_count = *shape[d].size - others;
            }
        }
        throw undecided(
            {"nothing shows which dimension of the output " + text_of(rows) + " has the anchors, and which the columns",
             "as many anchors as the grids of the image have cells, or a known number of classes",
             "say how many classes there are"},
            std::move(sayings));
    }

    [[nodiscard]] std::optional<image_extents> declared_size() const
    {
        for (const auto* info : m_list.index.required_inputs()) {
            if (info->name() == m_head.images) {
                const auto& shape = declared_type(*info).shape;
                const auto height = static_cast<std::size_t>(m_head.height);
                if (shape.size() == 4 && shape[height].size && shape[height + 1].size) {
                    return image_extents(*shape[height].size, *shape[height + 1].size);
                }
            }
        }
        return std::nullopt;
    }

    void find_strides()
    {
        const auto decoded = are_decoded(m_list.index, m_rows->name);
        if (m_told.strides) {
            m_head.strides = *m_told.strides;
            if (decoded && *decoded != m_head.strides.empty()) {
                refuse(*decoded ? "`strides` is given, but the boxes in " + text_of(*m_rows) + " are computed already"
                                : "`strides` none is given, but the boxes in " + text_of(*m_rows) +
                                      " are what a layer gives, without anything that places them in the image",
                       *decoded ? "boxes that are offsets from grids of cells" : "the strides of their grids",
                       *decoded ? "leave `strides` out" : "give them, such as `strides` 8,16,32");
            }
            const auto image = declared_size();
            if (image && m_head.anchors && !m_head.strides.empty()) {
                std::int64_t cells = 0;
                for (const auto stride : m_head.strides) {
                    cells += (image->first / stride) * (image->second / stride);
                }
                if (cells != *m_head.anchors) {
                    refuse("the grids of these `strides` have " + count_of(cells, "cell") + " on the image, and " +
                               text_of(*m_rows) + " has " + count_of(*m_head.anchors, "anchor"),
                           "one anchor for each cell", "correct `strides`");
                }
            }
            return;
        }
        if (!decoded || !*decoded) {
            recognise_options grids;
            grids.head.strides = {8, 16, 32};
            recognise_options pixels;
            pixels.head.strides.emplace();
            std::vector<recognise_options> sayings{std::move(grids)};
            if (!decoded) {
                sayings.push_back(std::move(pixels));
            }
            throw undecided({decoded ? "the boxes in " + text_of(*m_rows) +
                                           " are what a layer gives: offsets from grids of cells, as YOLOX exports them"
                                     : "nothing shows whether the boxes in " + text_of(*m_rows) + " are decoded",
                             "boxes in pixels", "say what the strides of their grids are"},
                            std::move(sayings), decoded ? "" : " if they are in pixels");
        }
    }

    void find_boxes_and_scores()
    {
        const bool detr = *m_kind == head_kind::detr;
        const char* const expected =
            detr ? "boxes [B, Q, 4] and class scores [B, Q, C]"
                 : "boxes [B, A, 4] and class scores [B, A, C]; or both in one output [B, A, 4 + C]";
        const auto* boxes = boxes_among_equals();
        const bool told_apart = boxes != nullptr;
        const typed_value* scores = nullptr;
        for (const auto* tensor : m_tensors) {
            if (told_apart && tensor == boxes) {
                continue;
            }
            if (last_extent(tensor->type) == 4 && boxes == nullptr) {
                boxes = tensor;
            } else if (scores == nullptr) {
                scores = tensor;
            } else {
                refuse_outputs(expected);
            }
        }
        if (boxes == nullptr && scores != nullptr && m_tensors.size() == 1) {
            boxes = scores; // joined
        }
        const auto width = scores != nullptr ? last_extent(scores->type) : std::nullopt;
        const std::int64_t first = boxes == scores ? 4 : 0;
        if (boxes == nullptr || !width || *width <= first ||
            (boxes->type.shape[1].size && scores->type.shape[1].size &&
             *boxes->type.shape[1].size != *scores->type.shape[1].size)) {
            refuse_outputs(expected);
        }
        m_head.boxes = {boxes->name, false, 0, 4, *boxes->type.element};
        m_head.scores = {scores->name, false, first, *width - first, *scores->type.element};
        m_head.anchors = boxes->type.shape[1].size ? boxes->type.shape[1].size : scores->type.shape[1].size;
        m_head.image_size = m_told.image_size;
        m_rows = boxes;
        m_taken = {boxes->name, scores->name};
        find_activation(*scores);
        if (detr) {
            m_head.format = box_format::cxcywh;
            m_head.normalised = true;
            if (!m_head.image_size) {
                m_head.height = height_dimension(m_list.index, m_head.images);
            }
        } else {
            find_format();
        }
    }

    // Of two outputs that both have four numbers in a row, as with four classes, that with the boxes: the one that says
    // so.
    [[nodiscard]] const typed_value* boxes_among_equals() const
    {
        if (m_tensors.size() != 2 || last_extent(m_tensors[0]->type) != 4 || last_extent(m_tensors[1]->type) != 4) {
            return nullptr;
        }
        const auto named = [](const typed_value& value) {
            std::string name = value.name;
            std::transform(name.begin(), name.end(), name.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
            return name.find("box") != std::string::npos;
        };
        if (named(*m_tensors[0]) == named(*m_tensors[1])) {
            refuse("both outputs have rows of four numbers: " + list_of(m_list.outputs),
                   "boxes in an output with `box` in its name, or another number of classes",
                   "export the model with such names for its outputs");
        }
        return named(*m_tensors[0]) ? m_tensors[0] : m_tensors[1];
    }

    void find_activation(const typed_value& scores)
    {
        const auto shown = activation_of(m_list.index, scores.name);
        const auto told = m_told.activation;
        if (shown && told && *told != score_activation::none) {
            refuse("`scores` " + std::string(name_of(*told)) + " is given, but " + text_of(scores) +
                       " has been through a " + (*shown == score_activation::sigmoid ? "Sigmoid" : "Softmax") +
                       " already",
                   "logits", "leave `scores` out");
        }
        if (!shown && !told && *m_kind == head_kind::detr) {
            std::vector<recognise_options> sayings;
            for (const auto activation :
                 {score_activation::sigmoid, score_activation::softmax, score_activation::none}) {
                sayings.emplace_back().head.activation = activation;
            }
            throw undecided({"nothing shows what makes scores of the logits in " + text_of(scores),
                             "a Sigmoid or a Softmax in the model, or the word of the one who trained it", "say which"},
                            std::move(sayings),
                            "; it is a sigmoid in Deformable DETR, RT-DETR and RF-DETR, and a softmax in DETR, whose "
                            "last class is none");
        }
        m_head.activation = shown ? score_activation::none : told.value_or(score_activation::none);
        m_softmax = shown == score_activation::softmax || told == score_activation::softmax;
        if (shown == score_activation::softmax && *m_kind == head_kind::detr) {
            m_head.scores.columns -= 1; // the last class is none
        }
        if (m_head.scores.columns - (m_head.activation == score_activation::softmax ? 1 : 0) < 1) {
            refuse("there is no class in " + text_of(scores), "at least one class beside none",
                   "give another `scores`");
        }
    }

    void find_format()
    {
        const auto shown = boxes_of(m_list.index, m_rows->name);
        if (!m_options.boxes && shown == shown_boxes::unknown) {
            recognise_options said;
            said.boxes = box_format::xyxy;
            throw undecided({"nothing shows what the four numbers of a box in " + text_of(*m_rows) + " are",
                             "boxes that the nodes make from a center, or from two corners", "say what they are"},
                            {said},
                            "; or xywh (the corner x1, y1, and the size), cxcywh or yxyx; and `normalised` if they are "
                            "fractions of the image's size");
        }
        require_shown_format(m_list.index, m_rows->name, "the output " + text_of(*m_rows), m_options);
        const auto by_nodes = shown == shown_boxes::center_and_extents ? box_format::cxcywh : box_format::xyxy;
        m_head.format = m_options.boxes.value_or(by_nodes);
        m_head.normalised = m_options.normalised || m_told.image_size.has_value();
        if (m_head.normalised && !m_head.image_size) {
            m_head.height = height_dimension(m_list.index, m_head.images);
        }
    }

    // Decoding that holds for some images of a batch only gives wrong boxes for the others.
    void require_any_batch() const
    {
        if (m_list.batch.size) {
            return;
        }
        for (const auto& name : m_taken) {
            if (const auto* node = built_batch(m_list.index, m_head.images, name)) {
                refuse("the input " + quoted(m_head.images) + " declares any number of images, but " + quoted(name) +
                           " is put together from images at fixed places of the batch, by " + describe(*node),
                       "nodes that hold for every image of a batch, or an input that declares how many there are",
                       "export the model with a fixed number of images (dynamic=False for Ultralytics)");
            }
        }
    }

    // --- what is selected -------------------------------------------------------------------------------------------

    void choose()
    {
        const bool detr = *m_kind == head_kind::detr;
        m_selection.nms = m_told.nms.value_or(detr ? suppression::none : suppression::shifted);
        m_selection.score = m_told.score;
        if (!m_selection.score && !detr) {
            m_selection.score = usual_score;
        }
        m_selection.iou_threshold = m_told.iou_threshold.value_or(usual_iou_threshold);
        m_selection.most = m_told.most.value_or(usual_most);
        m_selection.class_agnostic = m_told.class_agnostic;
        m_selection.classes = m_told.classes;
        m_selection.multi_label = m_told.multi_label || (detr && !m_softmax);
        if (m_told.iou_threshold && m_selection.nms == suppression::none) {
            misused("`iou_threshold` is given for a head without suppression",
                    "`iou_threshold` for a NonMaxSuppression", "leave it out, or add `nms` shifted");
        }
        const auto all = m_head.anchors && !m_selection.multi_label ? m_head.anchors : std::nullopt;
        if (all && *all < m_selection.most) {
            m_selection.most = *all;
        }
    }

    [[nodiscard]] detections written()
    {
        onnx::GraphProto scratch;
        fresh_names fresh(m_model.graph());
        node_writer nodes(scratch, fresh, standard_opset(m_model));
        const auto made = write_selection(nodes, m_head, m_selection);
        rearranged_outputs to;
        const auto symbol = fresh("padbatch_rows");
        const auto declare = [&](const std::string& name, element_type element, std::int64_t columns) {
            auto& info = to.outputs.emplace_back();
            info.set_name(name);
            auto& tensor = *info.mutable_type()->mutable_tensor_type();
            tensor.set_elem_type(to_onnx(element));
            tensor.mutable_shape()->add_dim()->set_dim_param(symbol);
            if (columns != 0) {
                tensor.mutable_shape()->add_dim()->set_dim_value(columns);
            }
        };
        declare(made.boxes, element_type::float32, 4);
        declare(made.labels, element_type::int64, 0);
        declare(made.scores, element_type::float32, 0);
        declare(made.image, element_type::int64, 0);
        if (m_head.coefficients) {
            declare(made.coefficients, element_type::float32, m_head.coefficients->columns);
        }
        if (m_head.keypoints) {
            declare(made.keypoints, element_type::float32, m_head.keypoints->columns / m_head.keypoint_numbers);
            to.outputs.back().mutable_type()->mutable_tensor_type()->mutable_shape()->add_dim()->set_dim_value(3);
        }
        if (m_prototypes != nullptr) {
            const auto name = fresh("mask_prototypes");
            nodes.add("Identity", "prototypes", {m_prototypes->name}, name);
            for (const auto& output : m_model.graph().output()) {
                if (output.name() == m_prototypes->name) {
                    to.outputs.push_back(output);
                    to.outputs.back().set_name(name);
                }
            }
            m_taken.push_back(m_prototypes->name);
        }
        for (const auto& output : m_model.graph().output()) {
            if (std::find(m_taken.begin(), m_taken.end(), output.name()) == m_taken.end()) {
                to.outputs.push_back(output);
            }
        }
        to.nodes.assign(scratch.node().begin(), scratch.node().end());
        const auto from = m_rows != nullptr ? joined(m_taken, ", ", quoted) : quoted(m_rows_name);
        to.sources = {{made.boxes, "the boxes that are selected from " + from},
                      {made.labels, "their classes"},
                      {made.scores, "their scores"},
                      {made.image, "the image of each"}};
        return read(to, made);
    }

    // What is selected is rows of all images in one list.
    [[nodiscard]] detections read(rearranged_outputs& to, const head_rows& made)
    {
        const auto copy = rearranged_copy(m_model, to);
        row_list list(copy);
        list.source.rows = made.boxes;
        list.source.columns = corners;
        list.source.row_labels = made.labels;
        list.source.row_scores = made.scores;
        list.source.batch_index = made.image;
        list.taken = {made.boxes, made.labels, made.scores, made.image};
        list.set_fields(element_type::float32, element_type::float32);
        const auto add_field = [&](field kind, const std::string& value, std::vector<dimension> row) {
            list.source.row_fields[kind] = value;
            list.taken.insert(value);
            list.found.fields.push_back({kind, {}, element_type::float32, std::move(row)});
        };
        if (m_head.keypoints) {
            add_field(field::keypoints, made.keypoints,
                      {{m_head.keypoints->columns / m_head.keypoint_numbers, ""}, {3, ""}});
        }
        if (m_head.coefficients) {
            add_field(field::mask_coefficients, made.coefficients, {{m_head.coefficients->columns, ""}});
        }
        list.found.limit = row_limit{m_selection.most, "the selection from " + quoted(m_rows_name)};
        list.found.may_exceed_limit = // each class has so many
            m_selection.nms == suppression::class_by_class && !m_selection.class_agnostic;
        list.found.form = export_kind::raw;
        list.found.head = m_kind;
        list.found.selection = m_selection;
        list.found.evidence = m_evidence;
        auto found = std::move(list).finish();
        found.limit_stays = "so many are selected";
        found.rearranged = std::move(to);
        return found;
    }

    const onnx::ModelProto& m_model;
    const recognise_options& m_options;
    const head_options& m_told;
    row_list m_list;
    std::optional<std::int64_t> m_classes; // by the metadata
    std::vector<const typed_value*> m_tensors;
    std::optional<head_kind> m_kind;
    std::string m_evidence;
    raw_head m_head;
    const typed_value* m_rows = nullptr; // the output that has the boxes
    std::string m_rows_name;             // or the value
    std::vector<std::string> m_taken;
    const typed_value* m_prototypes = nullptr;
    bool m_softmax = false;
    head_selection m_selection;
};

} // namespace

detections recognise_raw(const onnx::ModelProto& model, const recognise_options& options)
{
    return raw_recogniser(model, options).run();
}

} // namespace padbatch::onnx_tools
