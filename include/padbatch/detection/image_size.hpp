// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_DETECTION_IMAGE_SIZE_HPP
#define PADBATCH_DETECTION_IMAGE_SIZE_HPP

#include <padbatch/error.hpp>
#include <padbatch/extents.hpp>

#include <concepts>
#include <cstddef>

namespace padbatch::inline PADBATCH_ABI {

/// The size of an image in pixels, height first, as in the shape of a tensor: `image_size{480, 640}` is 640 wide. Takes
/// integers of any type; one that is negative is refused where the size is used.
struct image_size {
    std::size_t height = 0;
    std::size_t width = 0;

    constexpr image_size() noexcept = default;
    template <std::integral Height, std::integral Width>
    constexpr image_size(Height rows, Width columns) noexcept
        : height(detail::given_extent(rows)), width(detail::given_extent(columns))
    {
    }

    [[nodiscard]] friend constexpr bool operator==(const image_size&, const image_size&) noexcept = default;
};

namespace detail {

/// The largest height or width that an image may have. Products of two fit everywhere.
inline constexpr std::size_t most_pixels = 0x7FFFFFFF;

/// Checks that height and width are `least` or more, and not beyond all images. `what` names the size.
[[nodiscard]] inline status check_image_size(const image_size& size, std::size_t least, const char* what) noexcept
{
    if (size.height < least || size.height > most_pixels || size.width < least || size.width > most_pixels) {
        return {status_code::bad_argument,
                "{} is {} pixels high and {} wide; expected numbers from {} to {} (a negative one reads as very large)",
                what,
                size.height,
                size.width,
                least,
                most_pixels};
    }
    return {};
}

} // namespace detail

} // namespace padbatch::inline PADBATCH_ABI

#endif
