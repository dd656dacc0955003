// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_DETECTION_RLE_ENCODE_HPP
#define PADBATCH_DETECTION_RLE_ENCODE_HPP

#include <padbatch/detail/check_source.hpp>
#include <padbatch/detail/copy_row.hpp>
#include <padbatch/detail/first_failure.hpp>
#include <padbatch/detection/detail/rle_changes.hpp>
#include <padbatch/detection/detail/rle_options.hpp>
#include <padbatch/detection/masks.hpp>
#include <padbatch/detection/run_lengths.hpp>
#include <padbatch/pad_options.hpp>
#include <padbatch/rows_of.hpp>
#include <padbatch/source.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>

/// Masks to COCO's run lengths: full masks, of bytes or bits, and region masks with their boxes.
namespace padbatch::inline PADBATCH_ABI {

namespace detail {

/// The elements of row j, adjacent.
template <class Rows>
[[nodiscard]] auto row_elements(const Rows& rows, std::size_t j) noexcept
{
    if constexpr (requires { rows.row_data(j); }) {
        static_assert(!std::is_same_v<typename Rows::layout_type, layout::element_strided>,
                      "the elements of a mask must be adjacent");
        return rows.row_data(j);
    } else {
        static_assert(requires { rows[j].data(); }, "the elements of a mask must be adjacent");
        return rows[j].data();
    }
}

/// A batch with full masks, and the size that all of them have.
template <class Batch>
struct full_masks {
    using masks_field = field_of<t::masks_t, typename Batch::fields>;
    static_assert(!std::is_void_v<masks_field>, "run lengths are made from full masks, t::masks: the batch needs them");
    using extents_type = typename masks_field::extents_type;
    static_assert(is_pixel<typename masks_field::value_type>,
                  "full masks must be std::uint8_t or bool; for probabilities see paste_masks and rle_encode_regions");
    static_assert(extents_type::rank == 2 || extents_type::rank == 3, "masks must have rows of [1, H, W] or [H, W]");

    const Batch& batch;
    std::size_t height = 0;
    std::size_t row = 0; // the elements of one row of pixels

    [[nodiscard]] status check() noexcept
    {
        if (status outcome = check_source(batch); !outcome.ok()) {
            return outcome;
        }
        for (std::size_t i = 0; i < batch.size(); ++i) {
            if (batch.count(i) == 0) {
                continue;
            }
            const auto image = batch.image(i);
            const auto extents = image[t::masks].extents(); // a copy: the rows are a temporary
            constexpr std::size_t rank = extents_type::rank;
            const std::size_t h = extents.extent(rank - 2);
            const std::size_t w = extents.extent(rank - 1);
            if (rank == 3 && extents.extent(0) != 1) {
                return {status_code::row_mismatch, "image {} has masks of {}; expected one channel, [1, H, W]", i,
                        extents.to_array()};
            }
            if (height != 0 && (h != height || w != row)) {
                return {status_code::row_mismatch,
                        "image {} has masks of {} x {}, but an image before it of {} x {}: a list of run lengths is of "
                        "masks of one size",
                        i,
                        h,
                        w,
                        height,
                        row};
            }
            if (status outcome = check_rle_size(h, w); !outcome.ok()) {
                return outcome;
            }
            height = h;
            row = w;
        }
        return {};
    }

