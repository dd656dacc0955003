// SPDX-License-Identifier: Apache-2.0
// What non-maximum suppression costs: `nms` and `batched_nms` beside the usual loop and OpenCV's `NMSBoxes`, and in
// place on a padded batch beside a loop of single calls.
//
//     nms_bench [--rounds N] [--boxes N]...
//
// Prints Markdown tables. All variants of a table run in turn in one process, in an order that is shuffled in each
// round; ratios are medians of the ratios within a round. Before anything is timed, all results are compared: the
// loop's must be the same, and OpenCV's, which computes in doubles, may differ in one row of a thousand.

#include "rounds.hpp"

#include <padbatch/detection/nms.hpp>
#include <padbatch/pad.hpp>
#include <padbatch/ragged.hpp>

#include <CLI/CLI.hpp>

#ifdef PADBATCH_BENCH_OPENCV_DNN
#include <opencv2/dnn.hpp>
#endif

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <stdexcept>
#include <thread>

namespace {

using padbatch::at_most;
using padbatch::row_numbers;
using padbatch::workspace;
using padbatch::bench::run_rounds;
using padbatch::bench::timing;
using padbatch::bench::variant;
namespace t = padbatch::t;

constexpr double threshold = 0.5;

struct candidates {
    std::vector<std::array<float, 4>> boxes;
    std::vector<float> scores;
    std::vector<std::int64_t> labels;

    /// Boxes of 20 to 100 pixels a side in an image of 1000 x 1000: anywhere, or around one place for each 40 boxes.
    candidates(std::size_t n, bool clustered, std::int64_t classes, unsigned seed = 1)
    {
        std::mt19937 random(seed);
        const auto number = [&](float low, float high) {
            return std::uniform_real_distribution<float>(low, high)(random);
        };
        std::vector<std::array<float, 4>> places;
        for (std::size_t k = 0; k < n / 40 + 1; ++k) {
            places.push_back({number(0, 1000), number(0, 1000), number(20, 100), number(20, 100)});
        }
        for (std::size_t j = 0; j < n; ++j) {
            std::array<float, 4> box{number(0, 1000), number(0, 1000), number(20, 100), number(20, 100)};
            if (clustered) {
                const auto& place = places[random() % places.size()];
                for (std::size_t c = 0; c < 4; ++c) {
                    box[c] = place[c] + number(-6, 6);
                }
            }
            boxes.push_back({box[0], box[1], box[0] + box[2], box[1] + box[3]});
            scores.push_back(number(0, 1));
            labels.push_back(static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(classes)));
        }
    }
};

/// The usual loop: the order of the scores, a flag for each box, areas computed before.
void loop_nms(const candidates& image, std::vector<std::int64_t>& kept, bool by_class)
{
    const std::size_t n = image.scores.size();
    std::vector<std::size_t> order(n);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return image.scores[a] > image.scores[b]; });
    std::vector<float> areas(n);
    for (std::size_t j = 0; j < n; ++j) {
        const auto& b = image.boxes[j];
        areas[j] = (b[2] - b[0]) * (b[3] - b[1]);
    }
    std::vector<unsigned char> dropped(n);
    kept.clear();
    for (std::size_t i = 0; i < n; ++i) {
        const std::size_t best = order[i];
        if (dropped[best] != 0) {
            continue;
        }
        kept.push_back(static_cast<std::int64_t>(best));
        const auto& a = image.boxes[best];
        for (std::size_t k = i + 1; k < n; ++k) {
            const std::size_t j = order[k];
            if (dropped[j] != 0 || (by_class && image.labels[best] != image.labels[j])) {
                continue;
            }
            const auto& b = image.boxes[j];
            const float width = std::max(0.0F, std::min(a[2], b[2]) - std::max(a[0], b[0]));
            const float height = std::max(0.0F, std::min(a[3], b[3]) - std::max(a[1], b[1]));
            const float both = width * height;
            dropped[j] = static_cast<double>(both / (areas[best] + areas[j] - both)) > threshold ? 1 : 0;
        }
    }
}

void print(const char* title, const std::vector<timing>& timings)
{
    std::printf("\n| %s | a call | ratio to padbatch |\n| --- | --- | --- |\n", title);
    for (const timing& each : timings) {
        std::printf("| %s | %.1f us | %.2f |\n", each.name.c_str(), each.seconds * 1e6, each.ratio);
    }
    std::fflush(stdout);
}

void require_same(const char* name, const std::vector<std::int64_t>& found, const row_numbers& kept, std::size_t most)
{
    std::size_t other = found.size() > kept.size() ? found.size() - kept.size() : kept.size() - found.size();
    std::vector<std::int64_t> one(found);
    std::vector<std::int64_t> two(kept.begin(), kept.end());
    std::sort(one.begin(), one.end());
    std::sort(two.begin(), two.end());
    std::vector<std::int64_t> only;
    std::set_symmetric_difference(one.begin(), one.end(), two.begin(), two.end(), std::back_inserter(only));
    other = std::max(other, only.size());
    if (other > most) {
        throw std::runtime_error(std::string(name) + " keeps other rows");
    }
}

