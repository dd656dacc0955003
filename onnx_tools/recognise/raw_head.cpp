// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/raw_head.hpp>

#include <onnx_tools/recognise/box_format.hpp>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <utility>

namespace padbatch::onnx_tools {
namespace {

onnx::TensorProto float_tensor(float value)
{
    onnx::TensorProto tensor;
    tensor.set_data_type(onnx::TensorProto::FLOAT);
    tensor.add_dims(1);
    tensor.add_float_data(value);
    return tensor;
}

class selection_writer {
public:
    selection_writer(node_writer& nodes, const raw_head& head, const head_selection& selection)
        : m_nodes(nodes), m_head(head), m_selection(selection)
    {
    }

    head_rows run()
    {
        m_boxes = decoded_boxes();
        if (m_selection.multi_label) {
            take_every_class();
        } else {
            take_best_class();
        }
        return m_selection.nms == suppression::none ? all_rows() : rows_of(suppress());
    }

private:
    // --- boxes and scores ---------------------------------------------------------------------------------------

    // Columns of a part as float32.
    std::string columns(const std::string& name, const head_part& part, std::int64_t first, std::int64_t count)
    {
        const auto whole = part.has_middle                     ? m_nodes.squeeze(name + "/rows", part.value, 2)
                           : part.value == m_head.scores.value ? checked_scores()
                                                               : part.value;
        const auto value = m_nodes.add("Slice", name,
                                       {whole, m_nodes.integers({first}), m_nodes.integers({first + count}),
                                        m_nodes.integers({part.anchors_last ? 1 : 2})});
        return part.is_float32 ? value : m_nodes.cast(name + "/float", value, element_type::float32);
    }

    std::string columns(const std::string& name, const head_part& part)
    {
        return columns(name, part, part.first, part.columns);
    }

    // What the scores are columns of. Where the file does not declare its extents, reshaping it to those that it must
    // have changes nothing, or fails.
    std::string checked_scores()
    {
        if (!m_checked.empty() || (!m_head.columns && m_head.same_anchors)) {
            return m_checked.empty() ? m_head.scores.value : m_checked;
        }
        m_checked = m_head.scores.value;
        const bool anchors_last = m_head.scores.anchors_last;
        const auto reshaped = [&](const std::string& anchors, std::int64_t count) {
            const auto columns = m_nodes.integers({count});
            const auto batch = m_nodes.extents("head/images", m_head.scores.value, {0});
            const auto shape = m_nodes.concat(
                "head/scores/extents",
                anchors_last ? std::vector{batch, columns, anchors} : std::vector{batch, anchors, columns}, 0);
            m_checked = m_nodes.add("Reshape", "head/scores/checked", {m_checked, shape});
        };
        if (m_head.columns) {
            reshaped(m_nodes.extents("head/anchors", m_head.scores.value, {anchors_last ? 2 : 1}), *m_head.columns);
        }
        if (!m_head.same_anchors) {
            reshaped(m_nodes.extents("head/anchors/of_boxes", m_head.boxes.value, {1}), m_head.scores.columns);
        }
        return m_checked;
    }

    // [B, A, columns] from [B, columns, A], or the other way round.
    std::string exchanged(const std::string& name, const std::string& value)
    {
        auto result = m_nodes.add("Transpose", name, {value});
        auto& order = m_nodes.new_attribute("perm", onnx::AttributeProto::INTS);
        for (const std::int64_t dimension : {0, 2, 1}) {
            order.add_ints(dimension);
        }
        return result;
    }

    std::string number(const std::string& name, float value) { return m_nodes.constant(name, float_tensor(value)); }

    // [B, A, 4], corners in pixels.
    std::string decoded_boxes()
    {
        auto boxes = columns("head/boxes", m_head.boxes);
        if (m_head.boxes.anchors_last) {
            boxes = exchanged("head/boxes/by_anchor", boxes);
        }
        if (!m_head.strides.empty()) {
            boxes = from_grid(boxes);
        }
        boxes = to_corners(m_nodes, boxes, m_head.format, element_type::float32, 2);
        if (m_head.normalised) {
            boxes = in_pixels(boxes);
        }
        return boxes;
    }

