// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_DETECTION_MASKS_HPP
#define PADBATCH_DETECTION_MASKS_HPP

#include <padbatch/detection/detail/pasted_source.hpp>
#include <padbatch/pad.hpp>
#include <padbatch/pad_options.hpp>
#include <padbatch/padded.hpp>
#include <padbatch/padded_view.hpp>
#include <padbatch/source.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <tuple>
#include <type_traits>

/// Full-size masks from region masks. The mask head of a Mask R-CNN gives each box a small mask of probabilities,
/// usually 28 x 28; `paste_masks` resizes it to the box and pastes it into the image. Torchvision's models do this as
/// their last step; a model that was padded with `--masks roi` leaves it to the program that runs it.
///
/// The formula is that of `paste_masks_in_image` in torchvision/models/detection/roi_heads.py, and of
/// `_onnx_expand_boxes` and `_onnx_paste_mask_in_image` there, which exported models contain. A border of zeros, one
/// cell wide, is added to the region mask; the box grows about its centre as the mask's width did, by (w + 2) / w, and
/// is cut to whole pixels, toward zero; the mask is resized to the box (bilinear, `align_corners=False`) and cut off at
/// the borders of the image.
///
/// Boxes are x1, y1, x2, y2 in pixels of the full mask. A box that covers no pixel of the image gives a mask of zeros:
/// one that is outside, ends before it begins, is not finite, or reaches 2^30 pixels or more from the origin. (For
/// these, torchvision raises an error or depends on how the processor converts floats.)
namespace padbatch::inline PADBATCH_ABI {

/// The least probability at which a pixel belongs to the object, above 0 and up to 1. The default is 0.5, as
/// torchvision recommends (`mask >= 0.5`). An option of `paste_masks`, for masks of uint8 and bool.
class mask_threshold {
public:
    constexpr mask_threshold() noexcept = default;
    constexpr explicit mask_threshold(float value) noexcept : m_value(value) {}

