// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_RECOGNISE_RAW_HEAD_HPP
#define PADBATCH_ONNX_TOOLS_RECOGNISE_RAW_HEAD_HPP

#include <onnx_tools/model/node_writer.hpp>
#include <onnx_tools/model/value_types.hpp>
#include <onnx_tools/recognise/detections.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// Raw heads: boxes and class scores of every anchor or query, from which nothing is selected yet; and the nodes that
/// select detections from them.
namespace padbatch::onnx_tools {

/// A part of a head's output: some of its columns.
struct head_part {
    std::string value;
    /// `[B, columns, A]` rather than `[B, A, columns]`.
    bool anchors_last = false;
    std::int64_t first = 0;
    std::int64_t columns = 0;
    bool is_float32 = false;
    /// `[B, A, 1, columns]`.
    bool has_middle = false;
};

/// A head, and how its numbers become boxes and scores.
struct raw_head {
    head_part boxes;
    head_part scores;
    /// One column that all scores are multiplied by.
    std::optional<head_part> objectness;
    /// Columns that detections have besides.
    std::optional<head_part> coefficients;
    std::optional<head_part> keypoints;
    /// 2 or 3.
    std::int64_t keypoint_numbers = 3;
    box_format format = box_format::xyxy;
    bool normalised = false;
    score_activation activation = score_activation::none;
    /// The last class is none.
    bool last_is_none = false;
    /// Boxes are offsets from a grid of cells, by these strides: `(xy + cell) * stride`, `exp(wh) * stride`. Empty if
    /// they are decoded already.
    std::vector<std::int64_t> strides;
    /// A, if the file declares it.
    std::optional<std::int64_t> anchors;
    /// Whether the file declares as many scores as boxes, or both are columns of one value. Else running the model
    /// fails if they differ.
    bool same_anchors = true;
    /// How many columns the value of the scores must have where the file does not declare it; running the model fails
    /// if it has others.
    std::optional<std::int64_t> columns;
    /// The input whose first extent is B, and its dimension that is the height; the width follows.
    std::string images;
    std::int64_t height = 2;
    /// Height and width that normalised boxes are fractions of, if not those of the input.
    std::optional<image_extents> image_size;

    /// How many classes the scores have, without none.
    [[nodiscard]] std::int64_t classes() const noexcept { return scores.columns - (last_is_none ? 1 : 0); }
};

/// A raw head of a model, and what is to be selected from it.
struct found_head {
    head_kind kind = head_kind::yolo;
    /// Where it shows; for people.
    std::string evidence;
    raw_head head;
    head_selection selection;
    /// The outputs that detections replace.
    std::vector<std::string> taken;
    /// What of them, or of the model's values, the detections are selected from; for people.
    std::string source;
    /// The output of mask prototypes; empty if there is none.
    std::string prototypes;
};

/// The detections of all images in one list.
struct head_rows {
    std::string boxes;  ///< `[n, 4]`, x1, y1, x2, y2 in pixels, float32
    std::string labels; ///< `[n]`, int64
    std::string scores; ///< `[n]`, float32
    std::string image;  ///< `[n]`, int64; -1 for rows that are no detections
    /// `[n, P]` and `[n, K, 3]`, float32; empty if the head has none. Keypoints of two numbers have a visibility of 1.
    std::string coefficients;
    std::string keypoints;
};

/// No image has more candidates than this: those with the highest scores, as in Ultralytics' `max_nms`.
inline constexpr std::int64_t most_candidates = 30000;
/// How far apart boxes of different classes are shifted, times the label: Ultralytics' `max_wh`.
inline constexpr float class_shift = 7680;

/// Writes what `docs/raw-heads.md` defines:
///
/// 1. Boxes become corners in pixels, and all is float32 from here on.
/// 2. An anchor's candidate is its best class (the first of equal ones); with `multi_label` each class is one. Scores
///    must be above `score`. Only the best `most_candidates` of them go on.
/// 3. A NonMaxSuppression goes through them in descending order of score, equal scores by anchor (and class), and drops
///    those that overlap a kept one of the same class: the intersection over union, as float, is above `iou_threshold`.
///    Classes are kept apart by adding `label * class_shift` to the boxes; with `class_agnostic` they are not; with
///    `suppression::class_by_class` each class has a pass of its own; with `suppression::none` nothing is dropped.
/// 4. The best `most` of an image are left.
[[nodiscard]] head_rows write_selection(node_writer& nodes, const raw_head& head, const head_selection& selection);

} // namespace padbatch::onnx_tools

#endif
