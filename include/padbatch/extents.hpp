#ifndef PADBATCH_EXTENTS_HPP
#define PADBATCH_EXTENTS_HPP

#include <padbatch/error.hpp>

#include <cstdint>
#include <limits>
#include <span>
#include <string>

namespace padbatch {

/// The product of the extents of a tensor: how many elements it has. No extents are a scalar: 1.
///
/// Throws `error` with `errc::size_overflow` when the product, or any partial product of the extents that are not
/// zero, is above 2^63 - 1: code that steps through such a shape would overflow, even where another extent is zero.
/// Extents are not negative.
[[nodiscard]] inline std::int64_t element_count(std::span<const std::int64_t> extents)
{
    std::int64_t product = 1;
    bool empty = false;
    for (const std::int64_t extent : extents) {
        if (extent == 0) {
            empty = true;
            continue;
        }
        if (product > std::numeric_limits<std::int64_t>::max() / extent) {
            std::string shape;
            for (const std::int64_t e : extents) {
                shape += (shape.empty() ? "" : ", ") + std::to_string(e);
            }
            throw error(errc::size_overflow, "the shape [" + shape + "] has more than 2^63 - 1 elements");
        }
        product *= extent;
    }
    return empty ? 0 : product;
}

} // namespace padbatch

#endif
