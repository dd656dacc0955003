// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_DETECTION_DETAIL_DECAY_SCORES_HPP
#define PADBATCH_DETECTION_DETAIL_DECAY_SCORES_HPP

#include <padbatch/detail/simd.hpp>
#include <padbatch/detection/detail/each_image.hpp>
#include <padbatch/detection/detail/kept_boxes.hpp>
#include <padbatch/detection/detail/score_order.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>

namespace padbatch::inline PADBATCH_ABI::detail {

/// How scores decay, checked.
struct decay_rules {
    bool gaussian = false;
    double threshold = 0.5; // of the IoU, if linear
    double sigma = 0.5;     // if Gaussian
    float floor = 0;
    std::size_t most = std::numeric_limits<std::size_t>::max();
};

/// Rows that are still there stand in blocks of this many: x1, y1, x2, y2, area and score, each by itself.
inline constexpr std::size_t rows_in_decay_block = boxes_in_block;
inline constexpr std::size_t floats_in_decay_block = 6 * rows_in_decay_block;
/// The score of a row that is gone: below every floor, whatever it is multiplied by.
inline constexpr float score_of_gone = -std::numeric_limits<float>::infinity();

/// 2 to the power of each of some numbers from -1000 to 0, within 1e-12 of it.
PADBATCH_DETAIL_INLINE void powers_of_two(double (&values)[rows_in_decay_block]) noexcept
{
    constexpr double to_whole = 6755399441055744.0; // 1.5 * 2^52: the sum's last bits are the whole number
    for (double& value : values) {
        const double sum = value + to_whole;
        const double rest = value - (sum - to_whole); // from -0.5 to 0.5
        // The series of exp(rest * log(2)): coefficients log(2)^k / k!.
        double power = 7.054911620801121e-9;
        power = power * rest + 1.0178086009239696e-7;
        power = power * rest + 1.3215486790144305e-6;
        power = power * rest + 1.5252733804059838e-5;
        power = power * rest + 1.5403530393381606e-4;
        power = power * rest + 1.3333558146428441e-3;
        power = power * rest + 9.618129107628477e-3;
        power = power * rest + 5.5504108664821576e-2;
        power = power * rest + 2.402265069591007e-1;
        power = power * rest + 6.931471805599453e-1;
        power = power * rest + 1.0;
        std::uint64_t exponent = 0;
        __builtin_memcpy(&exponent, &sum, sizeof exponent);
        exponent = (exponent << 52U) + (std::uint64_t{1023} << 52U);
        double scale = 0;
        __builtin_memcpy(&scale, &exponent, sizeof scale);
        value = power * scale;
    }
}

/// Multiplies the scores of one block by what their overlap with `box` leaves of them, and returns the highest score.
/// Most blocks have no overlap at all: then `highest`, as it was, is returned.
PADBATCH_DETAIL_INLINE float decay_block(float* block, const float (&box)[4], float area, float last_not_over,
                                         double exponent, const decay_rules& rules, float highest) noexcept
{
    constexpr std::size_t n = rows_in_decay_block;
    alignas(64) float both[n];
    alignas(64) float part[n];
    intersect_block(both, block, box);
    std::int32_t any = 0;
    for (std::size_t k = 0; k < n; ++k) {
        any |= both[k] > 0 ? 1 : 0;
    }
    if (any == 0) {
        return highest;
    }
    for (std::size_t k = 0; k < n; ++k) {
        part[k] = both[k] / ((area + block[4 * n + k]) - both[k]);
    }
    if (rules.gaussian) {
        alignas(64) double power[n];
        for (std::size_t k = 0; k < n; ++k) { // the square of a float is exact; NaN, of boxes without area, leaves all
            const double iou = part[k] > 0 ? double{part[k]} : 0.0;
            const double scaled = (iou * iou) * exponent;
            power[k] = scaled > -1000.0 ? scaled : -1000.0;
        }
        powers_of_two(power);
        for (std::size_t k = 0; k < n; ++k) {
            part[k] = static_cast<float>(power[k]);
        }
    } else {
        for (std::size_t k = 0; k < n; ++k) {
            part[k] = part[k] > last_not_over ? 1.0F - part[k] : 1.0F;
        }
    }
    const float floor = rules.floor;
    alignas(64) float score[n];
    for (std::size_t k = 0; k < n; ++k) {
        const float decayed = block[5 * n + k] * part[k];
        score[k] = decayed >= floor ? decayed : score_of_gone;
        block[5 * n + k] = score[k];
    }
    highest = score_of_gone;
    for (std::size_t k = 0; k < n; ++k) {
        highest = score[k] > highest ? score[k] : highest;
    }
    return highest;
}

/// The rows of one image that have neither been taken nor dropped, and what is left of their scores. A view of scratch
/// memory.
class decaying_rows {
public:
    static constexpr std::size_t step = rows_in_decay_block;

