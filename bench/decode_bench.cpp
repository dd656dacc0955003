// SPDX-License-Identifier: Apache-2.0
// What it costs to make padded detections of a raw YOLO head, 84 x 8400 (80 classes), as a YOLOv8 of 640 x 640 gives
// it: `decode_head`, hand-written loops and a plain read.
//
//     decode_bench [--rounds N] [--repeat N] [--candidates N]
//     decode_bench --write FOLDER           the head and its detections, for decode_peers.py
//     decode_bench --only-ours              microseconds of one call, for decode_peers.py
//
// Prints a Markdown table for each head. All variants run in turn in one process, in an order that is shuffled in each
// round; each run decodes the head --repeat times; ratios are medians of the ratios within a round. The loop that most
// programs have walks anchor by anchor over the strided columns, as samples of the exporters do; the better one
// transposes the head first, and walks over rows. Both sort with std::sort and suppress with the usual two loops. All
// results are compared before anything is timed.

#include "rounds.hpp"

#include <padbatch/detection/decode.hpp>

#include <CLI/CLI.hpp>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using padbatch::bench::timing;
using padbatch::bench::variant;

constexpr std::size_t classes = 80;
constexpr std::size_t anchors = 8400;
constexpr std::size_t capacity = 300;

/// A head of an image with some dozens of objects, each seen by neighbouring cells of the three grids.
std::vector<float> make_head(std::size_t candidates, bool objectness)
{
    std::mt19937 random(1); // NOLINT(cert-msc51-cpp,bugprone-random-generator-seed): the same head on every run
    const auto number = [&](float low, float high) { return std::uniform_real_distribution<float>(low, high)(random); };
    const std::size_t first = objectness ? 5 : 4;
    const std::size_t columns = first + classes;
    std::vector<float> head(columns * anchors);
    const auto at = [&](std::size_t c, std::size_t a) -> float& {
        return objectness ? head[a * columns + c] : head[c * anchors + a];
    };
    std::size_t a = 0;
    for (const int stride : {8, 16, 32}) {
        for (int y = 0; y < 640 / stride; ++y) {
            for (int x = 0; x < 640 / stride; ++x, ++a) {
                const auto s = static_cast<float>(stride);
                at(0, a) = (static_cast<float>(x) + number(0, 1)) * s;
                at(1, a) = (static_cast<float>(y) + number(0, 1)) * s;
                at(2, a) = s * number(1, 8);
                at(3, a) = s * number(1, 8);
                if (objectness) {
                    at(4, a) = number(0, 0.02F);
                }
                for (std::size_t c = 0; c < classes; ++c) {
                    at(first + c, a) = number(0, objectness ? 1.0F : 0.02F);
                }
            }
        }
    }
    for (std::size_t done = 0; done < candidates;) { // an object: runs of cells in one row, with nearly the same box
        const std::size_t from = random() % (anchors - 8);
        const std::size_t label = random() % classes;
        const float cx = at(0, from);
        const float cy = at(1, from);
        const float w = number(30, 200);
        const float h = number(30, 200);
        for (std::size_t k = 0; k < 8 && done < candidates; ++k, ++done) {
            at(0, from + k) = cx + number(-4, 4);
            at(1, from + k) = cy + number(-4, 4);
            at(2, from + k) = w + number(-4, 4);
            at(3, from + k) = h + number(-4, 4);
            at(first + label, from + k) = number(objectness ? 0.7F : 0.3F, 0.95F);
            if (objectness) {
                at(4, from + k) = number(0.5F, 0.95F);
            }
        }
    }
    return head;
}

/// What hand-written programs fill.
struct loop_rows {
    std::vector<float> boxes = std::vector<float>(capacity * 4);
    std::vector<float> scores = std::vector<float>(capacity);
    std::vector<std::int64_t> labels = std::vector<std::int64_t>(capacity);
    std::int32_t count = 0;
};

struct candidate {
    std::array<float, 4> box;
    float score;
    std::int32_t label;
    std::size_t anchor;
};

float overlap(const candidate& a, const candidate& b)
{
    const float shift_a = static_cast<float>(a.label) * 7680.0F;
    const float shift_b = static_cast<float>(b.label) * 7680.0F;
    const float x1 = std::max(a.box[0] + shift_a, b.box[0] + shift_b);
    const float y1 = std::max(a.box[1] + shift_a, b.box[1] + shift_b);
    const float x2 = std::min(a.box[2] + shift_a, b.box[2] + shift_b);
    const float y2 = std::min(a.box[3] + shift_a, b.box[3] + shift_b);
    if (x2 <= x1 || y2 <= y1) {
        return 0;
    }
    const auto area = [](const candidate& each, float shift) {
        return ((each.box[2] + shift) - (each.box[0] + shift)) * ((each.box[3] + shift) - (each.box[1] + shift));
    };
    const float both = (x2 - x1) * (y2 - y1);
    return both / (area(a, shift_a) + area(b, shift_b) - both);
}

