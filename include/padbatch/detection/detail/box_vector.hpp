// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_DETECTION_DETAIL_BOX_VECTOR_HPP
#define PADBATCH_DETECTION_DETAIL_BOX_VECTOR_HPP

#include <padbatch/detail/simd.hpp>

#include <cstddef>
#include <cstring>

namespace padbatch::inline PADBATCH_ABI::detail {

// A box is four floats: one register of 16 bytes, which x86-64 and aarch64 all have. So operations on one box need no
// dispatch, and are fast without the optimiser's help. Arithmetic rounds as on single floats.

/// The four numbers of one box.
typedef float box_vector __attribute__((vector_size(16)));

[[nodiscard]] PADBATCH_DETAIL_INLINE box_vector load_box(const float* from) noexcept
{
    box_vector box;
    std::memcpy(&box, from, sizeof box);
    return box;
}
PADBATCH_DETAIL_INLINE void store_box(float* to, box_vector box) noexcept
{
    std::memcpy(to, &box, sizeof box);
}

/// Keeps a product, a variable of float, double or a vector of floats, from being fused with the sum that follows: a
/// fused one is not rounded in between, and gives other results than torch. No instruction.
#if defined(__x86_64__)
#define PADBATCH_DETAIL_ROUND(PRODUCT) __asm__("" : "+x"(PRODUCT))
#elif defined(__aarch64__)
#define PADBATCH_DETAIL_ROUND(PRODUCT) __asm__("" : "+w"(PRODUCT))
#else
#define PADBATCH_DETAIL_ROUND(PRODUCT) __asm__("" : "+m"(PRODUCT))
#endif

template <class T>
[[nodiscard]] PADBATCH_DETAIL_INLINE T rounded(T product) noexcept
{
    PADBATCH_DETAIL_ROUND(product);
    return product;
}

/// `clamp(0, limit)` of torch: NaN stays NaN, and -0 stays -0.
[[nodiscard]] PADBATCH_DETAIL_INLINE box_vector clamp_box(box_vector box, box_vector limit) noexcept
{
    const box_vector zero = {};
    box = zero > box ? zero : box;
    return limit < box ? limit : box;
}

/// x, y, x, y.
[[nodiscard]] PADBATCH_DETAIL_INLINE box_vector lower_corner(box_vector box) noexcept
{
    return __builtin_shufflevector(box, box, 0, 1, 0, 1);
}
[[nodiscard]] PADBATCH_DETAIL_INLINE box_vector upper_corner(box_vector box) noexcept
{
    return __builtin_shufflevector(box, box, 2, 3, 2, 3);
}
/// Two numbers of one and two of the other.
[[nodiscard]] PADBATCH_DETAIL_INLINE box_vector join_corners(box_vector lower, box_vector upper) noexcept
{
    return __builtin_shufflevector(lower, upper, 0, 1, 6, 7);
}

/// Writes the areas of `n` boxes, but for the last one to three; returns how many.
inline std::size_t areas_of_fours(float* out, const float* boxes, std::size_t n) noexcept
{
    const auto sides_of_two = [](const float* two) PADBATCH_DETAIL_INLINE_LAMBDA {
        const box_vector a = load_box(two);
        const box_vector b = load_box(two + 4);
        return __builtin_shufflevector(a, b, 2, 3, 6, 7) - __builtin_shufflevector(a, b, 0, 1, 4, 5);
    };
    std::size_t j = 0;
    for (; j + 4 <= n; j += 4) {
        const box_vector first = sides_of_two(boxes + 4 * j);
        const box_vector second = sides_of_two(boxes + 4 * j + 8);
        store_box(out + j, __builtin_shufflevector(first, second, 0, 2, 4, 6) *
                               __builtin_shufflevector(first, second, 1, 3, 5, 7));
    }
    return j;
}

} // namespace padbatch::inline PADBATCH_ABI::detail

#endif