    [[nodiscard]] static constexpr std::size_t bytes_for(std::size_t n) noexcept
    {
        const std::size_t blocks = (n + step - 1) / step;
        return round_up_64(blocks * floats_in_decay_block * sizeof(float)) + round_up_64(blocks * sizeof(float)) +
               round_up_64(n * sizeof(std::int32_t));
    }

    decaying_rows(std::byte* memory, std::size_t n, const decay_rules& rules) noexcept
        : m_rules(rules), m_last_not_over(overlap_limit(rules.gaussian ? 0.5 : rules.threshold).last()),
          m_exponent(-1.4426950408889634 / rules.sigma) // of base 2
    {
        const std::size_t blocks = (n + step - 1) / step;
        m_blocks = reinterpret_cast<float*>(memory);
        memory += round_up_64(blocks * floats_in_decay_block * sizeof(float));
        m_highest = reinterpret_cast<float*>(memory);
        memory += round_up_64(blocks * sizeof(float));
        m_rows = reinterpret_cast<std::int32_t*>(memory);
    }

    /// Adds a row. A score below the floor, or NaN, is not added.
    void add(const float (&box)[4], float score, std::int32_t row) noexcept
    {
        if (!(score >= m_rules.floor)) {
            return;
        }
        const float values[] = {box[0], box[1], box[2], box[3], area_of(box), score};
        put(values, row);
    }

    /// Takes the rows one after the other, the highest score first, and writes their numbers and scores. Returns how
    /// many there are.
    [[nodiscard]] std::size_t take_all(std::int32_t* kept, float* scores) noexcept
    {
        std::size_t found = 0;
        std::size_t block = find_highest();
        while (found < m_rules.most && block < block_count() && m_highest[block] != score_of_gone) {
            float* const values = m_blocks + block * floats_in_decay_block;
            std::size_t k = 0;
            while (values[5 * step + k] != m_highest[block]) {
                ++k;
            }
            const float box[4] = {values[k], values[step + k], values[2 * step + k], values[3 * step + k]};
            const float area = values[4 * step + k];
            kept[found] = m_rows[block * step + k];
            scores[found] = values[5 * step + k];
            ++found;
            remove(block, k);
            if (++m_taken > m_size / 4) {
                close_up();
            }
            block = decay(box, area);
        }
        return found;
    }

private:
    decay_rules m_rules;
    float m_last_not_over;
    double m_exponent;
    float* m_blocks;
    float* m_highest; // of each block
    std::int32_t* m_rows;
    std::size_t m_size = 0;
    std::size_t m_taken = 0; // since rows were closed up

    [[nodiscard]] std::size_t block_count() const noexcept { return (m_size + step - 1) / step; }

    void put(const float (&values)[6], std::int32_t row) noexcept
    {
        const std::size_t k = m_size % step;
        const std::size_t block = m_size / step;
        float* const to = m_blocks + block * floats_in_decay_block;
        if (k == 0) {
            for (std::size_t free = 0; free < step; ++free) {
                clear_place(to, free);
            }
            m_highest[block] = score_of_gone;
        }
        for (std::size_t c = 0; c < 6; ++c) {
            to[c * step + k] = values[c];
        }
        m_highest[block] = values[5] > m_highest[block] ? values[5] : m_highest[block];
        m_rows[m_size++] = row;
    }

    /// A place that overlaps nothing.
    static void clear_place(float* block, std::size_t k) noexcept
    {
        block[k] = block[step + k] = std::numeric_limits<float>::infinity(); // x1, y1
        block[2 * step + k] = block[3 * step + k] = -std::numeric_limits<float>::infinity();
        block[4 * step + k] = 0;
        block[5 * step + k] = score_of_gone;
    }

