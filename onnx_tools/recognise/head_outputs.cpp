// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/head_outputs.hpp>

#include <onnx_tools/error.hpp>
#include <onnx_tools/model/wording.hpp>
#include <onnx_tools/recognise/box_conversion.hpp>
#include <onnx_tools/recognise/head_columns.hpp>
#include <onnx_tools/recognise/head_evidence.hpp>
#include <onnx_tools/recognise/head_kind.hpp>
#include <onnx_tools/recognise/padded_evidence.hpp>
#include <onnx_tools/recognise/undecided.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace padbatch::onnx_tools {
namespace {

constexpr double usual_score = 0.25; // Ultralytics' own
constexpr double usual_iou_threshold = 0.7;
constexpr std::int64_t usual_most = 300;

class head_reader {
public:
    head_reader(const onnx::ModelProto& model, const row_list& list, const recognise_options& options)
        : m_model(model), m_options(options), m_told(options.head), m_list(list), m_classes(named_classes(model))
    {
        for (const auto& output : m_list.outputs) {
            const auto& shape = output.type.shape;
            const bool boxes = is_floating_of_rank(output.type, 4) && shape.size() == 4 && shape[2].size == 1 &&
                               shape[3].size == 4; // [B, A, 1, 4], as of YOLOv4
            if (is_floating_of_rank(output.type, 3) || boxes) {
                m_tensors.push_back(&output);
            }
        }
    }

    // Whether the user or the metadata say which head it is.
    bool is_known()
    {
        if (!m_kind) {
            look_for_kind();
        }
        return m_kind.has_value();
    }

    found_head run()
    {
        if (!is_known()) {
            refuse_unknown_kind();
        }
        require_told_task();
        require_options();
        find_head();
        choose();
        found_head found;
        found.kind = *m_kind;
        found.evidence = m_evidence;
        found.head = m_head;
        found.selection = m_selection;
        found.taken = m_taken;
        found.source = joined(m_taken, ", ", quoted);
        found.prototypes = m_prototypes != nullptr ? m_prototypes->name : "";
        return found;
    }

private:
    // --- which head it is -------------------------------------------------------------------------------------------

