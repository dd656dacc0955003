// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_DETECTION_DETAIL_RLE_SETS_HPP
#define PADBATCH_DETECTION_DETAIL_RLE_SETS_HPP

#include <padbatch/detail/buffer.hpp>
#include <padbatch/detail/simd.hpp>
#include <padbatch/detection/detail/rle_ends.hpp>
#include <padbatch/detection/run_lengths.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace padbatch::inline PADBATCH_ABI::detail {

/// The first of `n` rising numbers, `Stride` apart, that is above a limit; n if none is.
template <std::size_t Stride>
PADBATCH_DETAIL_INLINE std::size_t first_above(const std::uint32_t* numbers, std::size_t n,
                                               std::uint32_t limit) noexcept
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
    std::uint64_t first = 0;
    std::uint64_t end = 0;
    std::uint64_t sum; // of all counts, once the last run has been read; before that, of the last zeros

    PADBATCH_DETAIL_INLINE run_reader(const std::uint32_t* counts, std::size_t n) noexcept
        : at(counts), stop(counts + n / 2 * 2), sum(n % 2 == 0 ? 0 : counts[n - 1])
    {
        next();
    }
    PADBATCH_DETAIL_INLINE void next() noexcept
    {
        do {
            if (at == stop) [[unlikely]] {
                sum += end;
                first = infinity;
                end = infinity;
                return;
            }
            first = end + at[0];
            end = first + at[1];
            at += 2;
        } while (first == end); // such a run is none
    }
};

/// Writes the counts of a mask from its runs.
struct run_writer {
    std::uint32_t* to;
    std::uint64_t end = 0;

    /// A run that does not go on from the one before it.
    PADBATCH_DETAIL_INLINE void add(std::uint64_t first, std::uint64_t last) noexcept
    {
        to[0] = static_cast<std::uint32_t>(first - end);
        to[1] = static_cast<std::uint32_t>(last - first);
        to += 2;
        end = last;
    }
    /// A run that may: so it is in a list that has runs of length 0.
    PADBATCH_DETAIL_INLINE void put(std::uint64_t first, std::uint64_t last) noexcept
    {
        if (first == end && end != 0) [[unlikely]] {
            to[-1] += static_cast<std::uint32_t>(last - first);
            end = last;
        } else {
            add(first, last);
        }
    }
};

/// Goes on to the first run that ends behind `limit`, over whole blocks of runs if it can.
inline constexpr std::ptrdiff_t run_block = 16;
PADBATCH_DETAIL_INLINE void skip_runs(run_reader& runs, std::uint64_t limit) noexcept
{
    do {
        while (runs.stop - runs.at >= run_block) {
            std::uint64_t end = runs.end;
            for (std::ptrdiff_t k = 0; k < run_block; ++k) {
                end += runs.at[k];
            }
            if (end > limit) {
                break;
            }
            runs.end = end;
            runs.at += run_block;
        }
        runs.next();
    } while (runs.end <= limit && runs.first != run_reader::infinity);
}

/// Writes the run that a reader is at, and copies those behind it that end before `limit`, in blocks.
PADBATCH_DETAIL_INLINE void copy_runs(run_writer& out, run_reader& runs, std::uint64_t limit) noexcept
{
    out.add(runs.first, runs.end);
    while (runs.stop - runs.at >= run_block) {
        std::uint64_t end = runs.end;
        std::uint32_t zeros = 0; // the highest bit: whether a count is 0
        for (std::ptrdiff_t k = 0; k < run_block; ++k) {
            end += runs.at[k];
            zeros |= (runs.at[k] - 1) & ~runs.at[k];
        }
        if (end >= limit || (zeros >> 31) != 0) {
            break;
        }
        std::memcpy(out.to, runs.at, run_block * sizeof *runs.at);
        out.to += run_block;
        out.end = end;
        runs.end = end;
        runs.at += run_block;
    }
    runs.next();
}

/// Merges the counts of two masks, and returns how many counts there are then, at most as many as both have; 0 if those
/// of one of them do not add up to the number of pixels. `Both`: of pixels that are in both masks, else of those in
/// either.
template <bool Both>
[[nodiscard, gnu::noinline]] inline std::size_t
merge_counts(std::uint32_t* __restrict to, std::span<const std::uint32_t> one, std::span<const std::uint32_t> other,
             std::uint64_t pixels, std::size_t height) noexcept
{
    const std::uint64_t far = std::uint64_t{8} * height; // blocks of runs of a column each are worth trying
    run_reader a(one.data(), one.size());
    run_reader b(other.data(), other.size());
    run_writer out{to};
    if constexpr (Both) {
        while (a.first != run_reader::infinity && b.first != run_reader::infinity) {
            if (a.end <= b.first) {
                a.next();
                if (a.end + far <= b.first && a.end != run_reader::infinity) {
                    skip_runs(a, b.first);
                }
            } else if (b.end <= a.first) {
                b.next();
                if (b.end + far <= a.first && b.end != run_reader::infinity) {
                    skip_runs(b, a.first);
                }
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
        // What is left counts for the sum.
        if (a.first != run_reader::infinity) {
            skip_runs(a, run_reader::infinity);
        }
        if (b.first != run_reader::infinity) {
            skip_runs(b, run_reader::infinity);
        }
    } else {
        while (true) {
            if (a.end < b.first) {
                out.add(a.first, a.end);
                a.next();
                if (a.end + far < b.first && a.end != run_reader::infinity) {
                    copy_runs(out, a, b.first);
                }
                continue;
            }
            if (b.end < a.first) {
                out.add(b.first, b.end);
                b.next();
                if (b.end + far < a.first && b.end != run_reader::infinity) {
                    copy_runs(out, b, a.first);
                }
                continue;
            }
            if (a.first == b.first && a.first == run_reader::infinity) {
                break;
            }
            // Two runs that meet, and those that prolong them.
            const std::uint64_t first = a.first < b.first ? a.first : b.first;
            std::uint64_t end = a.end > b.end ? a.end : b.end;
            a.next();
            b.next();
            while (true) {
                if (a.first <= end) {
                    end = a.end > end ? a.end : end;
                    a.next();
                } else if (b.first <= end) {
                    end = b.end > end ? b.end : end;
                    b.next();
                } else {
                    break;
                }
            }
            out.add(first, end);
        }
    }
    if (a.sum != pixels || b.sum != pixels) {
        return 0;
    }
    if (out.end != pixels) {
        *out.to++ = static_cast<std::uint32_t>(pixels - out.end);
    }
    return static_cast<std::size_t>(out.to - to);
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
        made = merge_counts<Both>(out, masks[0].counts, masks[count - 1].counts, pixels, height);
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
                const std::size_t n =
                    merge_counts<Both>(to + used, one, i + 1 < count ? list(i + 1) : one, pixels, height);
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
        made = merge_counts<Both>(out, list(0), list(1), pixels, height);
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
                    [&](std::uint32_t first, std::uint32_t end)
                        PADBATCH_DETAIL_INLINE_LAMBDA { shared += end - first; });
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
