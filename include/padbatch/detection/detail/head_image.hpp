// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_DETECTION_DETAIL_HEAD_IMAGE_HPP
#define PADBATCH_DETECTION_DETAIL_HEAD_IMAGE_HPP

#include <padbatch/detection/detail/head_lanes.hpp>
#include <padbatch/detection/detail/head_tile.hpp>
#include <padbatch/detection/detail/kept_boxes.hpp>
#include <padbatch/detection/detail/score_order.hpp>
#include <padbatch/detection/heads.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace padbatch::inline PADBATCH_ABI::detail {

/// Memory for the detections of one image. A candidate is a key of its score, and the pair anchor * classes + label.
struct head_memory {
    keyed_row* candidates = nullptr; // all of them
    keyed_row* room = nullptr;       // as many
    keyed_row* by_class = nullptr;   // as many as can go on, twice; class by class only
    std::uint8_t* is_kept = nullptr; // of those
    float* row = nullptr;            // the scores of one anchor
    float* kept = nullptr;           // of `kept_boxes`
    float* boxes = nullptr;          // [most, 4], results
    float* scores = nullptr;         // [most], results
    std::int32_t* pairs = nullptr;   // [most], results
};

/// The score that a key was made of. (That of a zero is 0, not -0.)
[[nodiscard]] inline float score_of_key(std::uint32_t descending) noexcept
{
    const std::uint32_t key = ~descending;
    return __builtin_bit_cast(float, (key & 0x80000000U) != 0 ? key & 0x7fffffffU : ~key);
}

/// exp(x) and 1 / (1 + exp(-x)), as the C library has it.
[[nodiscard]] inline float head_exp(float x) noexcept
{
    return __builtin_expf(x);
}
[[nodiscard]] inline float head_sigmoid(float x) noexcept
{
    return 1.0F / (1.0F + head_exp(-x));
}

/// A number that any logit must be above, or its sigmoid cannot be above `score`; with room for rounding.
[[nodiscard]] inline float logit_below(float score) noexcept
{
    const double least = static_cast<double>(score) - 1e-6;
    if (least <= 0) {
        return -__builtin_inff();
    }
    if (least >= 1) {
        return __builtin_inff();
    }
    return static_cast<float>(__builtin_log(least / (1 - least)) - 1e-3);
}

/// Selects the detections of one image.
class head_selector {
public:
    /// `wanted` says of each class whether its detections are; null for all.
    head_selector(const detector_head& head, const std::uint8_t* wanted, const head_part& boxes,
                  const head_part& columns, std::size_t anchors, const head_memory& memory) noexcept
        : m_head(head), m_wanted(wanted), m_boxes(boxes), m_scores(columns.from(head.objectness ? 1 : 0)),
          m_objectness(columns), m_anchors(anchors), m_memory(memory), m_least(head.selection.score_above),
          m_limit(head.scores == head_scores::sigmoid ? logit_below(m_least) : m_least)
    {
    }

    /// Writes the detections, the best first, at most `most`; returns how many there are.
    [[nodiscard]] std::size_t run(std::size_t most) noexcept
    {
        find_candidates();
        sort_by_key(m_memory.candidates, m_memory.room, m_count); // they are in the order of their pairs
        const head_suppression how = m_head.selection.suppression;
        if (how == head_suppression::none) {
            m_count = m_count < most ? m_count : most;
            for (std::size_t j = 0; j < m_count; ++j) {
                write(j, j);
            }
            return m_count;
        }
        m_count = m_count < most_head_candidates ? m_count : most_head_candidates;
        return how == head_suppression::class_by_class ? suppress_by_class(most) : suppress(most);
    }

private:
    // --- candidates -----------------------------------------------------------------------------------------------

    void find_candidates() noexcept
    {
        const bool one_by_one = m_head.scores == head_scores::softmax ||
                                (m_head.scores == head_scores::sigmoid && m_least < 0); // each can be above it
        if (m_head.objectness) {
            for (std::size_t a = 0; a < m_anchors; ++a) {
                take_object(a);
            }
        } else if (!one_by_one && m_scores.anchor == 1) {
            for (std::size_t a = 0; a < m_anchors; a += head_tile::most) {
                find_in_tile(a, m_anchors - a < head_tile::most ? m_anchors - a : head_tile::most);
            }
        } else if (!one_by_one && m_scores.column == 1) {
            for (std::size_t a = 0; a < m_anchors; ++a) {
                if (any_above(m_scores.data + static_cast<std::ptrdiff_t>(a) * m_scores.anchor, m_head.classes,
                              m_limit)) {
                    take_anchor(a, 1);
                }
            }
        } else {
            for (std::size_t a = 0; a < m_anchors; ++a) {
                take_anchor(a, 1);
            }
        }
    }

    void find_in_tile(std::size_t begin, std::size_t n) noexcept
    {
        head_tile tile; // 20 KB, not initialised
        const std::size_t count = tile.find(m_scores.data + begin, m_scores.column, m_head.classes, n, m_limit);
        take_from(tile, begin, count);
    }

