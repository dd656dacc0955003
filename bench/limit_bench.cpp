// SPDX-License-Identifier: Apache-2.0
// What is saved where rows that nobody reads are not computed: exports that find 100 rows, and the same padded with
// lower limits, with score thresholds and with fewer classes, side by side, on one thread. The models are made by
// bench/export_models.py --full.
//
//     limit_bench FOLDER [ROUNDS]
//
// Prints a Markdown table.

#include "model_program.hpp"
#include "rounds.hpp"

#include <onnx_tools/files/model_io.hpp>
#include <onnx_tools/rewrite.hpp>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <unistd.h>

namespace {

using namespace padbatch::onnx_tools;
using namespace padbatch::bench;
namespace fs = std::filesystem;

struct candidate {
    std::string name;
    std::unique_ptr<program> model;
};

std::unique_ptr<program> open_model(const std::string& path)
{
    auto opened = std::make_unique<program>(path, 1);
    opened->set_scenes(opened->input_shape());
    return opened;
}

// The scores that the export finds, the best first.
std::vector<float> scores_of(program& original)
{
    const auto outputs = original.run();
    const auto& scores = outputs.at(2); // boxes, labels, scores, ...
    const auto count = scores.GetTensorTypeAndShapeInfo().GetElementCount();
    const auto* data = scores.GetTensorData<float>();
    return {data, data + count};
}

// How many rows each label has in a padded model of one image.
std::map<std::int64_t, std::int64_t> rows_of_labels(program& padded)
{
    const auto outputs = padded.run();
    const auto count = outputs.at(0).GetTensorData<std::int32_t>()[0];
    const auto* labels = outputs.at(2).GetTensorData<std::int64_t>(); // num_detections, boxes, labels, ...
    std::map<std::int64_t, std::int64_t> rows;
    for (std::int32_t i = 0; i < count; ++i) {
        ++rows[labels[i]];
    }
    return rows;
}

struct label_choice {
    std::vector<std::int64_t> labels;
    std::int64_t rows = 0;
};

// Labels that together have `wanted` rows, or a few less.
label_choice labels_with(const std::map<std::int64_t, std::int64_t>& rows, std::int64_t wanted)
{
    std::vector<std::pair<std::int64_t, std::int64_t>> largest_first;
    for (const auto& [label, n] : rows) {
        largest_first.emplace_back(n, label);
    }
    std::sort(largest_first.rbegin(), largest_first.rend());
    label_choice chosen;
    for (const auto& [n, label] : largest_first) {
        if (chosen.rows + n <= wanted) {
            chosen.labels.push_back(label);
            chosen.rows += n;
        }
    }
    return chosen;
}

void print_model(const fs::path& original, const fs::path& folder, int rounds)
{
    std::vector<candidate> all;
    all.push_back({"export", open_model(original.string())});
    const auto scores = scores_of(*all.front().model);
    if (scores.size() != 100) {
        throw std::runtime_error("the export finds " + std::to_string(scores.size()) + " rows, not 100");
    }
    const auto add = [&](const std::string& name, const pad_options& options) {
        auto model = load_model(original.string());
        (void)rewrite(model, {{}, options});
        const auto path = (folder / (std::to_string(all.size()) + ".onnx")).string();
        save_model(model, path, {true, "", {}});
        all.push_back({name, open_model(path)});
        fs::remove(path);
    };
    add("padded, 100 rows", {});
    for (const std::int64_t rows : {50, 20, 10}) {
        pad_options options;
        options.max_detections = rows;
        add("`--max-detections " + std::to_string(rows) + "`", options);
    }
    for (const std::size_t rows : {50U, 20U, 10U}) {
        pad_options options;
        options.max_detections = largest_of_batch{};
        options.min_score = (double{scores[rows - 1]} + double{scores[rows]}) / 2;
        add("`--min-score` that leaves " + std::to_string(rows), options);
    }
    // With a threshold that the best 100 rows pass, a limit does not bring others in place of those of other classes.
    pad_options best;
    best.settings[parameter::score_thresh] = double{scores.back()} * 0.999;
    add("padded, `--set score_thresh=` so that 100 rows are left", best);
    const auto rows_by_label = rows_of_labels(*all.back().model);
    if (rows_by_label.size() > 1) { // keypoints are those of one class
        for (const std::int64_t rows : {50, 20, 10}) {
            auto options = best;
            const auto chosen = labels_with(rows_by_label, rows);
            if (chosen.rows == 0) {
                continue;
            }
            options.max_detections = largest_of_batch{};
            options.classes = {chosen.labels, false};
            add("that, and `--classes` that leave " + std::to_string(chosen.rows), options);
        }
    }
    std::vector<variant> variants;
    for (const auto& c : all) {
        variants.push_back({c.name, [&c] { (void)c.model->run(); }});
    }
    const auto timings = run_rounds(variants, rounds);
    for (std::size_t i = 0; i < all.size(); ++i) {
        std::printf("| %s | %s | %.0f | %.2f |\n", i == 0 ? original.stem().string().substr(5).c_str() : "",
                    all[i].name.c_str(), timings[i].seconds * 1e3, timings[i].ratio);
    }
    std::fflush(stdout);
}

} // namespace

int main(int argc, char** argv)
{
    if (argc < 2) {
        std::fprintf(stderr, "usage: limit_bench FOLDER [ROUNDS]\n");
        return 2;
    }
    const int rounds = argc > 2 ? std::atoi(argv[2]) : 7;
    const auto folder = fs::temp_directory_path() / ("padbatch-limit-" + std::to_string(::getpid()));
    fs::create_directory(folder);
    std::printf("| model | variant | ms | ratio to the export |\n|---|---|---|---|\n");
    for (const char* name : {"full_maskrcnn.onnx", "full_keypointrcnn.onnx"}) {
        print_model(fs::path(argv[1]) / name, folder, rounds);
    }
    fs::remove_all(folder);
    return 0;
}
