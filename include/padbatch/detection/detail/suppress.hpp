// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_DETECTION_DETAIL_SUPPRESS_HPP
#define PADBATCH_DETECTION_DETAIL_SUPPRESS_HPP

#include <padbatch/detection/detail/each_image.hpp>
#include <padbatch/detection/detail/kept_boxes.hpp>
#include <padbatch/detection/detail/score_order.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>

namespace padbatch::inline PADBATCH_ABI::detail {

/// How the classes of boxes are told apart.
enum class class_rule : unsigned char {
    none,    // all boxes are of one class
    apart,   // class by class
    shifted, // boxes are moved by their label times a distance
    farther, // the distance is one more than the largest coordinate of the image
};

struct suppress_rules {
    double threshold = 0.5;
    std::size_t most = std::numeric_limits<std::size_t>::max();
    class_rule classes = class_rule::none;
    float distance = 0; // of class_rule::shifted
};

/// The scratch memory of `suppress` for one image of n rows, in parts that are aligned to 64.
struct suppress_scratch {
    keyed_row* order;
    keyed_row* other;
    float* kept;            // kept_boxes
    float* boxes;           // 4 * n, in the order of the scores
    std::int64_t* labels;   // in the order of the scores
    std::int32_t* slots;    // a hash table of labels
    unsigned char* is_kept; // in the order of the scores

