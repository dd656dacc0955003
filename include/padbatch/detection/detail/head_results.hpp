// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_DETECTION_DETAIL_HEAD_RESULTS_HPP
#define PADBATCH_DETECTION_DETAIL_HEAD_RESULTS_HPP

#include <padbatch/detail/buffer.hpp>
#include <padbatch/detail/field_memory.hpp>
#include <padbatch/detail/first_failure.hpp>
#include <padbatch/detection/detail/head_image.hpp>
#include <padbatch/detection/detail/head_tensors.hpp>
#include <padbatch/padded_view.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <tuple>
#include <type_traits>

namespace padbatch::inline PADBATCH_ABI::detail {

/// Divides one piece of memory: first counts, then, once it is there, hands out.
class head_arena {
public:
    /// The place of `n` values of `size` bytes.
    [[nodiscard]] std::size_t take(std::size_t n, std::size_t size) noexcept
    {
        const std::size_t at = m_bytes;
        std::size_t bytes = 0;
        constexpr std::size_t most = static_cast<std::size_t>(std::numeric_limits<std::ptrdiff_t>::max()) - 64;
        m_overflows = m_overflows || __builtin_mul_overflow(n, size, &bytes) || bytes > most - m_bytes;
        m_bytes = m_overflows ? 0 : (m_bytes + bytes + 63) / 64 * 64;
        return at;
    }
    [[nodiscard]] std::size_t bytes() const noexcept { return m_bytes; }
    [[nodiscard]] bool overflows() const noexcept { return m_overflows; }

private:
    std::size_t m_bytes = 0;
    bool m_overflows = false;
};

template <class Field>
consteval bool is_head_field() noexcept
{
    using tag = typename Field::tag;
    using T = typename Field::value_type;
    constexpr bool is_label = std::is_same_v<tag, t::labels_t>;
    constexpr bool is_known = is_label || std::is_same_v<tag, t::boxes_t> || std::is_same_v<tag, t::scores_t> ||
                              std::is_same_v<tag, t::mask_coefficients_t> || std::is_same_v<tag, t::keypoints_t>;
    static_assert(is_known,
                  "a head's detections have boxes, scores, labels, mask_coefficients and keypoints, no others");
    static_assert(!is_known || is_label || std::is_same_v<T, float>, "numbers from a head are float");
    static_assert(!is_label || (std::is_integral_v<T> && !std::is_same_v<T, bool>) || std::is_same_v<T, float>,
                  "labels are integers or float");
    using E = typename Field::extents_type;
    static_assert(!std::is_same_v<tag, t::boxes_t> || std::is_same_v<E, row_extents<4>>,
                  "boxes are 4 numbers, row_extents<4>");
    static_assert(!(is_label || std::is_same_v<tag, t::scores_t>) || E::rank == 0, "a label or a score is one number");
    if constexpr (std::is_same_v<tag, t::keypoints_t>) {
        static_assert(E::rank == 2, "keypoints are [K, 3]");
        if constexpr (E::rank == 2) {
            static_assert(E::static_extent(1) == 3 || E::static_extent(1) == dynamic, "keypoints are [K, 3]");
        }
    }
    return is_known;
}

template <class List>
class head_results;

/// The detections of all images, in scratch memory, `[B, most, row...]` of each field that the output has.
template <class... Fields>
class head_results<field_list<Fields...>> {
    static_assert((is_head_field<Fields>() && ...));

public:
    using view_type =
        padded_view<field<typename Fields::tag, typename Fields::value_type, typename Fields::extents_type>...>;

    /// If images are decoded at the same time, each needs memory of its own.
    head_results(const detector_head& head, const head_plan& plan, bool at_once) noexcept
        : m_head(head), m_plan(plan), m_at_once(at_once)
    {
    }

