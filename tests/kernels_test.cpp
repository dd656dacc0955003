// SPDX-License-Identifier: Apache-2.0
#include <padbatch/detail/copy.hpp>
#include <padbatch/detail/fill.hpp>
#include <padbatch/detail/top_rows.hpp>
#include <padbatch/rows.hpp>

#include "tests/support/guarded.hpp"
#include "tests/support/random_batch.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

using namespace padbatch;

namespace {

/// Bytes that differ from their neighbours for every distance up to 250.
std::vector<std::byte> ramp(std::size_t bytes)
{
    std::vector<std::byte> all(bytes);
    for (std::size_t i = 0; i < bytes; ++i) {
        all[i] = static_cast<std::byte>(i % 251);
    }
    return all;
}

/// All lengths around the blocks' boundaries, and around where libc takes over.
std::vector<std::size_t> lengths()
{
    std::vector<std::size_t> all(301);
    std::iota(all.begin(), all.end(), std::size_t{0});
    for (const std::size_t n :
         std::initializer_list<std::size_t>{511, 512, 513, 1000, 4064, 4095, 4096, 4097, 4128, 10001}) {
        all.push_back(n);
    }
    return all;
}

template <class Copy>
void check_copies(const char* name, const Copy& copy)
{
    const std::vector<std::byte> from = ramp(20000);
    for (const std::size_t n : lengths()) {
        for (const std::size_t shift : std::initializer_list<std::size_t>{0, 1, 2, 4, 7, 8, 16, 31, 33, 63}) {
            guarded<std::byte> to(n, shift);
            const std::size_t start = (shift * 5) % 64;
            copy(to.data(), from.data() + start, n);
            const bool right = same_bytes(to.bytes(), std::span(from).subspan(start, n)) && to.intact();
            if (!right) {
                FAIL_CHECK(std::string(name), " of ", n, " bytes to an address of 64 k + ", shift);
            }
        }
    }
    CHECK(same_bytes(from, ramp(20000)));
}

std::vector<std::byte> pattern_row(std::size_t period)
{
    std::vector<std::byte> row(period);
    for (std::size_t i = 0; i < period; ++i) {
        row[i] = static_cast<std::byte>(i + 1);
    }
    return row;
}

template <class Fill>
void check_fills(const char* name, const Fill& fill, std::size_t period, bool zero = false)
{
    const std::vector<std::byte> row = zero ? std::vector<std::byte>(period) : pattern_row(period);
    const detail::fill_pattern pattern(row.data(), period);
    for (const std::size_t length : lengths()) {
        const std::size_t n = length / period * period;
        if (n != length && length > 300) {
            continue;
        }
        for (const std::size_t shift : std::initializer_list<std::size_t>{0, 1, 2, 4, 7, 8, 16, 24, 31, 33, 63}) {
            guarded<std::byte> to(n, shift);
            fill(to.data(), n, pattern);
            bool right = to.intact();
            for (std::size_t i = 0; right && i < n; ++i) {
                right = to.bytes()[i] == row[i % period];
            }
            if (!right) {
                FAIL_CHECK(std::string(name), " of ", n, " bytes with a period of ", period,
                           " at an address of 64 k + ", shift);
            }
        }
    }
}

} // namespace

TEST_CASE("copy kernels copy exactly the bytes they are given, of any number and at any address")
{
    check_copies("copy<16>",
                 [](std::byte* to, const std::byte* from, std::size_t n) { detail::copy<16>(to, from, n); });
    check_copies("copy<32>",
                 [](std::byte* to, const std::byte* from, std::size_t n) { detail::copy<32>(to, from, n); });
    check_copies("the widest copy", [](std::byte* to, const std::byte* from, std::size_t n) {
        detail::with_widest_block(
            [&](auto width) PADBATCH_DETAIL_INLINE_LAMBDA { detail::copy<decltype(width)::value>(to, from, n); });
    });
    check_copies("stream_copy", [](std::byte* to, const std::byte* from, std::size_t n) {
        detail::stream_copy(to, from, n);
        detail::stream_fence();
    });
}

TEST_CASE("streaming lines without wide vectors writes the same lines")
{
#if defined(__GNUC__) && defined(__SSE2__)
    const std::vector<std::byte> from = ramp(64 * 9);
    for (const std::size_t step : std::initializer_list<std::size_t>{64, 0}) {
        guarded<std::byte> to(64 * 8);
        detail::stream_lines_sse2(to.data(), from.data() + 3, 8, step);
        detail::stream_fence();
        CHECK(to.intact());
        for (std::size_t line = 0; line < 8; ++line) {
            CHECK(same_bytes(to.bytes().subspan(64 * line, 64), std::span(from).subspan(3 + step * line, 64)));
        }
    }
#endif
}