    std::string in_pixels(const std::string& boxes)
    {
        if (!m_head.image_size) {
            return to_pixels(m_nodes, boxes, element_type::float32, m_head.images, m_head.height);
        }
        onnx::TensorProto size;
        size.set_data_type(onnx::TensorProto::FLOAT);
        size.add_dims(4);
        for (const auto extent : {m_head.image_size->second, m_head.image_size->first, m_head.image_size->second,
                                  m_head.image_size->first}) {
            size.add_float_data(static_cast<float>(extent));
        }
        return m_nodes.add("Mul", "head/boxes/pixels", {boxes, m_nodes.constant("head/image", size)});
    }

    // The cells of each stride row by row, one stride after the other.
    std::string from_grid(const std::string& boxes)
    {
        std::vector<std::string> all_cells;
        std::vector<std::string> all_strides;
        for (const auto stride : m_head.strides) {
            const auto cells_along = [&](const std::string& name, std::int64_t dimension) {
                const auto extent = m_nodes.extent("head/image", m_head.images, dimension);
                const auto cells = m_nodes.add("Div", name, {extent, m_nodes.integer(stride)});
                return std::pair(
                    cells, m_nodes.add("Range", name + "/places", {m_nodes.integer(0), cells, m_nodes.integer(1)}));
            };
            const auto [rows, y] = cells_along("head/grid/rows", m_head.height);
            const auto [across, x] = cells_along("head/grid/columns", m_head.height + 1);
            const auto shape = m_nodes.concat(
                "head/grid/shape",
                {m_nodes.unsqueeze("head/grid/height", rows, 0), m_nodes.unsqueeze("head/grid/width", across, 0)}, 0);
            const auto flat = [&](const std::string& name, const std::string& values) {
                const auto everywhere = m_nodes.add("Expand", name + "/all", {values, shape});
                return m_nodes.add("Reshape", name, {everywhere, m_nodes.integers({-1, 1})});
            };
            all_cells.push_back(m_nodes.concat("head/grid/cells",
                                               {flat("head/grid/x", m_nodes.unsqueeze("head/grid/x", x, 0)),
                                                flat("head/grid/y", m_nodes.unsqueeze("head/grid/y", y, 1))},
                                               1));
            all_strides.push_back(
                m_nodes.add("Reshape", "head/grid/strides",
                            {m_nodes.filled("head/grid/stride", shape, float_tensor(static_cast<float>(stride))),
                             m_nodes.integers({-1, 1})}));
        }
        // Running the model fails unless there is a cell for each anchor.
        const auto for_each = [&](const std::string& name, const std::vector<std::string>& parts,
                                  std::int64_t numbers) {
            const auto shape = m_nodes.concat(
                name + "/shape", {m_nodes.extents("head/anchors", boxes, {1}), m_nodes.integers({numbers})}, 0);
            return m_nodes.add("Reshape", name, {m_nodes.concat(name + "/all", parts, 0), shape});
        };
        const auto cells = m_nodes.cast("head/grid", for_each("head/grid/cells", all_cells, 2), element_type::float32);
        const auto strides = for_each("head/grid/strides", all_strides, 1);
        const auto place = m_nodes.gather("head/boxes/offset", boxes, m_nodes.integers({0, 1}), 2);
        const auto size = m_nodes.gather("head/boxes/log_size", boxes, m_nodes.integers({2, 3}), 2);
        const auto center =
            m_nodes.add("Mul", "head/boxes/center", {m_nodes.add("Add", "head/boxes/cell", {place, cells}), strides});
        const auto extents =
            m_nodes.add("Mul", "head/boxes/size", {m_nodes.add("Exp", "head/boxes/cells", {size}), strides});
        return m_nodes.concat("head/boxes/decoded", {center, extents}, 2);
    }

    // The scores of all classes, in the order of dimensions that the head has.
    std::string class_scores()
    {
        auto scores = columns("head/scores", m_head.scores);
        if (m_head.activation == score_activation::sigmoid) {
            scores = m_nodes.add("Sigmoid", "head/scores/sigmoid", {scores});
        } else if (m_head.activation == score_activation::softmax) {
            const std::int64_t axis = m_head.scores.anchors_last ? 1 : 2;
            if (m_head.scores.anchors_last) {
                scores = exchanged("head/scores/by_query", scores);
            }
            scores = m_nodes.add("Softmax", "head/scores/softmax", {scores});
            m_nodes.set("axis", 2); // the last one, which means the same in every opset
            if (m_head.last_is_none) {
                scores = m_nodes.first("head/scores/classes", scores, m_nodes.integers({m_head.classes()}), 2);
            }
            scores = axis == 1 ? exchanged("head/scores/by_class", scores) : scores;
        }
        if (m_head.objectness) {
            auto objectness = columns("head/objectness", *m_head.objectness);
            if (m_head.activation == score_activation::sigmoid) {
                objectness = m_nodes.add("Sigmoid", "head/objectness/sigmoid", {objectness});
            }
            if (m_head.objectness->anchors_last != m_head.scores.anchors_last) {
                objectness = exchanged("head/objectness/exchanged", objectness);
            }
            scores = m_nodes.add("Mul", "head/scores/of_objects", {scores, objectness});
        }
        return scores;
    }