    /// Finds memory for all that `decode_image` writes.
    [[nodiscard]] status prepare(buffer<std::byte>& memory) noexcept
    {
        if (status outcome = first_failure([&] { return check_field<Fields>(); }...); !outcome.ok()) {
            return outcome;
        }
        head_arena of_batch;
        std::size_t slots = 0;
        const bool too_many = __builtin_mul_overflow(m_plan.images, m_plan.most, &slots);
        const std::size_t counts = of_batch.take(m_plan.images, sizeof(std::int32_t));
        const std::size_t wanted = of_batch.take(chooses_labels() ? m_head.classes : 0, 1);
        const std::size_t of_fields[] = {
            of_batch.take(slots, extents<Fields>().size() * sizeof(typename Fields::value_type))...};
        head_arena of_image;
        static_cast<void>(place_image(of_image, nullptr)); // how much it is
        const std::size_t works = m_at_once ? m_plan.images : 1;
        const std::size_t first_work = of_batch.take(works, of_image.bytes());
        if (too_many || of_batch.overflows() || of_image.overflows()) {
            return {status_code::size_overflow, "{} images of {} detections are more bytes than memory can have",
                    m_plan.images, m_plan.most};
        }
        if (!memory.try_resize(of_batch.bytes())) {
            return {status_code::out_of_memory, "not enough memory for {} bytes of scratch", of_batch.bytes()};
        }
        std::byte* const base = memory.data();
        m_counts = reinterpret_cast<std::int32_t*>(base + counts);
        for (std::size_t i = 0; i < m_plan.images; ++i) {
            m_counts[i] = 0; // also of an image that the caller's loop leaves out
        }
        m_wanted = chooses_labels() ? reinterpret_cast<std::uint8_t*>(base + wanted) : nullptr;
        std::size_t f = 0;
        ((std::get<index_in<Fields, Fields...>>(m_fields) =
              reinterpret_cast<typename Fields::value_type*>(base + of_fields[f++])),
         ...);
        m_work = base + first_work;
        m_work_bytes = of_image.bytes();
        choose_labels();
        return {};
    }

    /// Writes the detections of image i. Different images may be decoded at the same time, if that was said.
    void decode_image(std::size_t i) const noexcept
    {
        if (m_plan.most == 0) { // perhaps there are no numbers at all
            m_counts[i] = 0;
            return;
        }
        head_arena arena;
        const image_work work = place_image(arena, m_work + (m_at_once ? i : 0) * m_work_bytes);
        const head_part all = m_plan.scores.of_image(i, work.converted);
        const head_part boxes = m_plan.is_joined ? all : m_plan.boxes.of_image(i, work.converted_boxes);
        const head_part columns = all.from(m_plan.is_joined ? 4 : 0);
        head_selector selector(m_head, m_wanted, boxes, columns, m_plan.anchors, work.memory);
        const std::size_t n = selector.run(m_plan.most);
        m_counts[i] = static_cast<std::int32_t>(n);
        const head_part further = columns.from((m_head.objectness ? 1 : 0) + m_head.class_columns());
        (write_field<Fields>(i, n, work.memory, further), ...);
    }

    [[nodiscard]] view_type view() const noexcept
    {
        return view_type(
            unchecked, m_plan.images, m_plan.most, m_counts, element_type::int32,
            field_memory<field<typename Fields::tag, typename Fields::value_type, typename Fields::extents_type>>{
                std::get<index_in<Fields, Fields...>>(m_fields), extents<Fields>()}...);
    }

private:
    /// Memory that is needed while an image is decoded.
    struct image_work {
        head_memory memory;
        float* converted = nullptr;
        float* converted_boxes = nullptr;
    };

    const detector_head& m_head;
    const head_plan& m_plan;
    bool m_at_once;
    std::int32_t* m_counts = nullptr;
    std::uint8_t* m_wanted = nullptr;
    std::byte* m_work = nullptr;
    std::size_t m_work_bytes = 0;
    std::tuple<typename Fields::value_type*...> m_fields;

    [[nodiscard]] image_work place_image(head_arena& arena, std::byte* base) const noexcept
    {
        const bool by_class = m_head.selection.suppression == head_suppression::class_by_class;
        const std::size_t most = m_plan.most;
        image_work work;
        const auto place = [&](auto*& part, std::size_t n) {
            using T = std::remove_reference_t<decltype(*part)>;
            const std::size_t at = arena.take(n, sizeof(T));
            part = base == nullptr ? nullptr : reinterpret_cast<T*>(base + at);
        };
        place(work.memory.candidates, m_plan.pairs);
        place(work.memory.room, m_plan.pairs);
        place(work.memory.by_class, by_class ? 2 * m_plan.going_on : 0);
        place(work.memory.is_kept, by_class ? m_plan.going_on : 0);
        place(work.memory.row, m_head.class_columns());
        place(work.memory.kept, kept_boxes::floats_for(most));
        place(work.memory.boxes, 4 * most);
        place(work.memory.scores, most);
        place(work.memory.pairs, most);
        place(work.converted, m_plan.scores.converted());
        place(work.converted_boxes, m_plan.is_joined ? 0 : m_plan.boxes.converted());
        return work;
    }

