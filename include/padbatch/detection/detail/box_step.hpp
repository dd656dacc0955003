// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_DETECTION_DETAIL_BOX_STEP_HPP
#define PADBATCH_DETECTION_DETAIL_BOX_STEP_HPP

#include <padbatch/detection/box_format.hpp>
#include <padbatch/detection/detail/box_vector.hpp>
#include <padbatch/detection/image_size.hpp>

#include <cstddef>

namespace padbatch::inline PADBATCH_ABI {

namespace detail {

[[nodiscard]] constexpr bool is_format(box_format format) noexcept
{
    return format == box_format::xyxy || format == box_format::xywh || format == box_format::cxcywh ||
           format == box_format::yxyx;
}

/// Corners x1, y1, x2, y2, by the formulas of torchvision/ops/_box_convert.py.
template <box_format From>
[[nodiscard]] PADBATCH_DETAIL_INLINE box_vector to_xyxy(box_vector box) noexcept
{
    if constexpr (From == box_format::xywh) {
        return join_corners(box, lower_corner(box) + box);
    } else if constexpr (From == box_format::cxcywh) {
        const box_vector centre = lower_corner(box);
        const box_vector half = rounded(0.5F * upper_corner(box));
        return join_corners(centre - half, centre + half);
    } else if constexpr (From == box_format::yxyx) {
        return __builtin_shufflevector(box, box, 1, 0, 3, 2);
    } else {
        return box;
    }
}
template <box_format To>
[[nodiscard]] PADBATCH_DETAIL_INLINE box_vector from_xyxy(box_vector box) noexcept
{
    if constexpr (To == box_format::xywh) {
        return join_corners(box, box - lower_corner(box));
    } else if constexpr (To == box_format::cxcywh) {
        const box_vector lower = lower_corner(box);
        const box_vector upper = upper_corner(box);
        return join_corners((lower + upper) * 0.5F, upper - lower); // halves as / 2 does: both are exact
    } else if constexpr (To == box_format::yxyx) {
        return __builtin_shufflevector(box, box, 1, 0, 3, 2);
    } else {
        return box;
    }
}

template <class Change>
PADBATCH_DETAIL_INLINE void change_each_box(float* boxes, std::size_t n, const Change& change) noexcept
{
    for (float* const end = boxes + 4 * n; boxes != end; boxes += 4) {
        store_box(boxes, change(load_box(boxes)));
    }
}

template <box_format From, box_format To>
void convert_format(float* boxes, std::size_t n) noexcept
{
    if constexpr (From != To) {
        change_each_box(boxes, n,
                        [](box_vector box) PADBATCH_DETAIL_INLINE_LAMBDA { return from_xyxy<To>(to_xyxy<From>(box)); });
    }
}
template <box_format From>
void convert_from(float* boxes, std::size_t n, box_format to) noexcept
{
    switch (to) {
    case box_format::xyxy: return convert_format<From, box_format::xyxy>(boxes, n);
    case box_format::xywh: return convert_format<From, box_format::xywh>(boxes, n);
    case box_format::cxcywh: return convert_format<From, box_format::cxcywh>(boxes, n);
    case box_format::yxyx: return convert_format<From, box_format::yxyx>(boxes, n);
    }
}

/// A change of the numbers of a box, the same for all boxes of an image. Rounds after each operation, in this order.
struct box_step {
    enum class kind {
        /// box * scale
        multiply,
        /// box / scale
        divide,
        /// box + shift
        add,
        /// clamp(box, 0, limit)
        clamp,
        /// box * scale + shift
        multiply_add,
        /// clamp((box - shift) / scale, 0, limit)
        subtract_divide_clamp,
        /// from one format to another
        convert,
    };

    kind work = kind::multiply;
    box_format from = box_format::xyxy;
    box_format to = box_format::xyxy;
    box_vector scale = {};
    box_vector shift = {};
    box_vector limit = {};

    void run(float* boxes, std::size_t n) const noexcept
    {
        const box_vector by = scale; // in registers
        const box_vector off = shift;
        const box_vector end = limit;
        switch (work) {
        case kind::multiply:
            return change_each_box(boxes, n, [by](box_vector box) PADBATCH_DETAIL_INLINE_LAMBDA { return box * by; });
        case kind::divide:
            return change_each_box(boxes, n, [by](box_vector box) PADBATCH_DETAIL_INLINE_LAMBDA { return box / by; });
        case kind::add:
            return change_each_box(boxes, n, [off](box_vector box) PADBATCH_DETAIL_INLINE_LAMBDA { return box + off; });
        case kind::clamp:
            return change_each_box(boxes, n,
                                   [end](box_vector box) PADBATCH_DETAIL_INLINE_LAMBDA { return clamp_box(box, end); });
        case kind::multiply_add:
            return change_each_box(
                boxes, n, [by, off](box_vector box) PADBATCH_DETAIL_INLINE_LAMBDA { return rounded(box * by) + off; });
        case kind::subtract_divide_clamp:
            return change_each_box(boxes, n, [by, off, end](box_vector box) PADBATCH_DETAIL_INLINE_LAMBDA {
                return clamp_box((box - off) / by, end);
            });
        case kind::convert: return run_convert(boxes, n);
        }
    }

private:
    void run_convert(float* boxes, std::size_t n) const noexcept
    {
        switch (from) {
        case box_format::xyxy: return convert_from<box_format::xyxy>(boxes, n, to);
        case box_format::xywh: return convert_from<box_format::xywh>(boxes, n, to);
        case box_format::cxcywh: return convert_from<box_format::cxcywh>(boxes, n, to);
        case box_format::yxyx: return convert_from<box_format::yxyx>(boxes, n, to);
        }
    }
};

/// x, y, x, y.
[[nodiscard]] inline box_vector twice(float x, float y) noexcept
{
    return box_vector{x, y, x, y};
}
/// Width and height, twice.
[[nodiscard]] inline box_vector size_vector(const image_size& size) noexcept
{
    return twice(static_cast<float>(size.width), static_cast<float>(size.height));
}

} // namespace detail

} // namespace padbatch::inline PADBATCH_ABI

#endif
