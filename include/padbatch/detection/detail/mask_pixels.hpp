// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_DETECTION_DETAIL_MASK_PIXELS_HPP
#define PADBATCH_DETECTION_DETAIL_MASK_PIXELS_HPP

#include <padbatch/detail/copy.hpp>
#include <padbatch/detail/simd.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>

// Pixels of masks as floats, as bytes (0 is background) and as bits, the first pixel in the highest bit of a byte.

namespace padbatch::inline PADBATCH_ABI::detail {

/// Which pixels reach the threshold, as bytes of 0 and 1. A NaN does not. The inner loop is one that GCC vectorises
/// even at -O2; its pointers are parameters, not what a lambda refers to, which any byte that is written might change.
PADBATCH_DETAIL_INLINE void compare_pixels(std::uint8_t* __restrict to, const float* __restrict from, std::size_t n,
                                           float threshold) noexcept
{
    constexpr std::size_t step = 32;
    std::size_t c = 0;
    for (; c + step <= n; c += step) {
        for (std::size_t k = 0; k < step; ++k) {
            to[c + k] = from[c + k] >= threshold ? 1 : 0;
        }
    }
    for (; c < n; ++c) {
        to[c] = from[c] >= threshold ? 1 : 0;
    }
}
inline void pixels_from(std::uint8_t* to, const float* from, std::size_t n, float threshold) noexcept
{
    with_widest_block([=](auto /*width*/) PADBATCH_DETAIL_INLINE_LAMBDA { compare_pixels(to, from, n, threshold); });
}

/// 8 pixels as bits: `from` points to the last ones of a row if there are fewer.
[[nodiscard]] PADBATCH_DETAIL_INLINE std::uint8_t few_bits(const std::uint8_t* from, std::size_t n) noexcept
{
    unsigned bits = 0;
    for (std::size_t k = 0; k < n; ++k) {
        bits |= (from[k] != 0 ? 0x80U : 0U) >> k;
    }
    return static_cast<std::uint8_t>(bits);
}
[[nodiscard]] PADBATCH_DETAIL_INLINE std::uint8_t eight_bits(const std::uint8_t* from) noexcept
{
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    std::uint64_t pixels = 0;
    std::memcpy(&pixels, from, sizeof pixels);
    constexpr std::uint64_t low = 0x7F7F7F7F7F7F7F7FU;
    const std::uint64_t ones = ((((pixels & low) + low) | pixels) >> 7) & 0x0101010101010101U;
    return static_cast<std::uint8_t>((ones * 0x8040201008040201U) >> 56); // pixel k goes to bit 7 - k
#else
    return few_bits(from, 8);
#endif
}

/// Bytes to bits: `(n + 7) / 8` bytes; the last bits of a last byte are 0.
PADBATCH_DETAIL_INLINE void bits_one_by_one(std::uint8_t* to, const std::uint8_t* from, std::size_t n) noexcept
{
    std::size_t c = 0;
    for (; c + 8 <= n; c += 8) {
        *to++ = eight_bits(from + c);
    }
    if (c < n) {
        *to = few_bits(from + c, n - c);
    }
}
PADBATCH_DETAIL_INLINE void bits_one_by_one(std::uint8_t* to, const float* from, std::size_t n,
                                            float threshold) noexcept
{
    constexpr std::size_t most = 256;
    std::uint8_t pixels[most];
    for (std::size_t c = 0; c < n; c += most) {
        const std::size_t size = n - c < most ? n - c : most;
        pixels_from(pixels, from + c, size, threshold);
        bits_one_by_one(to + c / 8, pixels, size);
    }
}

#if PADBATCH_DETAIL_HAS_AVX2
typedef char bytes32 __attribute__((vector_size(32)));
typedef char bytes32_unaligned __attribute__((vector_size(32), aligned(1), may_alias));
typedef short shorts16 __attribute__((vector_size(32)));
typedef int ints8 __attribute__((vector_size(32)));
typedef float floats8 __attribute__((vector_size(32)));
typedef float floats8_unaligned __attribute__((vector_size(32), aligned(4), may_alias));

/// Asks for the 128 bytes that are read 2 KiB later, which may be beyond the end: masks are read once, from memory, and
/// processors do not look ahead as far by themselves.
PADBATCH_DETAIL_INLINE void look_ahead(const void* from) noexcept
{
    // A number, since no pointer may lead beyond the end.
    const auto ahead = reinterpret_cast<std::uintptr_t>(from) + 2048;
    __builtin_prefetch(reinterpret_cast<const void*>(ahead));      // NOLINT(performance-no-int-to-ptr)
    __builtin_prefetch(reinterpret_cast<const void*>(ahead + 64)); // NOLINT(performance-no-int-to-ptr)
}

/// 32 bytes as bits. The sign of byte k becomes bit k, so bytes change places within each eight.
__attribute__((target("avx2"), always_inline)) inline void pack32_avx2(std::uint8_t* to,
                                                                       const std::uint8_t* from) noexcept
{
    const bytes32 order = {7, 6, 5, 4, 3, 2, 1, 0, 15, 14, 13, 12, 11, 10, 9, 8,
                           7, 6, 5, 4, 3, 2, 1, 0, 15, 14, 13, 12, 11, 10, 9, 8};
    const bytes32 pixels = *reinterpret_cast<const bytes32_unaligned*>(from);
    const auto zeros = reinterpret_cast<bytes32>(pixels == bytes32{});
    const int bits = ~__builtin_ia32_pmovmskb256(__builtin_ia32_pshufb256(zeros, order));
    std::memcpy(to, &bits, sizeof bits);
}

/// Returns how many pixels it has taken, a multiple of 32.
__attribute__((target("avx2"))) inline std::size_t bits_avx2(std::uint8_t* to, const std::uint8_t* from,
                                                             std::size_t n) noexcept
{
    std::size_t c = 0;
    for (; c + 128 <= n; c += 128) {
        look_ahead(from + c);
        pack32_avx2(to + c / 8, from + c);
        pack32_avx2(to + c / 8 + 4, from + c + 32);
        pack32_avx2(to + c / 8 + 8, from + c + 64);
        pack32_avx2(to + c / 8 + 12, from + c + 96);
    }
    for (; c + 32 <= n; c += 32) {
        pack32_avx2(to + c / 8, from + c);
    }
    return c;
}

/// Which of 32 pixels reach the threshold, as bytes of 0 and -1. Packing works on halves of registers, so that the
/// fours of pixels end up in the order 0, 2, 4, 6, 1, 3, 5, 7.
struct compared32 {
    ints8 fours;

