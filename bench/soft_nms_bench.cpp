// SPDX-License-Identifier: Apache-2.0
// What soft non-maximum suppression costs: `soft_nms` beside a plain loop that takes the highest score and lets the
// others decay, with its rows removed by swapping, as the authors' cpu_nms.pyx does.
//
//     soft_nms_bench [--rounds N]
//
// Prints a Markdown table. Both run in turn in one process, in an order that is shuffled in each round; ratios are
// medians of the ratios within a round. Before anything is timed, both are compared.

#include "rounds.hpp"

#include <padbatch/detection/soft_nms.hpp>

#include <CLI/CLI.hpp>

#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <stdexcept>

namespace {

using box = std::array<float, 4>;

constexpr float score_floor = 0.05F;
constexpr double iou_threshold = 0.3;
constexpr double sigma = 0.5;

struct scene {
    std::vector<box> boxes;
    std::vector<float> scores;

    /// Boxes in clusters of about 10, or anywhere in a square of 2000 pixels.
    scene(std::size_t n, bool clustered)
    {
        std::mt19937 random(1); // NOLINT(cert-msc51-cpp,bugprone-random-generator-seed): the same on every run
        std::uniform_real_distribution<float> number(0, 1);
        for (std::size_t j = 0; j < n; ++j) {
            float x = number(random) * 2000;
            float y = number(random) * 2000;
            if (clustered && j >= n / 10) {
                const box& centre = boxes[random() % (n / 10)];
                x = centre[0] + number(random) * 10;
                y = centre[1] + number(random) * 10;
            }
            boxes.push_back({x, y, x + 20 + number(random) * 60, y + 20 + number(random) * 60});
            scores.push_back(number(random));
        }
    }
};

struct candidate {
    box corners;
    float area;
    float score;
    std::int32_t row;
};

/// The plain loop.
void soft_loop(const scene& in, bool gaussian, std::vector<candidate>& all, std::vector<std::int64_t>& kept,
               std::vector<float>& left)
{
    all.clear();
    kept.clear();
    left.clear();
    for (std::size_t j = 0; j < in.boxes.size(); ++j) {
        const box& b = in.boxes[j];
        if (in.scores[j] >= score_floor) {
            all.push_back({b, (b[2] - b[0]) * (b[3] - b[1]), in.scores[j], static_cast<std::int32_t>(j)});
        }
    }
    std::size_t n = all.size();
    for (std::size_t i = 0; i < n; ++i) {
        std::size_t best = i;
        for (std::size_t j = i + 1; j < n; ++j) {
            if (all[j].score > all[best].score || (all[j].score == all[best].score && all[j].row < all[best].row)) {
                best = j;
            }
        }
        std::swap(all[i], all[best]);
        const candidate taken = all[i];
        kept.push_back(taken.row);
        left.push_back(taken.score);
        for (std::size_t j = i + 1; j < n;) {
            candidate& other = all[j];
            const float width =
                std::min(taken.corners[2], other.corners[2]) - std::max(taken.corners[0], other.corners[0]);
            const float height =
                std::min(taken.corners[3], other.corners[3]) - std::max(taken.corners[1], other.corners[1]);
            if (width > 0 && height > 0) {
                const float both = width * height;
                const float iou = both / (taken.area + other.area - both);
                if (gaussian) {
                    other.score *= static_cast<float>(std::exp(-(double{iou} * double{iou}) / sigma));
                } else if (double{iou} > iou_threshold) {
                    other.score *= 1.0F - iou;
                }
                if (other.score < score_floor) {
                    other = all[--n];
                    continue;
                }
            }
            ++j;
        }
    }
}

void run(std::size_t n, bool clustered, bool gaussian, int rounds)
{
    using namespace padbatch;
    const scene in(n, clustered);
    std::vector<candidate> all;
    std::vector<std::int64_t> rows;
    std::vector<float> scores;
    row_numbers kept;
    std::vector<float> left(n);
    workspace space;
    const auto loop = [&] { soft_loop(in, gaussian, all, rows, scores); };
    const auto ours = [&] {
        if (gaussian) {
            soft_nms(kept, t::scores(left), t::boxes(in.boxes), t::scores(in.scores), soft_nms_gaussian(sigma),
                     score_floor, space);
        } else {
            soft_nms(kept, t::scores(left), t::boxes(in.boxes), t::scores(in.scores), soft_nms_linear(iou_threshold),
                     score_floor, space);
        }
    };
    loop();
    ours();
    if (!std::equal(kept.begin(), kept.end(), rows.begin(), rows.end())) {
        throw std::runtime_error("padbatch and the loop differ");
    }
    const auto timings = bench::run_rounds({{"padbatch", ours}, {"loop", loop}}, rounds);
    std::printf("| %zu, %s, %s | %zu | %.2f | %.2f | %.1fx |\n", n, clustered ? "clustered" : "uniform",
                gaussian ? "Gaussian" : "linear", rows.size(), timings[0].seconds * 1e3, timings[1].seconds * 1e3,
                bench::median_ratio(timings[1], timings[0]));
}

} // namespace

int main(int argc, char** argv)
{
    CLI::App app("What soft non-maximum suppression costs.");
    int rounds = 15;
    app.add_option("--rounds", rounds, "Rounds of each line")->check(CLI::PositiveNumber);
    CLI11_PARSE(app, argc, argv);
    try {
        std::printf("| boxes | kept | padbatch, ms | loop, ms | ratio |\n|---|---|---|---|---|\n");
        for (const std::size_t n : {std::size_t{1000}, std::size_t{10000}}) {
            for (const bool clustered : {true, false}) {
                run(n, clustered, false, rounds);
                run(n, clustered, true, rounds);
            }
        }
        return 0;
    } catch (const std::exception& e) {
        std::fprintf(stderr, "soft_nms_bench: %s\n", e.what());
        return 1;
    }
}