/// Sorts, suppresses and pads.
void finish(std::vector<candidate>& candidates, loop_rows& rows)
{
    std::sort(candidates.begin(), candidates.end(), [](const candidate& a, const candidate& b) {
        return a.score > b.score || (a.score == b.score && a.anchor < b.anchor);
    });
    std::vector<const candidate*> kept;
    for (const auto& each : candidates) {
        bool dropped = false;
        for (std::size_t k = 0; k < kept.size() && !dropped; ++k) {
            dropped = overlap(*kept[k], each) > 0.7F;
        }
        if (!dropped && kept.size() < capacity) {
            kept.push_back(&each);
        }
    }
    std::fill(rows.boxes.begin(), rows.boxes.end(), 0.0F);
    std::fill(rows.scores.begin(), rows.scores.end(), 0.0F);
    std::fill(rows.labels.begin(), rows.labels.end(), 0);
    for (std::size_t r = 0; r < kept.size(); ++r) {
        std::copy(kept[r]->box.begin(), kept[r]->box.end(), rows.boxes.data() + r * 4);
        rows.scores[r] = kept[r]->score;
        rows.labels[r] = kept[r]->label;
    }
    rows.count = static_cast<std::int32_t>(kept.size());
}

std::array<float, 4> corners(float cx, float cy, float w, float h)
{
    return {cx - w * 0.5F, cy - h * 0.5F, cx + w * 0.5F, cy + h * 0.5F};
}

/// Anchor by anchor, over columns that are `anchors` numbers apart.
void strided_loop(const float* head, std::vector<candidate>& candidates, loop_rows& rows)
{
    candidates.clear();
    for (std::size_t a = 0; a < anchors; ++a) {
        float best = head[4 * anchors + a];
        std::int32_t label = 0;
        for (std::size_t c = 1; c < classes; ++c) {
            const float score = head[(4 + c) * anchors + a];
            if (score > best) {
                best = score;
                label = static_cast<std::int32_t>(c);
            }
        }
        if (best > 0.25F) {
            candidates.push_back(
                {corners(head[a], head[anchors + a], head[2 * anchors + a], head[3 * anchors + a]), best, label, a});
        }
    }
    finish(candidates, rows);
}

/// The same after a transposition, as programs have that were written for rows.
void transposing_loop(const float* head, std::vector<float>& turned, std::vector<candidate>& candidates,
                      loop_rows& rows)
{
    constexpr std::size_t columns = 4 + classes;
    constexpr std::size_t tile = 16;
    turned.resize(columns * anchors);
    for (std::size_t from = 0; from < anchors; from += tile) {
        for (std::size_t c = 0; c < columns; ++c) {
            for (std::size_t a = from; a < from + tile; ++a) {
                turned[a * columns + c] = head[c * anchors + a];
            }
        }
    }
    candidates.clear();
    for (std::size_t a = 0; a < anchors; ++a) {
        const float* const row = turned.data() + a * columns;
        const float* const best = std::max_element(row + 4, row + columns);
        if (*best > 0.25F) {
            candidates.push_back(
                {corners(row[0], row[1], row[2], row[3]), *best, static_cast<std::int32_t>(best - row - 4), a});
        }
    }
    finish(candidates, rows);
}

/// Rows with an objectness, which is looked at first.
void object_loop(const float* head, std::vector<candidate>& candidates, loop_rows& rows)
{
    constexpr std::size_t columns = 5 + classes;
    candidates.clear();
    for (std::size_t a = 0; a < anchors; ++a) {
        const float* const row = head + a * columns;
        if (!(row[4] > 0.25F)) {
            continue;
        }
        float best = 0;
        std::int32_t label = 0;
        for (std::size_t c = 0; c < classes; ++c) {
            const float score = row[5 + c] * row[4];
            if (score > best) {
                best = score;
                label = static_cast<std::int32_t>(c);
            }
        }
        if (best > 0.25F) {
            candidates.push_back({corners(row[0], row[1], row[2], row[3]), best, label, a});
        }
    }
    finish(candidates, rows);
}

void print(const std::vector<timing>& timings, int repeat)
{
    std::printf("| | us | padbatch is faster by |\n|---|---|---|\n");
    for (const auto& t : timings) {
        std::printf("| %s | %.1f | %.2f |\n", t.name.c_str(), t.seconds * 1e6 / repeat, t.ratio);
    }
    std::printf("\n");
}