    void take_from(const head_tile& tile, std::size_t begin, std::size_t count) noexcept
    {
        const bool is_best = m_head.scores == head_scores::plain && !m_head.selection.every_class;
        for (std::size_t j = 0; j < count; ++j) {
            const std::size_t a = begin + tile.passing[j];
            if (is_best) {
                const float score = tile.best[tile.passing[j]];
                auto label = static_cast<std::size_t>(tile.first[tile.passing[j]]);
                while (m_scores.at(label, a) != score) {
                    ++label;
                }
                add(a, label, score);
            } else {
                take_anchor(a, 1);
            }
        }
    }

    /// An anchor with an objectness. Class scores are at most 1, so none is above what the objectness is not above.
    void take_object(std::size_t a) noexcept
    {
        float object = m_objectness.at(0, a);
        const bool skips = m_least >= 0;
        if (skips && !(object > m_limit)) {
            return;
        }
        if (m_head.scores == head_scores::sigmoid) {
            object = head_sigmoid(object);
        }
        if (!skips || object > m_least) {
            take_anchor(a, object);
        }
    }

    /// Any anchor, by its scores, times `object`.
    void take_anchor(std::size_t a, float object) noexcept
    {
        const std::size_t classes = m_head.classes;
        const float* row = m_memory.row;
        if (m_head.scores == head_scores::plain && !m_head.objectness && m_scores.column == 1) {
            row = m_scores.data + static_cast<std::ptrdiff_t>(a) * m_scores.anchor;
        } else {
            make_scores(a, object);
        }
        if (m_head.selection.every_class) {
            for (std::size_t c = 0; c < classes; ++c) {
                if (row[c] > m_least) {
                    add(a, c, row[c]);
                }
            }
            return;
        }
        if (const head_largest best(row, classes); best.score > m_least) {
            add(a, best.label, best.score);
        }
    }

    void make_scores(std::size_t a, float object) noexcept
    {
        float* const row = m_memory.row;
        const std::size_t columns = m_head.class_columns();
        if (m_scores.column == 1) {
            std::memcpy(row, m_scores.data + static_cast<std::ptrdiff_t>(a) * m_scores.anchor, columns * sizeof(float));
        } else {
            for (std::size_t c = 0; c < columns; ++c) {
                row[c] = m_scores.at(c, a);
            }
        }
        if (m_head.scores == head_scores::sigmoid) {
            for (std::size_t c = 0; c < columns; ++c) {
                row[c] = row[c] > m_limit || m_least < 0 ? head_sigmoid(row[c]) : -1.0F; // which is above no `score`
            }
        } else if (m_head.scores == head_scores::softmax) {
            float largest_of_all = -__builtin_inff();
            for (std::size_t c = 0; c < columns; ++c) {
                largest_of_all = row[c] > largest_of_all ? row[c] : largest_of_all;
            }
            float sum = 0;
            for (std::size_t c = 0; c < columns; ++c) {
                row[c] = head_exp(row[c] - largest_of_all);
                sum += row[c];
            }
            for (std::size_t c = 0; c < columns; ++c) {
                row[c] /= sum;
            }
        }
        if (m_head.objectness) {
            std::size_t c = 0;
            for (; c + lane_count <= columns; c += lane_count) {
                store_lanes(row + c, load_lanes(row + c) * lanes_of(object));
            }
            for (; c < columns; ++c) {
                row[c] *= object;
            }
        }
    }

    void add(std::size_t a, std::size_t label, float score) noexcept
    {
        if (m_wanted == nullptr || m_wanted[label] != 0) {
            for (std::size_t c = 0; c < 4; ++c) { // the box will be read soon, but not in the order of memory
                __builtin_prefetch(m_boxes.address(c, a));
            }
            m_memory.candidates[m_count++] = {descending_key(score),
                                              static_cast<std::int32_t>(a * m_head.classes + label)};
        }
    }

    // --- what is kept ---------------------------------------------------------------------------------------------

    /// Whether a box overlaps none that is kept, and so is kept too. Any two opposite corners make a box.
    [[nodiscard]] static bool keep(kept_boxes& kept, const float* corners, float shift,
                                   const overlap_limit& limit) noexcept
    {
        const float left = corners[0] + shift;
        const float top = corners[1] + shift;
        const float right = corners[2] + shift;
        const float bottom = corners[3] + shift;
        const float box[4] = {left < right ? left : right, top < bottom ? top : bottom, left < right ? right : left,
                              top < bottom ? bottom : top};
        const float area = area_of(box);
        const bool is_new = !kept.overlap(box, area, limit);
        if (is_new) {
            kept.add(box, area);
        }
        return is_new;
    }

