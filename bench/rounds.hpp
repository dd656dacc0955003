#ifndef PADBATCH_BENCH_ROUNDS_HPP
#define PADBATCH_BENCH_ROUNDS_HPP

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <functional>
#include <numeric>
#include <random>
#include <string>
#include <vector>

namespace padbatch::bench {

/// One of several ways to do the same work.
struct variant {
    std::string name;
    std::function<void()> run;
};

struct timing {
    std::string name;
    /// Median over the rounds.
    double seconds = 0;
    /// Median over the rounds of the time divided by that of the first variant in the same round.
    double ratio = 0;
};

inline double median(std::vector<double> values)
{
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
}

/// Runs every variant once in each of `rounds` rounds, in an order that is shuffled anew each time, after one round
/// that is not counted. On a shared machine only times of one round can be compared, therefore ratios are taken round
/// by round, against the first variant.
inline std::vector<timing> run_rounds(const std::vector<variant>& variants, int rounds)
{
    using clock = std::chrono::steady_clock;
    std::vector<std::vector<double>> seconds(variants.size());
    std::vector<std::size_t> order(variants.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::mt19937 random(1); // NOLINT(cert-msc51-cpp,bugprone-random-generator-seed): the same order on every run
    for (int round = -1; round < rounds; ++round) {
        std::shuffle(order.begin(), order.end(), random);
        for (const auto i : order) {
            const auto start = clock::now();
            variants[i].run();
            const std::chrono::duration<double> took = clock::now() - start;
            if (round >= 0) {
                seconds[i].push_back(took.count());
            }
        }
    }
    std::vector<timing> timings;
    for (std::size_t i = 0; i < variants.size(); ++i) {
        std::vector<double> ratios;
        for (std::size_t round = 0; round < seconds[i].size(); ++round) {
            ratios.push_back(seconds[i][round] / seconds[0][round]);
        }
        timings.push_back({variants[i].name, median(seconds[i]), median(ratios)});
    }
    return timings;
}

} // namespace padbatch::bench

#endif
