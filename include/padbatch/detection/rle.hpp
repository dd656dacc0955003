// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_DETECTION_RLE_HPP
#define PADBATCH_DETECTION_RLE_HPP

#include <padbatch/detail/check_source.hpp>
#include <padbatch/detail/copy_row.hpp>
#include <padbatch/detail/first_failure.hpp>
#include <padbatch/detection/detail/rle_changes.hpp>
#include <padbatch/detection/detail/rle_pixels.hpp>
#include <padbatch/detection/detail/rle_sets.hpp>
#include <padbatch/detection/detail/rle_string.hpp>
#include <padbatch/detection/masks.hpp>
#include <padbatch/detection/run_lengths.hpp>
#include <padbatch/pad_options.hpp>
#include <padbatch/rows_of.hpp>
#include <padbatch/source.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
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

/// Which pixels a merged mask has: those of any of the masks, or those that all of them have.
enum class rle_rule { any, all };
inline constexpr rle_rule rle_union = rle_rule::any;
inline constexpr rle_rule rle_intersection = rle_rule::all;

namespace detail {

template <class... Options>
consteval bool rle_options_known() noexcept
{
    static_assert((std::is_same_v<Options, workspace> && ...),
                  "the only option here is a workspace, which is a variable");
    return true;
}

/// The scratch memory of the workspace among the options, or `own`.
template <class... Options>
[[nodiscard]] buffer<std::byte>& rle_scratch(buffer<std::byte>& own, Options&... options) noexcept
{
    workspace* const space = find_option<workspace>(options...);
    return space == nullptr ? own : pad_access::scratch(*space);
}

[[nodiscard]] inline status no_memory_for_rle() noexcept
{
    return {status_code::out_of_memory, "not enough memory for run lengths, or for finding them"};
}

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

template <class T>
inline constexpr bool is_pixel = std::is_same_v<T, std::uint8_t> || std::is_same_v<T, bool>;

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

/// Checks data of one image that is named by tags.
template <class... Bounds>
[[nodiscard]] status check_bounds(const Bounds&... bounds) noexcept
{
    return first_failure([&] { return check_rows<Bounds>(bounds.value, bounds.row); }...);
}

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

namespace detail {

/// Merges `count` masks, one or more of one size, with `counts` run lengths in all.
template <class Masks, class... Options>
[[nodiscard]] status merge_into(run_lengths& out, const Masks& masks, std::size_t count, std::size_t counts,
                                rle_rule rule, Options&... options) noexcept
{
    static_assert(rle_options_known<Options...>());
    buffer<std::byte> own;
    auto& scratch = rle_scratch(own, options...);
    if (!scratch.try_reserve(merge_bytes(count, counts)) ||
        !rle_access::reserve(out, out.counts().size(), counts + 1)) {
        return no_memory_for_rle();
    }
    const bool whole = rule == rle_intersection ? merge_masks<true>(out, masks, count, scratch.data(), counts)
                                                : merge_masks<false>(out, masks, count, scratch.data(), counts);
    if (whole) {
        return {};
    }
    const status first = check_rle(masks[0]); // only two masks that are given as such may be wrong
    return first.ok() ? check_rle(masks[1]) : first;
}

} // namespace detail

/// Appends one mask to `out`: the union or the intersection of all masks of a list; `try_rle_merge(out, runs,
/// rle_union)`. pycocotools' `rleMerge`, which goes through the masks one after the other; here they are merged two by
/// two, so that many masks cost n log n. Fails for an empty list, and if `out` is the list itself.
template <class... Options>
[[nodiscard]] status try_rle_merge(run_lengths& out, const run_lengths& runs, rle_rule rule,
                                   Options&... options) noexcept
{
    if (&out == &runs) {
        return {status_code::overlap,
                "the merged mask cannot be appended to the list that it is made of: take another"};
    }
    if (runs.empty()) {
        return {status_code::bad_argument, "no masks to merge: expected one or more"};
    }
    if (status outcome = detail::rle_access::check_same_size(out, runs.height(), runs.width()); !outcome.ok()) {
        return outcome;
    }
    return detail::merge_into(out, runs, runs.size(), runs.counts().size(), rule, options...);
}
/// The same for two masks, which are not in the memory of `out`.
template <class... Options>
[[nodiscard]] status try_rle_merge(run_lengths& out, const run_length_view& one, const run_length_view& other,
                                   rle_rule rule, Options&... options) noexcept
{
    if (one.height != other.height || one.width != other.width) {
        return {status_code::row_mismatch,
                "masks of {} x {} and of {} x {} cannot be merged: expected one size",
                one.height,
                one.width,
                other.height,
                other.width};
    }
    if (status outcome =
            detail::first_failure([&] { return detail::check_rle_size(one.height, one.width); },
                                  [&] { return detail::rle_access::check_same_size(out, one.height, one.width); });
        !outcome.ok()) {
        return outcome;
    }
    if (detail::rle_access::holds(out, one) || detail::rle_access::holds(out, other)) {
        return {status_code::overlap,
                "the merged mask cannot be appended to the list that it is made of: take another"};
    }
    const run_length_view both[] = {one, other};
    return detail::merge_into(out, both, 2, one.counts.size() + other.counts.size(), rule, options...);
}

/// Writes the IoU of each detection with each truth, `[D, G]` doubles in row-major order: pixels in both masks /
/// pixels in either. Where `crowd` (`[G]`, or empty) is not 0, pixels in both / pixels of the detection, as for COCO's
/// crowds. 0 where the masks share no pixel. pycocotools' `rleIou`, to the last bit.
///
/// Costs a test of boxes for each pair, and a walk through the runs where the boxes meet for those that overlap.
template <class... Options>
[[nodiscard]] status try_rle_iou(std::span<double> out, const run_lengths& detections, const run_lengths& truths,
                                 std::span<const std::uint8_t> crowd, Options&... options) noexcept
{
    static_assert(detail::rle_options_known<Options...>());
    const std::size_t d = detections.size();
    const std::size_t g = truths.size();
    if (g != 0 && d > SIZE_MAX / g) {
        return {status_code::size_overflow, "{} x {} masks are too many pairs", d, g};
    }
    if (out.size() != d * g) {
        return {status_code::size_mismatch,
                "there is room for {} numbers; expected {}, for {} x {} masks",
                out.size(),
                d * g,
                d,
                g};
    }
    if (!crowd.empty() && crowd.size() != g) {
        return {status_code::size_mismatch, "crowd has {} values; expected {}, one for each truth, or none",
                crowd.size(), g};
    }
    if (out.empty()) {
        return {};
    }
    if (detections.height() != truths.height() || detections.width() != truths.width()) {
        return {status_code::row_mismatch,
                "detections of {} x {} pixels cannot be compared with truths of {} x {}: expected one size",
                detections.height(),
                detections.width(),
                truths.height(),
                truths.width()};
    }
    if (detail::ranges_overlap(out.data(), out.data() + out.size(), crowd.data(), crowd.data() + crowd.size())) {
        return {status_code::overlap, "crowd is in the memory that is written: take other memory"};
    }
    detail::buffer<std::byte> own;
    auto& scratch = detail::rle_scratch(own, options...);
    if (!scratch.try_reserve((d + g) * sizeof(detail::rle_object) +
                             (detections.counts().size() + truths.counts().size()) * sizeof(std::uint32_t))) {
        return detail::no_memory_for_rle();
    }
    auto* const objects = reinterpret_cast<detail::rle_object*>(scratch.data());
    auto* const ends = reinterpret_cast<std::uint32_t*>(objects + d + g);
    detail::make_objects(objects + d, detail::make_objects(objects, ends, detections), truths);
    detail::put_ious(out.data(), objects, d, objects + d, g, crowd.empty() ? nullptr : crowd.data(),
                     detections.height());
    return {};
}
/// The same without crowds.
[[nodiscard]] inline status try_rle_iou(std::span<double> out, const run_lengths& detections,
                                        const run_lengths& truths) noexcept
{
    return try_rle_iou(out, detections, truths, std::span<const std::uint8_t>());
}
[[nodiscard]] inline status try_rle_iou(std::span<double> out, const run_lengths& detections, const run_lengths& truths,
                                        workspace& space) noexcept
{
    return try_rle_iou(out, detections, truths, std::span<const std::uint8_t>(), space);
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
/// The throwing forms: each does what `try_...` does, and throws `error` if that fails.
template <class... Arguments>
void rle_encode(run_lengths& runs, Arguments&&... arguments)
{
    detail::require(try_rle_encode(runs, arguments...));
}
template <class... Arguments>
void rle_encode_bits(run_lengths& runs, std::size_t width, Arguments&&... arguments)
{
    detail::require(try_rle_encode_bits(runs, width, arguments...));
}
template <class... Arguments>
void rle_encode_regions(run_lengths& runs, Arguments&&... arguments)
{
    detail::require(try_rle_encode_regions(runs, arguments...));
}
template <detail::bound_values Full>
void rle_decode(const Full& full, const run_lengths& runs)
{
    detail::require(try_rle_decode(full, runs));
}
template <class... Arguments>
void rle_merge(run_lengths& out, Arguments&&... arguments)
{
    detail::require(try_rle_merge(out, arguments...));
}
template <class... Arguments>
void rle_iou(std::span<double> out, Arguments&&... arguments)
{
    detail::require(try_rle_iou(out, arguments...));
}
/// Returns the number of characters.
inline std::size_t rle_to_string(std::span<char> to, const run_length_view& runs)
{
    std::size_t size = 0;
    detail::require(try_rle_to_string(to, size, runs));
    return size;
}
template <class Text>
void rle_from_string(run_lengths& runs, const Text& text, std::size_t height, std::size_t width)
{
    detail::require(try_rle_from_string(runs, text, height, width));
}
#endif

} // namespace padbatch::inline PADBATCH_ABI

#endif