    void look_for_kind()
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
                if (!more || dimension >= shape.size() || m_list.outputs.size() != (has_masks(kind) ? 2U : 1U)) {
                    continue;
                }
                const auto declared = shape[dimension].size;
                const auto shown = shown_columns(m_list.index, m_tensors.front()->name, has_further_columns(kind));
                if (declared ? *declared == *more + *m_classes : shown.value_or(dimension) == dimension) {
                    m_kind = kind;
                    m_evidence =
                        "the metadata names " + count_of(*m_classes, "class") + ", and " +
                        (declared ? text_of(*m_tensors.front()) + " has " + std::to_string(*more) + " columns more"
                                  : std::string(shown ? "nodes join boxes and scores as the columns of "
                                                      : "the task goes with ") +
                                        text_of(*m_tensors.front()));
                    return;
                }
            }
        }
    }

    [[noreturn]] void refuse_unknown_kind() const
    {
        const auto possible = possible_heads();
        if (possible.empty()) {
            refuse_outputs("a head of YOLO or DETR: boxes and class scores of every anchor or query");
        }
        throw undecided({"nothing shows which kind of raw head the outputs are: " + list_of(m_list.outputs),
                         "a head of YOLO or DETR: boxes and class scores of every anchor or query",
                         "if they are one, say which"},
                        possible);
    }

    // Not another one than the metadata names.
    void require_told_task() const
    {
        const auto task = metadata(m_model, "task");
        const auto shown = kinds_of_metadata();
        if (m_told.kind && !task.empty() && !shown.empty() && is_yolo(*m_told.kind) && !has_objectness(*m_told.kind) &&
            std::find(shown.begin(), shown.end(), *m_told.kind) == shown.end()) {
            refuse("`head` is " + std::string(name_of(*m_told.kind)) + ", but the metadata says that the task is " +
                       quoted(task),
                   "`head` " + std::string(name_of(shown.front())), "leave `head` out");
        }
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
            if (is_floating_of_rank(output.type, 4) && output.type.shape.size() == 4 && output.type.shape[1].size &&
                std::find(m_tensors.begin(), m_tensors.end(), &output) == m_tensors.end()) {
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
        if (std::any_of(m_list.outputs.begin(), m_list.outputs.end(), [](const typed_value& output) {
                return !is_floating_of_rank(output.type, 3) && !is_floating_of_rank(output.type, 4);
            })) {
            return {};
        }
        if (m_tensors.size() == 1) {
            kinds = find_prototypes() != nullptr
                        ? std::vector{head_kind::yolo_seg, head_kind::yolo_objectness_seg}
                        : std::vector{head_kind::yolo, head_kind::yolo_objectness, head_kind::boxes_scores};
        } else if (m_tensors.size() == 2 && std::any_of(m_tensors.begin(), m_tensors.end(), [](const auto* tensor) {
                       return last_extent(tensor->type).value_or(4) == 4;
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
        no(m_told.strides.has_value() && !has_objectness(*m_kind), "`strides`", "`head` yolo-objectness");
        no(m_told.keypoints.has_value() && *m_kind != head_kind::yolo_pose, "`keypoints`", "`head` yolo-pose");
        no(m_told.activation == score_activation::softmax && yolo, "`scores` softmax",
           "`head` detr and `head` boxes-scores");
        no(m_told.image_size.has_value() && yolo, "`image_size`", "boxes that are fractions of the image's size");
        no(m_options.boxes.has_value() && *m_kind != head_kind::boxes_scores, "`box_format`", "`head` boxes-scores");
        no(m_options.normalised && *m_kind != head_kind::boxes_scores, "`normalised`", "`head` boxes-scores");
        no(m_options.count_output.has_value(), "`count_output`", "outputs of detections");
        no(m_options.batch_index.has_value(), "`batch_index`", "outputs of detections");
        no(m_options.fields.has_value(), "`fields`", "outputs of detections");
        if (m_options.columns) {
            misused("`columns` is given for " + head, "`columns` for rows of detections", "leave `columns` out");
        }
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
        auto known = columns_known(*others, objectness ? 2 : 1, false);
        known.shown = shown_columns(m_list.index, rows.name, has_further_columns(*m_kind));
        const auto found = columns_of_rows(rows, known);
        const auto which = found.dimension;
        const auto width = found.count;
        if (width <= *others) {
            refuse_outputs(expected);
        }
        if (m_told.class_count.value_or(m_classes.value_or(width - *others)) != width - *others) {
            refuse("the output " + text_of(rows) + " has " + count_of(width, "column") + ", and " +
                       (m_told.class_count ? "`num_classes` says" : "the metadata names") + " " +
                       count_of(m_told.class_count.value_or(m_classes.value_or(0)), "class"),
                   std::to_string(*others) + " columns more than there are classes",
                   "say which head it is, if it is another; or, if it is right, `num_classes` " +
                       std::to_string(width - *others));
        }
        const bool anchors_last = which == 1;
        const auto part = [&](std::int64_t first_column, std::int64_t count) {
            return head_part{rows.name, anchors_last, first_column, count, rows.type.element == element_type::float32};
        };
        const std::int64_t first = objectness ? 5 : 4;
        const std::int64_t classes = width - *others;
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
        m_head.anchors = rows.type.shape.empty() ? std::nullopt : rows.type.shape[which == 1 ? 2 : 1].size;
        if (!found.is_declared) {
            m_head.columns = width;
        }
        m_rows = &rows;
        if (objectness) {
            find_strides();
        } else {
            require_decoded();
        }
        require_centers();
        if (are_fractions(m_list.index, rows.name) == true) {
            refuse("the boxes in " + text_of(rows) + " are fractions of the image's size, the nodes show",
                   "boxes in pixels, which `head` " + std::string(name_of(*m_kind)) + " has",
                   "export the model with boxes in pixels" +
                       std::string(*m_kind == head_kind::yolo
                                       ? "; or use `head` boxes-scores with `box_format` cxcywh and `normalised`"
                                       : ""));
        }
        find_activation(rows);
    }

    // Nothing decodes the boxes of heads that have no `strides`.
    void require_decoded() const
    {
        if (are_decoded(m_list.index, m_rows->name) == false && !are_fractions(m_list.index, m_rows->name)) {
            refuse("the boxes in " + text_of(*m_rows) +
                       " are what a layer gives, without anything that places them in the image",
                   "boxes that are decoded",
                   "if they are YOLOX's, use `head` yolo-objectness with the `strides` of its grids; or export the "
                   "model with decoded boxes");
        }
    }

    // The boxes of YOLO and DETR are centers and sizes.
    void require_centers() const
    {
        const auto shown = boxes_of(m_list.index, m_rows->name);
        if (shown == shown_boxes::two_corners || shown == shown_boxes::corner_and_extents) {
            const bool corners = shown == shown_boxes::two_corners;
            refuse("the boxes in " + text_of(*m_rows) + " are " + (corners ? "two corners" : "a corner and a size") +
                       ", the nodes show",
                   "centers and sizes, which `head` " + std::string(name_of(*m_kind)) + " has",
                   "use `head` boxes-scores if there are only boxes and scores; or export the model with centers");
        }
    }

    [[nodiscard]] known_of_columns columns_known(std::int64_t others, std::size_t usual, bool settles) const
    {
        known_of_columns known{others, m_told.class_count ? m_told.class_count : m_classes, declared_size(), usual,
                               settles};
        known.is_told = m_told.class_count.has_value();
        return known;
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
                const auto cells = cells_of(m_head.strides, *image);
                if (cells != *m_head.anchors) {
                    refuse("the grids of these `strides` have " + count_of(cells, "cell") + " on the image, and " +
                               text_of(*m_rows) + " has " + count_of(*m_head.anchors, "anchor"),
                           "one anchor for each cell", "correct `strides`");
                }
            }
            return;
        }
        if (!decoded || !*decoded) {
            std::vector<recognise_options> sayings;
            if (const auto strides = likely_strides()) {
                sayings.emplace_back().head.strides = *strides;
            }
            if (!decoded) {
                sayings.emplace_back().head.strides.emplace();
            }
            throw undecided({decoded ? "the boxes in " + text_of(*m_rows) +
                                           " are what a layer gives: offsets from grids of cells, as YOLOX exports them"
                                     : "nothing shows whether the boxes in " + text_of(*m_rows) + " are decoded",
                             "boxes in pixels", "say what the strides of their grids are"},
                            std::move(sayings), decoded ? "" : " if they are in pixels");
        }
    }

    // Those that leave a cell for each anchor, if the file declares enough to tell. Nothing if none of the usual do.
    [[nodiscard]] std::optional<std::vector<std::int64_t>> likely_strides() const
    {
        const auto image = declared_size();
        if (image && m_head.anchors) {
            for (const auto& strides : usual_strides()) {
                if (cells_of(strides, *image) == *m_head.anchors) {
                    return strides;
                }
            }
            return std::nullopt;
        }
        return usual_strides().front();
    }

    void find_boxes_and_scores()
    {
        const bool detr = *m_kind == head_kind::detr;
        const char* const expected =
            detr ? "boxes [B, Q, 4] and class scores [B, Q, C]"
                 : "boxes [B, A, 4] and class scores [B, A, C]; or both in one output [B, A, 4 + C]";
        if (m_tensors.empty() || m_tensors.size() > 2) {
            refuse_outputs(expected);
        }
        const auto* boxes = m_tensors.size() == 1 ? m_tensors.front() : boxes_of_two(expected);
        const auto* scores = boxes == m_tensors.front() ? m_tensors.back() : m_tensors.front(); // or both in one
        const bool one = boxes == scores;
        const std::int64_t first = one ? 4 : 0;
        auto known = columns_known(4, 2, true);
        known.shown = shown_columns(m_list.index, scores->name);
        const auto anchors_in = [](const typed_value& value, std::size_t dimension) {
            return value.type.shape.empty() ? std::nullopt : value.type.shape[dimension].size;
        };
        auto wanted = m_told.class_count;
        if (wanted && has_class_of_none(*scores)) {
            *wanted += 1;
        }
        const auto columns =
            one ? columns_of_rows(*scores, known) : columns_of_scores(*scores, anchors_in(*boxes, 1), wanted);
        const auto which = columns.dimension;
        const auto width = columns.count;
        const auto of_boxes = anchors_in(*boxes, one && which == 2 ? 1 : one ? 2 : 1);
        const auto of_scores = anchors_in(*scores, which == 1 ? 2 : 1);
        if (width <= first || (of_boxes && of_scores && *of_boxes != *of_scores)) {
            refuse_outputs(expected);
        }
        const auto classes = width - first - (has_class_of_none(*scores) ? 1 : 0);
        if (m_told.class_count && *m_told.class_count != classes) {
            refuse(text_of(*scores) + " has scores of " + count_of(classes, "class") + ", and `num_classes` says " +
                       std::to_string(*m_told.class_count),
                   expected, "leave `num_classes` out");
        }
        m_head.boxes = {boxes->name,          one && which == 1, 0, 4, boxes->type.element == element_type::float32,
                        boxes->type.rank == 4};
        m_head.scores = {scores->name, which == 1, first, width - first, scores->type.element == element_type::float32};
        m_head.anchors = of_boxes ? of_boxes : of_scores;
        m_head.same_anchors = one || (of_boxes && of_scores);
        if (!columns.is_declared) {
            m_head.columns = width;
        }
        m_head.image_size = m_told.image_size;
        m_rows = boxes;
        m_taken = {boxes->name, scores->name};
        find_activation(*scores);
        if (detr) {
            require_centers();
            if (are_fractions(m_list.index, m_rows->name) == false) {
                refuse("the boxes in " + text_of(*m_rows) + " are in pixels, the nodes show",
                       "fractions of the image's size, which `head` detr has",
                       "use `head` boxes-scores, with `nms` none");
            }
            m_head.format = box_format::cxcywh;
            m_head.normalised = true;
            if (!m_head.image_size) {
                m_head.height = height_dimension(m_list.index, m_head.images);
            }
        } else {
            find_format();
        }
    }

    // Whether the last class of the scores is none, as in DETR's.
    [[nodiscard]] bool has_class_of_none(const typed_value& scores) const
    {
        const bool softmax =
            m_told.activation == score_activation::softmax ||
            activation_of(m_list.index, scores.name).value_or(score_activation::none) == score_activation::softmax;
        return *m_kind == head_kind::detr && softmax && !lost_last_class(m_list.index, scores.name);
    }

    // Of two outputs that with the boxes: the only one that can have four numbers in a row, or that says so.
    [[nodiscard]] const typed_value* boxes_of_two(const std::string& expected) const
    {
        const auto& [first, second] = std::pair(m_tensors[0], m_tensors[1]);
        const auto can_be = [](const typed_value& value) { return last_extent(value.type).value_or(4) == 4; };
        if (!can_be(*first) && !can_be(*second)) {
            refuse_outputs(expected);
        }
        if (can_be(*first) != can_be(*second)) {
            return can_be(*first) ? first : second;
        }
        if (*m_kind == head_kind::boxes_scores) { // DETR's boxes come from a Sigmoid
            const auto has_scores = [&](const typed_value& value) {
                return activation_of(m_list.index, value.name).has_value() && !are_computed(m_list.index, value.name);
            };
            const auto has_boxes = [&](const typed_value& value) {
                return !activation_of(m_list.index, value.name) && are_computed(m_list.index, value.name);
            };
            if ((has_scores(*first) && has_boxes(*second)) || (has_scores(*second) && has_boxes(*first))) {
                return has_boxes(*first) ? first : second;
            }
        }
        const auto named = [](const typed_value& value) {
            std::string name = value.name;
            std::transform(name.begin(), name.end(), name.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
            return name.ends_with("box") || name.ends_with("boxes");
        };
        const auto is_made_score = [&](const typed_value& value) {
            return *m_kind == head_kind::boxes_scores && activation_of(m_list.index, value.name).has_value();
        };
        const auto* const by_name = named(*first) ? first : second;
        const auto* const other = by_name == first ? second : first;
        if (named(*first) == named(*second) || (is_made_score(*by_name) && !is_made_score(*other))) {
            refuse("both outputs may have rows of four numbers: " + list_of(m_list.outputs),
                   "one with a name that ends in \"boxes\", or another declared number of classes",
                   "export the model with such names for its outputs");
        }
        return by_name;
    }

    [[nodiscard]] row_columns_shown columns_where(bool columns_last) const
    {
        return {columns_last, has_further_columns(*m_kind)};
    }

    // Behind the scores.
    [[nodiscard]] static bool has_further_columns(head_kind kind)
    {
        return has_masks(kind) || kind == head_kind::yolo_pose || kind == head_kind::yolo_obb;
    }

    void find_activation(const typed_value& scores)
    {
        const auto where = columns_where(!m_head.scores.anchors_last);
        const auto shown = activation_of(m_list.index, scores.name, where);
        const bool shows_softmax = shown.value_or(score_activation::none) == score_activation::softmax;
        const bool logits = are_logits(m_list.index, scores.name, where);
        auto numbers = logits ? shown_scores::logits : scores_among(m_list.index, scores.name);
        const bool perhaps = !shown && numbers == shown_scores::scores; // or of some other columns
        if (perhaps) {
            numbers = shown_scores::unknown;
        }
        const auto told = m_told.activation;
        if ((shown || perhaps) && told && *told != score_activation::none) {
            refuse("`scores` " + std::string(name_of(*told)) + " is given, but " + text_of(scores) +
                       (shown ? " has" : ", or a part of it, has") + " been through a " +
                       (shows_softmax ? "Softmax" : "Sigmoid") + " already",
                   "logits", "leave `scores` out");
        }
        const bool detr = *m_kind == head_kind::detr;
        if (!m_told.kind && !are_computed(m_list.index, m_rows->name, columns_where(!m_head.boxes.anchors_last))) {
            recognise_options said;
            said.head.kind = m_kind;
            throw undecided({"the metadata names a head, but nothing shows that " + text_of(*m_rows) +
                                 " begins with boxes that are computed",
                             "columns as the exporter leaves them", "if they are still such a head, say so"},
                            {said});
        }
        const bool open = numbers == shown_scores::logits || (numbers == shown_scores::unknown && !m_told.kind);
        if (!shown && !told && (detr || open)) {
            std::vector<recognise_options> sayings;
            for (const auto activation :
                 {score_activation::sigmoid, score_activation::softmax, score_activation::none}) {
                if (perhaps ? activation == score_activation::none
                            : activation != score_activation::softmax || !is_yolo(*m_kind)) {
                    sayings.emplace_back().head.activation = activation;
                }
            }
            throw undecided({"nothing shows what makes scores of the logits in " + text_of(scores),
                             "a Sigmoid or a Softmax in the model, or the word of the one who trained it", "say which"},
                            std::move(sayings),
                            detr && !perhaps
                                ? "; it is a sigmoid in Deformable DETR, RT-DETR and RF-DETR, and a softmax in DETR, "
                                  "whose last class is none"
                                : "");
        }
        m_head.activation = shown ? score_activation::none : told.value_or(score_activation::none);
        m_softmax = shows_softmax || m_head.activation == score_activation::softmax;
        if (shows_softmax && detr && !lost_last_class(m_list.index, scores.name)) {
            m_head.scores.columns -= 1; // the last class is none
        }
        m_head.last_is_none = detr && m_head.activation == score_activation::softmax;
        if (m_head.classes() < 1) {
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
        const auto by_nodes = shown == shown_boxes::center_and_extents   ? box_format::cxcywh
                              : shown == shown_boxes::corner_and_extents ? box_format::xywh
                                                                         : box_format::xyxy;
        m_head.format = m_options.boxes.value_or(by_nodes);
        m_head.normalised = m_options.normalised || m_told.image_size.has_value();
        require_decoded();
        const auto fractions = are_fractions(m_list.index, m_rows->name);
        if (fractions && *fractions != m_head.normalised) {
            refuse("the boxes in " + text_of(*m_rows) +
                       (*fractions ? " are fractions of the image's size, the nodes show"
                                   : " are in pixels, the nodes show, but an option says that they are fractions"),
                   *fractions ? "boxes in pixels, or `normalised`" : "boxes that are fractions of the image's size",
                   *fractions ? "add `normalised`" : "leave `normalised` and `image_size` out");
        }
        if (m_head.normalised && !m_head.image_size) {
            m_head.height = height_dimension(m_list.index, m_head.images);
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
        // Of YOLO's pairs of anchor and class there are more than anchors.
        const auto all = detr || !m_selection.multi_label ? m_head.anchors : std::nullopt;
        if (all && *all < m_selection.most && (!m_told.most || !m_selection.multi_label)) {
            m_selection.most = *all;
        }
    }

    const onnx::ModelProto& m_model;
    const recognise_options& m_options;
    const head_options& m_told;
    const row_list& m_list;
    std::optional<std::int64_t> m_classes; // by the metadata
    std::vector<const typed_value*> m_tensors;
    std::optional<head_kind> m_kind;
    std::string m_evidence;
    raw_head m_head;
    const typed_value* m_rows = nullptr; // the output that has the boxes
    std::vector<std::string> m_taken;
    const typed_value* m_prototypes = nullptr;
    bool m_softmax = false;
    head_selection m_selection;
};

} // namespace

bool names_head(const onnx::ModelProto& model, const row_list& list, const recognise_options& options)
{
    return head_reader(model, list, options).is_known();
}

found_head find_head_of_outputs(const onnx::ModelProto& model, const row_list& list, const recognise_options& options)
{
    return head_reader(model, list, options).run();
}

} // namespace padbatch::onnx_tools
