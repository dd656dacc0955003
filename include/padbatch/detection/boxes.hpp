// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_DETECTION_BOXES_HPP
#define PADBATCH_DETECTION_BOXES_HPP

#include <padbatch/detection/detail/box_step.hpp>
#include <padbatch/detection/detail/box_target.hpp>
#include <padbatch/detection/detail/keep_rows.hpp>
#include <padbatch/detection/detail/per_image.hpp>
#include <padbatch/detection/image_size.hpp>
#include <padbatch/detection/row_numbers.hpp>

#include <cstddef>
#include <cstdint>
#include <type_traits>

/// Boxes in place: formats, borders, scales, and dropping what is too small. Each operation takes the rows of one image
/// or a whole batch:
///
///     clip_boxes(t::boxes(x), {480, 640});   // contiguous floats, [n, 4]
///     clip_boxes(batch, {480, 640});         // a padded owner or view, a ragged owner or view, with t::boxes
///     clip_boxes(batch, sizes);              // a contiguous container of an image_size for each image
///
/// Boxes are float. Only real rows are changed, never padding; other fields stay. An operation on a batch takes
/// `parallel(...)`. Nothing allocates, except that dropping rows of a batch needs a `workspace` to be free of it.
///
/// Results are those of torchvision to the last bit: one rounding to float after each operation, in its order, never
/// fused. Nothing is repaired on the way: boxes that are inverted, empty or outside are computed like all others, NaN
/// stays NaN, and infinity follows IEEE arithmetic.
///
/// Each operation has a form `try_...` that returns a `status` instead of throwing `error`. All arguments are checked
/// before the first box is changed.
namespace padbatch::inline PADBATCH_ABI {

namespace detail {

using image_sizes = per_image<image_size>;

[[nodiscard]] inline status check_sizes(const image_sizes& sizes, std::size_t images, std::size_t least) noexcept
{
    return sizes.check(images, "image sizes",
                       [least](const image_size& size) { return check_image_size(size, least, "an image"); });
}

[[nodiscard]] inline status check_finite(float value, const char* what) noexcept
{
    if (!__builtin_isfinite(value)) {
        return {status_code::bad_argument, "{} is {}; expected a finite number", what, static_cast<double>(value)};
    }
    return {};
}

/// Keeps boxes at least so wide and high: torchvision's `remove_small_boxes`.
struct at_least_size {
    float least;

    [[nodiscard]] bool operator()(const float* box) const noexcept
    {
        return (box[2] - box[0] >= least) & (box[3] - box[1] >= least);
    }
};
/// Keeps boxes whose second corner is right of the first and below it.
struct has_area {
    [[nodiscard]] bool operator()(const float* box) const noexcept { return (box[2] > box[0]) & (box[3] > box[1]); }
};

/// Writes the numbers of the boxes to keep, and returns how many. Branchless, since which are kept is not predictable.
template <class Number, class Keep>
[[nodiscard]] std::size_t number_boxes(Number* kept, const float* boxes, std::size_t n, const Keep& keep) noexcept
{
    std::size_t m = 0;
    for (std::size_t j = 0; j < n; ++j) {
        kept[m] = static_cast<Number>(j);
        m += keep(boxes + 4 * j) ? 1 : 0;
    }
    return m;
}

/// For `keep_rows`.
template <class Keep>
struct box_choice {
    static constexpr bool ascending = true;
    Keep keep;

