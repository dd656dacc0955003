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

/// Walks of this many steps are split, so that the processor has several to do at the same time: which list goes on is
/// computed, not branched on, since it may be as good as random, and each step waits for the one before it.
inline constexpr std::size_t chains = 4;
inline constexpr std::size_t long_walk = 64;

/// A part of the way through two lists of ends.
template <bool Both>
struct merge_chain {
    const std::uint32_t* a;
    const std::uint32_t* b;
    std::uint32_t* to;
    std::size_t i; // the next ends
    std::size_t j;
    std::size_t n; // ends so far; an odd number is where the object is
    std::size_t ends;

    PADBATCH_DETAIL_INLINE void step() noexcept
    {
        const std::uint32_t at_a = a[i];
        const std::uint32_t at_b = b[j];
        to[n] = at_a < at_b ? at_a : at_b;
        i += static_cast<std::size_t>(at_a <= at_b);
        j += static_cast<std::size_t>(at_b <= at_a);
        n += ((Both ? i & j : i | j) ^ n) & 1;
    }
    /// The number of steps that are sure to stay in this part: each takes an end or two.
    [[nodiscard]] PADBATCH_DETAIL_INLINE std::size_t safe_steps() const noexcept { return (ends - i - j) / 2; }
    /// Goes to the end of this part: both lists are then at the first end behind it.
    PADBATCH_DETAIL_INLINE void finish() noexcept
    {
        while (i + j != ends) {
            step();
        }
    }
};

/// Merges two masks, and returns the number of ends: at most as many as both have. `Both`: of pixels that are in both
/// masks, else of those in either. `to` has room for `merge_slack` more.
inline constexpr std::size_t merge_slack = 4 * chains;
template <bool Both>
std::size_t merge_ends(std::uint32_t* __restrict to, const std::uint32_t* a, std::size_t a_size, const std::uint32_t* b,
                       std::size_t b_size, std::uint32_t pixels) noexcept
{
    // The last ends, of all pixels, are left out.
    const std::size_t a_ends = a_size - 1;
    const std::size_t b_ends = b_size - 1;
    if (a_ends == 0 || b_ends == 0 || a[0] > b[0]) {
        if (a_ends == 0 || b_ends == 0) { // one is empty
            const std::uint32_t* const other = a_ends == 0 ? b : a;
            const std::size_t n = Both ? 0 : a_ends + b_ends;
            std::memcpy(to, other, n * sizeof *to);
            to[n] = pixels;
            return n + 1;
        }
        return merge_ends<Both>(to, b, b_size, a, a_size, pixels);
    }
    // Up to where the other object begins there is one alone.
    const std::size_t head = b[0] == 0 ? 0 : first_above<1>(a, a_ends, b[0] - 1);
    std::size_t n = Both ? 0 : head;
    std::memcpy(to, a, n * sizeof *to);
    merge_chain<Both> all{a, b, to, head, 0, n, a_ends + b_ends};
    // Behind where one object ends there is at most one alone.
    std::size_t tail_of_a = a_ends;
    std::size_t tail_of_b = b_ends;
    if (a[a_ends - 1] <= b[b_ends - 1] && a_ends % 2 == 0) {
        tail_of_b = first_above<1>(b, b_ends, a[a_ends - 1]);
    } else if (b[b_ends - 1] <= a[a_ends - 1] && b_ends % 2 == 0) {
        tail_of_a = first_above<1>(a, a_ends, b[b_ends - 1]);
    }
    if (tail_of_a < head) { // b is within a run of a
        tail_of_a = head;
    }
    all.ends = tail_of_a + tail_of_b;
    const std::size_t steps = all.ends - head;
    if (steps >= long_walk) {
        merge_chain<Both> part[chains];
        const bool by_a = tail_of_a - head >= tail_of_b;
        for (std::size_t k = 0; k < chains; ++k) {
            part[k] = all;
            if (k != 0) {
                const std::uint32_t from = by_a ? a[head + (tail_of_a - head) * k / chains] : b[tail_of_b * k / chains];
                part[k].i = head + first_above<1>(a + head, tail_of_a - head, from);
                part[k].j = first_above<1>(b, tail_of_b, from);
                part[k - 1].ends = part[k].i + part[k].j;
                const std::size_t inside = (Both ? part[k].i & part[k].j : part[k].i | part[k].j) & 1;
                const std::size_t begin = part[k].i + part[k].j + 4 * k;
                part[k].n = begin + ((begin ^ inside) & 1);
            }
        }
        std::size_t begins[chains];
        for (std::size_t k = 0; k < chains; ++k) {
            begins[k] = part[k].n;
        }
        while (true) {
            std::size_t safe = part[0].safe_steps();
            for (std::size_t k = 1; k < chains; ++k) {
                safe = part[k].safe_steps() < safe ? part[k].safe_steps() : safe;
            }
            if (safe == 0) {
                break;
            }
            merge_chain<Both> p0 = part[0];
            merge_chain<Both> p1 = part[1];
            merge_chain<Both> p2 = part[2];
            merge_chain<Both> p3 = part[3];
            for (; safe > 0; --safe) {
                p0.step();
                p1.step();
                p2.step();
                p3.step();
            }
            part[0] = p0;
            part[1] = p1;
            part[2] = p2;
            part[3] = p3;
        }
        for (std::size_t k = 0; k < chains; ++k) {
            part[k].finish();
            if (k == 0) {
                n = part[k].n;
            } else {
                std::memmove(to + n, to + begins[k], (part[k].n - begins[k]) * sizeof *to);
                n += part[k].n - begins[k];
            }
        }
    } else {
        all.finish();
        n = all.n;
    }
    if (!Both) {
        std::memcpy(to + n, a + tail_of_a, (a_ends - tail_of_a) * sizeof *to);
        n += a_ends - tail_of_a;
        std::memcpy(to + n, b + tail_of_b, (b_ends - tail_of_b) * sizeof *to);
        n += b_ends - tail_of_b;
    }
    to[n] = pixels;
    return n + 1;
}

