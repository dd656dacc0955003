// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_DETECTION_BOX_IOU_HPP
#define PADBATCH_DETECTION_BOX_IOU_HPP

#include <padbatch/detail/contiguous.hpp>
#include <padbatch/detail/copy_row.hpp>
#include <padbatch/detail/field_memory.hpp>
#include <padbatch/detail/first_failure.hpp>
#include <padbatch/detection/detail/box_pairs.hpp>
#include <padbatch/detection/detail/box_target.hpp>
#include <padbatch/error.hpp>
#include <padbatch/rows.hpp>
#include <padbatch/rows_of.hpp>

#include <cstddef>
#include <type_traits>

/// Areas of boxes, and matrices that compare boxes with boxes, into the caller's memory. Boxes are corners x1, y1, x2,
/// y2, float, in any container that the headers take as rows. Results are those of torchvision/ops/boxes.py to the last
/// bit (the sign of a zero aside), for boxes of every kind: inverted ones have areas of either sign, 0/0 is NaN, and a
/// box with NaN gives NaN.
namespace padbatch::inline PADBATCH_ABI {

namespace detail {

/// Sets `box` to row j, wherever its numbers are.
template <class Rows>
PADBATCH_DETAIL_INLINE void read_box(const Rows& rows, std::size_t j, float (&box)[4]) noexcept
{
    copy_row_of(box, row_extents<4>{}, rows, j);
}

/// A compile error, with the reason, if results cannot be written there.
template <class Out>
consteval bool is_float_memory() noexcept
{
    static_assert(contiguous_values<Out>,
                  "results go into contiguous memory with data() and size(), such as a vector or a span of floats");
    static_assert(std::is_same_v<value_of<Out>, float>, "results are float, in memory that can be written");
    return true;
}

template <class Bound>
[[nodiscard]] status check_apart(const float* first, const float* last, const Bound& boxes, const char* what) noexcept
{
    if (rows_overlap(rows_of<Bound>(boxes.value, boxes.row), first, last)) {
        return {status_code::overlap, "the results' memory overlaps {}: write to other memory", what};
    }
    return {};
}

template <pair_measure Measure, class Out, class A, class B>
[[nodiscard]] status try_measure(Out& out, const A& a, const B& b) noexcept
{
    static_assert(is_float_memory<Out>());
    if (status outcome = first_failure([&] { return check_boxes(a); }, [&] { return check_boxes(b); }); !outcome.ok()) {
        return outcome;
    }
    const auto rows_a = rows_of<A>(a.value, a.row);
    const auto rows_b = rows_of<B>(b.value, b.row);
    const std::size_t n = rows_a.size();
    const std::size_t m = rows_b.size();
    const std::size_t factors[] = {n, m, sizeof(float)};
    std::size_t bytes = 0;
    if (status outcome = multiply_sizes(factors, "the matrix of boxes", bytes); !outcome.ok()) {
        return outcome;
    }
    const auto size = static_cast<std::size_t>(out.size());
    if (size != n * m) {
        return {status_code::size_mismatch,
                "the results have room for {} numbers, but {} and {} boxes have {} pairs",
                size,
                n,
                m,
                n * m};
    }
    float* const to = out.data();
    if (status outcome = first_failure([&] { return check_apart(to, to + size, a, "the first boxes"); },
                                       [&] { return check_apart(to, to + size, b, "the second boxes"); });
        !outcome.ok()) {
        return outcome;
    }
    if (size != 0) {
        measure_pairs<Measure>(
            to, n, m, [&](std::size_t i, float (&box)[4]) PADBATCH_DETAIL_INLINE_LAMBDA { read_box(rows_a, i, box); },
            [&](std::size_t j, float (&box)[4]) PADBATCH_DETAIL_INLINE_LAMBDA { read_box(rows_b, j, box); });
    }
    return {};
}

} // namespace detail

/// The non-throwing form of `box_areas`. A failure writes nothing.
template <class Out, detail::bound_values Boxes>
[[nodiscard]] status try_box_areas(Out&& out, const Boxes& boxes) noexcept
{
    static_assert(detail::is_float_memory<std::remove_reference_t<Out>>());
    if (status outcome = detail::check_boxes(boxes); !outcome.ok()) {
        return outcome;
    }
    const auto rows = detail::rows_of<Boxes>(boxes.value, boxes.row);
    const auto size = static_cast<std::size_t>(out.size());
    if (size != rows.size()) {
        return {status_code::size_mismatch, "the results have room for {} numbers, but there are {} boxes", size,
                rows.size()};
    }
    float* const to = out.data();
    if (status outcome = detail::check_apart(to, to + size, boxes, "the boxes"); !outcome.ok()) {
        return outcome;
    }
    std::size_t j = 0;
    if constexpr (std::remove_const_t<decltype(rows)>::is_contiguous) {
        j = detail::areas_of_fours(to, rows.data(), size);
    }
    for (; j < size; ++j) {
        float box[4];
        detail::read_box(rows, j, box);
        to[j] = (box[2] - box[0]) * (box[3] - box[1]);
    }
    return {};
}

/// The non-throwing form of `box_iou`. A failure writes nothing.
template <class Out, detail::bound_values A, detail::bound_values B>
[[nodiscard]] status try_box_iou(Out&& out, const A& a, const B& b) noexcept
{
    return detail::try_measure<detail::pair_measure::iou>(out, a, b);
}

/// The non-throwing form of `box_giou`. A failure writes nothing.
template <class Out, detail::bound_values A, detail::bound_values B>
[[nodiscard]] status try_box_giou(Out&& out, const A& a, const B& b) noexcept
{
    return detail::try_measure<detail::pair_measure::giou>(out, a, b);
}

#if PADBATCH_EXCEPTIONS
/// The areas of n boxes, `[n]`: (x2 - x1) * (y2 - y1), as torchvision's `box_area`. `out` is contiguous memory of n
/// floats apart from the boxes.
template <class Out, detail::bound_values Boxes>
void box_areas(Out&& out, const Boxes& boxes)
{
    detail::require(try_box_areas(out, boxes));
}

/// Intersection over union of n boxes with m boxes, `[n, m]`, as torchvision's `box_iou`:
///
///     w = max(min(a.x2, b.x2) - max(a.x1, b.x1), 0), the same for h
///     w * h / (area(a) + area(b) - w * h)
///
///     box_iou(matrix, t::boxes(found), t::boxes(truth))
///
/// `out` is contiguous memory of n * m floats apart from the boxes. Allocates nothing. `a` may be `b`.
template <class Out, detail::bound_values A, detail::bound_values B>
void box_iou(Out&& out, const A& a, const B& b)
{
    detail::require(try_box_iou(out, a, b));
}

/// Generalised intersection over union of n boxes with m boxes, `[n, m]`, as torchvision's `generalized_box_iou`: IoU
/// minus (hull - union) / hull, where the hull is the smallest box around both. Memory as for `box_iou`.
template <class Out, detail::bound_values A, detail::bound_values B>
void box_giou(Out&& out, const A& a, const B& b)
{
    detail::require(try_box_giou(out, a, b));
}
#endif

} // namespace padbatch::inline PADBATCH_ABI

#endif
