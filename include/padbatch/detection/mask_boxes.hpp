// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_DETECTION_MASK_BOXES_HPP
#define PADBATCH_DETECTION_MASK_BOXES_HPP

#include <padbatch/counts.hpp>
#include <padbatch/detail/copy_row.hpp>
#include <padbatch/detection/detail/made_rows.hpp>
#include <padbatch/detection/detail/mask_scan.hpp>
#include <padbatch/element_type.hpp>

#include <cstddef>
#include <cstdint>
#include <type_traits>

/// Boxes and areas of masks, and masks that are cut to their boxes.
///
/// A mask is float, std::uint8_t or bool, `[1, H, W]` or `[H, W]`. A pixel belongs to the object if it is not 0 (of
/// float masks make bytes first, with `threshold_masks`, unless that is what you want).
///
/// `mask_to_boxes` and `mask_areas` take the rows of one image or a whole batch, and outputs as in mask_bits.hpp: for
/// rows `t::boxes(memory)`, `t::values(memory)`; for a batch (any source with t::masks) a `padded_view`, a padded owner
/// or a ragged owner of the one field. Options are those of `pad_into`, and `parallel`. Nothing is allocated, unless an
/// owner has to grow, and a failure writes nothing.
namespace padbatch::inline PADBATCH_ABI {

namespace detail {

/// What the operations of this header have in common: one mask to one row of numbers.
template <class Self>
struct measure_operation {
    template <class Option>
    static constexpr bool takes = false;

    [[nodiscard]] static status check() noexcept { return {}; }
    [[nodiscard]] static bool overlaps(const void* /*first*/, const void* /*last*/) noexcept { return false; }

    template <class Batch, class E>
    [[nodiscard]] static status check_batch(const Batch& batch, E& /*row*/) noexcept
    {
        static_assert(!std::is_void_v<field_of<t::masks_t, typename Batch::fields>>, "the batch has no t::masks");
        static_assert(rows_are_masks<decltype(batch.image(0)[t::masks])>());
        return {};
    }
    template <class Image, class E>
    [[nodiscard]] static status check_image(const Image& image, std::size_t i, const E& row) noexcept
    {
        const auto from = image[t::masks].extents();
        if (channels_in(from) != 1) {
            return {status_code::row_mismatch, "image {} has masks of {}; expected [1, H, W]", i, from.to_array()};
        }
        return Self::check_sides(i, row, height_in(from), width_in(from));
    }
    template <class Rows, class Image>
    void make(const Rows& made, const Image& image, std::size_t /*i*/, bool /*streams*/) const noexcept
    {
        const auto masks = image[t::masks];
        for (std::size_t j = 0; j < made.size(); ++j) {
            Self::measure(made.row_data(j), mask_of_row(masks, j), height_in(masks.extents()),
                          width_in(masks.extents()));
        }
    }
};

template <class T>
struct box_operation : measure_operation<box_operation<T>> {
    static_assert(std::is_same_v<T, float>, "boxes of masks are float");

    template <class E>
    [[nodiscard]] static status check_sides(std::size_t /*i*/, const E& row, std::size_t /*height*/,
                                            std::size_t /*width*/) noexcept
    {
        static_assert(E::rank == 1 && may_be_same<E, row_extents<4>>(), "a box is 4 numbers, x1, y1, x2, y2");
        if (row.size() != 4) {
            return {status_code::row_mismatch, "the output has boxes of {} numbers; expected 4: x1, y1, x2, y2",
                    row.size()};
        }
        return {};
    }
    template <class From>
    static void measure(float* box, const From* mask, std::size_t height, std::size_t width) noexcept
    {
        const set_extent found = extent_of_set(mask, height, width);
        box[0] = static_cast<float>(found.left);
        box[1] = static_cast<float>(found.top);
        box[2] = static_cast<float>(found.right);
        box[3] = static_cast<float>(found.bottom);
    }
};

template <class T>
struct area_operation : measure_operation<area_operation<T>> {
    static_assert(std::is_same_v<T, float> || std::is_same_v<T, std::int32_t> || std::is_same_v<T, std::int64_t>,
                  "areas are float, std::int32_t or std::int64_t");

