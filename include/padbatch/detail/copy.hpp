// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_DETAIL_COPY_HPP
#define PADBATCH_DETAIL_COPY_HPP

#include <padbatch/detail/simd.hpp>

namespace padbatch::inline PADBATCH_ABI::detail {

/// From this size on, a call of libc gains more than it costs: libc knows the processor.
inline constexpr std::size_t libc_bytes = 4096;

/// From this size of a whole output on, bytes are written past the caches; below it that takes up to 22 times as long,
/// however large a slot is.
inline constexpr std::size_t stream_total = std::size_t{32} << 20;
/// Smaller slots than this are written through the caches in any case.
inline constexpr std::size_t stream_slot = std::size_t{8} << 10;

/// Fewer than `Width` bytes: two blocks of half the width that overlap, and so on down.
template <std::size_t Width>
PADBATCH_DETAIL_INLINE void copy_below(std::byte* to, const std::byte* from, std::size_t bytes) noexcept
{
    if constexpr (Width > 1) {
        constexpr std::size_t half = Width / 2;
        if (bytes >= half) {
            move_block<half>(to, from);
            move_block<half>(to + bytes - half, from + bytes - half);
        } else {
            copy_below<half>(to, from, bytes);
        }
    }
}

/// Copies `bytes` bytes; the ranges must not overlap. Reads and writes nothing outside of them.
///
/// The last four blocks are always stored, even over bytes that the loop has stored: an exact tail would be a second
/// loop, and with counts that cannot be predicted the end of a loop costs more than three spare stores.
template <std::size_t Width>
PADBATCH_DETAIL_INLINE void copy(std::byte* to, const std::byte* from, std::size_t bytes) noexcept
{
    constexpr std::size_t w = Width;
    if (bytes < w) {
        copy_below<w>(to, from, bytes);
        return;
    }
    if (bytes >= libc_bytes) {
        std::memcpy(to, from, bytes);
        return;
    }
    std::byte* const end = to + bytes;
    const std::byte* const from_end = from + bytes;
    if (bytes > 4 * w) {
        std::byte* const stop = end - 4 * w;
        do {
            move_block<w>(to, from);
            move_block<w>(to + w, from + w);
            move_block<w>(to + 2 * w, from + 2 * w);
            move_block<w>(to + 3 * w, from + 3 * w);
            to += 4 * w;
            from += 4 * w;
            keep_loop(to);
        } while (to < stop);
        move_block<w>(end - 4 * w, from_end - 4 * w);
        move_block<w>(end - 3 * w, from_end - 3 * w);
    } else if (bytes > 2 * w) {
        move_block<w>(to, from);
        move_block<w>(to + w, from + w);
    } else {
        move_block<w>(to, from);
        move_block<w>(end - w, from_end - w);
        return;
    }
    move_block<w>(end - 2 * w, from_end - 2 * w);
    move_block<w>(end - w, from_end - w);
}

// Stores past the caches. These are builtins, since the 32-byte one would otherwise need <immintrin.h>. GCC accepts it
// only in a function that has the target attribute itself, so unlike the rest these are functions of their own; they
// are called for slots of many kilobytes. There are two silent traps. `auto` drops a type's alignment of 1, as template
// arguments do, and GCC then loads aligned. And clang takes the alignment of a streaming store from the type of its
// *value*: one that may be unaligned is written in pieces of 8 bytes. Hence the locals of a plain type.
#if defined(__GNUC__) && defined(__SSE2__)
typedef long long stream16 __attribute__((vector_size(16)));
typedef long long stream16_unaligned __attribute__((vector_size(16), aligned(1), may_alias));

/// Writes `lines` cache lines at `to`, a multiple of 64. `from` advances by `step` bytes a line: 64 copies, 0 repeats.
inline void stream_lines_sse2(std::byte* to, const std::byte* from, std::size_t lines, std::size_t step) noexcept
{
    for (; lines != 0; --lines, to += 64, from += step) {
        const stream16_unaligned* in = reinterpret_cast<const stream16_unaligned*>(from);
        stream16* out = reinterpret_cast<stream16*>(to);
        const stream16 a = in[0];
        const stream16 b = in[1];
        const stream16 c = in[2];
        const stream16 d = in[3];
#if defined(__clang__)
        __builtin_nontemporal_store(a, out);
        __builtin_nontemporal_store(b, out + 1);
        __builtin_nontemporal_store(c, out + 2);
        __builtin_nontemporal_store(d, out + 3);
#else
        __builtin_ia32_movntdq(out, a);
        __builtin_ia32_movntdq(out + 1, b);
        __builtin_ia32_movntdq(out + 2, c);
        __builtin_ia32_movntdq(out + 3, d);
#endif
    }
}
#endif

#if PADBATCH_DETAIL_HAS_AVX2
typedef long long stream32 __attribute__((vector_size(32)));
typedef long long stream32_unaligned __attribute__((vector_size(32), aligned(1), may_alias));

__attribute__((target("avx2"))) inline void stream_lines_avx2(std::byte* to, const std::byte* from, std::size_t lines,
                                                              std::size_t step) noexcept
{
    for (; lines != 0; --lines, to += 64, from += step) {
        const stream32_unaligned* in = reinterpret_cast<const stream32_unaligned*>(from);
        stream32* out = reinterpret_cast<stream32*>(to);
        const stream32 a = in[0];
        const stream32 b = in[1];
#if defined(__clang__)
        __builtin_nontemporal_store(a, out);
        __builtin_nontemporal_store(b, out + 1);
#else
        __builtin_ia32_movntdq256(out, a);
        __builtin_ia32_movntdq256(out + 1, b);
#endif
    }
}
#endif

inline void stream_lines(std::byte* to, const std::byte* from, std::size_t lines, std::size_t step) noexcept
{
#if PADBATCH_DETAIL_HAS_AVX2
    if (__builtin_cpu_supports("avx2")) {
        stream_lines_avx2(to, from, lines, step);
        return;
    }
#endif
#if defined(__GNUC__) && defined(__SSE2__)
    stream_lines_sse2(to, from, lines, step);
#else
    for (; lines != 0; --lines, to += 64, from += step) {
        std::memcpy(to, from, 64);
    }
#endif
}

/// The number of bytes of [to, to + bytes) before the first cache line that begins in it.
inline std::size_t bytes_to_line(const std::byte* to, std::size_t bytes) noexcept
{
    const std::size_t head = (64 - reinterpret_cast<std::uintptr_t>(to) % 64) % 64;
    return head < bytes ? head : bytes;
}

/// `copy` past the caches, for outputs that are far larger than the caches: the lines that are overwritten need not be
/// read. Call `stream_fence` when everything is written.
inline void stream_copy(std::byte* to, const std::byte* from, std::size_t bytes) noexcept
{
    const std::size_t head = bytes_to_line(to, bytes);
    const std::size_t body = (bytes - head) / 64 * 64;
    copy<16>(to, from, head);
    stream_lines(to + head, from + head, body / 64, 64);
    copy<16>(to + head + body, from + head + body, bytes - head - body);
}

/// To be called after the last streaming store: without it another thread may see a flag that says "written" before it
/// sees the bytes.
inline void stream_fence() noexcept
{
#if defined(__GNUC__) && defined(__SSE2__)
    __builtin_ia32_sfence();
#endif
}

} // namespace padbatch::inline PADBATCH_ABI::detail

#endif