    /// Appends the run lengths of all masks; bits and bytes differ in `Pixels`.
    template <class Pixels>
    [[nodiscard]] status encode(run_lengths& runs, std::size_t width, buffer<std::byte>& scratch) const noexcept
    {
        if (height == 0) { // there is no mask
            return {};
        }
        if (status outcome = rle_access::check_same_size(runs, height, width); !outcome.ok()) {
            return outcome;
        }
        const std::size_t before = runs.size();
        for (std::size_t i = 0; i < batch.size(); ++i) {
            const auto image = batch.image(i);
            const auto rows = image[t::masks];
            for (std::size_t j = 0; j < rows.size(); ++j) {
                const auto* const pixels = reinterpret_cast<const std::uint8_t*>(row_elements(rows, j));
                if (!encode_mask<Pixels>(runs, pixels, height, width, row, scratch)) {
                    rle_access::shrink(runs, before);
                    return no_memory_for_rle();
                }
            }
        }
        return {};
    }
};

} // namespace detail

/// Appends the run lengths of all masks of a batch: t::masks, `[1, H, W]` or `[H, W]`, of uint8 or bool. Pixels that
/// are not 0 belong to the object. (pycocotools' `rleEncode` begins a run wherever the value changes, and reads
/// columns, so that Python has to transpose the masks first.)
///
/// Reads each byte once; costs little more than that, and a few nanoseconds for each run.
template <source Batch, class... Options>
[[nodiscard]] status try_rle_encode(run_lengths& runs, const Batch& batch, Options&... options) noexcept
{
    static_assert(detail::rle_options_known<Options...>());
    detail::full_masks<Batch> full{batch};
    if (status outcome = full.check(); !outcome.ok()) {
        return outcome;
    }
    detail::buffer<std::byte> own;
    return full.template encode<detail::byte_pixels>(runs, full.row, detail::rle_scratch(own, options...));
}

/// The same for one image: `try_rle_encode(runs, t::masks(pixels, 1, H, W))`.
template <detail::bound_values Masks, class... Options>
[[nodiscard]] status try_rle_encode(run_lengths& runs, const Masks& masks, Options&... options) noexcept
{
    if (status outcome = detail::check_bounds(masks); !outcome.ok()) {
        return outcome;
    }
    return try_rle_encode(runs, generated(1, [&](std::size_t /*image*/) { return image_of(masks); }), options...);
}

/// Appends the run lengths of masks of bits, `[H, (W + 7) / 8]` bytes of which the highest bit is the first pixel, as
/// numpy's `packbits` makes them: `try_rle_encode_bits(runs, W, t::masks(bits, 1, H, (W + 7) / 8))`. Bits behind
/// the last pixel of a row are ignored.
template <source Batch, class... Options>
[[nodiscard]] status try_rle_encode_bits(run_lengths& runs, std::size_t width, const Batch& batch,
                                         Options&... options) noexcept
{
    static_assert(detail::rle_options_known<Options...>());
    using full_type = detail::full_masks<Batch>;
    static_assert(std::is_same_v<typename full_type::masks_field::value_type, std::uint8_t>,
                  "masks of bits must be std::uint8_t, eight pixels each");
    full_type full{batch};
    if (status outcome = full.check(); !outcome.ok()) {
        return outcome;
    }
    if (full.height != 0) {
        if (width == 0 || (width - 1) / 8 + 1 != full.row) {
            return {status_code::row_mismatch, "masks of bits have rows of {} bytes; expected {}, for {} pixels",
                    full.row, width / 8 + (width % 8 != 0 ? 1 : 0), width};
        }
        if (status outcome = detail::check_rle_size(full.height, width); !outcome.ok()) {
            return outcome;
        }
    }
    detail::buffer<std::byte> own;
    return full.template encode<detail::bit_pixels>(runs, width, detail::rle_scratch(own, options...));
}
/// The same for one image.
template <detail::bound_values Masks, class... Options>
[[nodiscard]] status try_rle_encode_bits(run_lengths& runs, std::size_t width, const Masks& masks,
                                         Options&... options) noexcept
{
    if (status outcome = detail::check_bounds(masks); !outcome.ok()) {
        return outcome;
    }
    return try_rle_encode_bits(runs, width, generated(1, [&](std::size_t /*image*/) { return image_of(masks); }),
                               options...);
}

/// Appends the run lengths of the full masks of a batch, without making these: those of what `paste_masks` gives for
/// its boxes `[B, M, 4]`, region masks `[B, M, 1, h, w]`, both float, an image of height x width pixels and the
/// `mask_threshold` among the options. Any batch will do: padded or ragged, a view, `each(...)`.
///
/// Costs what is inside the boxes: they are computed a row at a time, and never stored.
template <source Batch, class... Options>
[[nodiscard]] status try_rle_encode_regions(run_lengths& runs, const Batch& batch, std::size_t height,
                                            std::size_t width, Options&&... options) noexcept
{
    static_assert(
        ((std::is_same_v<std::remove_reference_t<Options>, workspace> || detail::is_mask_threshold<Options>) && ...),
        "an option of rle_encode_regions is a mask_threshold(...), or a workspace, which is a variable");
    using full_field = masks<std::uint8_t>;
    using extents_type = typename full_field::extents_type;
    if (status outcome =
            detail::first_failure([&] { return detail::check_rle_size(height, width); },
                                  [&] { return detail::rle_access::check_same_size(runs, height, width); });
        !outcome.ok()) {
        return outcome;
    }
    const auto* const given = detail::find_option<const mask_threshold>(options...);
    const float threshold = (given == nullptr ? mask_threshold() : *given).value();
    const detail::pasted_source<std::uint8_t, extents_type, Batch> pasted(
        batch, extents_type{std::array<std::size_t, 3>{1, height, width}}, {threshold, false, false});
    if (status outcome = detail::check_source(pasted); !outcome.ok()) {
        return outcome;
    }
    detail::buffer<std::byte> own;
    auto& scratch = detail::rle_scratch(own, options...);
    const std::size_t before = runs.size();
    for (std::size_t i = 0; i < batch.size(); ++i) {
        const auto image = batch.image(i);
        const auto boxes = image[t::boxes];
        const auto regions = image[t::masks];
        constexpr std::size_t rank = std::remove_cvref_t<decltype(regions.extents())>::rank;
        for (std::size_t j = 0; j < boxes.size(); ++j) {
            float box[4];
            detail::copy_row_of(box, row_extents<4>{}, boxes, j);
            const detail::region_mask region{detail::row_elements(regions, j), regions.extents().extent(rank - 2),
                                             regions.extents().extent(rank - 1)};
            if (!detail::encode_region(runs, height, width, {box[0], box[1], box[2], box[3]}, region, threshold,
                                       scratch)) {
                detail::rle_access::shrink(runs, before);
                return detail::no_memory_for_rle();
            }
        }
    }
    return {};
}
/// The same for one image: `try_rle_encode_regions(runs, t::boxes(boxes), t::masks(regions, 1, 28, 28), 800, 1333)`.
template <detail::bound_values Boxes, detail::bound_values Regions, class... Options>
[[nodiscard]] status try_rle_encode_regions(run_lengths& runs, const Boxes& boxes, const Regions& regions,
                                            std::size_t height, std::size_t width, Options&&... options) noexcept
{
    static_assert(std::is_same_v<typename Boxes::tag, t::boxes_t> && std::is_same_v<typename Regions::tag, t::masks_t>,
                  "the order is rle_encode_regions(runs, t::boxes(boxes), t::masks(regions, 1, h, w), height, width)");
    if (status outcome = detail::check_bounds(boxes, regions); !outcome.ok()) {
        return outcome;
    }
    return try_rle_encode_regions(runs, generated(1, [&](std::size_t /*image*/) { return image_of(boxes, regions); }),
                                  height, width, options...);
}

#if PADBATCH_EXCEPTIONS
/// The throwing forms: each does what `try_...` does, and throws `error` if that fails.
template <class Masks, class... Options>
void rle_encode(run_lengths& runs, const Masks& masks, Options&... options)
{
    detail::require(try_rle_encode(runs, masks, options...));
}
template <class Masks, class... Options>
void rle_encode_bits(run_lengths& runs, std::size_t width, const Masks& masks, Options&... options)
{
    detail::require(try_rle_encode_bits(runs, width, masks, options...));
}
template <source Batch, class... Options>
void rle_encode_regions(run_lengths& runs, const Batch& batch, std::size_t height, std::size_t width,
                        Options&&... options)
{
    detail::require(try_rle_encode_regions(runs, batch, height, width, options...));
}
template <detail::bound_values Boxes, detail::bound_values Regions, class... Options>
void rle_encode_regions(run_lengths& runs, const Boxes& boxes, const Regions& regions, std::size_t height,
                        std::size_t width, Options&&... options)
{
    detail::require(try_rle_encode_regions(runs, boxes, regions, height, width, options...));
}
#endif

} // namespace padbatch::inline PADBATCH_ABI

#endif
