// SPDX-License-Identifier: Apache-2.0
// Checks the variants of a workload against each other, times them and prints a table.

#include "pad_bench.hpp"
#include "rounds.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <stdexcept>

namespace padbatch::bench {

namespace {

bool is_ours(const std::string& name)
{
    return name.rfind("padbatch", 0) == 0;
}

// --- checking -------------------------------------------------------------------------------------------------------

void check_against(const workload& w, const pad_variant& one, std::size_t batch, const slab& expected)
{
    std::memset(w.output.data(), 0xCD, w.output.size());
    one.show(batch, [&](const field_pointers& fields) {
        if (fields.size() != w.outputs.size()) {
            throw std::runtime_error(w.name + ": " + one.name + " shows another number of fields");
        }
        for (std::size_t field = 0; field < fields.size(); ++field) {
            const auto at = static_cast<std::size_t>(w.outputs[field] - w.output.data());
            if (std::memcmp(fields[field], expected.data() + at, w.field_bytes(field)) != 0) {
                throw std::runtime_error(w.name + ": field " + std::to_string(field) + " of batch " +
                                         std::to_string(batch) + " by \"" + one.name +
                                         "\" is not what the loop writes");
            }
        }
    });
}

// All variants must write the same bytes as the first one.
void check(const workload& w, const pad_variants& variants)
{
    slab expected(w.output.size());
    for (std::size_t batch = 0; batch < w.batches(); ++batch) {
        variants.front().run(batch);
        std::memcpy(expected.data(), w.output.data(), expected.size());
        for (const auto& one : variants) {
            check_against(w, one, batch, expected);
        }
    }
}

// --- timing ---------------------------------------------------------------------------------------------------------

// Every sample goes through all the batches often enough for the fastest variant to take this long.
constexpr double shortest_sample = 100e-6;
// Samples longer than this need not be preceded by a call that warms the caches.
constexpr double long_sample = 5e-3;

template <typename Variants>
std::vector<timing> time_all(const Variants& variants, std::size_t batches, int rounds)
{
    const auto sweep = [batches](const auto& one, std::size_t times) {
        for (std::size_t i = 0; i < times; ++i) {
            for (std::size_t batch = 0; batch < batches; ++batch) {
                one.run(batch);
            }
        }
    };
    std::vector<variant> once;
    for (const auto& one : variants) {
        once.push_back({one.name, [&] { sweep(one, 1); }});
    }
    double fastest = 1;
    for (const auto& t : run_rounds(once, 3)) {
        fastest = std::min(fastest, t.seconds);
    }
    const auto times = static_cast<std::size_t>(std::max(1.0, std::ceil(shortest_sample / fastest)));

    std::vector<variant> samples;
    for (const auto& one : variants) {
        samples.push_back({one.name, [&sweep, &one, times] { sweep(one, times); }});
        if (fastest < long_sample) {
            samples.back().prepare = [&sweep, &one] { sweep(one, 1); };
        }
    }
    auto timings = run_rounds(samples, rounds);
    const auto calls = static_cast<double>(times * batches);
    for (auto& t : timings) {
        t.seconds /= calls;
    }
    return timings;
}

template <typename Variants>
void leave_out(Variants& variants, const run_options& options)
{
    if (!options.only.empty()) {
        std::erase_if(variants, [&](const auto& one) { return one.name.find(options.only) == std::string::npos; });
    }
}

// padbatch's first variant, if there is any.
const timing* ours_in(const std::vector<timing>& timings)
{
    const auto found = std::find_if(timings.begin(), timings.end(), [](const timing& t) { return is_ours(t.name); });
    return found == timings.end() ? nullptr : &*found;
}

// --- the tables -----------------------------------------------------------------------------------------------------

// A row of cells: "| a | b |".
void print_row(const std::vector<std::string>& cells)
{
    for (const auto& cell : cells) {
        std::printf("| %s ", cell.c_str());
    }
    std::puts("|");
}

void print_table(const std::vector<std::string>& head, const std::vector<std::vector<std::string>>& rows)
{
    print_row(head);
    print_row(std::vector<std::string>(head.size(), "---"));
    for (const auto& row : rows) {
        print_row(row);
    }
    std::puts("");
    std::fflush(stdout);
}

std::string number(double value, const char* unit = "")
{
    char text[64];
    const int decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
    std::snprintf(text, sizeof(text), "%.*f%s", decimals, value, unit);
    return text;
}

std::string duration(double seconds)
{
    if (seconds < 1e-6) {
        return number(seconds * 1e9, " ns");
    }
    return seconds < 1e-3 ? number(seconds * 1e6, " us") : number(seconds * 1e3, " ms");
}

std::string with_counts(const workload& w)
{
    const auto& first = w.counts.front();
    auto least = first.front();
    auto most = least;
    for (const auto& counts : w.counts) {
        const auto [low, high] = std::minmax_element(counts.begin(), counts.end());
        least = std::min(least, *low);
        most = std::max(most, *high);
    }
    return "B=" + std::to_string(w.images) + ", M=" + std::to_string(w.capacity) + ", n in " + std::to_string(least) +
           ".." + std::to_string(most) + ", " + std::to_string(w.batches()) + " batches in turn";
}

} // namespace

void compare(const workload& w, pad_variants variants, int rounds, const run_options& options)
{
    check(w, variants);
    leave_out(variants, options);
    auto all = limits(w);
    const auto limit_count = all.size();
    std::move(variants.begin(), variants.end(), std::back_inserter(all));
    const auto timings = time_all(all, w.batches(), options.rounds > 0 ? options.rounds : rounds);

    const auto bytes = static_cast<double>(w.output_bytes());
    // From about this size on, non-temporal stores may pay off.
    const bool streams = bytes >= 32e6 && limit_count == 2;
    const auto& better = timings[streams && timings[1].ratio < 1 ? 1 : 0];
    const auto* ours = ours_in(timings);
    std::vector<std::string> head{w.name, "a call", "GB/s", "ratio to the limit"};
    if (streams) {
        head.emplace_back("ratio to the better limit");
    }
    if (ours != nullptr) {
        head.emplace_back("ratio to padbatch");
    }
    std::vector<std::vector<std::string>> rows;
    for (const auto& t : timings) {
        auto& row = rows.emplace_back(
            std::vector{t.name, duration(t.seconds), number(bytes / t.seconds / 1e9), number(t.ratio)});
        if (streams) {
            row.push_back(number(median_ratio(t, better)));
        }
        if (ours != nullptr) {
            row.push_back(number(median_ratio(t, *ours)));
        }
    }
    std::printf("%s: %s, %s of output\n\n", w.name.c_str(), with_counts(w).c_str(),
                bytes < 1e6 ? number(bytes / 1e3, " KB").c_str() : number(bytes / 1e6, " MB").c_str());
    print_table(head, rows);
}

void compare(const workload& w, unpad_variants variants, int rounds, const run_options& options)
{
    std::size_t views = 0;
    for (std::size_t batch = 0; batch < w.batches(); ++batch) {
        const auto expected = variants.front().views(batch);
        views = expected.size();
        for (const auto& one : variants) {
            if (one.views(batch) != expected) {
                throw std::runtime_error(w.name + ": the views of batch " + std::to_string(batch) + " by \"" +
                                         one.name + "\" are not those of the loop");
            }
        }
    }
    leave_out(variants, options);
    if (variants.empty()) {
        return;
    }
    const auto timings = time_all(variants, w.batches(), options.rounds > 0 ? options.rounds : rounds);
    const auto* ours = ours_in(timings);
    std::vector<std::string> head{w.name, "ns a view"};
    if (ours != nullptr) {
        head.emplace_back("ratio to padbatch");
    }
    std::vector<std::vector<std::string>> rows;
    for (const auto& t : timings) {
        auto& row = rows.emplace_back(std::vector{t.name, number(t.seconds * 1e9 / static_cast<double>(views))});
        if (ours != nullptr) {
            row.push_back(number(median_ratio(t, *ours)));
        }
    }
    std::printf("%s: %s, %zu views a call\n\n", w.name.c_str(), with_counts(w).c_str(), views);
    print_table(head, rows);
}

} // namespace padbatch::bench
