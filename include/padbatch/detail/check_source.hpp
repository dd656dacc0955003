// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_DETAIL_CHECK_SOURCE_HPP
#define PADBATCH_DETAIL_CHECK_SOURCE_HPP

#include <padbatch/error.hpp>
#include <padbatch/source.hpp>

#include <cstddef>
#include <type_traits>

namespace padbatch::inline PADBATCH_ABI::detail {

/// Checks a source as a whole, and each of its images. This comes before any other use of the source.
template <class Source>
[[nodiscard]] status check_source(const Source& source) noexcept
{
    if constexpr (checks_whole<Source>) {
        if (status outcome = source.check(); !outcome.ok()) [[unlikely]] {
            return outcome;
        }
    }
    if constexpr (checks_images<Source>) {
        for (std::size_t i = 0; i < source.size(); ++i) {
            if (!source.is_whole(i)) [[unlikely]] {
                return source.check(i);
            }
        }
    }
    return {};
}

/// Checks that the rows of one field of image i have the extents that are expected.
template <class Field, class Image>
[[nodiscard]] status check_row_extents(const Image& image, std::size_t i,
                                       const typename Field::extents_type& expected) noexcept
{
    using E = typename Field::extents_type;
    const auto& rows = image[typename Field::tag{}];
    using From = std::remove_cvref_t<decltype(rows.extents())>;
    if constexpr (!(E::is_static && From::is_static)) {
        if (!expected.same_as(rows.extents())) {
            return {status_code::row_mismatch,
                    "image {} has rows of {} in {}; expected {}, as in the output and in all images of the batch",
                    i,
                    rows.extents().to_array(),
                    Field::tag::name,
                    expected.to_array()};
        }
    }
    return {};
}

} // namespace padbatch::inline PADBATCH_ABI::detail

#endif
