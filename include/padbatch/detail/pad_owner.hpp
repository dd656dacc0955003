// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_DETAIL_PAD_OWNER_HPP
#define PADBATCH_DETAIL_PAD_OWNER_HPP

#include <padbatch/detail/check_source.hpp>
#include <padbatch/detail/drop_rows.hpp>
#include <padbatch/detail/pad_images.hpp>
#include <padbatch/pad_options.hpp>
#include <padbatch/padded.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <tuple>
#include <type_traits>
#include <utility>

namespace padbatch::inline PADBATCH_MODE {

/// For padbatch's own algorithms.
struct padded_access {
    template <class... Fields, class Source, class... Options>
    [[nodiscard]] static status pad(padded<Fields...>& output, const Source& source, Options&&... options)
    {
        using owner = padded<Fields...>;
        using source_type = std::remove_cvref_t<Source>;
        using policy = decltype(detail::find_overflow(options...));
        static_assert(detail::match_fields<typename source_type::fields, Fields...>());
        static_assert(detail::options_known<Options...>());
        constexpr bool reuses = (std::is_same_v<std::remove_cvref_t<Options>, padding::reuse_t> || ...);

        typename detail::fill_holder<detail::field_list<Fields...>, Options...>::type fill_values;
        if (status outcome = detail::make_fills(detail::find_fill(options...), fill_values); !outcome.ok()) {
            return outcome;
        }
        if (status outcome = detail::check_source(source); !outcome.ok()) {
            return outcome;
        }
        const std::size_t batch = source.size();
        std::size_t rows = 0;
        if (status outcome = choose_capacity(output, source, detail::find_option<const capacity>(options...), rows);
            !outcome.ok()) {
            return outcome;
        }
        const typename owner::extents_tuple extents{
            detail::extents_in<Fields>(source, output.m_view[typename Fields::tag{}].extents())...};
        const auto* const begin = static_cast<const std::byte*>(output.m_memory.data());
        const detail::memory_range own{begin, begin == nullptr ? begin : begin + output.m_layout.total, "memory"};
        detail::examined_source examined;
        if (status outcome = detail::examine<Fields...>(source, rows, policy{}, extents, own, examined);
            !outcome.ok()) {
            return outcome;
        }
        if (examined.overlaps) {
            return {errc::overlap, "the source's rows lie in the output's own memory: pad into another batch"};
        }
        workspace* space = detail::find_option<workspace>(options...);
        detail::buffer<std::byte> own_scratch;
        auto& scratch = space == nullptr ? own_scratch : pad_access::scratch(*space);
        if (status outcome = detail::reserve_scratch<policy>(source, rows, examined.longest, scratch); !outcome.ok()) {
            return outcome;
        }

        const bool zero = is_zero(fill_values);
        const std::size_t batch_before = output.size();
        const void* const before = output.m_memory.data();
        if (status outcome = output.reshape(batch, rows, extents, zero); !outcome.ok()) {
            return outcome;
        }
        const bool fresh = output.m_memory.data() != before && output.m_known == owner::known::zeros;
        const bool trusts = fresh || (reuses && is_clean(output, fill_values, zero));
        if (output.m_known != owner::known::padding) {
            const auto clean = static_cast<std::int32_t>(output.m_known == owner::known::zeros ? 0 : rows);
            for (std::size_t i = 0; i < output.m_layout.batch; ++i) {
                output.clean_data()[i] = clean;
            }
        }
        if (output.m_memory.data() == before && trusts) { // a count that is higher now was written through a view
            for (std::size_t i = 0; i < batch_before && i < batch; ++i) {
                const std::size_t n = output.count(i) < rows ? output.count(i) : rows;
                output.clean_data()[i] = output.clean_data()[i] < static_cast<std::int32_t>(n)
                                             ? static_cast<std::int32_t>(n)
                                             : output.clean_data()[i];
            }
        }
        using job = detail::pad_job<padded_view<Fields...>, source_type, decltype(fill_values)>;
        detail::run_job<policy>(job{output.m_view, source, fill_values, trusts ? output.clean_data() : nullptr, fresh},
                                source, rows, scratch.data());

        remember(output, fill_values, trusts);
        detail::write_dropped(source, rows, output.dropped_data());
        if (pad_result* result = detail::find_option<pad_result>(options...); result != nullptr) {
            pad_access::set(*result, examined.rows, examined.dropped, output.dropped_data());
        }
        return {};
    }

private:
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
                return {errc::bad_argument,
                        "capacity::multiple_of(0): the capacity can only be a multiple of 1 or more"};
            }
            const std::size_t most = detail::largest_count(source);
            const std::size_t rest = most % rows;
            if (rest != 0 && most > std::numeric_limits<std::size_t>::max() - rows) {
                return {errc::size_overflow, "{} rows cannot be rounded up to a multiple of {}", most, rows};
            }
            rows = rest == 0 ? most : most + (rows - rest);
        }
        if (rows > detail::highest_number(detail::number_type::int32)) {
            return {errc::size_overflow, "the capacity is {}, more than a count of 32 bits can hold", rows};
        }
        return {};
    }

    [[nodiscard]] static bool is_zero(const detail::zero_fill& /*values*/) noexcept { return true; }
    template <class... Fields>
    [[nodiscard]] static bool is_zero(const detail::given_fill<Fields...>& values) noexcept
    {
        return (std::get<detail::field_fill<Fields>>(values.fields).pattern.is_zero() && ...);
    }

    /// Whether the padding is known to hold these pad values.
    template <class... Fields, class Fill>
    [[nodiscard]] static bool is_clean(const padded<Fields...>& output, const Fill& values, bool zero) noexcept
    {
        using known = typename padded<Fields...>::known;
        if (output.m_known != known::padding) {
            return output.m_known == known::zeros && zero;
        }
        return [&]<std::size_t... F>(std::index_sequence<F...>) {
            return ((std::get<F>(output.m_fill) == value_of<Fields>(values)) && ...);
        }(std::index_sequence_for<Fields...>{});
    }

    template <class Field>
    [[nodiscard]] static detail::raw_value<typename Field::value_type>
    value_of(const detail::zero_fill& /*values*/) noexcept
    {
        return {};
    }
    template <class Field, class... Fields>
    [[nodiscard]] static detail::raw_value<typename Field::value_type>
    value_of(const detail::given_fill<Fields...>& values) noexcept
    {
        return std::get<detail::field_fill<Field>>(values.fields).value;
    }
    /// Rows from the count on hold the pad values now; what lies behind the batch is as clean as it was.
    template <class... Fields, class Fill>
    static void remember(padded<Fields...>& output, const Fill& values, bool trusts) noexcept
    {
        std::int32_t* const clean = output.clean_data();
        const std::size_t batch = output.size();
        for (std::size_t i = 0; i < batch; ++i) {
            clean[i] = static_cast<std::int32_t>(output.count(i));
        }
        if (!trusts) {
            for (std::size_t i = batch; i < output.m_layout.batch; ++i) {
                clean[i] = static_cast<std::int32_t>(output.capacity());
            }
        }
        output.m_fill = {value_of<Fields>(values)...};
        output.m_known = padded<Fields...>::known::padding;
    }
};

} // namespace padbatch::inline PADBATCH_MODE

#endif
