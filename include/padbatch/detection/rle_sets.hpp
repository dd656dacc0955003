// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_DETECTION_RLE_SETS_HPP
#define PADBATCH_DETECTION_RLE_SETS_HPP

#include <padbatch/detail/buffer.hpp>
#include <padbatch/detail/first_failure.hpp>
#include <padbatch/detection/detail/rle_options.hpp>
#include <padbatch/detection/detail/rle_sets.hpp>
#include <padbatch/detection/run_lengths.hpp>
#include <padbatch/pad_options.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

/// Union, intersection and IoU of masks from their run lengths.
namespace padbatch::inline PADBATCH_ABI {

/// Which pixels a merged mask has: those of any of the masks, or those that all of them have.
enum class rle_rule { any, all };
inline constexpr rle_rule rle_union = rle_rule::any;
inline constexpr rle_rule rle_intersection = rle_rule::all;

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

#if PADBATCH_EXCEPTIONS
/// The throwing forms: each does what `try_...` does, and throws `error` if that fails.
template <class... Arguments>
void rle_merge(run_lengths& out, const run_lengths& runs, rle_rule rule, Arguments&... arguments)
{
    detail::require(try_rle_merge(out, runs, rule, arguments...));
}
template <class... Arguments>
void rle_merge(run_lengths& out, const run_length_view& one, const run_length_view& other, rle_rule rule,
               Arguments&... arguments)
{
    detail::require(try_rle_merge(out, one, other, rule, arguments...));
}
template <class... Arguments>
void rle_iou(std::span<double> out, const run_lengths& detections, const run_lengths& truths, Arguments&&... arguments)
{
    detail::require(try_rle_iou(out, detections, truths, arguments...));
}
#endif

} // namespace padbatch::inline PADBATCH_ABI

#endif
