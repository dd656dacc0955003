// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_RECOGNISE_DETECTIONS_HPP
#define PADBATCH_ONNX_TOOLS_RECOGNISE_DETECTIONS_HPP

#include <onnx_tools/recognise/field.hpp>
#include <onnx_tools/recognise/parameter.hpp>
#include <onnx_tools/recognise/rearranged.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// The vocabulary of recognition: the outputs of a detection model, and what a user may say about them.
namespace padbatch::onnx_tools {

/// How the loose outputs of a batch follow one another.
enum class output_order {
    by_image, ///< boxes0, labels0, scores0, boxes1, ... (torchvision's own flattening)
    by_field, ///< boxes0, boxes1, labels0, ... (a wrapper that returns a list for each field)
};

/// The constant that limits the rows of an image, and the node that cuts there.
struct row_limit {
    std::int64_t rows = 0;
    std::string node;
    /// Whether that node is the one whose result picks the rows, and not one that cuts them once more.
    bool at_cut = false;
};

/// The constant below which a detection is dropped, and the node that compares with it.
struct score_threshold {
    double score = 0;
    std::string node;
};

/// Which form a model's outputs have.
enum class export_kind {
    automatic, ///< the one that the nodes prove
    fields,    ///< tensors for each image
    flat,      ///< the rows of all images in one list
    nms,       ///< a NonMaxSuppression's selection, and the boxes and scores that it refers to
    padded,    ///< tensors for the batch that are padded already
    raw,       ///< boxes and class scores of every anchor, from which nothing is selected yet
};

/// What a raw head gives. B images, A anchors (or queries), C classes.
enum class head_kind {
    yolo,                ///< `[B, 4 + C, A]` (YOLOv8 to 12), or transposed: cxcywh in pixels, class scores
    yolo_seg,            ///< the same with P mask coefficients behind, and prototypes `[B, P, h, w]`
    yolo_pose,           ///< the same with K keypoints behind, of x, y and perhaps visibility
    yolo_obb,            ///< the same with an angle behind
    yolo_objectness,     ///< `[B, A, 5 + C]` (YOLOv5, YOLOv7, YOLOX): cxcywh in pixels, objectness, class scores
    yolo_objectness_seg, ///< the same with P mask coefficients behind, and prototypes `[B, P, h, w]`
    boxes_scores,        ///< boxes `[B, A, 4]` and class scores `[B, A, C]`, or both in one
    detr,                ///< boxes `[B, Q, 4]`, normalised cxcywh, and class logits `[B, Q, C]`; no suppression
};

/// How the numbers of a head become scores.
enum class score_activation {
    none,    ///< they are scores
    sigmoid, ///< each class on its own; the best pairs of query and class are taken
    softmax, ///< over the classes, of which the last is none; the best class of each query is taken
};

/// How boxes of different classes are kept apart in a NonMaxSuppression.
enum class suppression {
    shifted,        ///< by adding the label times a constant to the coordinates
    class_by_class, ///< each class has a pass of its own
    none,           ///< nothing is suppressed
};

/// The labels of the rows that are kept, or dropped.
struct class_choice {
    std::vector<std::int64_t> labels;
    bool dropped = false;