    __attribute__((target("avx2"), always_inline)) inline compared32(const float* from, float threshold) noexcept
    {
        const floats8_unaligned* in = reinterpret_cast<const floats8_unaligned*>(from); // auto would drop the alignment
        const floats8 least = {threshold, threshold, threshold, threshold, threshold, threshold, threshold, threshold};
        const floats8 a = in[0];
        const floats8 b = in[1];
        const floats8 c = in[2];
        const floats8 d = in[3];
        fours = reinterpret_cast<ints8>(__builtin_ia32_packsswb256(
            __builtin_ia32_packssdw256(reinterpret_cast<ints8>(a >= least), reinterpret_cast<ints8>(b >= least)),
            __builtin_ia32_packssdw256(reinterpret_cast<ints8>(c >= least), reinterpret_cast<ints8>(d >= least))));
    }
};

__attribute__((target("avx2"))) inline std::size_t bits_avx2(std::uint8_t* to, const float* from, std::size_t n,
                                                             float threshold) noexcept
{
    // Bytes are reversed within each eight, whose fours change places.
    const ints8 fours = {4, 0, 5, 1, 6, 2, 7, 3};
    const bytes32 order = {3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12,
                           3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12};
    std::size_t c = 0;
    for (; c + 32 <= n; c += 32) {
        look_ahead(from + c);
        const compared32 pixels(from + c, threshold);
        const auto sorted = __builtin_ia32_permvarsi256(pixels.fours, fours);
        const int bits = __builtin_ia32_pmovmskb256(__builtin_ia32_pshufb256(reinterpret_cast<bytes32>(sorted), order));
        std::memcpy(to + c / 8, &bits, sizeof bits);
    }
    return c;
}

/// Bytes of 0 and 1, past the caches; `to` is a multiple of 32.
__attribute__((target("avx2"))) inline std::size_t stream_ones_avx2(std::uint8_t* to, const float* from, std::size_t n,
                                                                    float threshold) noexcept
{
    const ints8 fours = {0, 4, 1, 5, 2, 6, 3, 7};
    const ints8 one = {0x01010101, 0x01010101, 0x01010101, 0x01010101, 0x01010101, 0x01010101, 0x01010101, 0x01010101};
    std::size_t c = 0;
    for (; c + 32 <= n; c += 32) {
        look_ahead(from + c);
        const compared32 pixels(from + c, threshold);
        const auto ones = reinterpret_cast<stream32>(__builtin_ia32_permvarsi256(pixels.fours, fours) & one);
        stream32* out = reinterpret_cast<stream32*>(to + c);
#if defined(__clang__)
        __builtin_nontemporal_store(ones, out);
#else
        __builtin_ia32_movntdq256(out, ones);
#endif
    }
    return c;
}
#endif

/// Packs `n` pixels into `(n + 7) / 8` bytes.
inline void bits_from(std::uint8_t* to, const std::uint8_t* from, std::size_t n, float /*threshold*/) noexcept
{
    std::size_t c = 0;
#if PADBATCH_DETAIL_HAS_AVX2
    if (__builtin_cpu_supports("avx2")) {
        c = bits_avx2(to, from, n);
    }
#endif
    bits_one_by_one(to + c / 8, from + c, n - c);
}
inline void bits_from(std::uint8_t* to, const float* from, std::size_t n, float threshold) noexcept
{
    std::size_t c = 0;
#if PADBATCH_DETAIL_HAS_AVX2
    if (__builtin_cpu_supports("avx2")) {
        c = bits_avx2(to, from, n, threshold);
    }
#endif
    bits_one_by_one(to + c / 8, from + c, n - c, threshold);
}

/// Bits to bytes of 0 and 1.
inline void pixels_from_bits(std::uint8_t* to, const std::uint8_t* from, std::size_t n) noexcept
{
    std::size_t c = 0;
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    for (; c + 8 <= n; c += 8) {
        const std::uint64_t copies = from[c / 8] * std::uint64_t{0x0101010101010101U};
        const std::uint64_t own = copies & 0x0102040810204080U; // byte k keeps bit 7 - k
        const std::uint64_t ones = ((own + 0x7F7F7F7F7F7F7F7FU) >> 7) & 0x0101010101010101U;
        std::memcpy(to + c, &ones, sizeof ones);
    }
#endif
    for (; c < n; ++c) {
        to[c] = static_cast<std::uint8_t>((from[c / 8] >> (7 - c % 8)) & 1);
    }
}

/// Makes `n` bytes in pieces, each in the first cache, from where it is written past the caches. `make(to, first, n)`.
template <class Make>
void stream_pieces(std::uint8_t* to, std::size_t n, const Make& make) noexcept
{
    constexpr std::size_t most = 4096;
    alignas(64) std::uint8_t piece[most];
    // Pieces begin at whole lines (of the output) and at whole bytes of bits.
    std::size_t size = bytes_to_line(reinterpret_cast<const std::byte*>(to), n);
    size = size % 8 == 0 && size != 0 ? size : n < most ? n : most;
    for (std::size_t c = 0; c < n;) {
        make(piece, c, size);
        stream_copy(reinterpret_cast<std::byte*>(to + c), reinterpret_cast<const std::byte*>(piece), size);
        c += size;
        size = n - c < most ? n - c : most;
    }
}

/// `pixels_from`, past the caches.
inline void stream_pixels_from(std::uint8_t* to, const float* from, std::size_t n, float threshold) noexcept
{
#if PADBATCH_DETAIL_HAS_AVX2
    if (__builtin_cpu_supports("avx2")) {
        const std::size_t head = bytes_to_line(reinterpret_cast<const std::byte*>(to), n);
        pixels_from(to, from, head, threshold);
        const std::size_t end = head + stream_ones_avx2(to + head, from + head, n - head, threshold);
        pixels_from(to + end, from + end, n - end, threshold);
        return;
    }
#endif
    stream_pieces(to, n, [from, threshold](std::uint8_t* piece, std::size_t first, std::size_t size) {
        pixels_from(piece, from + first, size, threshold);
    });
}

/// Calls `work(to, from, n)` for the rows of a mask, or once for all of it if each row ends with a whole byte of bits.
template <class To, class From, class Work>
void by_whole_bytes(To* to, std::size_t to_width, const From* from, std::size_t from_width, std::size_t height,
                    bool together, const Work& work) noexcept
{
    if (together) {
        work(to, from, height);
        return;
    }
    for (std::size_t y = 0; y < height; ++y) {
        work(to + y * to_width, from + y * from_width, std::size_t{1});
    }
}

} // namespace padbatch::inline PADBATCH_ABI::detail

#endif
