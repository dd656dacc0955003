// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_DETECTION_HEADS_HPP
#define PADBATCH_DETECTION_HEADS_HPP

#include <padbatch/config.hpp>
#include <padbatch/detection/box_format.hpp>
#include <padbatch/tensor_ref.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

/// Raw heads: the boxes and class scores of every anchor (or query) that a YOLO or DETR gives when it was exported
/// without its post-processing. A `detector_head` says what the numbers are and which detections are wanted;
/// `decode_head` (decode.hpp) makes them. The words are those of docs/raw-heads.md: B images, A anchors, C classes.
namespace padbatch::inline PADBATCH_ABI {

/// How the numbers of a head become scores.
enum class head_scores : unsigned char {
    plain,   ///< they are scores
    sigmoid, ///< each class on its own, and the objectness too
    softmax, ///< over all class columns of an anchor
};

/// Which boxes can drop each other.
enum class head_suppression : unsigned char {
    shifted,        ///< those that still overlap when label x 7680 is added to all coordinates (Ultralytics' `max_wh`)
    class_by_class, ///< those of one class
    all_together,   ///< all (Ultralytics' `agnostic_nms`)
    none,           ///< nothing is dropped
};

/// No image has more candidates than this: those with the highest scores, as in Ultralytics' `max_nms`.
inline constexpr std::size_t most_head_candidates = 30000;
/// How far apart boxes of different classes are shifted, times the label.
inline constexpr float head_class_shift = 7680;
/// As `score_above`: every number is a score, also those below 0.
inline constexpr float every_head_score = -3.402823466e+38F;

/// Which detections are selected from a raw head. The defaults are those of `onnx-pad-outputs --from raw` for YOLO.
struct detection_selection {
    /// Scores must be above this; finite.
    float score_above = 0.25F;
    /// A box is dropped if its intersection over union with a better one is above this; from 0 to 1.
    float iou_above = 0.7F;
    /// The most detections of an image: the best.
    std::size_t at_most = 300;
    head_suppression suppression = head_suppression::shifted;
    /// Whether each class of an anchor can be a detection, and not only the best (Ultralytics' `multi_label`).
    bool every_class = false;
    /// The labels that are wanted; empty for all. Anchors with another best class are left out, unless `every_class`.
    std::span<const std::int64_t> only{};
    /// The labels that are not wanted.
    std::span<const std::int64_t> without{};
};

/// What the numbers of a raw head are. The columns of an anchor are, in this order: 4 of its box, 1 objectness if there
/// is one, the classes, and what `coefficients` or `points` say. Make one with a function of `heads`, and change what
/// differs.
struct detector_head {
    /// C, without the one that is none.
    std::size_t classes = 0;
    /// A; 0 if any number will do.
    std::size_t anchors = 0;
    /// `[B, columns, A]` rather than `[B, A, columns]`. Where boxes have a tensor of their own, this is of the scores.
    bool anchors_last = false;
    /// Whether all scores of an anchor are multiplied by an objectness. Class scores are then probabilities, at most 1:
    /// an anchor whose objectness is not above `score_above` is not looked at further.
    bool objectness = false;
    box_format boxes = box_format::cxcywh;
    head_scores scores = head_scores::plain;
    /// Whether there is one more class column, the last, which is none.
    bool last_is_none = false;
    /// P, the mask coefficients behind the classes.
    std::size_t coefficients = 0;
    /// K, the keypoints behind the classes, of `point_numbers` (2 or 3) numbers each.
    std::size_t points = 0;
    std::size_t point_numbers = 3;
    /// Whether boxes are fractions of an image of `height` and `width` pixels.
    bool normalized = false;
    /// Of the image that the model was given. Needed with `normalized` and `strides`.
    std::size_t height = 0;
    std::size_t width = 0;
    /// If not all 0: boxes are offsets from grids of cells, `(xy + cell) * stride` and `exp(wh) * stride`, and the
    /// anchors are the cells of each stride row by row, one stride after the other.
    std::array<std::size_t, 8> strides{};
    detection_selection selection{};