    void remove(std::size_t block, std::size_t k) noexcept
    {
        float* const values = m_blocks + block * floats_in_decay_block;
        clear_place(values, k);
        float highest = score_of_gone;
        for (std::size_t other = 0; other < step; ++other) {
            highest = values[5 * step + other] > highest ? values[5 * step + other] : highest;
        }
        m_highest[block] = highest;
    }

    /// Forgets the rows that are gone. The others keep their order.
    void close_up() noexcept
    {
        const std::size_t n = m_size;
        m_size = 0;
        m_taken = 0;
        for (std::size_t j = 0; j < n; ++j) {
            const float* const from = m_blocks + j / step * floats_in_decay_block + j % step;
            if (from[5 * step] != score_of_gone) {
                const float values[] = {from[0],        from[step],     from[2 * step],
                                        from[3 * step], from[4 * step], from[5 * step]};
                copy_down(values, j);
            }
        }
        // What is behind the last row of its block is free.
        for (std::size_t k = m_size; k % step != 0; ++k) {
            clear_place(m_blocks + k / step * floats_in_decay_block, k % step);
        }
        for (std::size_t block = 0; block < block_count(); ++block) {
            const float* const scores = m_blocks + block * floats_in_decay_block + 5 * step;
            float highest = score_of_gone;
            for (std::size_t k = 0; k < step; ++k) {
                highest = scores[k] > highest ? scores[k] : highest;
            }
            m_highest[block] = highest;
        }
    }
    void copy_down(const float (&values)[6], std::size_t from) noexcept
    {
        float* const to = m_blocks + m_size / step * floats_in_decay_block + m_size % step;
        for (std::size_t c = 0; c < 6; ++c) {
            to[c * step] = values[c];
        }
        m_rows[m_size++] = m_rows[from];
    }

    /// The first block of those with the highest score.
    [[nodiscard]] std::size_t find_highest() const noexcept
    {
        std::size_t found = 0;
        for (std::size_t block = 1; block < block_count(); ++block) {
            found = m_highest[block] > m_highest[found] ? block : found;
        }
        return found;
    }

    /// Lets the scores of all rows decay that overlap a box; returns the first block with the highest score.
    [[nodiscard]] std::size_t decay(const float (&box)[4], float area) noexcept
    {
#if PADBATCH_DETAIL_HAS_AVX2
        if (m_wide) {
            return decay_avx2(box, area);
        }
#endif
        return decay_all(box, area);
    }
    [[gnu::noinline]] std::size_t decay_all(const float (&box)[4], float area) noexcept
    {
        return decay_blocks(box, area);
    }
#if PADBATCH_DETAIL_HAS_AVX2
    bool m_wide = __builtin_cpu_supports("avx2") != 0;

    [[gnu::noinline, gnu::target("avx2")]] std::size_t decay_avx2(const float (&box)[4], float area) noexcept
    {
        return decay_blocks(box, area);
    }
#endif
    PADBATCH_DETAIL_INLINE std::size_t decay_blocks(const float (&box)[4], float area) noexcept
    {
        const std::size_t blocks = block_count();
        const decay_rules rules = m_rules;
        std::size_t found = 0;
        float highest = score_of_gone;
        for (std::size_t block = 0; block < blocks; ++block) {
            if (m_highest[block] == score_of_gone) {
                continue;
            }
            const float here = decay_block(m_blocks + block * floats_in_decay_block, box, area, m_last_not_over,
                                           m_exponent, rules, m_highest[block]);
            m_highest[block] = here;
            found = here > highest ? block : found;
            highest = here > highest ? here : highest;
        }
        return found;
    }
};

/// Soft suppression of one image: writes the numbers of the rows that are kept and what is left of their scores, in the
/// order in which they are taken, and returns how many. Reads everything before it writes.
template <class Boxes, class Scores>
[[nodiscard]] std::size_t decay_scores(const Boxes& boxes, const Scores& scores, const decay_rules& rules,
                                       std::byte* memory, std::int32_t* kept, float* left) noexcept
{
    const std::size_t n = scores.size();
    decaying_rows rows(memory, n, rules);
    for (std::size_t j = 0; j < n; ++j) {
        float box[4];
        copy_row_of(box, row_extents<4>{}, boxes, j);
        rows.add(box, float_at(scores, j), static_cast<std::int32_t>(j));
    }
    return rows.take_all(kept, left);
}

} // namespace padbatch::inline PADBATCH_ABI::detail

#endif
