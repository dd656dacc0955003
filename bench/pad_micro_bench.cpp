// SPDX-License-Identifier: Apache-2.0
// The output size from which non-temporal stores pay off on a machine: masks of 1 to 256 images, 1.6 MB to 419 MB of
// output that is reused. padbatch has to follow the faster of the two.
//
//     pad_micro_bench --benchmark_enable_random_interleaving=true --benchmark_repetitions=9

#include "streaming.hpp"
#include "workloads.hpp"

#include <padbatch/padbatch.hpp>

#include <benchmark/benchmark.h>

#include <cstdint>
#include <span>
#include <vector>

namespace {

using namespace padbatch::bench;

// A tenth of the rows are valid, as in W4.
struct masks {
    static constexpr std::size_t row = 16384; // bytes of a mask
    static constexpr std::size_t capacity = 100;
    static constexpr std::size_t valid = 10;

    std::size_t images;
    slab in;
    slab out;

    explicit masks(const benchmark::State& state)
        : images(static_cast<std::size_t>(state.range(0))), in(images * valid * row), out(images * capacity * row)
    {
        std::memset(in.data(), 1, in.size());
        std::memset(out.data(), 1, out.size());
    }

    // `copy(out, in, size)` writes the valid rows of an image, `clear(out, size)` the others.
    template <typename Copy, typename Clear>
    void pad(Copy copy, Clear clear) const
    {
        for (std::size_t i = 0; i < images; ++i) {
            auto* image = out.data() + i * capacity * row;
            copy(image, in.data() + i * valid * row, valid * row);
            clear(image + valid * row, (capacity - valid) * row);
        }
    }
};

void report(benchmark::State& state, const masks& m)
{
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(m.out.size()));
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(m.images * masks::valid));
}

void through_the_cache(benchmark::State& state)
{
    const masks m(state);
    for (auto _ : state) {
        m.pad([](auto* out, const auto* in, std::size_t size) { std::memcpy(out, in, size); },
              [](auto* out, std::size_t size) { std::memset(out, 0, size); });
        benchmark::ClobberMemory();
    }
    report(state, m);
}

void past_the_cache(benchmark::State& state)
{
    const masks m(state);
    for (auto _ : state) {
        m.pad(streaming::copy, streaming::clear);
        benchmark::ClobberMemory();
    }
    report(state, m);
}

void with_padbatch(benchmark::State& state)
{
    using masks_field = padbatch::masks<std::uint8_t, 1, 128, 128>;
    const masks m(state);
    std::vector<std::span<const std::uint8_t>> in;
    for (std::size_t i = 0; i < m.images; ++i) {
        const auto* const first = reinterpret_cast<const std::uint8_t*>(m.in.data()) + i * masks::valid * masks::row;
        in.emplace_back(first, masks::valid * masks::row);
    }
    std::vector<std::int32_t> counts(m.images);
    const std::span out(reinterpret_cast<std::uint8_t*>(m.out.data()), m.out.size());
    const padbatch::padded_view<masks_field> batch(counts, masks::capacity, padbatch::t::masks(out, 1, 128, 128));
    const auto source = padbatch::each(padbatch::t::masks(in, 1, 128, 128));
    for (auto _ : state) {
        padbatch::pad_into(batch, source);
        benchmark::ClobberMemory();
    }
    report(state, m);
}

void sizes(benchmark::internal::Benchmark* b)
{
    b->ArgName("images")->RangeMultiplier(4)->Range(1, 256)->Unit(benchmark::kMicrosecond)->UseRealTime();
}

BENCHMARK(through_the_cache)->Apply(sizes);
BENCHMARK(past_the_cache)->Apply(sizes);
BENCHMARK(with_padbatch)->Apply(sizes);

} // namespace
