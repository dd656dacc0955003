// SPDX-License-Identifier: Apache-2.0
// What padding inside the graph costs at run time: the export as it is, padded by onnx-pad-outputs, and padded by the
// wrapper recipe, side by side. The models are made by bench/export_models.py.
//
//     model_cost_bench FOLDER [ROUNDS]
//
// Prints two Markdown tables: whole models, and the padding nodes alone beside memcpy + memset of the same bytes.

#include "model_program.hpp"
#include "rounds.hpp"

#include <onnx_tools/files/model_io.hpp>
#include <onnx_tools/pad/pad.hpp>
#include <onnx_tools/plan/options.hpp>
#include <onnx_tools/plan/plan.hpp>
#include <onnx_tools/recognise/recognise.hpp>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <unistd.h>

namespace {

using namespace padbatch::onnx_tools;
using namespace padbatch::bench;
namespace fs = std::filesystem;

std::unique_ptr<program> open_model(const std::string& path)
{
    auto opened = std::make_unique<program>(path);
    opened->set_scenes(opened->input_shape());
    return opened;
}

// --- whole models ---------------------------------------------------------------------------------------------------

struct candidate {
    std::string name;
    std::string path;
};

int print_peak(const std::string& path)
{
    const auto opened = open_model(path);
    for (int i = 0; i < 3; ++i) {
        (void)opened->run();
    }
    std::printf("%.1f", peak_resident_megabytes());
    return 0;
}

// Writes padded variants of an export into `folder`.
std::vector<candidate> make_candidates(const fs::path& original, const fs::path& folder)
{
    const std::string name = original.stem().string();
    std::vector<candidate> all{{"original", original.string()}};
    const auto add = [&](const std::string& title, bool masks, bool of_batch) {
        auto model = load_model(original.string());
        auto found = recognise(model);
        if (!masks) { // leave the masks as loose outputs
            const auto values = found.fields.back().values;
            found.fields.pop_back();
            found.other_outputs = values;
        }
        pad_options options;
        if (of_batch) {
            options.max_detections = largest_of_batch{};
        }
        pad(model, plan(model, found, options));
        all.push_back({title, (folder / (name + "-" + std::to_string(all.size()) + ".onnx")).string()});
        save_model(model, all.back().path);
    };
    add("padded, masks left loose", false, false);
    add("padded", true, false);
    add("padded to the batch's maximum", true, true);
    auto wrapper = original.string();
    wrapper.replace(wrapper.find("original_"), 9, "wrapper_");
    all.push_back({"wrapper, exported again", wrapper});
    return all;
}

void print_models(const char* self, const fs::path& models, const fs::path& folder, int rounds)
{
    std::printf(
        "| model | variant | ms | ratio to the original | peak memory MB | file MB |\n|---|---|---|---|---|---|\n");
    std::vector<fs::path> originals;
    for (const auto& entry : fs::directory_iterator(models)) {
        if (entry.path().filename().string().rfind("original_", 0) == 0) {
            originals.push_back(entry.path());
        }
    }
    std::sort(originals.begin(), originals.end());
    for (const auto& original : originals) {
        const auto candidates = make_candidates(original, folder);
        std::vector<std::unique_ptr<program>> programs;
        std::vector<variant> variants;
        for (const auto& c : candidates) {
            auto& opened = *programs.emplace_back(open_model(c.path));
            variants.push_back({c.name, [&opened] { (void)opened.run(); }});
        }
        std::string rows; // of each image
        const auto loose = programs.front()->run();
        for (std::size_t i = 0; i < loose.size(); i += 4) { // boxes, labels, scores, masks
            rows += (rows.empty() ? "" : " + ") + std::to_string(loose[i].GetTensorTypeAndShapeInfo().GetShape()[0]);
        }
        const auto timings = run_rounds(variants, rounds);
        programs.clear();
        for (std::size_t i = 0; i < candidates.size(); ++i) {
            const auto title = original.stem().string().substr(9) + ", " + rows + " rows";
            std::printf("| %s | %s | %.0f | %.3f | %.0f | %.1f |\n", i == 0 ? title.c_str() : "",
                        candidates[i].name.c_str(), timings[i].seconds * 1e3, timings[i].ratio,
                        megabytes_printed_by({self, "--peak", candidates[i].path}),
                        static_cast<double>(fs::file_size(candidates[i].path)) / 1e6);
            std::fflush(stdout);
        }
    }
}

// --- the padding nodes alone ----------------------------------------------------------------------------------------

struct part {
    field kind;
    onnx::TensorProto::DataType type;
    std::size_t element_size;
    std::vector<std::int64_t> row;
};

// A model whose inputs are the loose fields of `batch` images, and whose outputs are these fields, padded.
std::string make_padding_model(const std::vector<part>& parts, std::int64_t batch, const fs::path& folder)
{
    onnx::ModelProto model;
    model.set_ir_version(7);
    model.add_opset_import()->set_version(13);
    auto& graph = *model.mutable_graph();
    graph.set_name("padding");
    recognise_options told;
    told.batch = batch;
    told.fields.emplace();
    for (std::int64_t image = 0; image < batch; ++image) {
        for (const auto& p : parts) {
            onnx::ValueInfoProto info;
            info.set_name("in_" + std::string(name_of(p.kind)) + std::to_string(image));
            auto& tensor = *info.mutable_type()->mutable_tensor_type();
            tensor.set_elem_type(p.type);
            tensor.mutable_shape()->add_dim()->set_dim_param("n" + std::to_string(image));
            for (const auto extent : p.row) {
                tensor.mutable_shape()->add_dim()->set_dim_value(extent);
            }
            *graph.add_input() = info;
            *graph.add_output() = info;
        }
    }
    for (const auto& p : parts) {
        told.fields->push_back(p.kind);
    }
    pad_options options;
    options.max_detections = 100;
    auto found = recognise(model, told);
    found.limit = row_limit{100, "the benchmark"};
    found.sizes_may_differ = false;
    pad(model, plan(model, found, options));
    const auto path =
        (folder / ("padding-" + std::to_string(parts.size()) + "-b" + std::to_string(batch) + ".onnx")).string();
    save_model(model, path, {true, ""});
    return path;
}

void print_padding(const char* title, const std::vector<part>& parts, std::int64_t batch, const fs::path& folder,
                   int rounds)
{
    constexpr std::int64_t rows = 10;
    program nodes(make_padding_model(parts, batch, folder));
    std::size_t valid = 0;
    std::size_t whole = 0;
    for (std::int64_t image = 0; image < batch; ++image) {
        for (const auto& p : parts) {
            std::vector<std::int64_t> shape{rows};
            shape.insert(shape.end(), p.row.begin(), p.row.end());
            nodes.set_input(shape, static_cast<ONNXTensorElementDataType>(p.type), p.element_size);
            valid += nodes.input_data().size();
            whole += nodes.input_data().size() / rows * 100;
        }
    }
    const std::vector<char> source(valid, '\1');
    std::vector<char> target(whole);
    const auto copy = [&] {
        std::memcpy(target.data(), source.data(), valid);
        std::memset(target.data() + valid, 0, whole - valid);
        __asm__ volatile("" : : "r"(target.data()) : "memory"); // the bytes count as used
    };
    const auto timings = run_rounds({{"memcpy + memset", copy}, {"nodes", [&] { (void)nodes.run(); }}}, rounds);
    std::printf("| %s, B=%lld | %.3f | %.4f | %.4f | %.1f |\n", title, static_cast<long long>(batch),
                static_cast<double>(whole) / 1e6, timings[1].seconds * 1e3, timings[0].seconds * 1e3, timings[1].ratio);
}

} // namespace

