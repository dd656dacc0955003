// SPDX-License-Identifier: Apache-2.0
// What it costs to keep the rows over a score threshold, with all their fields (boxes of 4 floats, scores, labels of
// int64): `select_rows` and `gather_rows_into` beside the loop that is written by hand.
//
//     select_bench [--rounds N] [--candidates N]
//
// Prints a Markdown table: one image's rows into other memory, a ragged batch of one image in place, and a padded batch
// of one image in place, whose rows behind the count get pad values. Both ways run in turn in one process, in an order
// that is shuffled in each round; each round has scores of its own, since a processor learns the branches of scores
// that it has seen before. Ratios are medians of the ratios within a round. Before anything is timed, both are
// compared.

#include "rounds.hpp"

#include <padbatch/detection/gather.hpp>
#include <padbatch/detection/select.hpp>
#include <padbatch/pad.hpp>

#include <CLI/CLI.hpp>

#include <array>
#include <cstdint>
#include <cstdio>
#include <stdexcept>

namespace {

using padbatch::bench::variant;

using box = std::array<float, 4>;

constexpr std::size_t sets = 32;
constexpr float pad_box = 0.5F;
constexpr std::int64_t pad_label = -1;

struct detections {
    std::vector<box> boxes;
    std::vector<float> scores;
    std::vector<std::int64_t> labels;

