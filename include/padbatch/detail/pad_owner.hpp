// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_DETAIL_PAD_OWNER_HPP
#define PADBATCH_DETAIL_PAD_OWNER_HPP

#include <padbatch/counts.hpp>
#include <padbatch/detail/buffer.hpp>
#include <padbatch/detail/check_source.hpp>
#include <padbatch/detail/drop_rows.hpp>
#include <padbatch/detail/examine.hpp>
#include <padbatch/detail/fill_values.hpp>
#include <padbatch/detail/first_failure.hpp>
#include <padbatch/detail/match_fields.hpp>
#include <padbatch/detail/overlap.hpp>
#include <padbatch/detail/pad_images.hpp>
#include <padbatch/element_type.hpp>
#include <padbatch/pad_options.hpp>
#include <padbatch/padded.hpp>

#include <cstddef>
#include <limits>
#include <type_traits>

namespace padbatch::inline PADBATCH_ABI::detail {

/// Padding into an owner, which knows its room and its padding.
struct padded_access {
    template <class... Fields, class Source, class... Options>
    [[nodiscard]] static status pad(padded<Fields...>& output, const Source& source, Options&&... options)
    {
        using source_type = std::remove_cvref_t<Source>;
        using policy = decltype(find_overflow(options...));
        static_assert(match_fields<typename source_type::fields, Fields...>());
        static_assert(options_known<Options...>());
        constexpr bool reuses = (std::is_same_v<std::remove_cvref_t<Options>, padding::reuse_t> || ...);

        typename fill_holder<field_list<Fields...>, Options...>::type fill_values;
        std::size_t rows = 0;
        if (status outcome = first_failure(
                [&] { return make_fills(find_fill(options...), fill_values); }, [&] { return check_source(source); },
                [&] { return choose_capacity(output, source, find_option<const capacity>(options...), rows); });
            !outcome.ok()) {
            return outcome;
        }
        const typename padded<Fields...>::extents_tuple extents{
            extents_in<Fields>(source, output.m_view[typename Fields::tag{}].extents())...};
        const auto* const begin = static_cast<const std::byte*>(output.m_memory.data());
        const memory_range own{begin, begin == nullptr ? begin : begin + output.m_layout.total, "memory"};
        examined_source examined;
        if (status outcome = examine<Fields...>(source, rows, policy{}, extents, own, examined); !outcome.ok()) {
            return outcome;
        }
        if (examined.overlaps) {
            return {status_code::overlap, "the source's rows are in the output's own memory: pad into another batch"};
        }

        workspace* const space = find_option<workspace>(options...);
        buffer<std::byte> own_scratch;
        auto& scratch = space == nullptr ? own_scratch : pad_access::scratch(*space);
        const auto pad_values = values_in<Fields...>(fill_values);
        const bool zero = pad_values == decltype(pad_values){};
        const std::size_t size_before = output.size();
        const void* const memory_before = output.m_memory.data();
        if (status outcome =
                first_failure([&] { return reserve_scratch<policy>(source, rows, examined.longest, scratch); },
                              [&] { return output.reshape(source.size(), rows, extents, zero); });
            !outcome.ok()) {
            return outcome;
        }

        auto& record = output.m_padding;
        const bool fresh = zero && output.m_memory.data() != memory_before;
        const bool trusts = (fresh || reuses) && record.holds(pad_values);
        if (trusts && !fresh) { // a view may have set higher counts, and written that many rows
            for (std::size_t i = 0; i < size_before && i < output.size(); ++i) {
                record.set_used(i, output.count(i) < rows ? output.count(i) : rows);
            }
        }
        using job = pad_job<padded_view<Fields...>, source_type, decltype(fill_values)>;
        run_job<policy>(job{output.m_view, source, fill_values, trusts ? record.rows() : nullptr, fresh}, source, rows,
                        scratch.data());

        record.set_filled(output.m_view, pad_values, trusts);
        write_dropped(source, rows, output.dropped_data());
        if (pad_result* result = find_option<pad_result>(options...); result != nullptr) {
            pad_access::set(*result, examined.rows, examined.dropped, output.dropped_data());
        }
        return {};
    }

    /// What the owner knows of its padding.
    template <class... Fields>
    [[nodiscard]] static padding_record<Fields...>& padding(padded<Fields...>& owner) noexcept
    {
        return owner.m_padding;
    }

private:
    /// Sets `rows` to the capacity M that the option asks for or, without one, the owner.
    template <class Owner, class Source>
    [[nodiscard]] static status choose_capacity(const Owner& output, const Source& source, const capacity* wanted,
                                                std::size_t& rows) noexcept
    {
        const bool own = wanted == nullptr && output.m_own_capacity != std::numeric_limits<std::size_t>::max();
        const capacity rule = wanted != nullptr ? *wanted
                              : own             ? capacity::fixed(output.m_own_capacity)
                                                : capacity::batch_maximum();
        rows = rule.rows();
        if (rule.follows_batch()) {
            if (rows == 0) {
                return {status_code::bad_argument,
                        "capacity::multiple_of(0): the capacity can only be a multiple of 1 or more"};
            }
            const std::size_t most = largest_count(source);
            const std::size_t rest = most % rows;
            if (rest != 0 && most > std::numeric_limits<std::size_t>::max() - rows) {
                return {status_code::size_overflow, "{} rows cannot be rounded up to a multiple of {}", most, rows};
            }
            rows = rest == 0 ? most : most + (rows - rest);
        }
        if (rows > highest_number(element_type::int32)) {
            return {status_code::size_overflow, "the capacity is {}, more than a 32-bit count can hold", rows};
        }
        return {};
    }
};

} // namespace padbatch::inline PADBATCH_ABI::detail

#endif
