// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_DETECTION_RLE_HPP
#define PADBATCH_DETECTION_RLE_HPP

#include <padbatch/detail/first_failure.hpp>
#include <padbatch/detection/detail/rle_options.hpp>
#include <padbatch/detection/detail/rle_pixels.hpp>
#include <padbatch/detection/detail/rle_string.hpp>
#include <padbatch/detection/rle_encode.hpp>
#include <padbatch/detection/rle_sets.hpp>
#include <padbatch/detection/run_lengths.hpp>
#include <padbatch/fields.hpp>
#include <padbatch/rows.hpp>
#include <padbatch/rows_of.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>

/// COCO's run lengths of masks, as pycocotools makes them (common/maskApi.c): full masks and region masks to run
/// lengths, and back; area, box, union, intersection and IoU of run lengths; the compressed string of COCO's JSON.
///
/// Functions that make run lengths append them to a `run_lengths`; a failure appends nothing. A `workspace` among
/// the options keeps what they need besides: with it, and a list that has been filled before, nothing is allocated.
///
/// The masks of a batch follow one another, image by image: those of image i of `batch` are numbers offsets[i] to
/// offsets[i + 1] of `row_offsets offsets(counts)`.

namespace padbatch::inline PADBATCH_ABI {

/// Writes the pixels of all masks of a list, 0 or 1: `try_rle_decode(t::masks(pixels, 1, H, W), runs)`, `[n, 1, H, W]`
/// of uint8 or bool, in memory that is not read. Fails, having written nothing, unless there are as many masks, of the
/// list's size. pycocotools' `rleDecode`, but row by row. Costs about as much as writing the bytes.
template <class X, class E>
[[nodiscard]] status try_rle_decode(const bound<t::masks_t, X, E>& full, const run_lengths& runs) noexcept
{
    using full_type = bound<t::masks_t, X, E>;
    if (status outcome = detail::check_bounds(full); !outcome.ok()) {
        return outcome;
    }
    const auto rows = detail::rows_of<full_type>(full.value, full.row);
    using rows_type = std::remove_const_t<decltype(rows)>;
    using T = typename rows_type::element_type;
    static_assert(detail::is_pixel<std::remove_const_t<T>> && !std::is_const_v<T>,
                  "masks are decoded into std::uint8_t or bool, in memory that can be written");
    static_assert(rows_type::is_contiguous, "masks are decoded into one piece of memory");
    constexpr std::size_t rank = rows_type::extents_type::rank;
    static_assert(rank == 2 || rank == 3, "masks must have rows of [1, H, W] or [H, W]");
    const auto extents = rows.extents();
    if (rows.size() != runs.size()) {
        return {status_code::field_mismatch, "there is room for {} masks, and {} have run lengths", rows.size(),
                runs.size()};
    }
    if (runs.empty()) {
        return {};
    }
    if ((rank == 3 && extents.extent(0) != 1) || extents.extent(rank - 2) != runs.height() ||
        extents.extent(rank - 1) != runs.width()) {
        return {status_code::row_mismatch,
                "the memory is for masks of {}; expected [1, {}, {}], the size of the run "
                "lengths' masks",
                extents.to_array(), runs.height(), runs.width()};
    }
    if (detail::ranges_overlap(rows.data(), rows.data() + rows.size() * rows.row_size(), runs.counts().data(),
                               runs.counts().data() + runs.counts().size())) {
        return {status_code::overlap, "the masks overlap the run lengths: decode into other memory"};
    }
    auto* to = reinterpret_cast<std::uint8_t*>(rows.data());
    for (std::size_t i = 0; i < runs.size(); ++i, to += rows.row_size()) {
        detail::decode_mask(to, runs[i]);
    }
    return {};
}

/// The number of pixels of the object; pycocotools' `rleArea`.
[[nodiscard]] inline std::uint64_t rle_area(const run_length_view& runs) noexcept
{
    std::uint64_t area = 0;
    for (std::size_t k = 1; k < runs.counts.size(); k += 2) {
        area += runs.counts[k];
    }
    return area;
}

/// The smallest box around the object: x, y, width and height in pixels, as COCO has boxes; all 0 for an empty mask.
/// pycocotools' `rleToBbox`. (Runs of length 0 do not count; pycocotools takes them for pixels.)
[[nodiscard]] inline std::array<std::uint32_t, 4> rle_box(const run_length_view& runs) noexcept
{
    if (runs.height == 0) {
        return {};
    }
    const detail::rle_edges box =
        detail::for_each_run(runs, [](std::size_t, std::size_t, std::size_t) PADBATCH_DETAIL_INLINE_LAMBDA {});
    return {static_cast<std::uint32_t>(box.left), static_cast<std::uint32_t>(box.top),
            static_cast<std::uint32_t>(box.right - box.left), static_cast<std::uint32_t>(box.bottom - box.top)};
}

/// The number of characters of a mask's compressed run lengths, without a zero at the end: up to 7 for each count.
[[nodiscard]] inline std::size_t rle_string_size(const run_length_view& runs) noexcept
{
    return detail::rle_characters(runs);
}

/// Writes a mask's compressed run lengths, the `counts` of COCO's JSON (pycocotools' `rleToString`), and sets `size` to
/// the number of characters. No zero is added. Fails, having written nothing, if there is less room than that.
[[nodiscard]] inline status try_rle_to_string(std::span<char> to, std::size_t& size,
                                              const run_length_view& runs) noexcept
{
    const std::size_t n = detail::rle_characters(runs);
    if (to.size() < n) {
        return {status_code::out_of_memory, "there is room for {} characters; expected {}: see rle_string_size",
                to.size(), n};
    }
    if (detail::ranges_overlap(to.data(), to.data() + to.size(), runs.counts.data(),
                               runs.counts.data() + runs.counts.size())) {
        return {status_code::overlap, "the characters would overwrite the run lengths: take other memory"};
    }
    detail::put_rle_string(to.data(), runs);
    size = n;
    return {};
}

/// Appends a mask from its compressed run lengths, such as a `std::string` or `std::string_view`, and its size
/// (pycocotools' `rleFrString`). Fails, having appended nothing, for characters that are none of these strings, numbers
/// that are cut off or too long, and run lengths that are no mask of this size.
[[nodiscard]] inline status try_rle_from_string(run_lengths& runs, std::span<const char> text, std::size_t height,
                                                std::size_t width) noexcept
{
    if (status outcome =
            detail::first_failure([&] { return detail::check_rle_size(height, width); },
                                  [&] { return detail::rle_access::check_same_size(runs, height, width); });
        !outcome.ok()) {
        return outcome;
    }
    return detail::read_rle_string(runs, text.data(), text.size(), height, width);
}
/// The same for a string that ends with a zero, such as a literal.
[[nodiscard]] inline status try_rle_from_string(run_lengths& runs, const char* text, std::size_t height,
                                                std::size_t width) noexcept
{
    return try_rle_from_string(runs, std::span(text, std::strlen(text)), height, width);
}

#if PADBATCH_EXCEPTIONS
/// Writes the pixels of all masks of a list. Throws `error` as `try_rle_decode` fails.
template <detail::bound_values Full>
void rle_decode(const Full& full, const run_lengths& runs)
{
    detail::require(try_rle_decode(full, runs));
}
/// Writes a mask's compressed run lengths, and returns the number of characters. Throws `error` as `try_rle_to_string`
/// fails.
inline std::size_t rle_to_string(std::span<char> to, const run_length_view& runs)
{
    std::size_t size = 0;
    detail::require(try_rle_to_string(to, size, runs));
    return size;
}
/// Appends a mask from its compressed run lengths. Throws `error` as `try_rle_from_string` fails.
template <class Text>
void rle_from_string(run_lengths& runs, const Text& text, std::size_t height, std::size_t width)
{
    detail::require(try_rle_from_string(runs, text, height, width));
}
#endif

} // namespace padbatch::inline PADBATCH_ABI

#endif
