// SPDX-License-Identifier: Apache-2.0
// What a dynamic batch costs, and what each way to write masks costs, in ONNX Runtime. The models are made by
// bench/export_models.py.
//
//     batch_bench FOLDER [ROUNDS]
//
// Prints two Markdown tables: N images at a time (the export of one image N times, padded to a fixed batch, dynamic),
// and masks (full, as bytes, before they are pasted, and these pasted by the headers).

#include "model_program.hpp"
#include "rounds.hpp"

#include <onnx_tools/files/model_io.hpp>
#include <onnx_tools/pad/pad.hpp>
#include <onnx_tools/plan/options.hpp>
#include <onnx_tools/plan/plan.hpp>
#include <onnx_tools/recognise/recognise.hpp>
#include <padbatch/adapters/onnxruntime.hpp>
#include <padbatch/detection/masks.hpp>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace {

using namespace padbatch::onnx_tools;
using namespace padbatch::bench;
namespace fs = std::filesystem;

// What is done with a model's region masks after a run.
enum class finish { nothing, paste_float, paste_bytes };

// One way to do the work: a model, how many images it takes at a time, and how often it runs.
struct candidate {
    std::string name;
    std::string path;
    std::int64_t images = 1;
    int runs = 1;
    finish then = finish::nothing;
};

std::size_t bytes_of(const Ort::Value& output)
{
    const auto info = output.GetTensorTypeAndShapeInfo();
    std::size_t element = 4;
    switch (info.GetElementType()) {
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64: element = 8; break;
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8: element = 1; break;
    default: break; // the models' other types are float and int32
    }
    return info.GetElementCount() * element;
}

// Runs a candidate; keeps the memory that it pastes into.
class worker {
public:
    explicit worker(const candidate& c) : m_candidate(c), m_program(c.path)
    {
        auto shape = m_program.input_shape();
        shape.at(0) = c.images;
        m_height = static_cast<std::size_t>(shape[2]);
        m_width = static_cast<std::size_t>(shape[3]);
        m_program.set_scenes(shape);
        if (c.then != finish::nothing) {
            m_contract = padbatch::onnxruntime::contract(m_program.session());
        }
    }

    // Returns the number of bytes that come out.
    std::size_t run()
    {
        std::size_t bytes = 0;
        for (int i = 0; i < m_candidate.runs; ++i) {
            bytes += run_once();
        }
        return bytes;
    }

private:
    std::size_t run_once()
    {
        const auto outputs = m_program.run();
        std::size_t bytes = 0;
        for (const auto& output : outputs) {
            bytes += bytes_of(output);
        }
        switch (m_candidate.then) {
        case finish::nothing: return bytes;
        case finish::paste_float: return bytes + paste(m_floats, outputs);
        case finish::paste_bytes: return bytes + paste(m_bytes, outputs);
        }
        return bytes;
    }

    template <class T>
    std::size_t paste(padbatch::padded<padbatch::masks<T>>& full, const std::vector<Ort::Value>& outputs)
    {
        using namespace padbatch;
        const auto batch = onnxruntime::detections<boxes<const float>, masks<const float>>(m_contract, outputs);
        if (full.size() == 0) {
            full = padded<masks<T>>(batch.size(), batch.capacity(), t::masks.shape(1, m_height, m_width));
        }
        paste_masks(full, batch, capacity::fixed(batch.capacity()), padding::reuse);
        return full.size() * full.capacity() * m_height * m_width * sizeof(T);
    }

    candidate m_candidate;
    program m_program;
    padbatch::onnxruntime::contract m_contract;
    padbatch::padded<padbatch::masks<float>> m_floats;
    padbatch::padded<padbatch::masks<std::uint8_t>> m_bytes;
    std::size_t m_height = 0;
    std::size_t m_width = 0;
};

// Writes variants of the exports in a folder.
class maker {
public:
    maker(fs::path models, fs::path folder) : m_models(std::move(models)), m_folder(std::move(folder)) {}

    [[nodiscard]] std::string original(const std::string& name) const
    {
        return (m_models / ("original_" + name + ".onnx")).string();
    }

    std::string padded(const std::string& name, const std::function<void(pad_options&)>& choose)
    {
        auto model = load_model(original(name));
        pad_options options;
        choose(options);
        pad(model, plan(model, recognise(model), options));
        const auto path = (m_folder / (std::to_string(m_count++) + ".onnx")).string();
        save_model(model, path);
        return path;
    }

private:
    fs::path m_models;
    fs::path m_folder;
    int m_count = 0;
};

// Runs a candidate three times in this process, which must not have done anything else.
int print_peak(const candidate& c)
{
    worker w(c);
    for (int i = 0; i < 3; ++i) {
        (void)w.run();
    }
    std::printf("%.1f", peak_resident_megabytes());
    return 0;
}