    explicit detections(std::size_t n) : boxes(n), scores(n), labels(n) {}
    void draw(std::mt19937& random)
    {
        std::uniform_real_distribution<float> number(0, 1);
        for (std::size_t j = 0; j < scores.size(); ++j) {
            boxes[j] = {number(random), number(random), number(random), number(random)};
            scores[j] = number(random);
            labels[j] = static_cast<std::int64_t>(random() % 80);
        }
    }
};

/// The loop by hand: from `in` to `out`, which may be the same.
[[gnu::noinline]] std::size_t keep_by_hand(std::size_t n, const box* in_boxes, const float* in_scores,
                                           const std::int64_t* in_labels, box* boxes, float* scores,
                                           std::int64_t* labels, float threshold)
{
    std::size_t m = 0;
    for (std::size_t j = 0; j < n; ++j) {
        if (in_scores[j] > threshold) {
            boxes[m] = in_boxes[j];
            scores[m] = in_scores[j];
            labels[m] = in_labels[j];
            ++m;
        }
    }
    return m;
}

void require_same(bool same, const char* name)
{
    if (!same) {
        throw std::runtime_error(std::string(name) + ": padbatch and the loop differ");
    }
}

void print(const char* name, double rate, const std::vector<padbatch::bench::timing>& timings)
{
    std::printf("| %s | %.0f %% | %.1f | %.1f | %.1fx |\n", name, rate * 100, timings[0].seconds * 1e6,
                timings[1].seconds * 1e6, padbatch::bench::median_ratio(timings[1], timings[0]));
}

void run(std::size_t n, double rate, int rounds)
{
    using namespace padbatch;
    std::mt19937 random(1); // NOLINT(cert-msc51-cpp,bugprone-random-generator-seed): the same on every run
    std::vector<detections> all(sets, detections(n));
    for (auto& set : all) {
        set.draw(random);
    }
    const auto threshold = static_cast<float>(1 - rate);
    std::size_t turn = 0;
    detections in(n);
    detections out(n);
    detections ours(n);
    row_numbers kept;
    workspace space;

    // The set of a round: the first of its two variants moves on.
    const auto next = [&] { return all[turn++ / 2 % sets]; };
    std::size_t by_hand = 0;
    {
        const auto prepare = [&] { in = next(); };
        const auto loop = [&] {
            by_hand = keep_by_hand(n, in.boxes.data(), in.scores.data(), in.labels.data(), out.boxes.data(),
                                   out.scores.data(), out.labels.data(), threshold);
        };
        const auto padbatch_rows = [&] {
            select_rows(kept, t::scores(in.scores), score_above(threshold));
            gather_rows_into(t::boxes(ours.boxes), t::scores(ours.scores), t::labels(ours.labels), kept,
                             t::boxes(in.boxes), t::scores(in.scores), t::labels(in.labels));
        };
        prepare();
        loop();
        padbatch_rows();
        const auto m = static_cast<std::ptrdiff_t>(by_hand);
        require_same(kept.size() == by_hand &&
                         std::equal(out.boxes.begin(), out.boxes.begin() + m, ours.boxes.begin()) &&
                         std::equal(out.labels.begin(), out.labels.begin() + m, ours.labels.begin()),
                     "rows");
        turn = 0;
        print("rows", rate, bench::run_rounds({{"padbatch", padbatch_rows, prepare}, {"loop", loop, prepare}}, rounds));
    }
    {
        ragged<boxes<>, scores<>, labels<>> batch;
        std::int64_t end = 0;
        const auto prepare_ours = [&] {
            const auto& set = next();
            batch.clear();
            batch.append(t::boxes(set.boxes), t::scores(set.scores), t::labels(set.labels));
            batch.end_image();
        };
        const auto prepare = [&] { in = next(); };
        const auto loop = [&] {
            end =
                static_cast<std::int64_t>(keep_by_hand(n, in.boxes.data(), in.scores.data(), in.labels.data(),
                                                       in.boxes.data(), in.scores.data(), in.labels.data(), threshold));
        };
        const auto ours_in_place = [&] { select_rows(batch, score_above(threshold), space); };
        turn = 0;
        prepare();
        prepare_ours();
        loop();
        ours_in_place();
        require_same(batch.count(0) == static_cast<std::size_t>(end) &&
                         std::equal(in.boxes.begin(), in.boxes.begin() + end,
                                    reinterpret_cast<const box*>(batch[t::boxes].data())),
                     "ragged");
        turn = 0;
        print("ragged, in place", rate,
              bench::run_rounds({{"padbatch", ours_in_place, prepare_ours}, {"loop", loop, prepare}}, rounds));
    }
    {
        padded<boxes<>, scores<>, labels<>> batch(1, n);
        const std::vector<std::int32_t> whole = {static_cast<std::int32_t>(n)};
        std::int32_t count = 0;
        const auto prepare_ours = [&] {
            const auto& set = next();
            pad_into(batch, padded_view(whole, n, t::boxes(set.boxes), t::scores(set.scores), t::labels(set.labels)),
                     pad_values(t::boxes(pad_box), t::labels(pad_label)));
        };
        const auto prepare = [&] { in = next(); };
        const auto loop = [&] {
            const std::size_t m = keep_by_hand(n, in.boxes.data(), in.scores.data(), in.labels.data(), in.boxes.data(),
                                               in.scores.data(), in.labels.data(), threshold);
            for (std::size_t j = m; j < n; ++j) {
                in.boxes[j] = {pad_box, pad_box, pad_box, pad_box};
                in.scores[j] = 0;
                in.labels[j] = pad_label;
            }
            count = static_cast<std::int32_t>(m);
        };
        const auto field_by_field = [&] {
            const std::size_t m = keep_by_hand(n, in.boxes.data(), in.scores.data(), in.labels.data(), in.boxes.data(),
                                               in.scores.data(), in.labels.data(), threshold);
            const auto from = static_cast<std::ptrdiff_t>(m);
            std::fill(in.boxes.begin() + from, in.boxes.end(), box{pad_box, pad_box, pad_box, pad_box});
            std::fill(in.scores.begin() + from, in.scores.end(), 0.0F);
            std::fill(in.labels.begin() + from, in.labels.end(), pad_label);
            count = static_cast<std::int32_t>(m);
        };
        const auto ours_in_place = [&] { select_rows(batch, score_above(threshold), space); };
        turn = 0;
        prepare();
        prepare_ours();
        loop();
        ours_in_place();
        require_same(
            batch.count(0) == static_cast<std::size_t>(count) &&
                std::equal(in.boxes.begin(), in.boxes.end(), reinterpret_cast<const box*>(batch[t::boxes].data())) &&
                std::equal(in.labels.begin(), in.labels.end(), batch[t::labels].data()),
            "padded");
        turn = 0;
        print("padded, in place", rate,
              bench::run_rounds({{"padbatch", ours_in_place, prepare_ours}, {"loop", loop, prepare}}, rounds));
        turn = 0;
        print(
            "padded, beside std::fill", rate,
            bench::run_rounds({{"padbatch", ours_in_place, prepare_ours}, {"loop", field_by_field, prepare}}, rounds));
    }
}

} // namespace

int main(int argc, char** argv)
{
    CLI::App app("What it costs to keep the rows over a score threshold.");
    int rounds = 301; // of microseconds
    std::size_t n = 10000;
    app.add_option("--rounds", rounds, "Rounds of each line")->check(CLI::PositiveNumber);
    app.add_option("--candidates", n, "Rows of the image")->check(CLI::PositiveNumber);
    CLI11_PARSE(app, argc, argv);
    try {
        std::printf("%zu candidates: boxes, scores, labels\n\n| | kept | padbatch, us | loop, us | ratio |\n"
                    "|---|---|---|---|---|\n",
                    n);
        for (const double rate : {0.01, 0.1, 0.5}) {
            run(n, rate, rounds);
        }
        return 0;
    } catch (const std::exception& e) {
        std::fprintf(stderr, "select_bench: %s\n", e.what());
        return 1;
    }
}
