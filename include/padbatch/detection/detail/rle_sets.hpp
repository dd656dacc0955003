// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_DETECTION_DETAIL_RLE_SETS_HPP
#define PADBATCH_DETECTION_DETAIL_RLE_SETS_HPP

#include <padbatch/detail/buffer.hpp>
#include <padbatch/detail/simd.hpp>
#include <padbatch/detection/detail/rle_ends.hpp>
#include <padbatch/detection/run_lengths.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

namespace padbatch::inline PADBATCH_ABI::detail {

/// The first of `n` rising numbers, `Stride` apart, that is above a limit; n if none is.
template <std::size_t Stride>
PADBATCH_DETAIL_INLINE std::size_t first_above(const std::uint32_t* numbers, std::size_t n, std::uint32_t limit) noexcept
{
    const std::uint32_t* first = numbers;
    for (std::size_t left = n; left > 0;) {
        const std::size_t half = left / 2;
        const bool right = first[Stride * half] <= limit;
        first = right ? first + Stride * (half + 1) : first;
        left = right ? left - half - 1 : half;
    }
    return static_cast<std::size_t>(first - numbers) / Stride;
}

// Walks through two lists branch on which of them goes on. In real masks one column is much like the one before it, so
// that the processor foresees most of these branches.

/// Reads the runs of an object from the counts of a mask. Behind the last run it is at infinity.
struct run_reader {
    static constexpr std::uint64_t infinity = UINT64_MAX;

    const std::uint32_t* at;
    const std::uint32_t* stop;
    std::uint64_t sum = 0; // of the counts so far
    std::uint64_t last_zeros;
    std::uint64_t first = 0;
    std::uint64_t end = 0;

    PADBATCH_DETAIL_INLINE run_reader(const std::uint32_t* counts, std::size_t n) noexcept
        : at(counts), stop(counts + n / 2 * 2), last_zeros(n % 2 == 0 ? 0 : counts[n - 1])
    {
        next();
    }
    PADBATCH_DETAIL_INLINE void next() noexcept
    {
        do {
            if (at == stop) {
                first = infinity;
                end = infinity;
                return;
            }
            first = sum + at[0];
            end = first + at[1];
            sum = end;
            at += 2;
        } while (first == end); // such a run is none
    }
    /// Whether there were this many pixels, after the last run.
    [[nodiscard]] PADBATCH_DETAIL_INLINE bool has_read(std::uint64_t pixels) noexcept
    {
        while (first != infinity) {
            next();
        }
        return sum + last_zeros == pixels;
    }
};

/// Writes the counts of a mask from its runs.
struct run_writer {
    std::uint32_t* to;
    std::size_t n = 0;
    std::uint64_t end = 0;

