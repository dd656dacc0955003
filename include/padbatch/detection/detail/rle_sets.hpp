// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_DETECTION_DETAIL_RLE_SETS_HPP
#define PADBATCH_DETECTION_DETAIL_RLE_SETS_HPP

#include <padbatch/detail/buffer.hpp>
#include <padbatch/detail/simd.hpp>
#include <padbatch/detection/detail/rle_pixels.hpp>
#include <padbatch/detection/run_lengths.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>

// Here a mask is the list of the pixels, by number, at which its runs end. The last one is the number of all pixels.
namespace padbatch::inline PADBATCH_ABI::detail {

/// Writes the ends of a mask's runs, without runs of length 0 but the first, and returns how many there are.
inline std::size_t put_ends(std::uint32_t* to, const run_length_view& runs) noexcept
{
    const auto pixels = static_cast<std::uint32_t>(runs.height * runs.width);
    std::size_t n = 0;
    std::uint32_t at = 0;
    for (const std::uint32_t count : runs.counts) {
        at += count;
        if (count == 0 && n != 0 && to[n - 1] == at) { // the run before it goes on behind it
            n -= at == pixels ? 0 : 1;
        } else {
            to[n++] = at;
        }
    }
    return n;
}

/// Merges two masks, and returns the number of ends: at most as many as both have. `Both`: of pixels that are in both
/// masks, else of those in either. Which list goes on is computed, not branched on: that is as good as random.
template <bool Both>
std::size_t merge_ends(std::uint32_t* __restrict to, const std::uint32_t* a, const std::uint32_t* b,
                       std::uint32_t pixels) noexcept
{
    std::size_t i = 0;
    std::size_t j = 0;
    std::size_t n = 0;
    while (true) {
        const std::uint32_t at_a = a[i];
        const std::uint32_t at_b = b[j];
        const std::uint32_t at = at_a < at_b ? at_a : at_b;
        to[n] = at;
        if (at == pixels) {
            return n + 1;
        }
        i += static_cast<std::size_t>(at_a <= at_b);
        j += static_cast<std::size_t>(at_b <= at_a);
        n += ((Both ? i & j : i | j) ^ n) & 1; // the number of ends so far says which kind of run this is
    }
}

/// Merges all masks of a list, two at a time, into `runs`, which has room for all their counts. `scratch` has room for
/// twice as many, and for twice as many offsets as there are masks.
template <bool Both>
[[gnu::noinline]] inline void merge_masks(run_lengths& runs, const run_length_view* masks, std::size_t count,
                                          const run_lengths* list, std::byte* scratch, std::size_t counts) noexcept
{
    auto* starts = reinterpret_cast<std::size_t*>(scratch);
    auto* from = reinterpret_cast<std::uint32_t*>(starts + count);
    auto* to = from + counts;
    run_length_view first;
    std::size_t used = 0;
    for (std::size_t i = 0; i < count; ++i) {
        const run_length_view mask = list == nullptr ? masks[i] : (*list)[i];
        first = mask;
        starts[i] = used;
        used += put_ends(from + used, mask);
    }
    const auto pixels = static_cast<std::uint32_t>(first.height * first.width);
    while (count > 1) {
        std::size_t merged = 0;
        used = 0;
        for (std::size_t i = 0; i < count; i += 2, ++merged) {
            const std::uint32_t* const one = from + starts[i];
            // The last of an odd number is merged with itself.
            const std::uint32_t* const other = i + 1 < count ? from + starts[i + 1] : one;
            starts[merged] = used;
            used += merge_ends<Both>(to + used, one, other, pixels);
        }
        count = merged;
        std::uint32_t* const old = from;
        from = to;
        to = old;
    }
    std::uint32_t last = 0;
    const std::size_t begin = runs.counts().size();
    std::uint32_t* const out = rle_access::data(runs) + begin;
    for (std::size_t k = 0; k < used; ++k) {
        out[k] = from[k] - last;
        last = from[k];
    }
    rle_access::close(runs, begin + used, first.height, first.width);
}

/// A mask that is compared with many others.
struct rle_object {
    const std::uint32_t* ends = nullptr;
    /// The runs of the object: run k is [ends[2 * k], ends[2 * k + 1]).
    std::size_t size = 0;
    std::uint32_t area = 0;
    rle_edges box;
};

/// Prepares the masks of a list; their ends go to `to`. Returns what follows these.
inline std::uint32_t* make_objects(rle_object* objects, std::uint32_t* to, const run_lengths& runs) noexcept
{
    for (std::size_t i = 0; i < runs.size(); ++i) {
        const run_length_view mask = runs[i];
        rle_object& object = objects[i];
        object.ends = to;
        object.size = mask.counts.size() / 2;
        object.box = for_each_run(mask, [](std::size_t, std::size_t, std::size_t) PADBATCH_DETAIL_INLINE_LAMBDA {});
        std::uint32_t at = 0;
        object.area = 0;
        for (std::size_t k = 0; k < mask.counts.size(); ++k) {
            at += mask.counts[k];
            object.area += k % 2 == 0 ? 0 : mask.counts[k];
            *to++ = at;
        }
    }
    return to;
}

/// The first run that ends behind a pixel.
PADBATCH_DETAIL_INLINE std::size_t first_run_behind(const rle_object& object, std::uint32_t pixel) noexcept
{
    std::size_t first = 0;
    for (std::size_t n = object.size; n > 0;) {
        const std::size_t half = n / 2;
        const bool right = object.ends[2 * (first + half) + 1] <= pixel;
        first = right ? first + half + 1 : first;
        n = right ? n - half - 1 : half;
    }
    return first;
}

/// The number of pixels that two masks share, in columns of `height` pixels.
inline std::uint32_t shared_pixels(const rle_object& a, const rle_object& b, std::size_t height) noexcept
{
    const std::size_t left = a.box.left > b.box.left ? a.box.left : b.box.left;
    const std::size_t right = a.box.right < b.box.right ? a.box.right : b.box.right;
    const auto from = static_cast<std::uint32_t>(left * height);
    const auto to = static_cast<std::uint32_t>(right * height);
    const std::uint32_t* p = a.ends + 2 * first_run_behind(a, from);
    const std::uint32_t* q = b.ends + 2 * first_run_behind(b, from);
    const std::uint32_t* const p_end = a.ends + 2 * a.size;
    const std::uint32_t* const q_end = b.ends + 2 * b.size;
    std::uint32_t shared = 0;
    while (p != p_end && q != q_end) {
        const std::uint32_t low = p[0] > q[0] ? p[0] : q[0];
        if (low >= to) {
            break;
        }
        const std::uint32_t p_last = p[1];
        const std::uint32_t q_last = q[1];
        const std::uint32_t high = p_last < q_last ? p_last : q_last;
        shared += high > low ? high - low : 0;
        p += 2 * static_cast<std::size_t>(p_last <= q_last);
        q += 2 * static_cast<std::size_t>(q_last <= p_last);
    }
    return shared;
}

/// Writes the IoU of two lists of prepared masks, `[detections, truths]`.
[[gnu::noinline]] inline void put_ious(double* to, const rle_object* dets, std::size_t det_count,
                                       const rle_object* truths, std::size_t truth_count, const std::uint8_t* crowd,
                                       std::size_t height) noexcept
{
    for (std::size_t d = 0; d < det_count; ++d) {
        const rle_object& det = dets[d];
        for (std::size_t g = 0; g < truth_count; ++g, ++to) {
            const rle_object& truth = truths[g];
            const bool apart = det.box.left >= truth.box.right || truth.box.left >= det.box.right ||
                               det.box.top >= truth.box.bottom || truth.box.top >= det.box.bottom;
            const std::uint32_t shared = apart ? 0 : shared_pixels(det, truth, height);
            if (shared == 0) {
                *to = 0;
                continue;
            }
            const bool of_crowd = crowd != nullptr && crowd[g] != 0;
            const std::uint32_t all = of_crowd ? det.area : det.area + truth.area - shared;
            *to = static_cast<double>(shared) / static_cast<double>(all);
        }
    }
}

} // namespace padbatch::inline PADBATCH_ABI::detail

#endif