    bool operator==(const class_choice&) const = default;
};

/// Which detections are selected from a raw head.
struct head_selection {
    /// Scores must be above this, if there is a threshold.
    std::optional<double> score;
    /// Boxes that overlap more with a better one are dropped.
    double iou_threshold = 0;
    /// The most detections of an image.
    std::int64_t most = 0;
    suppression nms = suppression::shifted;
    bool multi_label = false;
    bool class_agnostic = false;
    std::optional<class_choice> classes;
};

/// Height and width in pixels.
using image_extents = std::pair<std::int64_t, std::int64_t>;

/// What a column of flat rows holds, or of the boxes of a selection.
enum class flat_column { batch, x1, y1, x2, y2, cx, cy, w, h, label, score };

/// What the four numbers of a box are.
enum class box_format {
    xyxy,   ///< two corners: x1, y1, x2, y2
    xywh,   ///< the corner x1, y1, then width and height
    cxcywh, ///< the center, then width and height
    yxyx,   ///< two corners, y first
};

/// Rows of all images in one list, and the values that they are made from.
struct flat_source {
    /// `[n, columns]`; or, if `boxes` is set, the `[n, 3]` that a NonMaxSuppression selects: image, class and box.
    std::string rows;
    /// The columns of `rows`; or the four of `boxes`.
    std::vector<flat_column> columns;
    /// `[n]` or `[n, 1]` each, the labels and scores of the rows; empty if columns hold them.
    std::string row_labels;
    std::string row_scores;
    /// `[n]` or `[n, 1]`, the image of each row; empty if a column holds it.
    std::string batch_index;
    /// `[n, ...]`, the rows of other fields.
    std::map<field, std::string> row_fields;
    /// `[B, k, 4]` and `[B, classes, k]`, which a selection refers to.
    std::string boxes;
    std::string scores;
    /// The input whose first extent is B.
    std::string batch_input;
};

/// One field of all images.
struct recognised_field {
    field kind = field::boxes;
    /// The value that holds image i's rows, for each image.
    std::vector<std::string> values;
    element_type element = element_type::float32;
    /// The extents of one row, `[4]` for boxes. An extent has a size only if every image's output declares the same
    /// one.
    std::vector<dimension> row;
};

/// An input of a model of one image that a batch has for each image.
struct image_input {
    std::string name;
    /// Whether its first extent is the one image, as in `[1, 3, H, W]`; not in `[3, H, W]`.
    bool has_batch = true;
};

/// What the outputs of a detection model are.
struct detections {
    /// torchvision's name for the model; empty when the outputs fit but the graph is of no known family.
    std::string family;
    std::int64_t batch = 0;
    output_order order = output_order::by_image;
    /// In the model's own order.
    std::vector<recognised_field> fields;
    /// Outputs that are not detections, in the model's order.
    std::vector<std::string> other_outputs;
    std::optional<row_limit> limit;
    /// Whether a list may have more rows of an image, of which the best are to be kept.
    bool may_exceed_limit = false;
    /// The result of each image's cut, image by image, if the limit may be set to another number there; otherwise
    /// empty.
    std::vector<std::string> cuts;
    /// Why the limit must stay, if it must.
    std::string limit_stays;
    std::optional<score_threshold> threshold;
    /// The parameters of torchvision's models that can be set to other numbers, and those that cannot.
    std::vector<found_parameter> parameters;
    std::vector<fixed_parameter> fixed_parameters;
    /// Whether the graph shows that the rows of each image come in descending score.
    bool best_first = false;
    /// The largest height and width that the image inputs declare; nothing when one of them leaves its size open.
    std::optional<image_extents> image_size;
    /// Whether images of one batch may differ in height and width, and with them the masks.
    bool sizes_may_differ = false;
    /// The inputs that hold the images: one `[B, 3, H, W]`, or one `[3, H, W]` for each image. Empty when the inputs
    /// are something else.
    std::vector<std::string> images;
    /// The rank of these inputs, 4 or 3; 0 when there are none.
    int image_rank = 0;
    /// Whether their channels are the last dimension, and known to be: `[B, H, W, 3]`.
    bool channels_last = false;
    /// The inputs of a model of one image: those that belong to the image, the image itself first, those that any
    /// image shares, and those of which neither is known.
    std::vector<image_input> image_inputs;
    std::vector<std::string> shared_inputs;
    std::vector<std::string> undecided_inputs;
    /// Set when the rows of all images are in one list. The `fields` then have no values, and `batch` is 0.
    std::optional<flat_source> flat;
    /// The list that the values above were taken from, where it is that of one image.
    std::optional<flat_source> list_of_image;
    /// Why the model is right for one image at a time, although it declares any number; empty if it is not so.
    std::string only_one_image;
    /// Set when the values above are not the model's own outputs, but made from them first.
    std::optional<rearranged_outputs> rearranged;
    /// Why the boxes may be in other units than pixels of the input, if recognition has seen a reason.
    std::string doubt_about_pixels;
    /// Whether they are known to be in pixels of `images`: they were multiplied by its size.
    bool in_pixels = false;
    /// What was done to them, in words; empty if nothing was.
    std::string box_conversion;
    /// The form of the outputs, and what shows it; empty if nothing but their types does.
    export_kind form = export_kind::fields;
    std::string evidence;
    /// How the rows that are real are told from padding of the model's own, in words; empty if it has none.
    std::string real_rows;
    /// Set when the detections are selected from a raw head: which head it is, and what is selected.
    std::optional<head_kind> head;
    head_selection selection;
    /// Why the boxes may be in something other than pixels of the model's input, where that has been looked into.
    std::string box_doubt;
};

/// The name of a form, as the option `from` has it.
[[nodiscard]] std::string_view name_of(export_kind form) noexcept;

/// A field of `source`, or null when it has no such field.
[[nodiscard]] const recognised_field* find_field(const detections& source, field kind) noexcept;

/// What a user may say about a raw head, and about what is selected from it. Whatever is absent is worked out, or what
/// is usual for that head.
struct head_options {
    std::optional<head_kind> kind;
    /// Detections need a score above this. From 0 to 1.
    std::optional<double> score;
    /// Boxes that overlap more with a better one are dropped. From 0 to 1.
    std::optional<double> iou_threshold;
    /// The most detections of an image, at least 1.
    std::optional<std::int64_t> most;
    std::optional<suppression> nms;
    /// Every class of an anchor whose score is high enough is a detection, not only the best.
    bool multi_label = false;
    /// Boxes of all classes suppress one another.
    bool class_agnostic = false;
    std::optional<score_activation> activation;
    /// Boxes are offsets from grids of cells, with these strides; or in pixels, if there are none.
    std::optional<std::vector<std::int64_t>> strides;
    /// How many classes the model has.
    std::optional<std::int64_t> class_count;
    /// Detections of other labels, or of these, are left out before any is suppressed.
    std::optional<class_choice> classes;
    /// How many keypoints an instance has, and how many numbers each: 2 or 3.
    std::optional<std::pair<std::int64_t, std::int64_t>> keypoints;
    /// Height and width that normalised boxes are fractions of.
    std::optional<image_extents> image_size;
};

/// What the user knows better. Whatever is absent is worked out.
struct recognise_options {
    export_kind from = export_kind::automatic;
    /// The columns of joined rows, or of the boxes of a selection.
    std::optional<std::vector<flat_column>> columns;
    /// The fields of one image, in order.
    std::optional<std::vector<field>> fields;
    std::optional<std::int64_t> batch;
    std::optional<output_order> order;
    /// The output that says which image each row of one list belongs to.
    std::optional<std::string> batch_index;
    /// The output with the number of rows of each image.
    std::optional<std::string> count_output;
    /// What the numbers of a box are, and whether they are fractions of the width and height of the input.
    std::optional<box_format> boxes;
    bool normalised = false;
    /// Inputs that belong to each image, and inputs that all images share.
    std::set<std::string> per_image_inputs;
    std::set<std::string> shared_inputs;
    /// What is said about a raw head.
    head_options head;
};

} // namespace padbatch::onnx_tools

#endif