    [[nodiscard]] constexpr float value() const noexcept { return m_value; }

private:
    float m_value = 0.5F;
};

namespace detail {

template <class Option>
inline constexpr bool is_mask_threshold = std::is_same_v<std::remove_cvref_t<Option>, mask_threshold>;
template <class Option>
inline constexpr bool is_paste_option =
    is_mask_threshold<Option> || (is_pad_option<Option> && !is_fill<Option> && !is_overflow<Option>);
template <>
inline constexpr bool is_paste_option<overflow::error_t> = true;
template <>
inline constexpr bool is_paste_option<overflow::truncate_t> = true;

template <class T, class... Options>
consteval bool paste_options_known() noexcept
{
    static_assert((is_paste_option<std::remove_cvref_t<Options>> && ...),
                  "an option of paste_masks is one of mask_threshold(...), overflow::truncate, capacity::..., "
                  "padding::reuse, a workspace");
    static_assert((std::size_t{0} + ... + (is_mask_threshold<Options> ? 1 : 0)) < 2, "mask_threshold is given twice");
    static_assert(!std::is_same_v<T, float> || !(is_mask_threshold<Options> || ...),
                  "float masks are the probabilities themselves: a threshold is for std::uint8_t and bool");
    return true;
}

/// The source of the full masks, with the threshold that the options give.
template <class T, class E, class Batch, class... Options>
[[nodiscard]] auto pasted(const Batch& batch, const E& row, bool zeroed, const Options&... options) noexcept
{
    static_assert(source<Batch>, "paste_masks takes a batch with t::boxes and t::masks: a padded_view, an owner, "
                                 "each(...), generated(...)");
    static_assert(paste_options_known<T, Options...>());
    const mask_threshold* const given = find_option<const mask_threshold>(options...);
    const mask_threshold threshold = given == nullptr ? mask_threshold() : *given;
    return pasted_source<T, E, Batch>(batch, row, {threshold.value(), zeroed, false});
}

template <class Option>
[[nodiscard]] auto if_of_padding(Option& option) noexcept
{
    if constexpr (is_mask_threshold<Option>) {
        return std::tuple<>();
    } else {
        return std::tuple<Option&>(option);
    }
}

/// `try_pad_into` with the options that are meant for it.
template <class Output, class Source, class... Options>
[[nodiscard]] status pad_pasted(Output& output, const Source& pasted, Options&... options)
{
    return std::apply([&](auto&... own) { return try_pad_into(output, pasted, own...); },
                      std::tuple_cat(if_of_padding(options)...));
}

} // namespace detail

/// The non-throwing form of `paste_masks`. A failure writes nothing. Sets a `pad_result` that is among the options.
template <class Field, source Batch, class... Options>
[[nodiscard]] status try_paste_masks(const padded_view<Field>& full, const Batch& batch, Options&&... options)
{
    static_assert(std::is_same_v<typename Field::tag, t::masks_t>, "full masks go into a batch of t::masks");
    return detail::pad_pasted(
        full, detail::pasted<typename Field::value_type>(batch, full[t::masks].extents(), false, options...),
        options...);
}

/// The same for an owner, which takes the batch's size and grows if it must.
template <class Field, source Batch, class... Options>
[[nodiscard]] status try_paste_masks(padded<Field>& full, const Batch& batch, Options&&... options)
{
    static_assert(std::is_same_v<typename Field::tag, t::masks_t>, "full masks go into a batch of t::masks");
    return detail::pad_pasted(
        full, detail::pasted<typename Field::value_type>(batch, full[t::masks].extents(), false, options...),
        options...);
}

/// The same for one image without a batch: n boxes `[n, 4]` and n region masks `[n, 1, h, w]` give n full masks
/// `[n, 1, H, W]`. Each is rows, such as `image[t::boxes]`, or a contiguous container:
///
///     try_paste_masks(t::masks(pixels, 1, 800, 1333), t::boxes(boxes), t::masks(regions, 1, 28, 28))
template <class X, class E, detail::bound_values Boxes, detail::bound_values Regions, class... Options>
[[nodiscard]] status try_paste_masks(const bound<t::masks_t, X, E>& full, const Boxes& boxes, const Regions& regions,
                                     const Options&... options) noexcept
{
    static_assert(std::is_same_v<typename Boxes::tag, t::boxes_t> && std::is_same_v<typename Regions::tag, t::masks_t>,
                  "the order is paste_masks(t::masks(full, 1, H, W), t::boxes(boxes), t::masks(regions, 1, h, w))");
    using full_type = bound<t::masks_t, X, E>;
    using field_type = detail::field_of_values<full_type>;
    using view = padded_view<field_type>;
    if (status outcome = detail::check_rows<Boxes>(boxes.value, boxes.row); !outcome.ok()) {
        return outcome;
    }
    const std::size_t n = detail::rows_of<Boxes>(boxes.value, boxes.row).size();
    if (status outcome = view::check_sizes(1, n, full); !outcome.ok()) {
        return outcome;
    }
    const auto rows = detail::rows_of<full_type>(full.value, full.row);
    std::int64_t count = 0; // of the one image
    return try_paste_masks(view(unchecked, 1, n, &count, element_type::int64, {rows.data(), rows.extents()}),
                           generated(1, [&](std::size_t /*image*/) { return image_of(boxes, regions); }), options...);
}

#if PADBATCH_EXCEPTIONS
/// Makes the full masks of a batch, `[B, M, 1, H, W]` (or `[B, M, H, W]`), from its boxes `[B, M, 4]` and region masks
/// `[B, M, 1, h, w]` (or `[B, M, h, w]`), both float; other fields of the batch are ignored. Float masks are
/// probabilities; uint8 and bool masks are 1 from the threshold on, else 0.
///
/// `full` is a `padded_view`, or an owner that was made for the image: `padded<masks<bool>>(B, M, t::masks.shape(1, H,
/// W))`. It gets the batch's counts, and zeros in the rows behind them, as with `pad_into`. Options, in any order:
/// `mask_threshold`, and `pad_into`'s `overflow::truncate`, `capacity`, `padding::reuse`.
///
/// Writes each byte once, reads and computes only what is inside the boxes, and allocates nothing (unless an owner has
/// to grow). Throws `error`, having written nothing, as `pad_into` does, and if masks have another shape or the
/// threshold is out of range.
template <class Full, source Batch, class... Options>
    requires(!detail::bound_values<Full>)
pad_result paste_masks(Full&& full, const Batch& batch, Options&&... options)
{
    pad_result result;
    detail::require(try_paste_masks(full, batch, options..., result));
    return result;
}

/// The same for one image; see `try_paste_masks`.
template <detail::bound_values Full, detail::bound_values Boxes, detail::bound_values Regions, class... Options>
void paste_masks(const Full& full, const Boxes& boxes, const Regions& regions, const Options&... options)
{
    detail::require(try_paste_masks(full, boxes, regions, options...));
}

/// The same into new memory, of which only the pixels inside the boxes are touched: the system zeroes the other pages
/// when they are first read. M is the largest count of the batch unless `capacity` says otherwise.
template <class T, source Batch, class... Options>
[[nodiscard]] padded<masks<T>> paste_masks(const Batch& batch, std::size_t height, std::size_t width,
                                           Options&&... options)
{
    padded<masks<T>> full;
    const typename masks<T>::extents_type extents{std::array<std::size_t, 3>{1, height, width}};
    detail::require(detail::pad_pasted(full, detail::pasted<T>(batch, extents, true, options...), options...));
    return full;
}
#endif

} // namespace padbatch::inline PADBATCH_ABI

#endif