void run(const char* title, std::size_t candidates, bool objectness, int rounds, int repeat)
{
    using namespace padbatch;
    const std::vector<float> numbers = make_head(candidates, objectness);
    const auto n = static_cast<std::int64_t>(anchors);
    const auto columns = static_cast<std::int64_t>(classes + (objectness ? 5 : 4));
    const std::array<std::int64_t, 3> shape{1, objectness ? n : columns, objectness ? columns : n};
    const const_tensor_ref tensor(numbers.data(), shape);
    const detector_head head = objectness ? heads::yolov5(classes) : heads::yolov8(classes);
    padded<boxes<>, scores<>, labels<>> found(1, capacity);
    workspace space;
    loop_rows rows;
    std::vector<candidate> all;
    std::vector<float> turned;
    const auto check = [&](const char* name) {
        const std::size_t count = found.count(0);
        if (static_cast<std::size_t>(rows.count) != count ||
            std::memcmp(rows.boxes.data(), found[t::boxes].data(), rows.boxes.size() * sizeof(float)) != 0 ||
            std::memcmp(rows.scores.data(), found[t::scores].data(), rows.scores.size() * sizeof(float)) != 0 ||
            std::memcmp(rows.labels.data(), found[t::labels].data(), rows.labels.size() * sizeof(std::int64_t)) != 0) {
            throw std::runtime_error(std::string(name) + " and padbatch differ");
        }
    };
    const auto repeated = [repeat](auto work) {
        return [repeat, work] {
            for (int k = 0; k < repeat; ++k) {
                work();
            }
        };
    };
    const auto decode = [&] { decode_head(found, head, tensor, space); };
    decode();
    std::vector<variant> variants = {{"padbatch", repeated(decode)}};
    const auto add = [&](const char* name, auto work) {
        work();
        check(name);
        variants.push_back({name, repeated(work)});
    };
    if (objectness) {
        add("loop over rows, objectness first", [&] { object_loop(numbers.data(), all, rows); });
    } else {
        add("loop, anchor by anchor over strided columns", [&] { strided_loop(numbers.data(), all, rows); });
        add("loop over rows, after a transposition", [&] { transposing_loop(numbers.data(), turned, all, rows); });
    }
    variants.push_back({"limit: reading the head", repeated([&] {
                            std::uint32_t sum = 0;
                            const auto* const words = reinterpret_cast<const unsigned char*>(numbers.data());
                            for (std::size_t k = 0; k < numbers.size() * sizeof(float); k += 64) {
                                std::uint32_t word = 0;
                                std::memcpy(&word, words + k, sizeof word);
                                sum += word;
                            }
                            __asm__ volatile("" : : "r"(sum) : "memory");
                        })});
    const auto timings = padbatch::bench::run_rounds(variants, rounds);
    std::printf("%s, %zu candidates, %zu detections\n\n", title, all.size(), found.count(0));
    print(timings, repeat);
}

template <typename T>
void write_file(const std::string& path, const T* data, std::size_t n)
{
    std::FILE* const file = std::fopen(path.c_str(), "wb");
    if (file == nullptr || std::fwrite(data, sizeof(T), n, file) != n || std::fclose(file) != 0) {
        throw std::runtime_error("cannot write " + path);
    }
}

/// The first head and its detections into files, or, without a folder, what a call takes.
void serve_peers(std::size_t candidates, const std::string& folder)
{
    using namespace padbatch;
    const std::vector<float> numbers = make_head(candidates, false);
    const std::array<std::int64_t, 3> shape{1, static_cast<std::int64_t>(classes + 4),
                                            static_cast<std::int64_t>(anchors)};
    const const_tensor_ref tensor(numbers.data(), shape);
    const detector_head head = heads::yolov8(classes);
    padded<boxes<>, scores<>, labels<>> found(1, capacity);
    workspace space;
    if (!folder.empty()) {
        decode_head(found, head, tensor, space);
        write_file(folder + "/head", numbers.data(), numbers.size());
        write_file(folder + "/boxes", found[t::boxes].data(), capacity * 4);
        write_file(folder + "/scores", found[t::scores].data(), capacity);
        write_file(folder + "/labels", found[t::labels].data(), capacity);
        return;
    }
    constexpr int repeat = 50;
    const auto run = [&] {
        for (int k = 0; k < repeat; ++k) {
            decode_head(found, head, tensor, space);
        }
    };
    const auto timings = padbatch::bench::run_rounds({{"padbatch", run}}, 3);
    std::printf("%.3f\n", timings.front().seconds * 1e6 / repeat);
}

} // namespace

int main(int argc, char** argv)
{
    CLI::App app("What it costs to make padded detections of a raw head.");
    int rounds = 15;
    int repeat = 20;
    std::size_t candidates = 400;
    app.add_option("--rounds", rounds, "Rounds of each head")->check(CLI::PositiveNumber);
    app.add_option("--repeat", repeat, "Heads decoded in each run")->check(CLI::PositiveNumber);
    app.add_option("--candidates", candidates, "Anchors that see an object")->check(CLI::PositiveNumber);
    std::string folder;
    bool only_ours = false;
    app.add_option("--write", folder, "Write the first head and its detections into this folder");
    app.add_flag("--only-ours", only_ours, "Print the microseconds of one call for the first head");
    CLI11_PARSE(app, argc, argv);
    try {
        if (only_ours || !folder.empty()) {
            serve_peers(candidates, folder);
            return 0;
        }
        run("[1, 84, 8400]", candidates, false, rounds, repeat);
        run("[1, 8400, 85]", candidates, true, rounds, repeat);
        return 0;
    } catch (const std::exception& e) {
        std::fprintf(stderr, "decode_bench: %s\n", e.what());
        return 1;
    }
}
