// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_BENCH_STREAMING_HPP
#define PADBATCH_BENCH_STREAMING_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/// memcpy and memset(0) with non-temporal stores: the bytes go to memory past the cache. These belong to the benchmark,
/// so that what padbatch is compared with does not change with padbatch.
namespace padbatch::bench::streaming {

#ifdef __SSE2__
inline constexpr bool available = true;

namespace detail {

/// `chunk(offset)` writes 64 bytes at a 64-byte aligned place; `rest(offset, size)` writes what is before and after
/// these.
template <typename Chunk, typename Rest>
void in_lines(const std::byte* out, std::size_t size, Chunk chunk, Rest rest)
{
    constexpr std::size_t line = 64;
    const std::size_t past_line = reinterpret_cast<std::uintptr_t>(out) % line;
    std::size_t at = std::min(size, past_line == 0 ? 0 : line - past_line);
    rest(std::size_t{0}, at);
    for (; at + line <= size; at += line) {
        chunk(at);
    }
    rest(at, size - at);
    _mm_sfence();
}

} // namespace detail

inline void copy(std::byte* out, const std::byte* in, std::size_t size)
{
    detail::in_lines(
        out, size,
        [=](std::size_t at) {
            const auto* from = reinterpret_cast<const __m128i*>(in + at);
            auto* to = reinterpret_cast<__m128i*>(out + at);
            const __m128i a = _mm_loadu_si128(from);
            const __m128i b = _mm_loadu_si128(from + 1);
            const __m128i c = _mm_loadu_si128(from + 2);
            const __m128i d = _mm_loadu_si128(from + 3);
            _mm_stream_si128(to, a);
            _mm_stream_si128(to + 1, b);
            _mm_stream_si128(to + 2, c);
            _mm_stream_si128(to + 3, d);
        },
        [=](std::size_t at, std::size_t count) { std::memcpy(out + at, in + at, count); });
}

inline void clear(std::byte* out, std::size_t size)
{
    detail::in_lines(
        out, size,
        [=](std::size_t at) {
            auto* to = reinterpret_cast<__m128i*>(out + at);
            const __m128i zero = _mm_setzero_si128();
            _mm_stream_si128(to, zero);
            _mm_stream_si128(to + 1, zero);
            _mm_stream_si128(to + 2, zero);
            _mm_stream_si128(to + 3, zero);
        },
        [=](std::size_t at, std::size_t count) { std::memset(out + at, 0, count); });
}
#else
inline constexpr bool available = false;

inline void copy(std::byte* out, const std::byte* in, std::size_t size)
{
    std::memcpy(out, in, size);
}

inline void clear(std::byte* out, std::size_t size)
{
    std::memset(out, 0, size);
}
#endif

} // namespace padbatch::bench::streaming

#endif