    template <class E>
    [[nodiscard]] static status check_sides(std::size_t i, const E& /*row*/, std::size_t height,
                                            std::size_t width) noexcept
    {
        static_assert(E::rank == 0, "an area is one number for each row, as in t::values(areas)");
        if (width != 0 && height > highest_number(element_type_of<T>) / width) {
            return {status_code::size_overflow,
                    "image {} has masks of {} x {} pixels, more than the type of the areas can hold: take std::int64_t",
                    i, height, width};
        }
        return {};
    }
    template <class From>
    static void measure(T* area, const From* mask, std::size_t height, std::size_t width) noexcept
    {
        *area = static_cast<T>(count_set(mask, height * width));
    }
};

/// `make_rows` of an operation that measures masks, for rows or batches.
template <template <class> class Operation, class Output, class Masks, class... Options>
[[nodiscard]] status measure_masks(Output&& output, const Masks& masks, Options&... options)
{
    if constexpr (bound_values<Output>) {
        using output_type = std::remove_cvref_t<Output>;
        static_assert(bound_values<Masks>, "rows are made from rows: the masks are t::masks(masks, 1, H, W)");
        static_assert(std::is_same_v<typename Masks::tag, t::masks_t>, "the masks are named t::masks");
        static_assert(sizeof...(Options) == 0, "the rows of one image take no options");
        using operation = Operation<typename bound_rows<output_type>::value_type>;
        return make_rows_of(output, operation(), masks);
    } else {
        static_assert(made_output<Output>, "the output is a padded_view, a padded or ragged owner that is a variable, "
                                           "or t::boxes(...), t::values(...) for one image");
        static_assert(batch_can_be_changed<Output>());
        using field_type = typename only_field<typename std::remove_cvref_t<Output>::fields>::type;
        return make_rows(output, masks, Operation<typename field_type::value_type>(), options...);
    }
}

/// Cuts the masks of one image to their boxes.
template <class Image>
void crop_image(const Image& image) noexcept
{
    const auto masks = image[t::masks];
    const auto boxes = image[t::boxes];
    using T = typename std::remove_cvref_t<decltype(masks)>::value_type;
    const std::size_t height = height_in(masks.extents());
    const std::size_t width = width_in(masks.extents());
    for (std::size_t j = 0; j < masks.size(); ++j) {
        float box[4];
        copy_row_of(box, row_extents<4>{}, boxes, j);
        auto* const first = const_cast<stored_mask<T>*>(mask_of_row(masks, j));
        clear_around(first, height, width, pixels_between(box[0], box[2], width),
                     pixels_between(box[1], box[3], height));
    }
}

/// Checks masks and boxes to cut them to.
template <class Masks, class Boxes>
[[nodiscard]] status check_crop(const Masks& masks, const Boxes& boxes) noexcept
{
    static_assert(rows_are_masks<Masks>());
    static_assert(std::is_same_v<typename Boxes::value_type, float>, "boxes are float, in pixels of the mask");
    static_assert(Boxes::extents_type::rank == 1 && may_be_same<typename Boxes::extents_type, row_extents<4>>(),
                  "a box is 4 numbers, x1, y1, x2, y2");
    if (boxes.size() != masks.size()) {
        return {status_code::field_mismatch, "there are {} masks, but {} boxes", masks.size(), boxes.size()};
    }
    if (masks.size() != 0 && boxes.row_size() != 4) {
        return {status_code::row_mismatch, "boxes have {} numbers; expected 4: x1, y1, x2, y2", boxes.row_size()};
    }
    if (masks.size() != 0 && channels_in(masks.extents()) != 1) {
        return {status_code::row_mismatch, "masks have rows of {}; expected [1, H, W]", masks.extents().to_array()};
    }
    return {};
}

} // namespace detail

/// The tight box around each mask: `boxes[j] = {x1, y1, x2, y2}`, float, the first and the last column and row with a
/// pixel that is not 0. As `masks_to_boxes` in torchvision/ops/boxes.py has it, x2 and y2 are the last pixels
/// themselves, so that a mask of one pixel has a box without width. The box of an empty mask is 0, 0, 0, 0 (torchvision
/// raises an error). Reads the pixels outside the box, and few of those inside.
template <class Output, class Masks, class... Options>
[[nodiscard]] status try_mask_to_boxes(Output&& boxes, const Masks& masks, Options&&... options)
{
    static_assert(detail::batch_options_fit<Options...>());
    return detail::measure_masks<detail::box_operation>(static_cast<Output&&>(boxes), masks, options...);
}

/// The number of pixels of each mask that are not 0, as float, std::int32_t or std::int64_t: `t::values(areas)`, or a
/// batch of `field<t::values_t, std::int64_t>` (or a tag of your own). Fails if H * W is more than the type can hold,
/// 2^24 for float. At the speed of memory.
template <class Output, class Masks, class... Options>
[[nodiscard]] status try_mask_areas(Output&& areas, const Masks& masks, Options&&... options)
{
    static_assert(detail::batch_options_fit<Options...>());
    return detail::measure_masks<detail::area_operation>(static_cast<Output&&>(areas), masks, options...);
}

/// Cuts masks to their boxes, in place: pixels with x1 <= x < x2 and y1 <= y < y2 stay, all others become 0. Boxes are
/// float, in pixels of the mask. This is `crop_mask` in ultralytics/utils/ops.py, except that a pixel outside is 0
/// even if it was NaN or infinite. A box that ends before it begins, or has a NaN, leaves nothing. Touches the pixels
/// outside only.
template <detail::bound_values Masks, detail::bound_values Boxes>
[[nodiscard]] status try_crop_masks(const Masks& masks, const Boxes& boxes) noexcept
{
    static_assert(std::is_same_v<typename Masks::tag, t::masks_t> && std::is_same_v<typename Boxes::tag, t::boxes_t>,
                  "the order is crop_masks(t::masks(masks, 1, H, W), t::boxes(boxes))");
    static_assert(!std::is_const_v<typename detail::bound_rows<Masks>::element_type>, "the masks are const");
    return detail::first_failure(
        [&] { return detail::check_rows<Masks>(masks.value, masks.row); },
        [&] { return detail::check_rows<Boxes>(boxes.value, boxes.row); },
        [&]() -> status {
            const auto mask_rows = detail::rows_of<Masks>(masks.value, masks.row);
            const auto box_rows = detail::rows_of<Boxes>(boxes.value, boxes.row);
            if (status outcome = detail::check_crop(mask_rows, box_rows); !outcome.ok()) {
                return outcome;
            }
            for (std::size_t j = 0; j < mask_rows.size(); ++j) {
                auto* const first = detail::first_of_row(mask_rows, j);
                if (detail::rows_overlap(box_rows, first, first + mask_rows.extents().size())) {
                    return {status_code::overlap, "the masks overlap the boxes, which are read while they are written"};
                }
            }
            detail::crop_image(image_of(masks, boxes));
            return {};
        });
}

/// The same for a whole batch with t::masks and t::boxes, in place: a padded owner, a ragged owner, or a `padded_view`
/// whose masks are not const. Padding is not touched. Takes `parallel`.
template <detail::detection_batch Batch, class... Options>
[[nodiscard]] status try_crop_masks(Batch&& batch, Options&&... options)
{
    using type = std::remove_cvref_t<Batch>;
    static_assert(detail::values_can_be_changed<t::masks_t, Batch>());
    static_assert(!std::is_void_v<detail::field_of<t::boxes_t, typename type::fields>>, "the batch has no t::boxes");
    static_assert((detail::is_batch_option<Options> && ...), "the option of crop_masks is parallel(...)");
    for (std::size_t i = 0; i < batch.size(); ++i) {
        const auto image = batch.image(i);
        if (status outcome = detail::check_crop(image[t::masks], image[t::boxes]); !outcome.ok()) {
            return outcome;
        }
    }
    return detail::change_images(
        batch, [](const auto& image, std::size_t /*i*/) noexcept { detail::crop_image(image); }, options...);
}

#if PADBATCH_EXCEPTIONS
/// The throwing forms.
template <class Output, class Masks, class... Options>
void mask_to_boxes(Output&& boxes, const Masks& masks, Options&&... options)
{
    detail::require(try_mask_to_boxes(static_cast<Output&&>(boxes), masks, static_cast<Options&&>(options)...));
}
template <class Output, class Masks, class... Options>
void mask_areas(Output&& areas, const Masks& masks, Options&&... options)
{
    detail::require(try_mask_areas(static_cast<Output&&>(areas), masks, static_cast<Options&&>(options)...));
}
template <detail::bound_values Masks, detail::bound_values Boxes>
void crop_masks(const Masks& masks, const Boxes& boxes)
{
    detail::require(try_crop_masks(masks, boxes));
}
template <detail::detection_batch Batch, class... Options>
void crop_masks(Batch&& batch, Options&&... options)
{
    detail::require(try_crop_masks(static_cast<Batch&&>(batch), options...));
}
#endif

} // namespace padbatch::inline PADBATCH_ABI

#endif