    [[nodiscard]] static constexpr std::size_t scratch_bytes(std::size_t /*n*/) noexcept { return 0; }
    template <class Batch>
    [[nodiscard]] status check(const Batch& batch) const noexcept
    {
        return check_batch_boxes(batch);
    }
    template <class Image>
    [[nodiscard]] std::size_t operator()(const Image& image, std::size_t /*i*/, std::int32_t* kept,
                                         std::byte* /*scratch*/) const noexcept
    {
        const auto boxes = image[t::boxes];
        return number_boxes(kept, boxes.data(), boxes.size(), keep);
    }
};

/// A compile error, with the reason, for options that an operation that drops boxes does not take.
template <class... Options>
consteval bool drop_options_known() noexcept
{
    static_assert(
        ((is_batch_option<Options> || is_fill<std::remove_cvref_t<Options>>) && ...),
        "an option of an operation that drops boxes of a batch is parallel(...), a workspace or, for a padded "
        "view, pad_values(...)");
    return batch_options_fit<Options...>();
}

template <class Bound, class Keep>
[[nodiscard]] status number_kept(row_numbers& kept, const Bound& boxes, const Keep& keep) noexcept
{
    if (status outcome = check_boxes(boxes); !outcome.ok()) {
        return outcome;
    }
    const auto rows = rows_of<Bound>(boxes.value, boxes.row);
    static_assert(std::remove_const_t<decltype(rows)>::is_contiguous, "boxes are adjacent floats here");
    if (status outcome = kept.try_resize(rows.size()); !outcome.ok()) {
        return outcome;
    }
    return kept.try_resize(number_boxes(kept.data(), rows.data(), rows.size(), keep));
}

} // namespace detail

/// The non-throwing form of `convert_boxes`.
template <detail::box_target Target, class... Options>
[[nodiscard]] status try_convert_boxes(Target&& boxes, box_format from, box_format to, Options&&... options)
{
    if (!detail::is_format(from) || !detail::is_format(to)) {
        return {status_code::bad_argument, "the formats are number {} and {}; expected enumerators of box_format",
                static_cast<int>(from), static_cast<int>(to)};
    }
    detail::box_step step;
    step.work = detail::box_step::kind::convert;
    step.from = from;
    step.to = to;
    return detail::change_boxes(
        static_cast<Target&&>(boxes), [&](std::size_t /*i*/) noexcept { return step; },
        static_cast<Options&&>(options)...);
}

/// The non-throwing form of `scale_boxes`.
template <detail::box_target Target, class... Options>
[[nodiscard]] status try_scale_boxes(Target&& boxes, float sx, float sy, Options&&... options)
{
    if (status outcome = detail::first_failure([&] { return detail::check_finite(sx, "the factor of x"); },
                                               [&] { return detail::check_finite(sy, "the factor of y"); });
        !outcome.ok()) {
        return outcome;
    }
    detail::box_step step;
    step.work = detail::box_step::kind::multiply;
    step.scale = detail::twice(sx, sy);
    return detail::change_boxes(
        static_cast<Target&&>(boxes), [&](std::size_t /*i*/) noexcept { return step; },
        static_cast<Options&&>(options)...);
}

/// The non-throwing form of `shift_boxes`.
template <detail::box_target Target, class... Options>
[[nodiscard]] status try_shift_boxes(Target&& boxes, float dx, float dy, Options&&... options)
{
    if (status outcome = detail::first_failure([&] { return detail::check_finite(dx, "the shift of x"); },
                                               [&] { return detail::check_finite(dy, "the shift of y"); });
        !outcome.ok()) {
        return outcome;
    }
    detail::box_step step;
    step.work = detail::box_step::kind::add;
    step.shift = detail::twice(dx, dy);
    return detail::change_boxes(
        static_cast<Target&&>(boxes), [&](std::size_t /*i*/) noexcept { return step; },
        static_cast<Options&&>(options)...);
}

/// The non-throwing form of `normalize_boxes`.
template <detail::box_target Target, class... Options>
[[nodiscard]] status try_normalize_boxes(Target&& boxes, const detail::per_image<image_size>& size,
                                         Options&&... options)
{
    if (status outcome = detail::check_sizes(size, detail::images_of(boxes), 1); !outcome.ok()) {
        return outcome;
    }
    const auto step_of = [&](std::size_t i) noexcept {
        detail::box_step step;
        step.work = detail::box_step::kind::divide;
        step.scale = detail::size_vector(size[i]);
        return step;
    };
    return detail::change_boxes(static_cast<Target&&>(boxes), step_of, static_cast<Options&&>(options)...);
}

/// The non-throwing form of `unnormalize_boxes`.
template <detail::box_target Target, class... Options>
[[nodiscard]] status try_unnormalize_boxes(Target&& boxes, const detail::per_image<image_size>& size,
                                           Options&&... options)
{
    if (status outcome = detail::check_sizes(size, detail::images_of(boxes), 1); !outcome.ok()) {
        return outcome;
    }
    const auto step_of = [&](std::size_t i) noexcept {
        detail::box_step step;
        step.work = detail::box_step::kind::multiply;
        step.scale = detail::size_vector(size[i]);
        return step;
    };
    return detail::change_boxes(static_cast<Target&&>(boxes), step_of, static_cast<Options&&>(options)...);
}

/// The non-throwing form of `clip_boxes`.
template <detail::box_target Target, class... Options>
[[nodiscard]] status try_clip_boxes(Target&& boxes, const detail::per_image<image_size>& size, Options&&... options)
{
    if (status outcome = detail::check_sizes(size, detail::images_of(boxes), 0); !outcome.ok()) {
        return outcome;
    }
    const auto step_of = [&](std::size_t i) noexcept {
        detail::box_step step;
        step.work = detail::box_step::kind::clamp;
        step.limit = detail::size_vector(size[i]);
        return step;
    };
    return detail::change_boxes(static_cast<Target&&>(boxes), step_of, static_cast<Options&&>(options)...);
}

/// The non-throwing form of `resize_boxes`.
template <detail::box_target Target, class... Options>
[[nodiscard]] status try_resize_boxes(Target&& boxes, const detail::per_image<image_size>& from_size,
                                      const detail::per_image<image_size>& to_size, Options&&... options)
{
    const std::size_t images = detail::images_of(boxes);
    if (status outcome = detail::first_failure([&] { return detail::check_sizes(from_size, images, 1); },
                                               [&] { return detail::check_sizes(to_size, images, 0); });
        !outcome.ok()) {
        return outcome;
    }
    const auto step_of = [&](std::size_t i) noexcept {
        detail::box_step step;
        step.work = detail::box_step::kind::multiply;
        step.scale = detail::size_vector(to_size[i]) / detail::size_vector(from_size[i]);
        return step;
    };
    return detail::change_boxes(static_cast<Target&&>(boxes), step_of, static_cast<Options&&>(options)...);
}

/// The non-throwing forms of `remove_small_boxes`.
template <detail::detection_batch Batch, class... Options>
[[nodiscard]] status try_remove_small_boxes(Batch&& batch, float min_size, Options&&... options)
{
    static_assert(detail::rows_can_be_dropped<Batch>() && detail::drop_options_known<Options...>());
    if (status outcome = detail::check_finite(min_size, "the least size"); !outcome.ok()) {
        return outcome;
    }
    return detail::keep_rows(batch, detail::box_choice<detail::at_least_size>{{min_size}}, options...);
}
template <detail::bound_values Boxes>
[[nodiscard]] status try_remove_small_boxes(row_numbers& kept, const Boxes& boxes, float min_size) noexcept
{
    if (status outcome = detail::check_finite(min_size, "the least size"); !outcome.ok()) {
        return outcome;
    }
    return detail::number_kept(kept, boxes, detail::at_least_size{min_size});
}

/// The non-throwing forms of `remove_degenerate_boxes`.
template <detail::detection_batch Batch, class... Options>
[[nodiscard]] status try_remove_degenerate_boxes(Batch&& batch, Options&&... options)
{
    static_assert(detail::rows_can_be_dropped<Batch>() && detail::drop_options_known<Options...>());
    return detail::keep_rows(batch, detail::box_choice<detail::has_area>{}, options...);
}
template <detail::bound_values Boxes>
[[nodiscard]] status try_remove_degenerate_boxes(row_numbers& kept, const Boxes& boxes) noexcept
{
    return detail::number_kept(kept, boxes, detail::has_area{});
}

#if PADBATCH_EXCEPTIONS
/// Converts boxes from one format to another, by way of corners x1, y1, x2, y2, as `box_convert` in
/// torchvision/ops/boxes.py: width = x2 - x1, centre = (x1 + x2) / 2, x1 = centre - 0.5 * width, x2 = x1 + width.
/// Between equal formats nothing changes. (`yxyx` is not torchvision's; it is `xyxy` with its numbers swapped.)
template <detail::box_target Target, class... Options>
void convert_boxes(Target&& boxes, box_format from, box_format to, Options&&... options)
{
    detail::require(try_convert_boxes(static_cast<Target&&>(boxes), from, to, static_cast<Options&&>(options)...));
}

/// Multiplies x and widths by `sx`, y and heights by `sy`, which are finite. For numbers in the order x, y, x, y, as
/// are `xyxy`, `xywh` and `cxcywh`; this is so for all operations here that take x and y.
template <detail::box_target Target, class... Options>
void scale_boxes(Target&& boxes, float sx, float sy, Options&&... options)
{
    detail::require(try_scale_boxes(static_cast<Target&&>(boxes), sx, sy, static_cast<Options&&>(options)...));
}

/// Adds `dx` to x1 and x2, `dy` to y1 and y2, which are finite. For corners: convert other formats first.
template <detail::box_target Target, class... Options>
void shift_boxes(Target&& boxes, float dx, float dy, Options&&... options)
{
    detail::require(try_shift_boxes(static_cast<Target&&>(boxes), dx, dy, static_cast<Options&&>(options)...));
}

/// Pixels to parts of the image: x / width, y / height, as the `Normalize` transform of DETR. A side has 1 pixel or
/// more.
template <detail::box_target Target, class... Options>
void normalize_boxes(Target&& boxes, const detail::per_image<image_size>& size, Options&&... options)
{
    detail::require(try_normalize_boxes(static_cast<Target&&>(boxes), size, static_cast<Options&&>(options)...));
}

/// Parts of the image to pixels: x * width, y * height, as the `PostProcess` of DETR. A side has 1 pixel or more.
template <detail::box_target Target, class... Options>
void unnormalize_boxes(Target&& boxes, const detail::per_image<image_size>& size, Options&&... options)
{
    detail::require(try_unnormalize_boxes(static_cast<Target&&>(boxes), size, static_cast<Options&&>(options)...));
}

/// Moves corners into the image, x to [0, width] and y to [0, height], as `clip_boxes_to_image` in
/// torchvision/ops/boxes.py. NaN stays NaN, and -0 stays -0, as with `torch.clamp`. For corners: convert other formats
/// first.
template <detail::box_target Target, class... Options>
void clip_boxes(Target&& boxes, const detail::per_image<image_size>& size, Options&&... options)
{
    detail::require(try_clip_boxes(static_cast<Target&&>(boxes), size, static_cast<Options&&>(options)...));
}

/// Boxes of an image that is resized: multiplies by the ratios float(to) / float(from) of the widths and of the
/// heights, as `resize_boxes` in torchvision/models/detection/transform.py. A side of `from_size` has 1 pixel or more.
template <detail::box_target Target, class... Options>
void resize_boxes(Target&& boxes, const detail::per_image<image_size>& from_size,
                  const detail::per_image<image_size>& to_size, Options&&... options)
{
    detail::require(
        try_resize_boxes(static_cast<Target&&>(boxes), from_size, to_size, static_cast<Options&&>(options)...));
}

/// Keeps boxes with x2 - x1 >= `min_size` and y2 - y1 >= `min_size`, in their order, as `remove_small_boxes` in
/// torchvision/ops/boxes.py; boxes with NaN are dropped. `min_size` is finite.
///
/// A batch (a padded owner, a padded view that can be written, a ragged owner) drops the rows of all its fields in
/// place. Rows behind the new count get an owner's pad values; for a view, zeros or the option `pad_values(...)`. Other
/// options are `parallel(...)` and a `workspace`, with which nothing is allocated.
template <detail::detection_batch Batch, class... Options>
void remove_small_boxes(Batch&& batch, float min_size, Options&&... options)
{
    detail::require(try_remove_small_boxes(static_cast<Batch&&>(batch), min_size, static_cast<Options&&>(options)...));
}
/// The same for the boxes of one image, which stay: returns the numbers of those to keep, as torchvision does, or
/// writes them to `kept`, which keeps its memory.
template <detail::bound_values Boxes>
[[nodiscard]] row_numbers remove_small_boxes(const Boxes& boxes, float min_size)
{
    row_numbers kept;
    detail::require(try_remove_small_boxes(kept, boxes, min_size));
    return kept;
}
template <detail::bound_values Boxes>
void remove_small_boxes(row_numbers& kept, const Boxes& boxes, float min_size)
{
    detail::require(try_remove_small_boxes(kept, boxes, min_size));
}

/// Keeps boxes with x2 > x1 and y2 > y1: drops those that are inverted, have no area or contain NaN. (Torchvision's
/// `GeneralizedRCNN` refuses training boxes with x2 <= x1 or y2 <= y1.) In place, or as row numbers, as
/// `remove_small_boxes`.
template <detail::detection_batch Batch, class... Options>
void remove_degenerate_boxes(Batch&& batch, Options&&... options)
{
    detail::require(try_remove_degenerate_boxes(static_cast<Batch&&>(batch), static_cast<Options&&>(options)...));
}
template <detail::bound_values Boxes>
[[nodiscard]] row_numbers remove_degenerate_boxes(const Boxes& boxes)
{
    row_numbers kept;
    detail::require(try_remove_degenerate_boxes(kept, boxes));
    return kept;
}
template <detail::bound_values Boxes>
void remove_degenerate_boxes(row_numbers& kept, const Boxes& boxes)
{
    detail::require(try_remove_degenerate_boxes(kept, boxes));
}
#endif

} // namespace padbatch::inline PADBATCH_ABI

#endif