void print_table(const char* self, const std::string& title, const std::vector<candidate>& candidates, int rounds)
{
    std::vector<std::unique_ptr<worker>> workers;
    std::vector<variant> variants;
    std::vector<std::size_t> bytes;
    for (const auto& c : candidates) {
        auto& w = *workers.emplace_back(std::make_unique<worker>(c));
        bytes.push_back(w.run());
        variants.push_back({c.name, [&w] { (void)w.run(); }});
    }
    const auto timings = run_rounds(variants, rounds);
    workers.clear();
    for (std::size_t i = 0; i < candidates.size(); ++i) {
        const auto& c = candidates[i];
        const double peak = megabytes_printed_by({self, "--peak", c.path, std::to_string(c.images),
                                                  std::to_string(c.runs), std::to_string(static_cast<int>(c.then))});
        std::printf("| %s | %s | %.0f | %.3f | %.0f | %.2f |\n", i == 0 ? title.c_str() : "", c.name.c_str(),
                    timings[i].seconds * 1e3, timings[i].ratio, peak, static_cast<double>(bytes[i]) / 1e6);
        std::fflush(stdout);
    }
}

void print_batches(const char* self, maker& make, int rounds)
{
    std::printf("| images of 320x320 | variant | ms | ratio | peak memory MB | MB out |\n|---|---|---|---|---|---|\n");
    const auto boxes = [](pad_options& options) { options.masks = mask_choice::none; };
    const auto many_boxes = [](pad_options& options) {
        options.masks = mask_choice::none;
        options.dynamic_batch = true;
    };
    const auto many = [](pad_options& options) { options.dynamic_batch = true; };
    const auto fixed_boxes = make.padded("320_b1", boxes);
    const auto fixed_boxes_2 = make.padded("320_b2", boxes);
    const auto dynamic_boxes = make.padded("320_b1", many_boxes);
    const auto dynamic = make.padded("320_b1", many);
    const auto fixed = make.padded("320_b1", [](pad_options&) {});
    const auto fixed_2 = make.padded("320_b2", [](pad_options&) {});
    for (const std::int64_t n : {1, 2, 4}) {
        const int times = static_cast<int>(n);
        const std::string count = std::to_string(n);
        std::vector<candidate> full{{"the export, " + count + " times", make.original("320_b1"), 1, times},
                                    {"padded, " + count + " times", fixed, 1, times},
                                    {"dynamic batch", dynamic, n, 1}};
        std::vector<candidate> without{{"padded, " + count + " times", fixed_boxes, 1, times},
                                       {"dynamic batch", dynamic_boxes, n, 1}};
        if (n == 2) {
            full.push_back({"padded, export of 2", fixed_2, 2, 1});
            without.push_back({"padded, export of 2", fixed_boxes_2, 2, 1});
        }
        print_table(self, count + ", full masks", full, rounds);
        print_table(self, count + ", no masks", without, rounds);
    }
}

void print_masks(const char* self, maker& make, int rounds)
{
    std::printf("\n| masks of one 800x800 image | variant | ms | ratio | peak memory MB | MB out |\n"
                "|---|---|---|---|---|---|\n");
    const auto with = [&](const std::function<void(pad_options&)>& choose) { return make.padded("800_b1", choose); };
    const auto region = with([](pad_options& options) { options.masks = mask_choice::roi; });
    const std::vector<candidate> candidates{
        {"the export, not padded", make.original("800_b1")},
        {"full, float", with([](pad_options&) {})},
        {"full, uint8", with([](pad_options& options) { options.mask_type = padbatch::element_type::uint8; })},
        {"full, float, --max-detections batch",
         with([](pad_options& options) { options.max_detections = largest_of_batch{}; })},
        {"--masks roi", region},
        {"--masks roi + paste_masks, float", region, 1, 1, finish::paste_float},
        {"--masks roi + paste_masks, uint8", region, 1, 1, finish::paste_bytes},
        {"--masks none", with([](pad_options& options) { options.masks = mask_choice::none; })},
    };
    print_table(self, "about 10 rows of 100", candidates, rounds);
}

} // namespace

int main(int argc, char** argv)
{
    try {
        if (argc == 6 && std::string(argv[1]) == "--peak") {
            return print_peak(
                {"", argv[2], std::atoll(argv[3]), std::atoi(argv[4]), static_cast<finish>(std::atoi(argv[5]))});
        }
        if (argc != 2 && argc != 3) {
            std::fprintf(stderr, "usage: batch_bench FOLDER [ROUNDS]\n");
            return 2;
        }
        const int rounds = argc == 3 ? std::atoi(argv[2]) : 9;
        const fs::path folder = fs::temp_directory_path() / ("padbatch-batch-" + std::to_string(::getpid()));
        fs::create_directory(folder);
        maker make(argv[1], folder);
        print_batches(argv[0], make, rounds);
        print_masks(argv[0], make, rounds);
        fs::remove_all(folder);
        return 0;
    } catch (const std::exception& e) {
        std::fprintf(stderr, "batch_bench: %s\n", e.what());
        return 1;
    }
}