    PADBATCH_DETAIL_INLINE void put(std::uint64_t first, std::uint64_t last) noexcept
    {
        if (first == end && n != 0) { // the list has runs of zeros of length 0
            to[n - 1] += static_cast<std::uint32_t>(last - first);
        } else {
            to[n] = static_cast<std::uint32_t>(first - end);
            to[n + 1] = static_cast<std::uint32_t>(last - first);
            n += 2;
        }
        end = last;
    }
    /// Returns the number of counts.
    PADBATCH_DETAIL_INLINE std::size_t close(std::uint64_t pixels) noexcept
    {
        if (end != pixels) {
            to[n++] = static_cast<std::uint32_t>(pixels - end);
        }
        return n;
    }
};

/// Merges the counts of two masks, and returns how many counts there are then, at most as many as both have; 0 if those
/// of one of them do not add up to the number of pixels. `Both`: of pixels that are in both masks, else of those in
/// either.
template <bool Both>
[[nodiscard, gnu::noinline]] inline std::size_t merge_counts(std::uint32_t* __restrict to,
                                                             std::span<const std::uint32_t> one,
                                                             std::span<const std::uint32_t> other,
                                                             std::uint64_t pixels) noexcept
{
    run_reader a(one.data(), one.size());
    run_reader b(other.data(), other.size());
    run_writer out{to};
    if constexpr (Both) {
        while (a.first != run_reader::infinity && b.first != run_reader::infinity) {
            if (a.end <= b.first) {
                a.next();
            } else if (b.end <= a.first) {
                b.next();
            } else {
                const std::uint64_t first = a.first > b.first ? a.first : b.first;
                if (a.end <= b.end) {
                    out.put(first, a.end);
                    a.next();
                } else {
                    out.put(first, b.end);
                    b.next();
                }
            }
        }
    } else {
        while (true) {
            std::uint64_t first = a.first;
            std::uint64_t end = a.end;
            if (a.first <= b.first) {
                if (first == run_reader::infinity) {
                    break;
                }
                a.next();
            } else {
                first = b.first;
                end = b.end;
                b.next();
            }
            while (true) { // runs that prolong this one
                if (b.first <= end) {
                    end = b.end > end ? b.end : end;
                    b.next();
                } else if (a.first <= end) {
                    end = a.end > end ? a.end : end;
                    a.next();
                } else {
                    break;
                }
            }
            out.put(first, end);
        }
    }
    return a.has_read(pixels) && b.has_read(pixels) ? out.close(pixels) : 0;
}

/// The scratch memory that `merge_masks` takes.
[[nodiscard]] inline std::size_t merge_bytes(std::size_t masks, std::size_t counts) noexcept
{
    return masks < 3 ? 0 : (masks + 1) * sizeof(std::size_t) + 2 * counts * sizeof(std::uint32_t);
}

/// Merges `count` masks, two at a time, and appends the last one to `runs`, which has room for all their counts.
/// Returns whether the counts add up, and appends nothing if they do not.
template <bool Both, class Masks>
[[nodiscard]] bool merge_masks(run_lengths& runs, const Masks& masks, std::size_t count, std::byte* scratch,
                               std::size_t counts) noexcept
{
    const std::size_t height = masks[0].height;
    const std::size_t width = masks[0].width;
    const std::uint64_t pixels = std::uint64_t{height} * width;
    const std::size_t begin = runs.counts().size();
    std::uint32_t* const out = rle_access::data(runs) + begin;
    std::size_t made = 0;
    if (count < 3) { // one is merged with itself
        made = merge_counts<Both>(out, masks[0].counts, masks[count - 1].counts, pixels);
    } else {
        auto* const starts = reinterpret_cast<std::size_t*>(scratch); // and the end of the last
        auto* from = reinterpret_cast<std::uint32_t*>(starts + count + 1);
        auto* to = from + counts;
        bool first_round = true;
        const auto list = [&](std::size_t i) -> std::span<const std::uint32_t> {
            return first_round ? masks[i].counts
                               : std::span<const std::uint32_t>(from + starts[i], starts[i + 1] - starts[i]);
        };
        while (count > 2) {
            std::size_t used = 0;
            std::size_t merged = 0;
            for (std::size_t i = 0; i < count; i += 2, ++merged) {
                const auto one = list(i);
                const std::size_t n = merge_counts<Both>(to + used, one, i + 1 < count ? list(i + 1) : one, pixels);
                if (n == 0) {
                    return false;
                }
                starts[merged] = used;
                used += n;
            }
            starts[merged] = used;
            count = merged;
            first_round = false;
            std::uint32_t* const old = from;
            from = to;
            to = old;
        }
        made = merge_counts<Both>(out, list(0), list(1), pixels);
    }
    if (made == 0) {
        return false;
    }
    rle_access::close(runs, begin + made, height, width);
    return true;
}

/// Calls `use(first, end)` for the runs that are in both of two lists.
template <class Use>
PADBATCH_DETAIL_INLINE void for_each_shared(const std::uint32_t* a, const std::uint32_t* a_end, const std::uint32_t* b,
                                            const std::uint32_t* b_end, const Use& use) noexcept
{
    if (a == a_end || b == b_end) {
        return;
    }
    while (true) {
        if (a[1] <= b[0]) {
            a += 2;
            if (a == a_end) {
                return;
            }
        } else if (b[1] <= a[0]) {
            b += 2;
            if (b == b_end) {
                return;
            }
        } else {
            const std::uint32_t first = a[0] > b[0] ? a[0] : b[0];
            if (a[1] <= b[1]) {
                use(first, a[1]);
                a += 2;
                if (a == a_end) {
                    return;
                }
            } else {
                use(first, b[1]);
                b += 2;
                if (b == b_end) {
                    return;
                }
            }
        }
    }
}

/// The number of pixels that two masks share, in columns of `height` pixels.
inline std::uint32_t shared_pixels(const rle_object& a, const rle_object& b, std::size_t height) noexcept
{
    const std::size_t left = a.box.left > b.box.left ? a.box.left : b.box.left;
    const std::size_t right = a.box.right < b.box.right ? a.box.right : b.box.right;
    const auto from = static_cast<std::uint32_t>(left * height);
    const auto last = static_cast<std::uint32_t>(right * height - 1);
    // From the first run that ends behind the first of these pixels, to the first that begins behind the last.
    const auto runs_in = [&](const rle_object& object, const std::uint32_t*& end) PADBATCH_DETAIL_INLINE_LAMBDA {
        end = object.ends + 2 * first_above<2>(object.ends, object.size, last);
        return object.ends + 2 * first_above<2>(object.ends + 1, object.size, from);
    };
    const std::uint32_t* a_end = nullptr;
    const std::uint32_t* b_end = nullptr;
    const std::uint32_t* const a_first = runs_in(a, a_end);
    const std::uint32_t* const b_first = runs_in(b, b_end);
    std::uint32_t shared = 0;
    for_each_shared(a_first, a_end, b_first, b_end,
                    [&](std::uint32_t first, std::uint32_t end) PADBATCH_DETAIL_INLINE_LAMBDA { shared += end - first; });
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
