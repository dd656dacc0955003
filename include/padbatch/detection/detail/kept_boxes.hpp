// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_DETECTION_DETAIL_KEPT_BOXES_HPP
#define PADBATCH_DETECTION_DETAIL_KEPT_BOXES_HPP

#include <padbatch/detail/simd.hpp>
#include <padbatch/detection/detail/rounded.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>

namespace padbatch::inline PADBATCH_ABI::detail {

/// The overlap from which on a box is dropped: `iou > threshold`, where the IoU is a float and the threshold a double,
/// as in torchvision's kernel.
class overlap_limit {
public:
    /// The threshold is from 0 to 1.
    explicit overlap_limit(double threshold) noexcept : m_last(static_cast<float>(threshold + 0.0)) // -0 becomes 0
    {
        if (static_cast<double>(m_last) > threshold) { // the float before, whose bits are the number before
            std::uint32_t bits = 0;
            std::memcpy(&bits, &m_last, sizeof bits);
            --bits;
            std::memcpy(&m_last, &bits, sizeof bits);
        }
        m_least = threshold > 1e-30 ? static_cast<float>(threshold * (1.0 - 1.0 / 524288.0)) : 0.0F;
    }

    /// The last float that is not over the threshold.
    [[nodiscard]] float last() const noexcept { return m_last; }
    /// No IoU over the threshold has an intersection below this part of the union, which is a little less than the
    /// threshold: however the division rounds, what is below need not be divided. 0 for thresholds that are too small
    /// for that.
    [[nodiscard]] float least() const noexcept { return m_least; }

private:
    float m_last;
    float m_least;
};

/// The area of x1, y1, x2, y2, (x2 - x1) * (y2 - y1) in floats: negative or zero for boxes that are none.
[[nodiscard]] inline float area_of(const float (&box)[4]) noexcept
{
    float area = (box[2] - box[0]) * (box[3] - box[1]);
    PADBATCH_DETAIL_ROUNDED(area);
    return area;
}

/// Kept boxes stand in blocks of this many, each coordinate by itself, and then their areas. (More than 16, since GCC
/// unrolls shorter loops at -O3 before it would have vectorised them.)
inline constexpr std::size_t boxes_in_block = 24;

/// The intersections of a box with those of a block.
PADBATCH_DETAIL_INLINE void intersect_block(float (&both)[boxes_in_block], const float* block,
                                            const float (&box)[4]) noexcept
{
    constexpr std::size_t n = boxes_in_block;
    const float x1 = box[0];
    const float y1 = box[1];
    const float x2 = box[2];
    const float y2 = box[3];
    for (std::size_t k = 0; k < n; ++k) { // loaded first, so that there is nothing but arithmetic to choose from
        const float other_x1 = block[k];
        const float other_y1 = block[n + k];
        const float other_x2 = block[2 * n + k];
        const float other_y2 = block[3 * n + k];
        const float left = x1 < other_x1 ? other_x1 : x1;
        const float top = y1 < other_y1 ? other_y1 : y1;
        const float right = other_x2 < x2 ? other_x2 : x2;
        const float bottom = other_y2 < y2 ? other_y2 : y2;
        const float width = right - left;
        const float height = bottom - top;
        const float width_inside = width > 0 ? width : 0.0F;
        const float height_inside = height > 0 ? height : 0.0F;
        both[k] = width_inside * height_inside;
    }
    PADBATCH_DETAIL_ROUNDED(both);
}

/// Whether the IoU of a box with any of a block may be over the limit: almost always right, without a division.
[[nodiscard]] PADBATCH_DETAIL_INLINE bool may_overlap(const float (&both)[boxes_in_block], const float* areas,
                                                      float area, const overlap_limit& limit) noexcept
{
    const float least = limit.least();
    std::int32_t any = 0;
    for (std::size_t k = 0; k < boxes_in_block; ++k) {
        any |= both[k] >= least * ((areas[k] + area) - both[k]) ? 1 : 0;
    }
    return any != 0;
}

/// Whether the IoU of a box with any of a block is over the limit.
[[nodiscard]] PADBATCH_DETAIL_INLINE bool block_overlaps(const float* block, const float (&box)[4], float area,
                                                         const overlap_limit& limit) noexcept
{
    alignas(64) float both[boxes_in_block];
    const float* const areas = block + 4 * boxes_in_block;
    intersect_block(both, block, box);
    if (!may_overlap(both, areas, area, limit)) {
        return false;
    }
    const float last = limit.last();
    std::int32_t any = 0;
    for (std::size_t k = 0; k < boxes_in_block; ++k) {
        any |= both[k] / ((areas[k] + area) - both[k]) > last ? 1 : 0;
    }
    return any != 0;
}

/// The same for blocks one after the other, [block, end). One function for all callers, and one more for processors
/// with wider registers.
[[nodiscard]] PADBATCH_DETAIL_INLINE bool any_block_overlaps(const float* block, const float* end,
                                                             const float (&box)[4], float area,
                                                             const overlap_limit& limit) noexcept
{
    for (; block < end; block += 5 * boxes_in_block) {
        if (block_overlaps(block, box, area, limit)) {
            return true;
        }
    }
    return false;
}
[[nodiscard, gnu::noinline]] inline bool blocks_overlap(const float* block, const float* end, const float (&box)[4],
                                                        float area, const overlap_limit& limit) noexcept
{
    return any_block_overlaps(block, end, box, area, limit);
}

/// Marks the boxes of blocks, [block, end), whose IoU with a box is over the limit.
PADBATCH_DETAIL_INLINE void mark_overlapping(const float* block, const float* end, std::int32_t* marks,
                                             const float (&box)[4], float area, const overlap_limit& limit) noexcept
{
    for (; block < end; block += 5 * boxes_in_block, marks += boxes_in_block) {
        alignas(64) float both[boxes_in_block];
        const float* const areas = block + 4 * boxes_in_block;
        intersect_block(both, block, box);
        if (may_overlap(both, areas, area, limit)) {
            const float last = limit.last();
            for (std::size_t k = 0; k < boxes_in_block; ++k) {
                marks[k] |= both[k] / ((areas[k] + area) - both[k]) > last ? 1 : 0;
            }
        }
    }
}

/// The most boxes that `few_boxes` takes.
inline constexpr std::size_t most_few_boxes = 8 * boxes_in_block;

/// Some boxes in the order of their scores. Each that is kept marks those behind it, so that nothing is written that is
/// read at once: faster than `kept_boxes`, as long as there are few.
struct few_boxes {
    float blocks[5 * most_few_boxes];
    std::int32_t marks[most_few_boxes];

