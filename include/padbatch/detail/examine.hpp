// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_DETAIL_EXAMINE_HPP
#define PADBATCH_DETAIL_EXAMINE_HPP

#include <padbatch/detail/check_source.hpp>
#include <padbatch/detail/first_failure.hpp>
#include <padbatch/detail/overlap.hpp>
#include <padbatch/extents.hpp>
#include <padbatch/fields.hpp>
#include <padbatch/pad_options.hpp>
#include <padbatch/source.hpp>

#include <cstddef>
#include <tuple>
#include <type_traits>

namespace padbatch::inline PADBATCH_ABI::detail {

/// The largest count of a source.
template <class Source>
[[nodiscard]] std::size_t largest_count(const Source& source) noexcept
{
    std::size_t most = 0;
    for (std::size_t i = 0; i < source.size(); ++i) {
        const std::size_t n = source.count(i);
        most = n > most ? n : most;
    }
    return most;
}

/// The extents of a field's rows in a source: those of the first image that has rows; failing that, those of the first
/// image, if its rows have a size; failing that, `otherwise`.
template <class Field, class Source>
[[nodiscard]] auto extents_in(const Source& source, const typename Field::extents_type& otherwise) noexcept
{
    using E = typename Field::extents_type;
    if constexpr (E::is_static) {
        return E{};
    } else {
        std::size_t first = 0;
        while (first < source.size() && source.count(first) == 0) {
            ++first;
        }
        if (first == source.size()) {
            if (source.size() == 0) {
                return otherwise;
            }
            first = 0;
        }
        const auto image = source.image(first); // holds the rows whose extents are read
        const E found = extents_cast<E>(image[typename Field::tag{}].extents());
        return source.count(first) == 0 && found.size() == 0 ? otherwise : found;
    }
}

/// What `examine` finds out about the images of a source.
struct examined_source {
    std::size_t rows = 0;    // that are copied
    std::size_t dropped = 0; // that do not fit
    std::size_t longest = 0; // the most rows of an image that has too many
    bool overlaps = false;   // whether any row may overlap the memory that is written
};

/// Looks at all images of a source that has been checked: whether an output of `capacity` rows can take them, and
/// whether they may overlap the `written` memory. `extents` are those of the output's rows.
template <class... Fields, class Source, class Policy>
[[nodiscard]] status examine(const Source& source, std::size_t capacity, Policy /*policy*/,
                             const std::tuple<typename Fields::extents_type...>& extents, const memory_range& written,
                             examined_source& result) noexcept
{
    constexpr bool checks_extents = !(Fields::extents_type::is_static && ...);
    constexpr bool checks_overlap = !knows_overlap<Source>;
    const std::size_t size = source.size();
    examined_source found;
    for (std::size_t i = 0; i < size; ++i) {
        const std::size_t n = source.count(i);
        if (n > capacity) [[unlikely]] {
            if constexpr (std::is_same_v<Policy, overflow::error_t>) {
                return {status_code::too_many_rows,
                        "image {} has {} rows, but the capacity is {}: make it larger, or say which rows to drop with "
                        "overflow::truncate or overflow::top_scores",
                        i, n, capacity};
            } else {
                found.dropped += n - capacity;
                found.longest = n > found.longest ? n : found.longest;
            }
        }
        found.rows += n < capacity ? n : capacity;
        if constexpr (checks_extents || checks_overlap) {
            const auto image = source.image(i);
            if constexpr (checks_extents) {
                if (n != 0) {
                    if (status outcome = first_failure([&] {
                            return check_row_extents<Fields>(image, i, std::get<index_in<Fields, Fields...>>(extents));
                        }...);
                        !outcome.ok()) {
                        return outcome;
                    }
                }
            }
            if constexpr (checks_overlap) {
                found.overlaps |= image_overlaps(image, written);
            }
        }
    }
    if constexpr (!checks_overlap) {
        found.overlaps = source.overlaps(written.first, written.last);
    }
    result = found;
    return {};
}

} // namespace padbatch::inline PADBATCH_ABI::detail

#endif
