// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_BENCH_ROUNDS_HPP
#define PADBATCH_BENCH_ROUNDS_HPP

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <functional>
#include <numeric>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace padbatch::bench {

/// One of several ways to do the same work.
struct variant {
    std::string name;
    std::function<void()> run;
    /// Called before each run, not timed. May be empty.
    std::function<void()> prepare{};
};

struct timing {
    std::string name;
    /// Median over the rounds.
    double seconds = 0;
    /// Median over the rounds of the time divided by that of the first variant in the same round.
    double ratio = 0;
    /// The seconds of each round.
    std::vector<double> rounds{};
};

inline double median(std::vector<double> values)
{
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
}

/// Median over the rounds of one variant's time divided by another's in the same round.
inline double median_ratio(const timing& one, const timing& other)
{
    std::vector<double> ratios;
    for (std::size_t round = 0; round < one.rounds.size(); ++round) {
        ratios.push_back(one.rounds[round] / other.rounds[round]);
    }
    return median(std::move(ratios));
}

/// Runs every variant once in each of `rounds` rounds, in an order that is shuffled anew each time, after one round
/// that is not counted. On a shared machine only times of the same round can be compared, so ratios to the first
/// variant are taken round by round.
inline std::vector<timing> run_rounds(const std::vector<variant>& variants, int rounds)
{
    using clock = std::chrono::steady_clock;
    std::vector<timing> timings(variants.size());
    std::vector<std::size_t> order(variants.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::mt19937 random(1); // NOLINT(cert-msc51-cpp,bugprone-random-generator-seed): the same order on every run
    for (int round = -1; round < rounds; ++round) {
        std::shuffle(order.begin(), order.end(), random);
        for (const auto i : order) {
            if (variants[i].prepare) {
                variants[i].prepare();
            }
            const auto start = clock::now();
            variants[i].run();
            const std::chrono::duration<double> took = clock::now() - start;
            if (round >= 0) {
                timings[i].rounds.push_back(took.count());
            }
        }
    }
    for (std::size_t i = 0; i < variants.size(); ++i) {
        timings[i].name = variants[i].name;
        timings[i].seconds = median(timings[i].rounds);
        timings[i].ratio = median_ratio(timings[i], timings.front());
    }
    return timings;
}

} // namespace padbatch::bench

#endif
