// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_DETAIL_DROP_ROWS_HPP
#define PADBATCH_DETAIL_DROP_ROWS_HPP

#include <padbatch/detail/buffer.hpp>
#include <padbatch/detail/examine.hpp>
#include <padbatch/detail/pad_images.hpp>
#include <padbatch/detail/top_rows.hpp>
#include <padbatch/fields.hpp>
#include <padbatch/pad_options.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <utility>

namespace padbatch::inline PADBATCH_ABI::detail {

/// Chooses rows by score, in memory that has been reserved.
template <class Tag, class Source>
struct choose_top {
    const Source& source;
    std::size_t capacity;
    std::byte* scratch;

    using score_rows = std::remove_cvref_t<decltype(std::declval<const Source&>().image(0)[Tag{}])>;
    using key = score_key<typename score_rows::value_type>;

    [[nodiscard]] static std::size_t scratch_bytes(std::size_t longest, std::size_t capacity) noexcept
    {
        return longest * sizeof(key) + capacity * sizeof(std::int32_t);
    }

    [[nodiscard]] kept_rows operator()(std::size_t i, std::size_t n) const noexcept
    {
        auto* const keys = reinterpret_cast<key*>(scratch);
        auto* const kept = reinterpret_cast<std::int32_t*>(scratch + n * sizeof(key));
        const auto image = source.image(i);
        top_rows(image[Tag{}], capacity, keys, kept);
        return {kept, capacity};
    }
};

struct choose_first {
    [[nodiscard]] kept_rows operator()(std::size_t /*image*/, std::size_t /*rows*/) const noexcept { return {}; }
};

template <class Tag>
struct is_top_scores : std::false_type {};
template <class Tag>
struct is_top_scores<overflow::top_scores_t<Tag>> : std::true_type {
    using tag = Tag;
};

/// Reserves memory for choosing rows by score, if any image has too many.
template <class Policy, class Source>
[[nodiscard]] status reserve_scratch(const Source& source, std::size_t capacity, std::size_t longest,
                                     buffer<std::byte>& scratch) noexcept
{
    static_cast<void>(source);
    if constexpr (is_top_scores<Policy>::value) {
        using tag = typename is_top_scores<Policy>::tag;
        using found = field_of<tag, typename Source::fields>;
        static_assert(!std::is_void_v<found>, "overflow::top_scores needs scores in the source; to choose by another "
                                              "field write overflow::top_scores_by(t::name)");
        static_assert(found::extents_type::rank == 0 && element<typename found::value_type>,
                      "rows can only be chosen by a field of one number a row");
        if (longest > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max())) {
            return {status_code::size_overflow, "an image has {} rows, more than a 32-bit index can number", longest};
        }
        if (longest != 0 && !scratch.try_resize(choose_top<tag, Source>::scratch_bytes(longest, capacity))) {
            return {status_code::out_of_memory, "not enough memory to choose {} of {} rows by score", capacity,
                    longest};
        }
    }
    return {};
}

template <class Policy, class Job, class Source>
void run_job(const Job& job, const Source& source, std::size_t capacity, std::byte* scratch) noexcept
{
    static_cast<void>(capacity);
    static_cast<void>(scratch);
    if constexpr (is_top_scores<Policy>::value) {
        job.run(choose_top<typename is_top_scores<Policy>::tag, Source>{source, capacity, scratch});
    } else {
        job.run(choose_first{});
    }
}

/// Writes the number of rows of each image that do not fit.
template <class Source>
void write_dropped(const Source& source, std::size_t capacity, std::int32_t* dropped) noexcept
{
    for (std::size_t i = 0; i < source.size(); ++i) {
        const std::size_t n = source.count(i);
        const std::size_t over = n > capacity ? n - capacity : 0;
        constexpr std::size_t most = std::numeric_limits<std::int32_t>::max();
        dropped[i] = static_cast<std::int32_t>(over < most ? over : most);
    }
}

/// Runs the job, which may drop rows, and records how many of each image it dropped.
template <class Policy, class Job, class Source>
[[nodiscard]] status run_and_drop(const Job& job, const Source& source, std::size_t capacity,
                                  const examined_source& examined, pad_result* result, workspace* space) noexcept
{
    pad_result unwanted;
    result = result == nullptr ? &unwanted : result;
    buffer<std::byte> own_scratch;
    auto& scratch = space == nullptr ? own_scratch : pad_access::scratch(*space);
    auto& dropped = space == nullptr ? pad_access::own(*result) : pad_access::dropped(*space);
    if (status outcome = reserve_scratch<Policy>(source, capacity, examined.longest, scratch); !outcome.ok()) {
        return outcome;
    }
    if (examined.dropped != 0) {
        if (!dropped.try_resize(source.size())) {
            return {status_code::out_of_memory, "not enough memory to record how many rows of {} images were dropped",
                    source.size()};
        }
        write_dropped(source, capacity, dropped.data());
    }
    run_job<Policy>(job, source, capacity, scratch.data());
    pad_access::set(*result, examined.rows, examined.dropped, dropped.data());
    return {};
}

} // namespace padbatch::inline PADBATCH_ABI::detail

#endif