    // --- candidates -----------------------------------------------------------------------------------------------

    void take_best_class()
    {
        const auto scores = class_scores();
        const std::int64_t axis = m_head.scores.anchors_last ? 1 : 2;
        m_labels = m_nodes.place_of_largest("head/labels", scores, axis);
        m_scores = m_nodes.largest_along("head/best", scores, axis);
        if (axis == 2) {
            m_scores = exchanged("head/best/of_image", m_scores);
        }
        if (m_selection.classes) { // of the best class alone
            const auto chosen = m_nodes.gather("head/is_chosen", chosen_classes(), m_labels, 0);
            m_scores = m_nodes.add("Where", "head/best/chosen",
                                   {m_nodes.unsqueeze("head/is_chosen/of_image", chosen, 1), m_scores, never()});
        }
        if (const auto most = candidates(); !m_head.anchors || *m_head.anchors > most) {
            const auto places = keep_best(m_nodes.integers({most}), m_nodes.extents("head/anchors", m_labels, {1}));
            m_labels = m_nodes.add("GatherElements", "head/labels/candidates", {m_labels, places});
            m_nodes.set("axis", 1);
            m_anchors = places;
            m_boxes = of_candidates("head/boxes", m_boxes, 4);
        }
    }

    void take_every_class()
    {
        auto scores = class_scores();
        if (m_head.scores.anchors_last) {
            scores = exchanged("head/scores/by_anchor", scores);
        }
        if (m_selection.classes) {
            scores = m_nodes.add("Where", "head/scores/chosen", {chosen_classes(), scores, never()});
        }
        // No Reshape: a batch of no images leaves it nothing to find the last extent from.
        m_scores = m_nodes.unsqueeze("head/scores/of_image", m_nodes.add("Flatten", "head/scores/pairs", {scores}), 1);
        const auto places = keep_best(m_nodes.integers({candidates()}), m_nodes.extents("head/pairs", m_scores, {2}));
        const auto count = m_nodes.integers({m_head.classes()});
        const auto anchors = m_nodes.add("Div", "head/anchors", {places, count});
        m_labels =
            m_nodes.add("Sub", "head/labels", {places, m_nodes.add("Mul", "head/labels/first", {anchors, count})});
        m_anchors = anchors;
        m_boxes = of_candidates("head/boxes", m_boxes, 4);
    }

    // For each class whether its detections are wanted, [C].
    std::string chosen_classes()
    {
        const auto& chosen = *m_selection.classes;
        onnx::TensorProto table;
        table.set_data_type(onnx::TensorProto::BOOL);
        table.add_dims(m_head.classes());
        for (std::int64_t label = 0; label < m_head.classes(); ++label) {
            const bool listed = std::find(chosen.labels.begin(), chosen.labels.end(), label) != chosen.labels.end();
            table.add_int32_data(listed != chosen.dropped ? 1 : 0);
        }
        return m_nodes.constant("head/chosen", table);
    }

    // A score that is above no threshold.
    std::string never() { return number("head/never", -std::numeric_limits<float>::infinity()); }

    // What scores must be above, if only above `never()`.
    [[nodiscard]] float threshold() const
    {
        return m_selection.score ? static_cast<float>(*m_selection.score) : std::numeric_limits<float>::lowest();
    }

    // How many candidates of an image go on. Without suppression, those are the detections.
    [[nodiscard]] std::int64_t candidates() const
    {
        return m_selection.nms == suppression::none ? m_selection.most : most_candidates;
    }