int main(int argc, char** argv)
{
    try {
        if (argc == 3 && std::string(argv[1]) == "--peak") {
            return print_peak(argv[2]);
        }
        if (argc != 2 && argc != 3) {
            std::fprintf(stderr, "usage: model_cost_bench FOLDER [ROUNDS]\n");
            return 2;
        }
        const int rounds = argc == 3 ? std::atoi(argv[2]) : 15;
        const fs::path folder = fs::temp_directory_path() / ("padbatch-cost-" + std::to_string(::getpid()));
        fs::create_directory(folder);
        print_models(argv[0], argv[1], folder, rounds);
        std::printf("\n| padding alone, 10 of 100 rows | MB out | nodes ms | memcpy + memset ms | ratio "
                    "|\n|---|---|---|---|---|\n");
        const std::vector<part> small{{field::boxes, onnx::TensorProto::FLOAT, 4, {4}},
                                      {field::labels, onnx::TensorProto::INT64, 8, {}},
                                      {field::scores, onnx::TensorProto::FLOAT, 4, {}}};
        for (const std::int64_t batch : {1, 2}) {
            print_padding("boxes, labels, scores", small, batch, folder, rounds * 100);
            for (const std::int64_t size : {320, 800}) {
                const std::vector<part> masks{{field::masks, onnx::TensorProto::FLOAT, 4, {1, size, size}}};
                print_padding(("masks " + std::to_string(size) + "x" + std::to_string(size)).c_str(), masks, batch,
                              folder, rounds);
            }
        }
        fs::remove_all(folder);
        return 0;
    } catch (const std::exception& e) {
        std::fprintf(stderr, "model_cost_bench: %s\n", e.what());
        return 1;
    }
}
