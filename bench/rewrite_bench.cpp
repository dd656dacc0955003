// SPDX-License-Identifier: Apache-2.0
// What the steps of onnx-pad-outputs cost on a small export and on the same export with 160 MB of weights, compared
// with the limit: reading the file's bytes and writing them again.
//
//     rewrite_bench --benchmark_enable_random_interleaving=true --benchmark_repetitions=9

#include <onnx_tools/files/model_io.hpp>
#include <onnx_tools/model/check.hpp>
#include <onnx_tools/pad/pad.hpp>
#include <onnx_tools/plan/plan.hpp>
#include <onnx_tools/recognise/recognise.hpp>

#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

#include <fcntl.h>
#include <unistd.h>

namespace {

using namespace padbatch::onnx_tools;
namespace fs = std::filesystem;

// The files of one benchmark: `in` is the export, `out` a name beside it.
struct files {
    fs::path folder = fs::temp_directory_path() / ("padbatch-bench-" + std::to_string(::getpid()));
    std::string in;
    std::string out;

    explicit files(std::int64_t weight_megabytes)
    {
        fs::create_directory(folder);
        in = (folder / "in.onnx").string();
        out = (folder / "out.onnx").string();
        auto model = load_model(PADBATCH_BENCH_DATA "/mask_rcnn_tv014_b2_list_op11.onnx");
        for (std::int64_t i = 0; i < weight_megabytes / 16; ++i) { // in pieces, as the layers of a model are
            auto& weights = *model.mutable_graph()->add_initializer();
            weights.set_name("more_weights_" + std::to_string(i));
            weights.set_data_type(onnx::TensorProto::FLOAT);
            weights.add_dims(4 << 20);
            weights.set_raw_data(std::string(16 << 20, '\1'));
        }
        save_model(model, in);
    }
    files(const files&) = delete;
    files& operator=(const files&) = delete;
    ~files() { fs::remove_all(folder); }

    [[nodiscard]] std::int64_t size() const { return static_cast<std::int64_t>(fs::file_size(in)); }
};

void report(benchmark::State& state, const files& f)
{
    state.SetBytesProcessed(state.iterations() * f.size());
}

// Copies the file through a buffer of 1 MiB, and flushes the copy to the disk as the command does.
void copy_bytes(benchmark::State& state)
{
    const files f(state.range(0));
    std::string buffer(1 << 20, '\0');
    for (auto _ : state) {
        const int in = ::open(f.in.c_str(), O_RDONLY | O_CLOEXEC);
        const int out = ::open(f.out.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
        ssize_t size = 0;
        while ((size = ::read(in, buffer.data(), buffer.size())) > 0) {
            if (::write(out, buffer.data(), static_cast<std::size_t>(size)) != size) {
                state.SkipWithError("cannot write");
                break;
            }
        }
        ::fsync(out);
        ::close(in);
        ::close(out);
    }
    report(state, f);
}

void load(benchmark::State& state)
{
    const files f(state.range(0));
    for (auto _ : state) {
        benchmark::DoNotOptimize(load_model(f.in));
    }
    report(state, f);
}

void recognise_and_plan(benchmark::State& state)
{
    const files f(state.range(0));
    const auto model = load_model(f.in);
    for (auto _ : state) {
        benchmark::DoNotOptimize(plan(model, recognise(model)));
    }
}

void pad_and_check(benchmark::State& state)
{
    const files f(state.range(0));
    const auto original = load_model(f.in);
    const auto p = plan(original, recognise(original));
    for (auto _ : state) {
        state.PauseTiming();
        auto model = original;
        state.ResumeTiming();
        pad(model, p);
        if (!complaints(model).empty()) {
            state.SkipWithError("the padded model is not valid");
        }
        state.PauseTiming();
        model.Clear();
        state.ResumeTiming();
    }
}

void save(benchmark::State& state)
{
    const files f(state.range(0));
    auto model = load_model(f.in);
    pad(model, plan(model, recognise(model)));
    for (auto _ : state) {
        save_model(model, f.out, {true, f.in});
    }
    report(state, f);
}

void everything(benchmark::State& state)
{
    const files f(state.range(0));
    for (auto _ : state) {
        auto model = load_model(f.in);
        pad(model, plan(model, recognise(model)));
        save_model(model, f.out, {true, f.in});
    }
    report(state, f);
}

void sizes(benchmark::internal::Benchmark* b)
{
    b->ArgName("MB")->Arg(0)->Arg(160)->Unit(benchmark::kMillisecond)->UseRealTime();
}

BENCHMARK(copy_bytes)->Apply(sizes);
BENCHMARK(load)->Apply(sizes);
BENCHMARK(recognise_and_plan)->Apply(sizes);
BENCHMARK(pad_and_check)->Apply(sizes);
BENCHMARK(save)->Apply(sizes);
BENCHMARK(everything)->Apply(sizes);

} // namespace