/// The scratch memory that `merge_masks` takes.
[[nodiscard]] inline std::size_t merge_bytes(std::size_t masks, std::size_t counts) noexcept
{
    return (masks + 1) * sizeof(std::size_t) + 2 * (counts + merge_slack) * sizeof(std::uint32_t);
}

/// Merges all masks of a list, two at a time, into `runs`, which has room for all their counts.
template <bool Both>
[[gnu::noinline]] inline void merge_masks(run_lengths& runs, const run_length_view* masks, std::size_t count,
                                          const run_lengths* list, std::byte* scratch, std::size_t counts) noexcept
{
    auto* starts = reinterpret_cast<std::size_t*>(scratch); // and the end of the last
    auto* from = reinterpret_cast<std::uint32_t*>(starts + count + 1);
    auto* to = from + counts + merge_slack;
    run_length_view first;
    std::size_t used = 0;
    for (std::size_t i = 0; i < count; ++i) {
        const run_length_view mask = list == nullptr ? masks[i] : (*list)[i];
        first = mask;
        starts[i] = used;
        used += put_ends(from + used, mask);
    }
    starts[count] = used;
    const auto pixels = static_cast<std::uint32_t>(first.height * first.width);
    while (count > 1) {
        std::size_t merged = 0;
        used = 0;
        for (std::size_t i = 0; i < count; i += 2, ++merged) {
            const std::uint32_t* const one = from + starts[i];
            const std::size_t size = starts[i + 1] - starts[i];
            std::size_t made = size;
            if (i + 1 == count) { // the last of an odd number
                std::memcpy(to + used, one, size * sizeof *to);
            } else {
                made = merge_ends<Both>(to + used, one, size, one + size, starts[i + 2] - starts[i + 1], pixels);
            }
            starts[merged] = used;
            used += made;
        }
        starts[merged] = used;
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

/// A walk through runs of two objects, [first, last) each.
struct share_chain {
    const std::uint32_t* p;
    const std::uint32_t* p_end;
    const std::uint32_t* q;
    const std::uint32_t* q_end;
    std::uint32_t shared;

    PADBATCH_DETAIL_INLINE void step() noexcept
    {
        const std::uint32_t low = p[0] > q[0] ? p[0] : q[0];
        const std::uint32_t p_last = p[1];
        const std::uint32_t q_last = q[1];
        const std::uint32_t high = p_last < q_last ? p_last : q_last;
        shared += high > low ? high - low : 0;
        p += 2 * static_cast<std::size_t>(p_last <= q_last);
        q += 2 * static_cast<std::size_t>(q_last <= p_last);
    }
    /// The number of steps that are sure to stay in the lists.
    [[nodiscard]] PADBATCH_DETAIL_INLINE std::size_t safe_steps() const noexcept
    {
        const auto left_p = static_cast<std::size_t>(p_end - p) / 2;
        const auto left_q = static_cast<std::size_t>(q_end - q) / 2;
        return left_p < left_q ? left_p : left_q;
    }
    PADBATCH_DETAIL_INLINE void finish() noexcept
    {
        while (p != p_end && q != q_end) {
            step();
        }
    }
};

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
    share_chain all{};
    all.p = runs_in(a, all.p_end);
    all.q = runs_in(b, all.q_end);
    const auto p_size = static_cast<std::size_t>(all.p_end - all.p) / 2;
    const auto q_size = static_cast<std::size_t>(all.q_end - all.q) / 2;
    if (p_size + q_size < long_walk || p_size < chains) {
        all.finish();
        return all.shared;
    }
    share_chain part[chains];
    for (std::size_t k = 0; k < chains; ++k) { // runs of one list, and those of the other that begin before their end
        part[k] = all;
        if (k != 0) {
            part[k].p = all.p + 2 * (p_size * k / chains);
            part[k].q = all.q + 2 * first_above<2>(all.q + 1, q_size, part[k].p[0]);
            part[k - 1].p_end = part[k].p;
            part[k - 1].q_end = part[k].q == all.q_end ? all.q_end : part[k].q + 2;
        }
    }
    while (true) {
        std::size_t safe = part[0].safe_steps();
        for (std::size_t k = 1; k < chains; ++k) {
            safe = part[k].safe_steps() < safe ? part[k].safe_steps() : safe;
        }
        if (safe == 0) {
            break;
        }
        share_chain p0 = part[0];
        share_chain p1 = part[1];
        share_chain p2 = part[2];
        share_chain p3 = part[3];
        for (; safe > 0; --safe) {
            p0.step();
            p1.step();
            p2.step();
            p3.step();
        }
        part[0] = p0;
        part[1] = p1;
        part[2] = p2;
        part[3] = p3;
    }
    std::uint32_t shared = 0;
    for (share_chain& each : part) {
        each.finish();
        shared += each.shared;
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
