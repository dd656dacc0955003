// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_DETAIL_PADDING_RECORD_HPP
#define PADBATCH_DETAIL_PADDING_RECORD_HPP

#include <padbatch/detail/raw_value.hpp>

#include <cstddef>
#include <cstdint>
#include <tuple>

namespace padbatch::inline PADBATCH_ABI::detail {

/// What an owner knows of its padding, so that the next call need not write it again: which pad values it holds and,
/// for each slot, from which row on.
///
/// The rows are numbered in int32 memory of the owner, one for each slot that it has room for. Row numbers are those of
/// the owner's capacity and row extents: when these change, the owner forgets.
template <class... Fields>
class padding_record {
public:
    using values_type = std::tuple<raw_value<typename Fields::value_type>...>;

    /// Starts with new memory for the numbers of `slots` slots, and knows nothing of the slots.
    void start(std::int32_t* rows, std::size_t slots) noexcept
    {
        m_rows = rows;
        m_slots = slots;
        m_known = false;
    }

    /// The same for slots that are all zero.
    void start_zeroed(std::int32_t* rows, std::size_t slots) noexcept
    {
        start(rows, slots);
        m_values = {};
        m_known = true;
        for (std::size_t i = 0; i < slots; ++i) {
            m_rows[i] = 0;
        }
    }

    /// Someone may have written into the padding, or rows are numbered in another way now.
    void forget() noexcept { m_known = false; }

    /// The same for slot i alone, of which a producer may write all `capacity` rows. Writes nothing else, so that
    /// different slots can be filled by different threads.
    void forget_slot(std::size_t i, std::size_t capacity) noexcept { m_rows[i] = static_cast<std::int32_t>(capacity); }

    /// Whether the padding holds these values, but for the slots that have been forgotten.
    [[nodiscard]] bool holds(const values_type& values) const noexcept { return m_known && m_values == values; }

    /// The row of each slot from which on it holds the pad values.
    [[nodiscard]] const std::int32_t* rows() const noexcept { return m_rows; }

    /// The pad values, those of the last call that wrote padding; zeros before.
    [[nodiscard]] const values_type& values() const noexcept { return m_values; }

    /// Slot i had `old` real rows and has `now`, at most as many; rows [now, old) hold the pad values. Where rows
    /// behind `old` are not known to hold them, it stays so. Different slots may be set by different threads.
    void set_fewer(std::size_t i, std::size_t old, std::size_t now) noexcept
    {
        if (m_rows[i] <= static_cast<std::int32_t>(old)) {
            m_rows[i] = static_cast<std::int32_t>(now);
        }
    }

    /// Slot i has `count` real rows: a view may have set a higher count than the owner knew of.
    void set_used(std::size_t i, std::size_t count) noexcept
    {
        const auto row = static_cast<std::int32_t>(count);
        m_rows[i] = m_rows[i] < row ? row : m_rows[i];
    }

    /// The slots of `batch` now hold these values from their counts on. What was known of the slots behind the batch
    /// stays if that was `trusted`; otherwise none of their rows is known to hold them.
    template <class Batch>
    void set_filled(const Batch& batch, const values_type& values, bool trusted) noexcept
    {
        for (std::size_t i = 0; i < batch.size(); ++i) {
            m_rows[i] = static_cast<std::int32_t>(batch.count(i));
        }
        for (std::size_t i = batch.size(); !trusted && i < m_slots; ++i) {
            m_rows[i] = static_cast<std::int32_t>(batch.capacity());
        }
        m_values = values;
        m_known = true;
    }

private:
    std::int32_t* m_rows = nullptr;
    std::size_t m_slots = 0;
    values_type m_values;
    bool m_known = false;
};

} // namespace padbatch::inline PADBATCH_ABI::detail

#endif
