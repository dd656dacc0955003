// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_DETECTION_DETAIL_ROUNDED_HPP
#define PADBATCH_DETECTION_DETAIL_ROUNDED_HPP

#include <padbatch/detail/simd.hpp>

// Keeps the compiler from fusing a product with the next sum, which would round once instead of twice. Nothing is fused
// where nothing is optimised, or where the processor that is compiled for cannot do it.
#if defined(__GNUC__) && defined(__OPTIMIZE__) &&                                                                      \
    (defined(__FMA__) || defined(__FMA4__) || !(defined(__x86_64__) || defined(__i386__)))
#define PADBATCH_DETAIL_ROUNDED(value) __asm__("" : "+m"(value))
#else
#define PADBATCH_DETAIL_ROUNDED(value) (void)(value)
#endif

namespace padbatch::inline PADBATCH_ABI::detail {

/// A product that is rounded on its own. (A detour through double is no help: GCC sees that the float is the same.)
[[nodiscard]] PADBATCH_DETAIL_INLINE float rounded_product(float a, float b) noexcept
{
    float product = a * b;
    PADBATCH_DETAIL_ROUNDED(product);
    return product;
}

} // namespace padbatch::inline PADBATCH_ABI::detail

#endif