    /// The number of class columns.
    [[nodiscard]] constexpr std::size_t class_columns() const noexcept { return classes + (last_is_none ? 1 : 0); }
    /// The number of columns behind the classes.
    [[nodiscard]] constexpr std::size_t further_columns() const noexcept
    {
        return coefficients + points * point_numbers;
    }
};

/// The heads that exporters write.
namespace heads {

/// `[B, 4 + C, A]` of YOLOv8 to 12: center and size in pixels, class scores.
[[nodiscard]] constexpr detector_head yolov8(std::size_t classes) noexcept
{
    detector_head head;
    head.classes = classes;
    head.anchors_last = true;
    return head;
}

/// The same with mask coefficients behind: `[B, 4 + C + P, A]`.
[[nodiscard]] constexpr detector_head yolov8_seg(std::size_t classes, std::size_t coefficients = 32) noexcept
{
    detector_head head = yolov8(classes);
    head.coefficients = coefficients;
    return head;
}

/// The same with K keypoints of 2 or 3 numbers behind: `[B, 4 + C + K * numbers, A]`.
[[nodiscard]] constexpr detector_head yolov8_pose(std::size_t classes, std::size_t points,
                                                  std::size_t numbers = 3) noexcept
{
    detector_head head = yolov8(classes);
    head.points = points;
    head.point_numbers = numbers;
    return head;
}

/// `[B, A, 5 + C]` of YOLOv5 and YOLOv7: center and size in pixels, objectness, class scores.
[[nodiscard]] constexpr detector_head yolov5(std::size_t classes) noexcept
{
    detector_head head;
    head.classes = classes;
    head.objectness = true;
    return head;
}

/// The same with mask coefficients behind: `[B, A, 5 + C + P]`.
[[nodiscard]] constexpr detector_head yolov5_seg(std::size_t classes, std::size_t coefficients = 32) noexcept
{
    detector_head head = yolov5(classes);
    head.coefficients = coefficients;
    return head;
}

/// `[B, A, 5 + C]` of YOLOX, whose boxes nothing has decoded yet, for an image of `height` and `width` pixels.
[[nodiscard]] constexpr detector_head yolox(std::size_t classes, std::size_t height, std::size_t width,
                                            std::array<std::size_t, 8> strides = {8, 16, 32}) noexcept
{
    detector_head head = yolov5(classes);
    head.height = height;
    head.width = width;
    head.strides = strides;
    return head;
}

/// Boxes `[B, A, 4]` in pixels and class scores `[B, A, C]`, or both in one `[B, A, 4 + C]`.
[[nodiscard]] constexpr detector_head boxes_scores(std::size_t classes, box_format boxes = box_format::xyxy) noexcept
{
    detector_head head;
    head.classes = classes;
    head.boxes = boxes;
    return head;
}

/// Boxes `[B, Q, 4]`, centers and sizes as fractions of an image of `height` and `width` pixels, and logits `[B, Q,
/// C]`: Deformable DETR, RT-DETR. The best pairs of query and class are taken, no more than queries; nothing is
/// dropped.
[[nodiscard]] constexpr detector_head detr_sigmoid(std::size_t classes, std::size_t queries, std::size_t height,
                                                   std::size_t width) noexcept
{
    detector_head head;
    head.classes = classes;
    head.anchors = queries;
    head.scores = head_scores::sigmoid;
    head.normalized = true;
    head.height = height;
    head.width = width;
    head.selection.score_above = every_head_score;
    head.selection.suppression = head_suppression::none;
    head.selection.every_class = true;
    head.selection.at_most = queries < 300 ? queries : 300;
    return head;
}

/// The same with logits `[B, Q, C + 1]` for a softmax, whose last class is none: DETR. The best class of each query is
/// taken.
[[nodiscard]] constexpr detector_head detr_softmax(std::size_t classes, std::size_t queries, std::size_t height,
                                                   std::size_t width) noexcept
{
    detector_head head = detr_sigmoid(classes, queries, height, width);
    head.scores = head_scores::softmax;
    head.last_is_none = true;
    head.selection.every_class = false;
    return head;
}

} // namespace heads

/// What a model gave for a raw head: one tensor with all columns, or the boxes (`[B, A, 4]` or `[B, A, 1, 4]`) and the
/// other columns in two. float32, float16, bfloat16 or double, in host memory, with any strides: a part of a larger
/// tensor will do. One image may come without its B of 1.
class head_output {
public:
    template <class Void>
    head_output(const basic_tensor_ref<Void>& all) noexcept
        : m_boxes(all), m_scores(all) // implicit, as one tensor is one
    {
    }
    template <class One, class Other>
    head_output(const basic_tensor_ref<One>& boxes, const basic_tensor_ref<Other>& scores) noexcept
        : m_boxes(boxes), m_scores(scores), m_is_joined(false)
    {
    }

    [[nodiscard]] const const_tensor_ref& boxes() const noexcept { return m_boxes; }
    [[nodiscard]] const const_tensor_ref& scores() const noexcept { return m_scores; }
    /// Whether it is one tensor.
    [[nodiscard]] bool is_joined() const noexcept { return m_is_joined; }

private:
    const_tensor_ref m_boxes;
    const_tensor_ref m_scores;
    bool m_is_joined = true;
};

} // namespace padbatch::inline PADBATCH_ABI

#endif
