// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_DETAIL_FILL_HPP
#define PADBATCH_DETAIL_FILL_HPP

#include <padbatch/detail/copy.hpp>

namespace padbatch::inline PADBATCH_ABI::detail {

/// How the bytes of a field's padding repeat; decides the kernel.
enum class fill_kind : unsigned char {
    zero,
    element, // a period of 1, 2, 4, 8 or 16 bytes, which fits into a register
    row,     // anything else
};

/// The bytes of padding: `m_period` bytes, repeated. Made once for each field and call.
struct fill_pattern {
    alignas(64) std::byte m_block[64]{};
    std::size_t m_period = 1;
    const std::byte* m_row = nullptr;
    fill_kind m_kind = fill_kind::zero;

    /// Zeros.
    fill_pattern() = default;

    /// The `period` bytes at `row`, at least one, which must outlive the pattern.
    fill_pattern(const std::byte* row, std::size_t period) noexcept
    {
        std::size_t zeros = 0;
        while (zeros < period && row[zeros] == std::byte{0}) {
            ++zeros;
        }
        if (zeros == period) {
            return;
        }
        m_period = period;
        m_row = row;
        m_kind = period <= 16 && (period & (period - 1)) == 0 ? fill_kind::element : fill_kind::row;
        if (m_kind == fill_kind::element) {
            for (std::size_t i = 0; i < sizeof m_block; ++i) {
                m_block[i] = row[i % period];
            }
        }
    }

    [[nodiscard]] bool is_zero() const noexcept { return m_kind == fill_kind::zero; }
};

/// Fills with rows of any size: writes the first one, then copies what is already there, doubling it each time.
inline void fill_rows(std::byte* to, std::size_t bytes, const std::byte* row, std::size_t row_bytes) noexcept
{
    std::size_t done = row_bytes < bytes ? row_bytes : bytes;
    if (done == 0) {
        return;
    }
    std::memcpy(to, row, done);
    // The bytes that are copied stay in the first-level cache.
    const std::size_t most = row_bytes < 8192 ? 8192 / row_bytes * row_bytes : row_bytes;
    while (done < bytes) {
        std::size_t step = done < most ? done : most;
        step = step < bytes - done ? step : bytes - done;
        std::memcpy(to + done, to, step);
        done += step;
    }
}

template <std::size_t Width>
PADBATCH_DETAIL_INLINE void fill_below(std::byte* to, std::size_t bytes, const std::byte* pattern) noexcept
{
    if constexpr (Width > 1) {
        constexpr std::size_t half = Width / 2;
        if (bytes >= half) {
            block<half> value;
            value.load(pattern);
            value.store(to);
            // In step with the pattern: bytes >= half is a multiple of the period, so half is one too, or the period
            // is larger than half, and then bytes == Width would have been the only multiple.
            value.store(to + bytes - half);
        } else {
            fill_below<half>(to, bytes, pattern);
        }
    }
}

/// Fills `bytes` bytes, whole periods, with the 32 bytes of `pattern`. For small slots; see `copy` about the tail.
template <std::size_t Width>
PADBATCH_DETAIL_INLINE void fill_blocks(std::byte* to, std::size_t bytes, const std::byte* pattern,
                                        std::size_t period) noexcept
{
    constexpr std::size_t w = Width;
    if (bytes < w) {
        fill_below<w>(to, bytes, pattern);
        return;
    }
    block<w> value;
    value.load(pattern);
    std::byte* const end = to + bytes;
    if (bytes > 4 * w) {
        std::byte* const stop = end - 4 * w;
        // Stores that straddle two cache lines take twice as long, so one block brings `to` to a multiple of the
        // width; or near it, where the elements themselves are not aligned and the pattern must stay in step.
        value.store(to);
        to += (w - reinterpret_cast<std::uintptr_t>(to) % w) & ~(period - 1);
        for (; to < stop; to += 4 * w) {
            value.store(to);
            value.store(to + w);
            value.store(to + 2 * w);
            value.store(to + 3 * w);
            keep_loop(to);
        }
        value.store(end - 4 * w);
        value.store(end - 3 * w);
    } else if (bytes > 2 * w) {
        value.store(to);
        value.store(to + w);
    } else {
        value.store(to);
        value.store(end - w);
        return;
    }
    value.store(end - 2 * w);
    value.store(end - w);
}

alignas(64) inline constexpr std::byte zero_block[64]{};

template <std::size_t Width>
PADBATCH_DETAIL_INLINE void fill_zero(std::byte* to, std::size_t bytes) noexcept
{
    if (bytes >= libc_bytes) {
        std::memset(to, 0, bytes);
    } else {
        fill_blocks<Width>(to, bytes, zero_block, 1);
    }
}

/// Fills `bytes` bytes, whole periods, with the pattern.
template <std::size_t Width>
PADBATCH_DETAIL_INLINE void fill(std::byte* to, std::size_t bytes, const fill_pattern& pattern) noexcept
{
    switch (pattern.m_kind) {
    case fill_kind::zero: fill_zero<Width>(to, bytes); break;
    case fill_kind::element: fill_blocks<Width>(to, bytes, pattern.m_block, pattern.m_period); break;
    case fill_kind::row: fill_rows(to, bytes, pattern.m_row, pattern.m_period); break;
    }
}

/// Writes zeros past the caches. Call `stream_fence` when everything is written.
inline void stream_zero(std::byte* to, std::size_t bytes) noexcept
{
    const std::size_t head = bytes_to_line(to, bytes);
    const std::size_t body = (bytes - head) / 64 * 64;
    fill_zero<16>(to, head);
    stream_lines(to + head, zero_block, body / 64, 0);
    fill_zero<16>(to + head + body, bytes - head - body);
}

/// `fill` past the caches. Call `stream_fence` when everything is written. Rows, and patterns that are out of step with
/// the cache lines, are written through the caches.
inline void stream_fill(std::byte* to, std::size_t bytes, const fill_pattern& pattern) noexcept
{
    if (pattern.is_zero()) {
        stream_zero(to, bytes);
        return;
    }
    const std::size_t head = bytes_to_line(to, bytes);
    if (pattern.m_kind == fill_kind::row || head % pattern.m_period != 0) {
        fill<16>(to, bytes, pattern);
        return;
    }
    const std::size_t body = (bytes - head) / 64 * 64;
    fill<16>(to, head, pattern);
    stream_lines(to + head, pattern.m_block, body / 64, 0);
    fill<16>(to + head + body, bytes - head - body, pattern);
}

} // namespace padbatch::inline PADBATCH_ABI::detail

#endif