    // Leaves the best `most` of `all` scores of each image; returns their places, [B, k]. What is no candidate comes
    // last, also a score that is no number, which a TopK would put first.
    std::string keep_best(const std::string& most, const std::string& all)
    {
        const auto above = m_nodes.add("Greater", "head/is_candidate", {m_scores, number("head/least", threshold())});
        m_scores = m_nodes.add("Where", "head/scores/of_candidates", {above, m_scores, never()});
        auto count = smaller("head/candidates", all, most);
        if (m_selection.nms != suppression::none) { // most anchors are none, and sorting them takes long
            const auto counted = m_nodes.sum("head/candidates/of_image",
                                             m_nodes.cast("head/is_candidate/number", above, element_type::int64), 2);
            const auto at_least_one =
                m_nodes.concat("head/candidates/or_one",
                               {m_nodes.squeeze("head/candidates/counts", counted, 1), m_nodes.integers({1})}, 0);
            const auto largest = m_nodes.largest("head/candidates/largest", at_least_one);
            count = smaller("head/candidates/counted", m_nodes.not_negative("head/candidates/number", largest), count);
        }
        const auto places =
            m_nodes.best("head/candidates/best", m_nodes.squeeze("head/scores/rows", m_scores, 1), count);
        const auto scores = m_nodes.add("GatherElements", "head/scores/candidates",
                                        {m_nodes.squeeze("head/scores/rows", m_scores, 1), places});
        m_nodes.set("axis", 1);
        m_scores = m_nodes.unsqueeze("head/scores/of_candidates", scores, 1);
        return places;
    }

    std::string smaller(const std::string& name, const std::string& a, const std::string& b)
    {
        return m_nodes.add(
            "Where", name,
            {m_nodes.add("Less", name + "/is_first", {a, b}), a, b}); // Min takes no integers in opset 11
    }

    // The columns [B, k, columns] of the candidates, from those of all anchors.
    std::string of_candidates(const std::string& name, const std::string& value, std::int64_t columns)
    {
        if (m_anchors.empty()) {
            return value;
        }
        const auto column = m_nodes.unsqueeze("head/anchors/column", m_anchors, 2);
        const auto shape = m_nodes.concat(
            name + "/shape", {m_nodes.extents("head/anchors", m_anchors, {0, 1}), m_nodes.integers({columns})}, 0);
        const auto places = m_nodes.add("Expand", name + "/places", {column, shape});
        auto result = m_nodes.add("GatherElements", name + "/candidates", {value, places});
        m_nodes.set("axis", 1);
        return result;
    }

    // The same for a part of the head.
    std::string of_candidates(const std::string& name, const head_part& part)
    {
        auto value = columns(name, part);
        if (part.anchors_last) {
            value = exchanged(name + "/by_anchor", value);
        }
        return of_candidates(name, value, part.columns);
    }

    // Rows [n, K, 3] of [n, K * 2] or [n, K * 3].
    std::string points(const std::string& rows)
    {
        const auto numbers = m_head.keypoint_numbers;
        const auto count = m_head.keypoints->columns / numbers;
        auto value = m_nodes.add("Reshape", "keypoints/points", {rows, m_nodes.integers({-1, count, numbers})});
        if (numbers == 3) {
            return value;
        }
        const auto shape = m_nodes.concat(
            "keypoints/shape", {m_nodes.extents("keypoints/points", value, {0, 1}), m_nodes.integers({1})}, 0);
        const auto visible = m_nodes.filled("keypoints/visible", shape, float_tensor(1));
        return m_nodes.concat("keypoints/all", {value, visible}, 2);
    }

    // --- what is kept -----------------------------------------------------------------------------------------------

    // The selection [n, 3]: image, class (of the node) and candidate.
    std::string suppress()
    {
        auto boxes = m_boxes;
        auto scores = m_scores;
        if (m_selection.nms == suppression::class_by_class && !m_selection.class_agnostic) {
            scores = scores_by_class();
        } else if (!m_selection.class_agnostic) {
            const auto labels = m_nodes.cast("head/labels/float", m_labels, element_type::float32);
            const auto shift = m_nodes.add("Mul", "head/shift", {labels, number("head/shift/of_class", class_shift)});
            boxes = m_nodes.add("Add", "head/boxes/shifted", {boxes, m_nodes.unsqueeze("head/shift/column", shift, 2)});
        }
        const auto selected = m_nodes.add("NonMaxSuppression", "head/nms",
                                          {boxes, scores, m_nodes.integers({m_selection.most}),
                                           number("head/iou_threshold", static_cast<float>(m_selection.iou_threshold)),
                                           number("head/score_threshold", threshold())});
        return scores == m_scores ? selected : by_candidate(selected);
    }