void run_single(std::size_t n, bool clustered, int rounds)
{
    const candidates image(n, clustered, 80);
    const auto boxes = t::boxes(image.boxes);
    const auto scores = t::scores(image.scores);
    const auto labels = t::labels(image.labels);
    workspace space;
    row_numbers kept;
    std::vector<std::int64_t> found;
    const auto title = [&](const char* what) {
        return std::string(what) + ", " + std::to_string(n) + (clustered ? " clustered" : " uniform") + " boxes";
    };

    padbatch::nms(kept, boxes, scores, threshold, space);
    loop_nms(image, found, false);
    require_same("the loop", found, kept, 0);
    std::vector<variant> variants{
        {"padbatch", [&] { padbatch::nms(kept, boxes, scores, threshold, space); }},
        {"the usual loop", [&] { loop_nms(image, found, false); }},
    };
#ifdef PADBATCH_BENCH_OPENCV_DNN
    std::vector<cv::Rect2d> rects;
    for (const auto& b : image.boxes) {
        rects.emplace_back(double{b[0]}, double{b[1]}, double{b[2]} - double{b[0]}, double{b[3]} - double{b[1]});
    }
    std::vector<int> indices;
    const auto opencv = [&] { cv::dnn::NMSBoxes(rects, image.scores, 0.0F, static_cast<float>(threshold), indices); };
    opencv();
    require_same("NMSBoxes", {indices.begin(), indices.end()}, kept, n / 1000 + 1);
    variants.push_back({"OpenCV NMSBoxes", opencv});
#endif
    print(title("nms").c_str(), run_rounds(variants, rounds));

    padbatch::batched_nms(kept, boxes, scores, labels, threshold, space);
    loop_nms(image, found, true);
    require_same("the loop by class", found, kept, 0);
    variants = {
        {"padbatch", [&] { padbatch::batched_nms(kept, boxes, scores, labels, threshold, space); }},
        {"padbatch, class_shift",
         [&] { padbatch::batched_nms(kept, boxes, scores, labels, threshold, space, padbatch::class_shift(7680)); }},
        {"the usual loop", [&] { loop_nms(image, found, true); }},
    };
#ifdef PADBATCH_BENCH_OPENCV_DNN
    std::vector<std::int64_t> of_classes;
    const auto by_class = [&] { // its candidates are sorted by class, as a program that has them in a map of classes
        of_classes.clear();
        std::vector<std::vector<int>> members(80);
        for (std::size_t j = 0; j < n; ++j) {
            members[static_cast<std::size_t>(image.labels[j])].push_back(static_cast<int>(j));
        }
        std::vector<cv::Rect2d> of_class;
        std::vector<float> scores_of_class;
        for (const std::vector<int>& rows : members) {
            of_class.clear();
            scores_of_class.clear();
            for (const int j : rows) {
                of_class.push_back(rects[static_cast<std::size_t>(j)]);
                scores_of_class.push_back(image.scores[static_cast<std::size_t>(j)]);
            }
            cv::dnn::NMSBoxes(of_class, scores_of_class, 0.0F, static_cast<float>(threshold), indices);
            for (const int k : indices) {
                of_classes.push_back(rows[static_cast<std::size_t>(k)]);
            }
        }
    };
    by_class();
    require_same("NMSBoxes by class", of_classes, kept, n / 1000 + 1);
    variants.push_back({"a loop of OpenCV NMSBoxes", by_class});
#endif
    print(title("batched_nms of 80 labels").c_str(), run_rounds(variants, rounds));
}

/// Threads that wait for work, as in a pool that a program has.
class small_pool {
public:
    explicit small_pool(std::size_t threads)
    {
        for (std::size_t k = 1; k < threads; ++k) {
            m_threads.emplace_back([this] { serve(); });
        }
    }
    ~small_pool()
    {
        {
            const std::lock_guard lock(m_mutex);
            m_stops = true;
        }
        m_wakes.notify_all();
        for (std::thread& each : m_threads) {
            each.join();
        }
    }
    small_pool(const small_pool&) = delete;
    small_pool& operator=(const small_pool&) = delete;

    template <class Body>
    void run(std::size_t n, const Body& body)
    {
        {
            const std::lock_guard lock(m_mutex);
            m_work = [&] {
                for (std::size_t i = m_next.fetch_add(1); i < n; i = m_next.fetch_add(1)) {
                    body(i);
                }
            };
            m_next = 0;
            m_busy = m_threads.size();
            ++m_round;
        }
        m_wakes.notify_all();
        m_work();
        std::unique_lock lock(m_mutex);
        m_done.wait(lock, [this] { return m_busy == 0; });
    }

private:
    std::vector<std::thread> m_threads;
    std::mutex m_mutex;
    std::condition_variable m_wakes;
    std::condition_variable m_done;
    std::function<void()> m_work;
    std::atomic<std::size_t> m_next{0};
    std::size_t m_busy = 0;
    std::size_t m_round = 0;
    bool m_stops = false;