    [[nodiscard]] std::size_t suppress(std::size_t most) noexcept
    {
        const bool shifts = m_head.selection.suppression == head_suppression::shifted;
        const overlap_limit limit(static_cast<double>(m_head.selection.iou_above));
        kept_boxes kept(m_memory.kept);
        std::size_t n = 0;
        for (std::size_t j = 0; j < m_count && n < most; ++j) {
            write(n, j);
            const std::size_t label = static_cast<std::size_t>(m_memory.pairs[n]) % m_head.classes;
            const float shift = shifts ? rounded_product(static_cast<float>(label), head_class_shift) : 0.0F;
            n += keep(kept, m_memory.boxes + 4 * n, shift, limit) ? 1U : 0U;
        }
        return n;
    }

    [[nodiscard]] std::size_t suppress_by_class(std::size_t most) noexcept
    {
        keyed_row* const by_class = m_memory.by_class;
        for (std::size_t j = 0; j < m_count; ++j) {
            const std::size_t label = static_cast<std::size_t>(m_memory.candidates[j].row) % m_head.classes;
            by_class[j] = {static_cast<std::uint32_t>(label), static_cast<std::int32_t>(j)};
        }
        sort_by_key(by_class, by_class + m_count, m_count);
        const overlap_limit limit(static_cast<double>(m_head.selection.iou_above));
        kept_boxes kept(m_memory.kept);
        for (std::size_t k = 0; k < m_count; ++k) {
            if (k != 0 && by_class[k].key != by_class[k - 1].key) {
                kept.clear();
            }
            const auto j = static_cast<std::size_t>(by_class[k].row);
            m_memory.is_kept[j] = 0;
            if (kept.size() < most) {
                float corners[4] = {};
                decode_box(static_cast<std::size_t>(m_memory.candidates[j].row) / m_head.classes, corners);
                m_memory.is_kept[j] = keep(kept, corners, 0, limit) ? 1 : 0;
            }
        }
        std::size_t n = 0;
        for (std::size_t j = 0; j < m_count && n < most; ++j) {
            if (m_memory.is_kept[j] != 0) {
                write(n++, j);
            }
        }
        return n;
    }

    /// Row r of the results is candidate j.
    void write(std::size_t r, std::size_t j) noexcept
    {
        const keyed_row candidate = m_memory.candidates[j];
        m_memory.scores[r] = score_of_key(candidate.key);
        m_memory.pairs[r] = candidate.row;
        decode_box(static_cast<std::size_t>(candidate.row) / m_head.classes, m_memory.boxes + 4 * r);
    }

    /// Corners in pixels. Products are rounded on their own, as they are in a graph of operators.
    void decode_box(std::size_t a, float* box) const noexcept
    {
        float v[4] = {m_boxes.at(0, a), m_boxes.at(1, a), m_boxes.at(2, a), m_boxes.at(3, a)};
        from_grid(a, v);
        switch (m_head.boxes) {
        case box_format::xyxy: set(box, v[0], v[1], v[2], v[3]); break;
        case box_format::yxyx: set(box, v[1], v[0], v[3], v[2]); break;
        case box_format::xywh: set(box, v[0], v[1], v[0] + v[2], v[1] + v[3]); break;
        case box_format::cxcywh: {
            const float w = rounded_product(v[2], 0.5F);
            const float h = rounded_product(v[3], 0.5F);
            set(box, v[0] - w, v[1] - h, v[0] + w, v[1] + h);
            break;
        }
        }
        if (m_head.normalized) {
            const auto w = static_cast<float>(m_head.width);
            const auto h = static_cast<float>(m_head.height);
            set(box, rounded_product(box[0], w), rounded_product(box[1], h), rounded_product(box[2], w),
                rounded_product(box[3], h));
        }
    }

    static void set(float* box, float x1, float y1, float x2, float y2) noexcept
    {
        box[0] = x1;
        box[1] = y1;
        box[2] = x2;
        box[3] = y2;
    }

    /// If boxes are offsets from a grid: anchor a is one of the cells.
    void from_grid(std::size_t a, float* v) const noexcept
    {
        for (const std::size_t stride : m_head.strides) {
            if (stride == 0) {
                continue;
            }
            const std::size_t across = m_head.width / stride;
            const std::size_t cells = (m_head.height / stride) * across;
            if (a < cells) {
                const auto scale = static_cast<float>(stride);
                const std::size_t row = a / across;
                v[0] = rounded_product(v[0] + static_cast<float>(a % across), scale);
                v[1] = rounded_product(v[1] + static_cast<float>(row), scale);
                v[2] = rounded_product(head_exp(v[2]), scale);
                v[3] = rounded_product(head_exp(v[3]), scale);
                return;
            }
            a -= cells;
        }
    }

    const detector_head& m_head;
    const std::uint8_t* m_wanted;
    head_part m_boxes;
    head_part m_scores;
    head_part m_objectness;
    std::size_t m_anchors;
    head_memory m_memory;
    float m_least; // scores must be above it
    float m_limit; // and, if they are sigmoids, the numbers that they are of
    std::size_t m_count = 0;
};

} // namespace padbatch::inline PADBATCH_ABI::detail

#endif