    /// Puts a box in its place; its mark is 0. The first of a block also clears the places behind it.
    void set(std::size_t j, const float* box) noexcept
    {
        constexpr std::size_t step = boxes_in_block;
        const std::size_t at = j % step;
        float* const block = blocks + (j - at) * 5;
        if (at == 0) {
            std::memset(static_cast<void*>(block), 0, 5 * step * sizeof(float));
            std::memset(static_cast<void*>(marks + j), 0, step * sizeof(std::int32_t));
        }
        for (std::size_t c = 0; c < 4; ++c) {
            block[c * step + at] = box[c];
        }
        const float copy[4] = {box[0], box[1], box[2], box[3]};
        block[4 * step + at] = area_of(copy);
    }

    /// Sets `marks` of the first n boxes to 0 for those that are kept.
    PADBATCH_DETAIL_INLINE void suppress(std::size_t n, const overlap_limit& limit) noexcept
    {
        constexpr std::size_t step = boxes_in_block;
        const float* const end = blocks + (n + step - 1) / step * step * 5;
        for (std::size_t j = 0; j < n; ++j) {
            if (marks[j] == 0) {
                const float* const block = blocks + j / step * step * 5;
                const std::size_t at = j % step;
                const float box[4] = {block[at], block[step + at], block[2 * step + at], block[3 * step + at]};
                mark_overlapping(block, end, marks + j / step * step, box, block[4 * step + at], limit);
                marks[j] = 0; // it is not its own rival; those before it were not marked, so they overlap it no more
            }
        }
    }
};

[[gnu::noinline]] inline void suppress_few_plain(few_boxes& boxes, std::size_t n, const overlap_limit& limit) noexcept
{
    boxes.suppress(n, limit);
}
#if PADBATCH_DETAIL_HAS_AVX2
[[nodiscard, gnu::noinline, gnu::target("avx2")]] inline bool blocks_overlap_avx2(const float* block, const float* end,
                                                                                  const float (&box)[4], float area,
                                                                                  const overlap_limit& limit) noexcept
{
    return any_block_overlaps(block, end, box, area, limit);
}
[[gnu::noinline, gnu::target("avx2")]] inline void suppress_few_avx2(few_boxes& boxes, std::size_t n,
                                                                     const overlap_limit& limit) noexcept
{
    boxes.suppress(n, limit);
}
#endif

/// Sets the marks of `few_boxes`.
inline void suppress_few(few_boxes& boxes, std::size_t n, const overlap_limit& limit) noexcept
{
#if PADBATCH_DETAIL_HAS_AVX2
    if (__builtin_cpu_supports("avx2")) {
        suppress_few_avx2(boxes, n, limit);
        return;
    }
#endif
    suppress_few_plain(boxes, n, limit);
}

/// The boxes kept so far, each coordinate by itself, in blocks of `step`; the unused places of the last block hold
/// boxes that overlap nothing. A view of scratch memory.
class kept_boxes {
public:
    static constexpr std::size_t step = boxes_in_block;

    /// The number of floats for `n` boxes.
    [[nodiscard]] static constexpr std::size_t floats_for(std::size_t n) noexcept
    {
        return 5 * ((n + step - 1) / step * step);
    }

    explicit kept_boxes(float* memory) noexcept : m_memory(memory) {}

    [[nodiscard]] std::size_t size() const noexcept { return m_size; }
    void clear() noexcept { m_size = 0; }

    void add(const float (&box)[4], float area) noexcept
    {
        const std::size_t at = m_size % step;
        float* const block = m_memory + (m_size - at) * 5;
        if (at == 0) {
            for (std::size_t k = 0; k < step; ++k) {
                block[k] = block[step + k] = std::numeric_limits<float>::infinity(); // x1, y1
                block[2 * step + k] = block[3 * step + k] = -std::numeric_limits<float>::infinity();
                block[4 * step + k] = 0;
            }
        }
        for (std::size_t c = 0; c < 4; ++c) {
            block[c * step + at] = box[c];
        }
        block[4 * step + at] = area;
        ++m_size;
    }

    /// Whether the IoU of a box with any of these is over the limit. An IoU that is no number is not.
    [[nodiscard]] bool overlap(const float (&box)[4], float area, const overlap_limit& limit) const noexcept
    {
        const float* const end = m_memory + (m_size + step - 1) / step * step * 5;
#if PADBATCH_DETAIL_HAS_AVX2
        if (m_wide) {
            return blocks_overlap_avx2(m_memory, end, box, area, limit);
        }
#endif
        return blocks_overlap(m_memory, end, box, area, limit);
    }

private:
    float* m_memory;
    std::size_t m_size = 0;
#if PADBATCH_DETAIL_HAS_AVX2
    bool m_wide = __builtin_cpu_supports("avx2") != 0;
#endif
};

} // namespace padbatch::inline PADBATCH_ABI::detail

#endif
