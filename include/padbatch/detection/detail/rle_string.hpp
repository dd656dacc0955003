// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_DETECTION_DETAIL_RLE_STRING_HPP
#define PADBATCH_DETECTION_DETAIL_RLE_STRING_HPP

#include <padbatch/detection/run_lengths.hpp>
#include <padbatch/error.hpp>

#include <cstddef>
#include <cstdint>

// COCO's compressed run lengths: each count, from the fourth on the difference to the one two before it, in groups of
// five bits, the lowest first, with a sixth bit that says whether more follow; characters from '0' to 'o'.
namespace padbatch::inline PADBATCH_ABI::detail {

/// A number of 33 bits and a sign takes at most 7 characters.
inline constexpr std::size_t most_rle_characters = 7;

[[nodiscard]] inline std::int64_t rle_number(const run_length_view& runs, std::size_t k) noexcept
{
    const std::int64_t count = runs.counts[k];
    return k > 2 ? count - std::int64_t{runs.counts[k - 2]} : count;
}

/// The number of characters of a mask's compressed run lengths.
[[nodiscard]] inline std::size_t rle_characters(const run_length_view& runs) noexcept
{
    std::size_t n = 0;
    for (std::size_t k = 0; k < runs.counts.size(); ++k) {
        const std::int64_t x = rle_number(runs, k);
        const std::uint64_t size = static_cast<std::uint64_t>(x < 0 ? ~x : x);
        n += size < 16 ? 1 : (static_cast<std::size_t>(64 - __builtin_clzll(size)) + 5) / 5; // and a bit for the sign
    }
    return n;
}

/// Writes them, and returns what is behind the last character.
inline char* put_rle_string(char* to, const run_length_view& runs) noexcept
{
    for (std::size_t k = 0; k < runs.counts.size(); ++k) {
        std::int64_t x = rle_number(runs, k);
        while (x < -16 || x > 15) {
            *to++ = static_cast<char>('0' + ((x & 0x1F) | 0x20));
            x >>= 5;
        }
        *to++ = static_cast<char>('0' + (x & 0x1F));
    }
    return to;
}

/// Appends the mask that a string of `n` characters stands for; its size has been checked.
[[nodiscard]] inline status read_rle_string(run_lengths& runs, const char* text, std::size_t n, std::size_t height,
                                            std::size_t width) noexcept
{
    const std::size_t from = runs.counts().size();
    if (!rle_access::reserve(runs, from, n)) {
        return {status_code::out_of_memory, "not enough memory for the run lengths of a string of {} characters", n};
    }
    std::uint32_t* const counts = rle_access::data(runs) + from;
    std::size_t m = 0;
    const std::uint64_t pixels = std::uint64_t{height} * width;
    std::uint64_t sum = 0;
    for (std::size_t p = 0; p < n;) {
        const std::size_t begin = p;
        std::int64_t x = 0;
        unsigned bits = 0;
        bool more = true;
        while (more) {
            if (p == n) {
                return {status_code::size_mismatch,
                        "the string of run lengths ends at character {}, within a number: it has been cut off", n};
            }
            const int c = static_cast<int>(static_cast<unsigned char>(text[p])) - '0';
            if (c < 0 || c > 63) {
                return {status_code::bad_argument,
                        "character {} of the string of run lengths has the code {}; expected 48 to 111 ('0' to 'o')", p,
                        c + '0'};
            }
            if (p - begin == most_rle_characters) {
                return {status_code::bad_argument,
                        "the number at character {} of the string of run lengths has more than {} characters", begin,
                        most_rle_characters};
            }
            x |= std::int64_t{c & 0x1F} << bits;
            bits += 5;
            ++p;
            more = (c & 0x20) != 0;
            if (!more && (c & 0x10) != 0) {
                x -= std::int64_t{1} << bits;
            }
        }
        if (m > 2) {
            x += counts[m - 2];
        }
        if (x < 0 || static_cast<std::uint64_t>(x) > pixels - sum) {
            return {status_code::size_mismatch,
                    "run length {} of the string is {}, after {} pixels of {}: expected those of a mask of {} x {}",
                    m,
                    x,
                    sum,
                    pixels,
                    height,
                    width};
        }
        sum += static_cast<std::uint64_t>(x);
        counts[m++] = static_cast<std::uint32_t>(x);
    }
    if (sum != pixels) {
        return {status_code::size_mismatch,
                "the run lengths of the string add up to {}; expected {}, the pixels of a mask of {} x {}",
                sum,
                pixels,
                height,
                width};
    }
    rle_access::close(runs, from + m, height, width);
    return {};
}

} // namespace padbatch::inline PADBATCH_ABI::detail

#endif