    // [B, classes, k]: the score of each candidate in its class, and what is above no threshold in the others.
    std::string scores_by_class()
    {
        const auto all = m_nodes.add("Range", "head/classes",
                                     {m_nodes.integer(0), m_nodes.integer(m_head.classes()), m_nodes.integer(1)});
        const auto of_class = m_nodes.add(
            "Equal", "head/is_of_class",
            {m_nodes.unsqueeze("head/labels/row", m_labels, 1), m_nodes.unsqueeze("head/classes/column", all, 1)});
        return m_nodes.add("Where", "head/scores/by_class", {of_class, m_scores, never()});
    }

    // What is selected class by class in the order of the candidates, which is that of equal scores.
    std::string by_candidate(const std::string& selected)
    {
        const auto places = m_nodes.gather("head/nms/candidate", selected, m_nodes.integer(2), 1);
        const auto keys = m_nodes.add("Neg", "head/nms/keys", {places});
        const auto order = m_nodes.best("head/nms/order", keys, m_nodes.extents("head/nms/keys", keys, {0}));
        return m_nodes.gather("head/nms/by_candidate", selected, order, 0);
    }

    head_rows rows_of(const std::string& selected)
    {
        const auto places = m_nodes.gather("head/places", selected, m_nodes.integers({0, 2}), 1);
        const auto picked = [&](const std::string& name, const std::string& values) {
            return m_nodes.add("GatherND", name, {values, places});
        };
        head_rows rows{picked("boxes/selected", m_boxes),
                       picked("labels/selected", m_labels),
                       picked("scores/selected", m_nodes.squeeze("head/scores/rows", m_scores, 1)),
                       m_nodes.gather("image/selected", selected, m_nodes.integer(0), 1),
                       "",
                       ""};
        if (m_head.coefficients) {
            rows.coefficients = picked("mask_coefficients", of_candidates("head/coefficients", *m_head.coefficients));
        }
        if (m_head.keypoints) {
            rows.keypoints = points(picked("keypoints", of_candidates("head/keypoints", *m_head.keypoints)));
        }
        return rows;
    }

    // All candidates in one list, each with its image, or with -1 if its score is not above the threshold.
    head_rows all_rows()
    {
        const auto scores = m_nodes.squeeze("head/scores/rows", m_scores, 1); // [B, k]
        const auto shape = m_nodes.extents("head/scores", scores, {0, 1});
        const auto batch = m_nodes.extent("head/scores", scores, 0);
        const auto images = m_nodes.add("Range", "head/images", {m_nodes.integer(0), batch, m_nodes.integer(1)});
        const auto of_row =
            m_nodes.add("Expand", "head/image", {m_nodes.unsqueeze("head/images/column", images, 1), shape});
        auto image = of_row;
        if (m_selection.score || m_selection.classes) {
            const auto above =
                m_nodes.add("Greater", "head/is_detection", {scores, number("head/score_threshold", threshold())});
            image = m_nodes.add("Where", "head/image/or_none", {above, of_row, m_nodes.integer(-1)});
        }
        const auto listed = [&](const std::string& name, const std::string& value, std::int64_t columns) {
            return m_nodes.add("Reshape", name,
                               {value, columns != 0 ? m_nodes.integers({-1, columns}) : m_nodes.integers({-1})});
        };
        head_rows rows{listed("boxes/all", m_boxes, 4),
                       listed("labels/all", m_labels, 0),
                       listed("scores/all", scores, 0),
                       listed("image/all", image, 0),
                       "",
                       ""};
        if (const auto& part = m_head.coefficients) {
            rows.coefficients = listed("mask_coefficients", of_candidates("head/coefficients", *part), part->columns);
        }
        if (const auto& part = m_head.keypoints) {
            rows.keypoints = points(listed("keypoints", of_candidates("head/keypoints", *part), part->columns));
        }
        return rows;
    }

    node_writer& m_nodes;
    const raw_head& m_head;
    const head_selection& m_selection;
    // Candidates, k of each image; all anchors, unless some have been left out.
    std::string m_checked; // the value of the scores
    std::string m_boxes;   // [B, k, 4]
    std::string m_scores;  // [B, 1, k]
    std::string m_labels;  // [B, k]
    std::string m_anchors; // [B, k]; empty if they are all anchors
};

} // namespace

head_rows write_selection(node_writer& nodes, const raw_head& head, const head_selection& selection)
{
    return selection_writer(nodes, head, selection).run();
}

} // namespace padbatch::onnx_tools
