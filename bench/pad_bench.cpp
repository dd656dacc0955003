// SPDX-License-Identifier: Apache-2.0
// How fast ragged rows become padded tensors: padbatch, the limit, plain loops and other libraries, on the workloads of
// docs/performance.md.
//
//     pad_bench [--workload NAME]... [--rounds N] [--only TEXT]
//
// Prints a Markdown table for each workload. All variants of a workload run in turn in one process, in an order that is
// shuffled in each round; ratios are medians of the ratios within a round. GB/s counts the bytes of the output.

#include "pad_bench.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <iterator>

namespace {

using namespace padbatch::bench;

template <typename Variants>
void add(Variants& all, Variants more)
{
    std::move(more.begin(), more.end(), std::back_inserter(all));
}

template <typename Workload>
void run_ragged(const workload_size& size, int rounds, const run_options& options)
{
    const auto w = make_ragged<Workload>(size);
    auto variants = loops::pad(w);
    add(variants, padbatch_headers::pad(w));
    add(variants, xtensor::pad(w));
    add(variants, eigen::pad(w));
#ifdef PADBATCH_BENCH_TORCH
    add(variants, libtorch::pad(w));
#endif
    compare(w, std::move(variants), rounds, options);
}

void run_flat(const workload_size& size, int rounds, const run_options& options)
{
    const auto w = make_flat(size);
    auto variants = loops::pad(w);
    add(variants, padbatch_headers::pad(w));
    add(variants, xtensor::pad(w));
    compare(w, std::move(variants), rounds, options);
}

void run_structs(const workload_size& size, int rounds, const run_options& options)
{
    const auto w = make_structs(size);
    auto variants = loops::pad(w);
    add(variants, padbatch_headers::pad(w));
    compare(w, std::move(variants), rounds, options);
}

void run_fresh(const workload_size& size, int rounds, const run_options& options)
{
    const auto w = make_ragged<float_masks>(size);
    auto variants = loops::pad_fresh(w);
    add(variants, padbatch_headers::pad_fresh(w));
#ifdef PADBATCH_BENCH_TORCH
    add(variants, libtorch::pad_fresh(w));
#endif
    compare(w, std::move(variants), rounds, options);
}

void run_unpad(const workload_size& size, int rounds, const run_options& options)
{
    const auto w = make_ragged<detections>(size);
    auto variants = loops::unpad(w);
    add(variants, padbatch_headers::unpad(w));
#ifdef PADBATCH_BENCH_TORCH
    add(variants, libtorch::unpad(w));
#endif
    compare(w, std::move(variants), rounds, options);
}

struct entry {
    workload_size size;
    int rounds;
    void (*run)(const workload_size&, int, const run_options&);
};

const std::vector<entry>& entries()
{
    static const std::vector<entry> all{
        {{"W1", 8, 100, 0, 100, 16}, 101, run_ragged<detections>},
        {{"W2", 512, 300, 0, 300, 16}, 61, run_ragged<detections>},
        {{"W3", 4, 100, 0, 100, 16}, 61, run_ragged<small_masks>},
        {{"W4", 2, 100, 6, 14, 3}, 11, run_ragged<float_masks>},
        {{"W5", 8, 100, 0, 30, 3}, 11, run_ragged<byte_masks>},
        {{"fresh", 2, 100, 6, 14, 3}, 11, run_fresh},
        {{"unpad", 512, 300, 0, 300, 16}, 101, run_unpad},
        {{"flat", 512, 300, 0, 300, 16}, 61, run_flat},
        {{"structs", 512, 300, 0, 300, 16}, 61, run_structs},
    };
    return all;
}

} // namespace

int main(int argc, char** argv)
{
    CLI::App app("How fast ragged rows become padded tensors, beside the limit, plain loops and other libraries.");
    std::vector<std::string> names;
    for (const auto& e : entries()) {
        names.push_back(e.size.name);
    }
    std::vector<std::string> wanted;
    run_options options;
    app.add_option("--workload", wanted, "Run only this one; may be repeated")->check(CLI::IsMember(names));
    app.add_option("--rounds", options.rounds, "Rounds of each workload")->check(CLI::PositiveNumber);
    app.add_option("--only", options.only, "Time only variants whose name contains this, besides the limits");
    CLI11_PARSE(app, argc, argv);
    try {
        for (const auto& e : entries()) {
            if (wanted.empty() || std::find(wanted.begin(), wanted.end(), e.size.name) != wanted.end()) {
                e.run(e.size, e.rounds, options);
            }
        }
        return 0;
    } catch (const std::exception& e) {
        std::fprintf(stderr, "pad_bench: %s\n", e.what());
        return 1;
    }
}