    [[nodiscard]] static constexpr std::size_t table_size(std::size_t n) noexcept
    {
        std::size_t size = 16;
        while (size < 2 * n) {
            size *= 2;
        }
        return size;
    }
    [[nodiscard]] static constexpr std::size_t bytes_for(std::size_t n, bool labelled) noexcept
    {
        const std::size_t all = 2 * round_up_64(n * sizeof(keyed_row)) +
                                round_up_64(kept_boxes::floats_for(n) * sizeof(float)) +
                                round_up_64(4 * n * sizeof(float));
        return !labelled ? all
                         : all + round_up_64(n * sizeof(std::int64_t)) +
                               round_up_64(table_size(n) * sizeof(std::int32_t)) + round_up_64(n);
    }
    suppress_scratch(std::byte* memory, std::size_t n, bool labelled) noexcept
    {
        const auto take = [&memory](auto*& part, std::size_t bytes) {
            part = reinterpret_cast<std::remove_cvref_t<decltype(part)>>(memory);
            memory += round_up_64(bytes);
        };
        take(order, n * sizeof(keyed_row));
        take(other, n * sizeof(keyed_row));
        take(kept, kept_boxes::floats_for(n) * sizeof(float));
        take(boxes, 4 * n * sizeof(float));
        labels = nullptr;
        slots = nullptr;
        is_kept = nullptr;
        if (labelled) {
            take(labels, n * sizeof(std::int64_t));
            take(slots, table_size(n) * sizeof(std::int32_t));
            take(is_kept, n);
        }
    }
};

/// Walks the boxes [first, last) in order, and calls `keep(j)` for each that overlaps none before it that was kept.
/// `at(j)` gives a box's place in `boxes`. Stops after `most`.
template <class At, class Keep>
void walk_boxes(const float* boxes, std::size_t first, std::size_t last, kept_boxes kept, const overlap_limit& limit,
                std::size_t most, const At& at, const Keep& keep) noexcept
{
    const std::size_t n = last - first;
    std::size_t found = 0;
    if (n == 1 && most != 0) {
        keep(first);
        return;
    }
    if (n <= most_few_boxes) {
        few_boxes few; // 5 KB, not initialised
        for (std::size_t k = 0; k < n; ++k) {
            few.set(k, boxes + 4 * at(first + k));
        }
        suppress_few(few, n, limit);
        for (std::size_t k = 0; k < n && found < most; ++k) {
            if (few.marks[k] == 0) {
                keep(first + k);
                ++found;
            }
        }
        return;
    }
    for (std::size_t j = first; j < last && found < most; ++j) {
        float box[4];
        std::memcpy(box, boxes + 4 * at(j), sizeof box);
        const float area = area_of(box);
        if (!kept.overlap(box, area, limit)) {
            kept.add(box, area);
            keep(j);
            ++found;
        }
    }
}

/// Moves the boxes of each class away from those of the others, as torchvision's `_batched_nms_coordinate_trick` does:
/// coordinate + label * distance, in floats.
inline void shift_classes(float* boxes, const std::int64_t* labels, std::size_t n, const suppress_rules& rules) noexcept
{
    float distance = rules.distance;
    if (rules.classes == class_rule::farther) {
        float largest = -std::numeric_limits<float>::infinity(); // the largest coordinate, or NaN if there is one
        for (std::size_t k = 0; k < 4 * n; ++k) {
            largest = !(boxes[k] <= largest) && largest == largest ? boxes[k] : largest;
        }
        distance = largest + 1.0F;
    }
    for (std::size_t j = 0; j < n; ++j) {
        float offset = static_cast<float>(labels[j]) * distance;
        PADBATCH_DETAIL_ROUNDED(offset);
        for (std::size_t c = 0; c < 4; ++c) {
            boxes[4 * j + c] += offset;
        }
    }
}

/// Writes the rows in the order of their labels, each label's in the order of the scores; keys are numbers of the
/// labels, in the order in which they appear. Uses the memory for kept boxes, of 20 bytes each, on the way.
inline void order_by_label(const suppress_scratch& scratch, keyed_row* rows, std::size_t n) noexcept
{
    const std::size_t size = suppress_scratch::table_size(n);
    auto* const numbers = reinterpret_cast<std::uint32_t*>(scratch.kept); // of the rows' labels, [n]
    std::uint32_t* const counts = numbers + n;                            // of the labels' rows, at most [n]
    std::memset(static_cast<void*>(scratch.slots), 0xFF, size * sizeof(std::int32_t)); // -1: free
    std::uint32_t labels = 0;
    for (std::size_t j = 0; j < n; ++j) {
        const std::int64_t label = scratch.labels[j];
        std::size_t slot = (static_cast<std::uint64_t>(label) * 0x9E3779B97F4A7C15U >> 32U) & (size - 1);
        while (scratch.slots[slot] >= 0 && scratch.labels[scratch.slots[slot]] != label) {
            slot = (slot + 1) & (size - 1);
        }
        if (scratch.slots[slot] < 0) {
            scratch.slots[slot] = static_cast<std::int32_t>(j); // the first row of this label
            numbers[j] = labels;
            counts[labels++] = 1;
        } else {
            numbers[j] = numbers[scratch.slots[slot]];
            ++counts[numbers[j]];
        }
    }
    std::uint32_t sum = 0;
    for (std::uint32_t k = 0; k < labels; ++k) {
        const std::uint32_t count = counts[k];
        counts[k] = sum;
        sum += count;
    }
    for (std::size_t j = 0; j < n; ++j) {
        rows[counts[numbers[j]]++] = {numbers[j], static_cast<std::int32_t>(j)};
    }
}

/// Non-maximum suppression of one image, for rows of float boxes and scores, and of labels unless there is one class.
/// Writes the numbers of the rows that are kept, in the order of their scores, by `put(k, row)`, and returns how many.
template <class Boxes, class Scores, class Label, class Put>
[[nodiscard]] std::size_t suppress(const Boxes& boxes, const Scores& scores, const Label& label_at,
                                   const suppress_rules& rules, std::byte* memory, const Put& put) noexcept
{
    const std::size_t n = scores.size();
    const bool labelled = rules.classes != class_rule::none;
    const suppress_scratch scratch(memory, n, labelled);
    const overlap_limit limit(rules.threshold);
    order_by_score(scores, scratch.order, scratch.other);
    for (std::size_t j = 0; j < n; ++j) {
        const auto row = static_cast<std::size_t>(scratch.order[j].row);
        copy_row_of(scratch.boxes + 4 * j, row_extents<4>{}, boxes, row);
        if (labelled) {
            scratch.labels[j] = label_at(row);
        }
    }
    std::size_t found = 0;
    if (rules.classes != class_rule::apart) {
        if (labelled) {
            shift_classes(scratch.boxes, scratch.labels, n, rules);
        }
        walk_boxes(
            scratch.boxes, 0, n, kept_boxes(scratch.kept), limit, rules.most, [](std::size_t j) { return j; },
            [&](std::size_t j) { put(found++, scratch.order[j].row); });
        return found;
    }
    // Class by class; then those that were kept are put together, in the order of their scores.
    keyed_row* const by_class = scratch.other;
    order_by_label(scratch, by_class, n);
    std::memset(scratch.is_kept, 0, n);
    for (std::size_t first = 0; first < n;) {
        std::size_t last = first + 1;
        while (last < n && by_class[last].key == by_class[first].key) {
            ++last;
        }
        walk_boxes(
            scratch.boxes, first, last, kept_boxes(scratch.kept), limit, rules.most,
            [&](std::size_t j) { return static_cast<std::size_t>(by_class[j].row); },
            [&](std::size_t j) { scratch.is_kept[by_class[j].row] = 1; });
        first = last;
    }
    for (std::size_t j = 0; j < n && found < rules.most; ++j) {
        if (scratch.is_kept[j] != 0) {
            put(found++, scratch.order[j].row);
        }
    }
    return found;
}

} // namespace padbatch::inline PADBATCH_ABI::detail

#endif
