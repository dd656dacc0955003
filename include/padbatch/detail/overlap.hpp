// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_DETAIL_OVERLAP_HPP
#define PADBATCH_DETAIL_OVERLAP_HPP

#include <padbatch/element_type.hpp>
#include <padbatch/error.hpp>
#include <padbatch/image.hpp>
#include <padbatch/padded_view.hpp>
#include <padbatch/rows.hpp>
#include <padbatch/source.hpp>

#include <cstddef>
#include <cstdint>

namespace padbatch::inline PADBATCH_ABI::detail {

/// Memory that an output writes.
struct memory_range {
    const void* first = nullptr;
    const void* last = nullptr;
    const char* name = "";
};

template <class... TaggedRows>
[[nodiscard]] bool image_overlaps(const image_view<TaggedRows...>& image, const memory_range& written) noexcept
{
    return (rows_overlap(image[typename TaggedRows::tag{}], written.first, written.last) || ...);
}

/// Whether any row of a source may share a byte with the memory.
template <class Source>
[[nodiscard]] bool source_overlaps(const Source& source, const memory_range& written) noexcept
{
    if constexpr (knows_overlap<Source>) {
        return source.overlaps(written.first, written.last);
    } else {
        bool found = false;
        for (std::size_t i = 0; i < source.size(); ++i) {
            const auto image = source.image(i);
            found |= image_overlaps(image, written);
        }
        return found;
    }
}

template <class... Fields>
[[nodiscard]] memory_range counts_range(const padded_view<Fields...>& output) noexcept
{
    const auto* const first = static_cast<const std::byte*>(output.count_data());
    return {first, first + output.size() * size_of(output.count_type()), "counts"};
}

/// The range that encloses the counts and all fields of an output. Addresses are compared as numbers, since the
/// pointers belong to different objects.
template <class... Fields>
[[nodiscard]] memory_range hull_of(const padded_view<Fields...>& output) noexcept
{
    const auto is_below = [](const void* a, const void* b) {
        return reinterpret_cast<std::uintptr_t>(a) < reinterpret_cast<std::uintptr_t>(b);
    };
    memory_range hull = counts_range(output);
    const auto widen = [&](const void* first, const void* last) {
        hull.first = is_below(first, hull.first) ? first : hull.first;
        hull.last = is_below(hull.last, last) ? last : hull.last;
    };
    (widen(output[typename Fields::tag{}].begin(), output[typename Fields::tag{}].end()), ...);
    return hull;
}

/// Checks that no part of an output, its counts or a field, overlaps a source.
template <class... Fields, class Source>
[[nodiscard, gnu::noinline]] status check_overlap(const padded_view<Fields...>& output, const Source& source) noexcept
{
    const memory_range ranges[] = {
        counts_range(output),
        {output[typename Fields::tag{}].begin(), output[typename Fields::tag{}].end(), Fields::tag::name}...};
    for (const memory_range& range : ranges) {
        if (source_overlaps(source, range)) {
            return {status_code::overlap, "the output's {} overlap the source's rows: pad into other memory",
                    range.name};
        }
    }
    return {};
}

} // namespace padbatch::inline PADBATCH_ABI::detail

#endif