    void serve()
    {
        std::size_t seen = 0;
        std::unique_lock lock(m_mutex);
        while (true) {
            m_wakes.wait(lock, [&] { return m_stops || m_round != seen; });
            if (m_stops) {
                return;
            }
            seen = m_round;
            lock.unlock();
            m_work();
            lock.lock();
            if (--m_busy == 0) {
                m_done.notify_one();
            }
        }
    }
};

void run_batch(int rounds)
{
    constexpr std::size_t images = 64;
    constexpr std::size_t rows = 300;
    using batch_type = padbatch::padded<padbatch::boxes<>, padbatch::scores<>, padbatch::labels<>>;
    padbatch::ragged<padbatch::boxes<>, padbatch::scores<>, padbatch::labels<>> given;
    std::vector<candidates> of_image;
    for (unsigned i = 0; i < images; ++i) {
        of_image.emplace_back(rows, true, 80, i + 1);
        given.append(t::boxes(of_image.back().boxes), t::scores(of_image.back().scores),
                     t::labels(of_image.back().labels));
        given.end_image();
    }
    batch_type batch(images, rows);
    batch_type output(images, rows);
    workspace space;
    workspace space_of_calls;
    workspace space_of_threads;
    row_numbers kept;
    const auto fill = [&] { padbatch::pad_into(batch, given); };
    small_pool pool(std::max(1U, std::thread::hardware_concurrency()));
    const auto in_place = [&] { padbatch::nms(batch, threshold, space); };
    // What a program does that has nms for one image: the rows that are kept are copied to the output's slot, and the
    // rest of it is cleared.
    const auto single_calls = [&] {
        for (std::size_t i = 0; i < images; ++i) {
            const auto image = batch.image(i);
            padbatch::nms(kept, t::boxes(image[t::boxes]), t::scores(image[t::scores]), threshold, space_of_calls);
            const auto slot = output.slot(i);
            float* const boxes = slot[t::boxes].data();
            float* const scores = slot[t::scores].data();
            std::int64_t* const labels = slot[t::labels].data();
            for (std::size_t j = 0; j < kept.size(); ++j) {
                const auto from = static_cast<std::size_t>(kept[j]);
                std::memcpy(boxes + 4 * j, image[t::boxes].data() + 4 * from, 16);
                scores[j] = image[t::scores].data()[from];
                labels[j] = image[t::labels].data()[from];
            }
            std::memset(boxes + 4 * kept.size(), 0, (rows - kept.size()) * 16);
            std::memset(scores + kept.size(), 0, (rows - kept.size()) * 4);
            std::memset(labels + kept.size(), 0, (rows - kept.size()) * 8);
            output.view().set_count(i, kept.size());
        }
    };
    fill();
    single_calls();
    in_place();
    if (std::memcmp(batch[t::boxes].data(), output[t::boxes].data(), images * rows * 16) != 0 ||
        std::memcmp(batch[t::labels].data(), output[t::labels].data(), images * rows * 8) != 0) {
        throw std::runtime_error("the batch differs from the single calls");
    }
    const auto timings = run_rounds(
        {
            {"padbatch, in place", in_place, fill},
            {"a loop of single calls", single_calls, fill},
            {"padbatch, in place, parallel",
             [&] {
                 padbatch::nms(batch, threshold, space_of_threads,
                               padbatch::parallel([&](std::size_t n, const auto& body) { pool.run(n, body); }));
             },
             fill},
        },
        rounds);
    const std::string title =
        "nms of 64 images of 300 clustered boxes, " + std::to_string(std::thread::hardware_concurrency()) + " threads";
    print(title.c_str(), timings);
}

} // namespace

int main(int argc, char** argv)
{
    CLI::App app("What non-maximum suppression costs.");
    int rounds = 15;
    app.add_option("--rounds", rounds, "Rounds of each table")->check(CLI::PositiveNumber);
    std::vector<std::size_t> sizes{10, 1000, 10000};
    app.add_option("--boxes", sizes, "Boxes of an image")->check(CLI::PositiveNumber);
    CLI11_PARSE(app, argc, argv);
    try {
        for (const std::size_t n : sizes) {
            run_single(n, true, rounds);
            run_single(n, false, rounds);
        }
        run_batch(rounds);
        return 0;
    } catch (const std::exception& e) {
        std::fprintf(stderr, "nms_bench: %s\n", e.what());
        return 1;
    }
}
