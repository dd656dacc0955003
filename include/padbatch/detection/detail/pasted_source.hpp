// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_DETECTION_DETAIL_PASTED_SOURCE_HPP
#define PADBATCH_DETECTION_DETAIL_PASTED_SOURCE_HPP

#include <padbatch/detail/copy.hpp>
#include <padbatch/detail/copy_row.hpp>
#include <padbatch/detail/overlap.hpp>
#include <padbatch/detection/detail/paste_mask.hpp>
#include <padbatch/extents.hpp>
#include <padbatch/fields.hpp>
#include <padbatch/image.hpp>
#include <padbatch/rows.hpp>
#include <padbatch/source.hpp>

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

namespace padbatch::inline PADBATCH_ABI::detail {

template <class T>
inline constexpr bool is_full_mask_element =
    std::is_same_v<T, float> || std::is_same_v<T, std::uint8_t> || std::is_same_v<T, bool>;

/// The full masks of a batch with boxes and region masks, as a source that `pad_into` takes. It has no rows in memory
/// to copy, and writes them to their slots itself.
template <class T, class E, class Batch>
class pasted_source {
    template <class Tag>
    using rows_of_tag = decltype(std::declval<const Batch&>().image(0)[Tag{}]);
    static_assert(!std::is_void_v<field_of<t::boxes_t, typename Batch::fields>> &&
                      !std::is_void_v<field_of<t::masks_t, typename Batch::fields>>,
                  "full masks are made from t::boxes and the region masks, t::masks: the batch needs both");
    using box_rows = rows_of_tag<t::boxes_t>;
    using region_rows = rows_of_tag<t::masks_t>;
    static_assert(std::is_same_v<typename box_rows::value_type, float> &&
                      std::is_same_v<typename region_rows::value_type, float>,
                  "boxes and region masks must be float, as the model returns them");
    static_assert(is_full_mask_element<T>, "full masks must be float, std::uint8_t or bool");
    static_assert(box_rows::extents_type::rank == 1 && may_be_same<typename box_rows::extents_type, row_extents<4>>(),
                  "a box is 4 numbers, x1, y1, x2, y2");
    static_assert((E::rank == 2 || E::rank == 3) &&
                      (region_rows::extents_type::rank == 2 || region_rows::extents_type::rank == 3),
                  "masks must have rows of [1, H, W] or [H, W]");

    using rows_type = basic_rows<const T, E>;

public:
    using fields = field_list<field<t::masks_t, T, E>>;
    using image_type = image_view<tagged_rows<t::masks_t, rows_type>>;

    pasted_source(const Batch& batch, const E& row, const paste_rules& rules) noexcept
        : m_batch(batch), m_row(row), m_rules(rules)
    {
    }

    [[nodiscard]] std::size_t size() const noexcept { return m_batch.size(); }
    [[nodiscard]] std::size_t count(std::size_t i) const noexcept { return m_batch.count(i); }
    /// Rows with their number and extents, but without memory.
    [[nodiscard]] image_type image(std::size_t i) const noexcept
    {
        return image_type(tagged_rows<t::masks_t, rows_type>{rows_type(nullptr, count(i), m_row)});
    }
    [[nodiscard]] bool overlaps(const void* first, const void* last) const noexcept
    {
        return source_overlaps(m_batch, {first, last});
    }

    [[nodiscard]] status check() const noexcept
    {
        if (!(m_rules.threshold > 0 && m_rules.threshold <= 1)) {
            return {
                status_code::bad_argument,
                "the threshold is {}; expected a number above 0 and up to 1, since masks are probabilities, which are "
                "0 outside the boxes",
                static_cast<double>(m_rules.threshold)};
        }
        if (channels_of(m_row) != 1 || height_of(m_row) == 0 || width_of(m_row) == 0) {
            return {
                status_code::row_mismatch,
                "the full masks have rows of {}; expected [1, H, W], the size of the image: give it with the memory, "
                "or to the owner as t::masks.shape(1, H, W)",
                m_row.to_array()};
        }
        if constexpr (checks_whole<Batch>) {
            return m_batch.check();
        } else {
            return {};
        }
    }
    [[nodiscard]] bool is_whole(std::size_t i) const noexcept
    {
        bool whole = true;
        if constexpr (checks_images<Batch>) {
            whole = m_batch.is_whole(i);
        }
        return whole && (count(i) == 0 || can_paste(m_batch.image(i)));
    }
    [[nodiscard]] status check(std::size_t i) const noexcept
    {
        if constexpr (checks_images<Batch>) {
            if (!m_batch.is_whole(i)) {
                return m_batch.check(i);
            }
        }
        const auto image = m_batch.image(i);
        if (count(i) == 0 || can_paste(image)) {
            return {};
        }
        if (image[t::boxes].row_size() != 4) {
            return {status_code::row_mismatch, "image {} has boxes of {} numbers; expected 4: x1, y1, x2, y2", i,
                    image[t::boxes].row_size()};
        }
        return {status_code::row_mismatch,
                "image {} has region masks of {}; expected [1, h, w], one for each box, with h and w from 1 to {}", i,
                image[t::masks].extents().to_array(), most_cells};
    }

    /// Pastes the first `slots.size()` masks of image i.
    template <class Slots>
    void copy_to(std::size_t i, const Slots& slots) const noexcept
    {
        const auto full = slots[t::masks];
        const auto image = m_batch.image(i);
        paste_rules rules = m_rules;
        // An estimate of the size of the output, as if all images had as many rows as this one.
        rules.streams = m_batch.size() * full.size() * full.row_size() * sizeof(T) >= stream_total;
        const auto boxes = image[t::boxes];
        const auto regions = image[t::masks];
        const std::size_t height = height_of(m_row);
        const std::size_t width = width_of(m_row);
        using stored = std::conditional_t<std::is_same_v<T, bool>, std::uint8_t, T>;
        auto* to = reinterpret_cast<stored*>(full.data());
        for (std::size_t j = 0; j < full.size(); ++j, to += height * width) {
            float box[4];
            copy_row_of(box, row_extents<4>{}, boxes, j);
            paste_mask(to, height, width, {box[0], box[1], box[2], box[3]},
                       {regions.row_data(j), height_of(regions.extents()), width_of(regions.extents())}, rules);
        }
        if (rules.streams) {
            stream_fence();
        }
    }

private:
    const Batch& m_batch;
    [[no_unique_address]] E m_row;
    paste_rules m_rules;

    template <class Extents>
    [[nodiscard]] static std::size_t channels_of(const Extents& row) noexcept
    {
        return Extents::rank == 2 ? 1 : row.extent(0);
    }
    template <class Extents>
    [[nodiscard]] static std::size_t height_of(const Extents& row) noexcept
    {
        return row.extent(Extents::rank - 2);
    }
    template <class Extents>
    [[nodiscard]] static std::size_t width_of(const Extents& row) noexcept
    {
        return row.extent(Extents::rank - 1);
    }

    template <class Image>
    [[nodiscard]] static bool can_paste(const Image& image) noexcept
    {
        const auto row = image[t::masks].extents(); // a copy: the rows are a temporary
        const std::size_t h = height_of(row);
        const std::size_t w = width_of(row);
        return image[t::boxes].row_size() == 4 && channels_of(row) == 1 && h > 0 && h <= most_cells && w > 0 &&
               w <= most_cells;
    }
};

} // namespace padbatch::inline PADBATCH_ABI::detail

#endif
