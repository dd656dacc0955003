// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_DETECTION_DETAIL_HEAD_TENSORS_HPP
#define PADBATCH_DETECTION_DETAIL_HEAD_TENSORS_HPP

#include <padbatch/detection/detail/head_tile.hpp>
#include <padbatch/detection/heads.hpp>
#include <padbatch/element_type.hpp>

#include <cstddef>
#include <cstdint>
#include <initializer_list>

namespace padbatch::inline PADBATCH_ABI::detail {

/// A tensor of a head, by its meaning. Strides are counted in elements.
struct head_tensor {
    const void* data = nullptr;
    element_type type = element_type::float32;
    std::size_t images = 0;
    std::size_t columns = 0;
    std::size_t anchors = 0;
    std::ptrdiff_t image = 0;
    std::ptrdiff_t column = 0;
    std::ptrdiff_t anchor = 0;

    /// The number of floats that an image is converted to, if it has another type.
    [[nodiscard]] std::size_t converted() const noexcept
    {
        return type == element_type::float32 ? 0 : columns * anchors;
    }

    /// The columns of image i; `room` has space for what is converted.
    [[nodiscard]] head_part of_image(std::size_t i, float* room) const noexcept
    {
        const std::ptrdiff_t first = image * static_cast<std::ptrdiff_t>(i);
        switch (type) {
        case element_type::float16: return as_floats(static_cast<const float16*>(data) + first, room);
        case element_type::bfloat16: return as_floats(static_cast<const bfloat16*>(data) + first, room);
        case element_type::float64: return as_floats(static_cast<const double*>(data) + first, room);
        default: return {static_cast<const float*>(data) + first, column, anchor};
        }
    }

    /// Sets this to what a tensor is. `anchors_last` says which dimension has the columns, `middle` that there may be
    /// one of 1 between anchors and columns.
    [[nodiscard]] status take(const const_tensor_ref& tensor, const char* what, bool anchors_last, bool middle) noexcept
    {
        if (tensor.device() != device::host) {
            return {status_code::device_memory, "{} is in device memory, but is read on the host: copy it there first",
                    what};
        }
        type = tensor.type();
        if (type != element_type::float32 && type != element_type::float16 && type != element_type::bfloat16 &&
            type != element_type::float64) {
            return {status_code::wrong_type,
                    "{} has elements of type {}; expected float32, float16, bfloat16 or float64", what, name_of(type)};
        }
        const auto shape = tensor.shape();
        const auto strides = tensor.strides();
        const std::size_t rank = shape.size();
        bool fits = rank == 2 || rank == 3 || (middle && rank == 4 && shape[2] == 1);
        std::int64_t elements = 1;
        for (std::size_t k = 0; fits && k < rank; ++k) {
            fits = shape[k] >= 0;
        }
        if (!fits) {
            return {status_code::wrong_shape, "{} has the shape {}; expected {}", what, tensor.shape(),
                    anchors_last ? "[B, columns, A]" : "[B, A, columns]"};
        }
        if (status counted = try_element_count(shape, elements); !counted.ok()) {
            return counted;
        }
        const std::size_t first = rank == 2 ? 0 : 1;
        const std::size_t of_columns = anchors_last ? first : rank - 1;
        const std::size_t of_anchors = anchors_last ? rank - 1 : first;
        images = rank == 2 ? 1 : static_cast<std::size_t>(shape[0]);
        image = rank == 2 ? 0 : static_cast<std::ptrdiff_t>(strides[0]);
        columns = static_cast<std::size_t>(shape[of_columns]);
        column = static_cast<std::ptrdiff_t>(strides[of_columns]);
        anchors = static_cast<std::size_t>(shape[of_anchors]);
        anchor = static_cast<std::ptrdiff_t>(strides[of_anchors]);
        data = tensor.data();
        if (elements != 0 && data == nullptr) {
            return {status_code::size_mismatch, "{} has the shape {}, but its pointer is null", what, tensor.shape()};
        }
        if (const std::size_t past = reinterpret_cast<std::uintptr_t>(data) % size_of(type); past != 0) {
            return {status_code::misaligned,
                    "{} begins {} bytes behind a multiple of {}, the size of its elements ({}): copy it to aligned "
                    "memory",
                    what,
                    past,
                    size_of(type),
                    name_of(type)};
        }
        return {};
    }

private:
    /// In the order that they have in memory.
    template <class T>
    [[nodiscard]] head_part as_floats(const T* from, float* room) const noexcept
    {
        const bool by_column = anchor <= column;
        const std::size_t outer = by_column ? columns : anchors;
        const std::size_t inner = by_column ? anchors : columns;
        const std::ptrdiff_t down = by_column ? column : anchor;
        const std::ptrdiff_t along = by_column ? anchor : column;
        for (std::size_t r = 0; r < outer; ++r) {
            const T* const row = from + static_cast<std::ptrdiff_t>(r) * down;
            for (std::size_t k = 0; k < inner; ++k) {
                room[r * inner + k] = static_cast<float>(row[static_cast<std::ptrdiff_t>(k) * along]);
            }
        }
        const auto wide = static_cast<std::ptrdiff_t>(inner);
        return by_column ? head_part{room, wide, 1} : head_part{room, 1, wide};
    }
};

/// A head's tensors, and how much memory their detections take.
struct head_plan {
    head_tensor boxes;
    head_tensor scores; // and further columns
    bool is_joined = true;
    std::size_t images = 0;
    std::size_t anchors = 0;
    std::size_t pairs = 0;    // the most candidates of an image
    std::size_t going_on = 0; // the most that suppression looks at
    std::size_t most = 0;     // the most detections of an image