    [[nodiscard]] bool chooses_labels() const noexcept
    {
        return !m_head.selection.only.empty() || !m_head.selection.without.empty();
    }

    template <class Field>
    [[nodiscard]] auto extents() const noexcept
    {
        using E = typename Field::extents_type;
        if constexpr (std::is_same_v<typename Field::tag, t::mask_coefficients_t>) {
            return E{std::array<std::size_t, 1>{m_head.coefficients}};
        } else if constexpr (std::is_same_v<typename Field::tag, t::keypoints_t>) {
            return E{std::array<std::size_t, 2>{m_head.points, 3}};
        } else {
            return E{};
        }
    }

    template <class Field>
    [[nodiscard]] status check_field() const noexcept
    {
        using E = typename Field::extents_type;
        const char* const name = Field::tag::name;
        if constexpr (std::is_same_v<typename Field::tag, t::labels_t>) {
            using T = typename Field::value_type;
            if constexpr (std::is_integral_v<T>) {
                if (m_head.classes - 1 > static_cast<std::uintmax_t>(std::numeric_limits<T>::max())) {
                    return {status_code::bad_argument, "{} classes are more than the type of the labels can number",
                            m_head.classes};
                }
            }
        } else if constexpr (E::rank != 0 && !std::is_same_v<typename Field::tag, t::boxes_t>) {
            constexpr bool is_points = std::is_same_v<typename Field::tag, t::keypoints_t>;
            const std::size_t first = is_points ? m_head.points : m_head.coefficients;
            if (first == 0) {
                return {status_code::missing_field, "the output has {}, but the head has none", name};
            }
            if (!E::matches(extents<Field>().to_array()) ||
                (E::static_extent(0) != dynamic && E::static_extent(0) != first)) {
                return {status_code::row_mismatch, "the head has {} of {}, which the field's type does not allow",
                        first, name};
            }
        }
        return {};
    }

    void choose_labels() noexcept
    {
        if (m_wanted != nullptr) {
            const bool kept = !m_head.selection.only.empty();
            for (std::size_t c = 0; c < m_head.classes; ++c) {
                m_wanted[c] = kept ? 0 : 1;
            }
            for (const std::int64_t label : kept ? m_head.selection.only : m_head.selection.without) {
                m_wanted[label] = kept ? 1 : 0;
            }
        }
    }

    template <class Field>
    void write_field(std::size_t i, std::size_t n, const head_memory& from, const head_part& further) const noexcept
    {
        using tag = typename Field::tag;
        using T = typename Field::value_type;
        const std::size_t size = extents<Field>().size();
        T* const to = std::get<index_in<Field, Fields...>>(m_fields) + i * m_plan.most * size;
        const auto pair = [&](std::size_t r) { return static_cast<std::size_t>(from.pairs[r]); };
        if constexpr (std::is_same_v<tag, t::boxes_t>) {
            for (std::size_t k = 0; k < 4 * n; ++k) {
                to[k] = from.boxes[k];
            }
        } else if constexpr (std::is_same_v<tag, t::scores_t>) {
            for (std::size_t r = 0; r < n; ++r) {
                to[r] = from.scores[r];
            }
        } else if constexpr (std::is_same_v<tag, t::labels_t>) {
            for (std::size_t r = 0; r < n; ++r) {
                to[r] = static_cast<T>(pair(r) % m_head.classes);
            }
        } else if constexpr (std::is_same_v<tag, t::mask_coefficients_t>) {
            for (std::size_t r = 0; r < n; ++r) {
                for (std::size_t k = 0; k < size; ++k) {
                    to[r * size + k] = further.at(k, pair(r) / m_head.classes);
                }
            }
        } else {
            for (std::size_t r = 0; r < n; ++r) {
                for (std::size_t k = 0; k < size; ++k) {
                    const std::size_t number = k % 3;
                    const std::size_t column = m_head.coefficients + k / 3 * m_head.point_numbers + number;
                    to[r * size + k] =
                        number < m_head.point_numbers ? further.at(column, pair(r) / m_head.classes) : 1.0F;
                }
            }
        }
    }
};

} // namespace padbatch::inline PADBATCH_ABI::detail

#endif
