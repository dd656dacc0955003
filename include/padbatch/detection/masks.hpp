// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_DETECTION_MASKS_HPP
#define PADBATCH_DETECTION_MASKS_HPP

#include <padbatch/detection/detail/pasted_source.hpp>
#include <padbatch/pad.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <tuple>
#include <type_traits>

/// Full-size masks from region masks. The mask head of a Mask R-CNN gives each box a small mask of probabilities,
/// usually 28 x 28; `paste_masks` resizes it to the box and puts it into the image. Torchvision's models do this last
/// of all; one that was padded with `--masks roi` leaves it to the program that runs it.
///
/// The formula is that of `paste_masks_in_image` in torchvision/models/detection/roi_heads.py, and of its twins there
/// that exported models have, `_onnx_expand_boxes` and `_onnx_paste_mask_in_image`: a border of zeros, one cell wide,
/// is added to the region mask; the box grows about its centre as the mask's width did, (w + 2) / w, and is cut to
/// whole pixels, toward zero; the mask is resized to it (bilinear, `align_corners=False`) and cut off at the image's
/// borders.
///
/// Boxes are x1, y1, x2, y2 in pixels of the full mask. One that covers no pixel of the image gives a mask of zeros: it
/// lies outside, or ends before it begins, or is not finite, or reaches 2^30 pixels and more from the origin. (Of
/// these, torchvision raises an error or does as the processor's conversion of floats does.)
namespace padbatch::inline PADBATCH_MODE {

/// From which probability on a pixel belongs to the object, 0.5 as torchvision recommends (`mask >= 0.5`): above 0, and
/// 1 at most. An option of `paste_masks`, for masks of uint8 and bool.
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

/// The source that the options ask for.
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

/// `try_pad_into` with those of the options that are its own.
template <class Output, class Source, class... Options>
[[nodiscard]] status pad_pasted(Output& output, const Source& pasted, Options&... options)
{
    return std::apply([&](auto&... own) { return try_pad_into(output, pasted, own...); },
                      std::tuple_cat(if_of_padding(options)...));
}

} // namespace detail

/// `paste_masks` told by a status: when it fails, nothing has been written. A `pad_result` among the options is set.
template <class Field, source Batch, class... Options>
[[nodiscard]] status try_paste_masks(const padded_view<Field>& full, const Batch& batch, Options&&... options)
{
    static_assert(std::is_same_v<typename Field::tag, t::masks_t>, "full masks go into a batch of t::masks");
    return detail::pad_pasted(
        full, detail::pasted<typename Field::value_type>(batch, full[t::masks].extents(), false, options...),
        options...);
}

/// The same for an owner, which takes the batch's size, and grows where it has to.
template <class Field, source Batch, class... Options>
[[nodiscard]] status try_paste_masks(padded<Field>& full, const Batch& batch, Options&&... options)
{
    static_assert(std::is_same_v<typename Field::tag, t::masks_t>, "full masks go into a batch of t::masks");
    return detail::pad_pasted(
        full, detail::pasted<typename Field::value_type>(batch, full[t::masks].extents(), false, options...),
        options...);
}

/// The same for one image: n boxes `[n, 4]` and n region masks `[n, 1, h, w]` give n full masks `[n, 1, H, W]`, with no
/// batch around them. Each is rows, such as `image[t::boxes]`, or a contiguous container:
///
///     try_paste_masks(t::masks(pixels, 1, 800, 1333), t::boxes(boxes), t::masks(regions, 1, 28, 28))
template <class X, class E, class Boxes, class Regions, class... Options>
    requires(is_bound<Boxes> && is_bound<Regions>) //
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
    return try_paste_masks(view(unchecked, 1, n, &count, detail::number_type::int64, {rows.data(), rows.extents()}),
                           generated(1, [&](std::size_t /*image*/) { return image_of(boxes, regions); }), options...);
}

#if PADBATCH_EXCEPTIONS
/// Makes the full masks of a batch, `[B, M, 1, H, W]` (or `[B, M, H, W]`), from its boxes `[B, M, 4]` and region masks
/// `[B, M, 1, h, w]` (or `[B, M, h, w]`), both float; the batch's other fields are not looked at. As float, these are
/// probabilities; as uint8 or bool, 1 from the threshold on, else 0.
///
/// `full` is a `padded_view`, or an owner that was made for the image: `padded<masks<bool>>(B, M, t::masks.shape(1, H,
/// W))`. It gets the batch's counts, and zeros in the rows behind them, as with `pad_into`, of which this is a form.
/// Options, in any order: `mask_threshold`, and `pad_into`'s `overflow::truncate`, `capacity`, `padding::reuse`.
///
/// Writes each byte once, reads and computes only what lies inside of the boxes, allocates nothing (but for an owner
/// that has to grow). Throws `error`, and then nothing has been written: what `pad_into` throws, and masks of another
/// shape, or a threshold out of range.
template <class Full, source Batch, class... Options>
    requires(!is_bound<Full>)
pad_result paste_masks(Full&& full, const Batch& batch, Options&&... options)
{
    pad_result result;
    detail::require(try_paste_masks(full, batch, options..., result));
    return result;
}

/// The same for one image; see `try_paste_masks`.
template <class Full, class Boxes, class Regions, class... Options>
    requires(is_bound<Full> && is_bound<Boxes> && is_bound<Regions>) //
void paste_masks(const Full& full, const Boxes& boxes, const Regions& regions, const Options&... options)
{
    detail::require(try_paste_masks(full, boxes, regions, options...));
}

/// The same into memory of its own, of which only the pixels inside of the boxes are touched: the others are pages that
/// the system zeroes, if ever somebody reads them. M is the largest count of the batch unless `capacity` says
/// otherwise.
template <class T, source Batch, class... Options>
[[nodiscard]] padded<masks<T>> paste_masks(const Batch& batch, std::size_t height, std::size_t width,
                                           Options&&... options)
{
    padded<masks<T>> full;
    const std::size_t row[] = {1, height, width};
    const typename masks<T>::extents_type extents{std::span<const std::size_t, 3>(row)};
    detail::require(detail::pad_pasted(full, detail::pasted<T>(batch, extents, true, options...), options...));
    return full;
}
#endif

} // namespace padbatch::inline PADBATCH_MODE

#endif