    [[nodiscard]] status make(const detector_head& head, const head_output& output) noexcept
    {
        if (status outcome = check_words(head); !outcome.ok()) {
            return outcome;
        }
        is_joined = output.is_joined();
        if (status outcome =
                scores.take(output.scores(), is_joined ? "the head" : "the tensor of scores", head.anchors_last, false);
            !outcome.ok()) {
            return outcome;
        }
        const std::size_t before = is_joined ? 4 : 0;
        const std::size_t columns = before + (head.objectness ? 1 : 0) + head.class_columns() + head.further_columns();
        if (scores.columns != columns) {
            return {status_code::wrong_shape,
                    "the head has the shape {}, and so {} columns; {} classes and what else was said of it make {}: "
                    "correct "
                    "the number of classes, or `anchors_last`, which says what dimension has the columns",
                    output.scores().shape(),
                    scores.columns,
                    head.classes,
                    columns};
        }
        boxes = scores;
        if (!is_joined) {
            if (status outcome = boxes.take(output.boxes(), "the tensor of boxes", false, true); !outcome.ok()) {
                return outcome;
            }
            if (boxes.columns != 4 || boxes.images != scores.images || boxes.anchors != scores.anchors) {
                return {status_code::wrong_shape,
                        "the boxes have the shape {}, but the scores are of {} images and {} anchors",
                        output.boxes().shape(), scores.images, scores.anchors};
            }
        }
        images = scores.images;
        anchors = scores.anchors;
        if (head.anchors != 0 && head.anchors != anchors) {
            return {status_code::wrong_shape, "the head has {} anchors, but {} were said: correct `anchors`", anchors,
                    head.anchors};
        }
        if (status outcome = check_grid(head); !outcome.ok()) {
            return outcome;
        }
        if (anchors != 0 && head.classes > 0x7fffffffU / anchors) {
            return {status_code::size_overflow,
                    "{} anchors of {} classes are 2^31 pairs or more, which 32 bits cannot number", anchors,
                    head.classes};
        }
        const detection_selection& selection = head.selection;
        pairs = selection.every_class ? anchors * head.classes : anchors;
        going_on = pairs < most_head_candidates ? pairs : most_head_candidates;
        const std::size_t rows = selection.suppression == head_suppression::none ? pairs : going_on;
        most = selection.at_most < rows ? selection.at_most : rows;
        return {};
    }

private:
    [[nodiscard]] static status check_words(const detector_head& head) noexcept
    {
        const detection_selection& selection = head.selection;
        if (head.classes == 0 || head.class_columns() > 0x7fffffffU || head.coefficients > 0x7fffffffU ||
            head.points > 0x7fffffffU) {
            return {status_code::bad_argument,
                    "the head has {} classes, {} coefficients and {} keypoints; expected 1 class "
                    "or more, and fewer than 2^31 of each",
                    head.classes, head.coefficients, head.points};
        }
        if (head.boxes > box_format::yxyx || head.scores > head_scores::softmax ||
            selection.suppression > head_suppression::none) {
            return {status_code::bad_argument, "the head's `boxes`, `scores` or `suppression` is none of their values"};
        }
        if (head.points != 0 && head.point_numbers != 2 && head.point_numbers != 3) {
            return {status_code::bad_argument, "a keypoint has {} numbers; expected 2 or 3", head.point_numbers};
        }
        if (head.last_is_none && head.scores != head_scores::softmax) {
            return {status_code::bad_argument,
                    "`last_is_none` is for scores of a softmax: count the last class too, and "
                    "name its label in `without`"};
        }
        if (!(selection.score_above >= every_head_score && selection.score_above <= -every_head_score)) {
            return {status_code::bad_argument, "`score_above` is {}; expected a finite number",
                    static_cast<double>(selection.score_above)};
        }
        if (!(selection.iou_above >= 0 && selection.iou_above <= 1)) {
            return {status_code::bad_argument, "`iou_above` is {}; expected a number from 0 to 1",
                    static_cast<double>(selection.iou_above)};
        }
        if (head.normalized && (head.height == 0 || head.width == 0)) {
            return {status_code::bad_argument,
                    "the boxes are fractions of an image of {} x {} pixels: give its height and "
                    "width",
                    head.height, head.width};
        }
        if (!selection.only.empty() && !selection.without.empty()) {
            return {status_code::bad_argument,
                    "labels are given as wanted (`only`) and as not wanted (`without`): leave "
                    "one out"};
        }
        for (const auto& labels : {selection.only, selection.without}) {
            for (const std::int64_t label : labels) {
                if (label < 0 || label >= static_cast<std::int64_t>(head.classes)) {
                    return {status_code::bad_argument, "a label is {}, but the head has {} classes", label,
                            head.classes};
                }
            }
        }
        return {};
    }

    [[nodiscard]] status check_grid(const detector_head& head) const noexcept
    {
        std::size_t cells = 0;
        bool any = false;
        for (const std::size_t stride : head.strides) {
            if (stride != 0) {
                any = true;
                cells += (head.height / stride) * (head.width / stride);
            }
        }
        if (any && cells != anchors) {
            return {status_code::wrong_shape,
                    "the head has {} anchors, but an image of {} x {} pixels has {} cells by these "
                    "strides: correct `height`, `width` or `strides`",
                    anchors,
                    head.height,
                    head.width,
                    cells};
        }
        return {};
    }
};

} // namespace padbatch::inline PADBATCH_ABI::detail

#endif