TEST_CASE("fill kernels repeat the pad value exactly to the end, for every size of a value and at any address")
{
    for (const std::size_t period : std::initializer_list<std::size_t>{1, 2, 3, 4, 5, 8, 12, 16, 20, 32, 33, 64, 150}) {
        check_fills(
            "fill<16>", [](std::byte* to, std::size_t n, const detail::fill_pattern& p) { detail::fill<16>(to, n, p); },
            period);
        check_fills(
            "fill<32>", [](std::byte* to, std::size_t n, const detail::fill_pattern& p) { detail::fill<32>(to, n, p); },
            period);
        check_fills(
            "stream_fill",
            [](std::byte* to, std::size_t n, const detail::fill_pattern& p) {
                detail::stream_fill(to, n, p);
                detail::stream_fence();
            },
            period);
    }
    for (const std::size_t period : std::initializer_list<std::size_t>{1, 4, 12}) {
        check_fills(
            "fill<16> with zeros",
            [](std::byte* to, std::size_t n, const detail::fill_pattern& p) { detail::fill<16>(to, n, p); }, period,
            true);
        check_fills(
            "fill<32> with zeros",
            [](std::byte* to, std::size_t n, const detail::fill_pattern& p) { detail::fill<32>(to, n, p); }, period,
            true);
        check_fills(
            "stream_fill with zeros",
            [](std::byte* to, std::size_t n, const detail::fill_pattern& p) { detail::stream_fill(to, n, p); }, period,
            true);
    }
}

TEST_CASE("a pad value of zero bytes alone is told from one that only begins with zeros")
{
    const std::byte zeros[3]{};
    const std::byte late[3]{std::byte{0}, std::byte{0}, std::byte{1}};
    CHECK(detail::fill_pattern{}.is_zero());
    CHECK(detail::fill_pattern(zeros, 3).is_zero());
    CHECK_FALSE(detail::fill_pattern(late, 3).is_zero());
    const float minus_zero = -0.0F;
    CHECK_FALSE(detail::fill_pattern(reinterpret_cast<const std::byte*>(&minus_zero), sizeof minus_zero).is_zero());
}

namespace {

/// The rows to keep by a stable sort: NaN last, equal scores in the order they came in.
template <class T>
std::vector<std::int32_t> best_by_sort(const std::vector<T>& scores, std::size_t m)
{
    std::vector<std::int32_t> order(scores.size());
    std::iota(order.begin(), order.end(), 0);
    const auto value = [&](std::int32_t i) {
        if constexpr (std::is_integral_v<T>) {
            return scores[static_cast<std::size_t>(i)];
        } else {
            return static_cast<double>(convert<double>(scores[static_cast<std::size_t>(i)]));
        }
    };
    std::stable_sort(order.begin(), order.end(), [&](std::int32_t a, std::int32_t b) {
        if constexpr (!std::is_integral_v<T>) {
            if (std::isnan(value(a)) || std::isnan(value(b))) {
                return !std::isnan(value(a)) && std::isnan(value(b));
            }
        }
        return value(a) > value(b);
    });
    order.resize(m);
    std::sort(order.begin(), order.end());
    return order;
}

template <class T>
std::vector<std::int32_t> best_by_kernel(const std::vector<T>& scores, std::size_t m)
{
    std::vector<detail::score_key<T>> keys(scores.size());
    std::vector<std::int32_t> kept(m);
    detail::top_rows(rows<const T>(scores.data(), scores.size()), m, keys.data(), kept.data());
    return kept;
}

template <class T>
void check_top_rows()
{
    dice random(4);
    using limits = std::numeric_limits<T>;
    for (int trial = 0; trial < 200; ++trial) {
        const std::size_t n = 1 + random.below(trial < 100 ? 8 : 200);
        const std::size_t different = 1 + random.below(trial % 2 == 0 ? 4 : 1000);
        std::vector<T> scores(n);
        for (T& score : scores) {
            const std::size_t pick = random.below(40);
            if constexpr (std::is_integral_v<T>) {
                score = pick == 0   ? limits::lowest()
                        : pick == 1 ? limits::max()
                                    : static_cast<T>(static_cast<int>(random.below(different)) - 2);
            } else {
                const float value = pick == 0   ? std::numeric_limits<float>::quiet_NaN()
                                    : pick == 1 ? -std::numeric_limits<float>::quiet_NaN()
                                    : pick == 2 ? std::numeric_limits<float>::infinity()
                                    : pick == 3 ? -std::numeric_limits<float>::infinity()
                                    : pick == 4 ? -0.0F
                                    : pick == 5 ? 0.0F
                                                : (static_cast<float>(random.below(different)) - 2.0F) / 8.0F;
                score = T(value);
            }
        }
        if (trial % 5 == 0) {
            std::sort(scores.begin(), scores.end(), [](T a, T b) { return convert<double>(a) > convert<double>(b); });
        }
        for (const std::size_t m : {std::size_t{0}, std::size_t{1}, n / 2, n - 1}) {
            if (m < n) {
                CHECK(best_by_kernel(scores, m) == best_by_sort(scores, m));
            }
        }
    }
}

} // namespace

TEST_CASE_TEMPLATE("the best rows are those of a stable sort by score, with ties, NaN, infinities and -0", T, float,
                   double, float16, bfloat16, std::int8_t, std::uint8_t, std::int32_t, std::uint32_t, std::int64_t,
                   std::uint64_t)
{
    check_top_rows<T>();
}
