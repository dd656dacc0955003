// SPDX-License-Identifier: Apache-2.0
// What it costs to make full masks from 28x28 region masks: `paste_masks`, the limit, a plain loop and torchvision's
// algorithm in libtorch, for masks of one 800x1333 image as float, uint8 and bool.
//
//     paste_bench [--rounds N] [--masks N]
//
// Prints a Markdown table for each type. All variants run in turn in one process, in an order that is shuffled in each
// round; ratios are medians of the ratios within a round. The limit clears the whole output and then writes the pixels
// of the boxes. GB/s counts the bytes of the output. Before anything is timed, all results are compared with those of
// the plain loop.

#include "rounds.hpp"
#include "streaming.hpp"

#include <padbatch/detection/masks.hpp>

#include <CLI/CLI.hpp>

#ifdef PADBATCH_BENCH_TORCH
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#endif

#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <span>
#include <stdexcept>
#include <type_traits>

namespace {

using padbatch::bench::timing;
using padbatch::bench::variant;

constexpr std::size_t height = 800;
constexpr std::size_t width = 1333;
constexpr std::size_t cells = 28;
// How closely two ways agree that round differently.
constexpr float tolerance = 2e-6F;

/// The detections of one image: boxes of 20 to 400 pixels a side, all of them inside.
struct detections {
    std::vector<std::array<float, 4>> boxes;
    std::vector<float> regions;

    explicit detections(std::size_t n)
    {
        std::mt19937 random(1); // NOLINT(cert-msc51-cpp,bugprone-random-generator-seed): the same boxes on every run
        const auto number = [&](double low, double high) {
            return static_cast<float>(std::uniform_real_distribution<double>(low, high)(random));
        };
        for (std::size_t j = 0; j < n; ++j) {
            const float w = number(20, 400);
            const float h = number(20, 400);
            const float x = number(0, static_cast<double>(width) - double{w});
            const float y = number(0, static_cast<double>(height) - double{h});
            boxes.push_back({x, y, x + w, y + h});
            for (std::size_t k = 0; k < cells * cells; ++k) {
                regions.push_back(number(0, 1));
            }
        }
    }
};

/// The box of a full mask in whole pixels, cut off at the image's borders, and its size before that.
struct pixel_box {
    std::int64_t x, y, w, h; // where the resized mask begins, and its size
    std::int64_t left, top, right, bottom;

    explicit pixel_box(const std::array<float, 4>& box)
    {
        const float growth = static_cast<float>(cells + 2) / static_cast<float>(cells);
        const auto grow = [&](float low, float high, std::int64_t& first, std::int64_t& size) {
            float half = (high - low) * 0.5F;
            const float centre = (high + low) * 0.5F;
            half *= growth;
            first = static_cast<std::int64_t>(centre - half);
            size = std::max(static_cast<std::int64_t>(centre + half) - first + 1, std::int64_t{1});
        };
        grow(box[0], box[2], x, w);
        grow(box[1], box[3], y, h);
        left = std::max(x, std::int64_t{0});
        top = std::max(y, std::int64_t{0});
        right = std::min(x + w, static_cast<std::int64_t>(width));
        bottom = std::min(y + h, static_cast<std::int64_t>(height));
    }
};

template <typename T>
T pixel(float value)
{
    if constexpr (std::is_same_v<T, float>) {
        return value;
    } else {
        return value >= 0.5F;
    }
}

template <typename T, typename Clear>
void write_limit(const detections& image, std::span<T> full, Clear clear)
{
    clear(reinterpret_cast<std::byte*>(full.data()), full.size_bytes());
    for (std::size_t j = 0; j < image.boxes.size(); ++j) {
        const pixel_box box(image.boxes[j]);
        for (std::int64_t y = box.top; y < box.bottom; ++y) {
            T* const row = full.data() + (j * height + static_cast<std::size_t>(y)) * width;
            std::memset(static_cast<void*>(row + box.left), 1,
                        static_cast<std::size_t>(box.right - box.left) * sizeof(T));
        }
    }
}

/// The formula, pixel by pixel, inside the boxes.
template <typename T>
void paste_loop(const detections& image, std::span<T> full)
{
    std::memset(static_cast<void*>(full.data()), 0, full.size_bytes());
    for (std::size_t j = 0; j < image.boxes.size(); ++j) {
        const pixel_box box(image.boxes[j]);
        const float* const region = image.regions.data() + j * cells * cells;
        const auto cell = [&](int r, int c) {
            const int most = static_cast<int>(cells);
            return r < 1 || c < 1 || r > most || c > most ? 0.0F : region[(r - 1) * most + c - 1];
        };
        const double scale_x = double{static_cast<float>(cells + 2) / static_cast<float>(box.w)};
        const double scale_y = double{static_cast<float>(cells + 2) / static_cast<float>(box.h)};
        for (std::int64_t y = box.top; y < box.bottom; ++y) {
            const double at_y = std::max((static_cast<double>(y - box.y) + 0.5) * scale_y - 0.5, 0.0);
            const int r = static_cast<int>(at_y);
            const auto fy = static_cast<float>(at_y - r);
            T* const row = full.data() + (j * height + static_cast<std::size_t>(y)) * width;
            for (std::int64_t x = box.left; x < box.right; ++x) {
                const double at_x = std::max((static_cast<double>(x - box.x) + 0.5) * scale_x - 0.5, 0.0);
                const int c = static_cast<int>(at_x);
                const auto fx = static_cast<float>(at_x - c);
                row[x] = pixel<T>((1 - fy) * ((1 - fx) * cell(r, c) + fx * cell(r, c + 1)) +
                                  fy * ((1 - fx) * cell(r + 1, c) + fx * cell(r + 1, c + 1)));
            }
        }
    }
}

#ifdef PADBATCH_BENCH_TORCH
/// `paste_masks_in_image` of torchvision, operator by operator, and the comparison that its users write.
template <typename T>
at::Tensor paste_torch(const detections& image)
{
    const auto n = static_cast<std::int64_t>(image.boxes.size());
    const auto side = static_cast<std::int64_t>(cells);
    const auto regions =
        at::constant_pad_nd(at::from_blob(const_cast<float*>(image.regions.data()), {n, 1, side, side}), {1, 1, 1, 1});
    std::vector<at::Tensor> all;
    for (std::int64_t j = 0; j < n; ++j) {
        const pixel_box box(image.boxes[static_cast<std::size_t>(j)]);
        const auto mask = at::upsample_bilinear2d(regions.narrow(0, j, 1), {box.h, box.w}, false)[0][0];
        const auto full = at::zeros({static_cast<std::int64_t>(height), static_cast<std::int64_t>(width)});
        full.narrow(0, box.top, box.bottom - box.top)
            .narrow(1, box.left, box.right - box.left)
            .copy_(mask.narrow(0, box.top - box.y, box.bottom - box.top)
                       .narrow(1, box.left - box.x, box.right - box.left));
        all.push_back(full);
    }
    const auto stacked = at::stack(all).unsqueeze(1);
    if constexpr (std::is_same_v<T, float>) {
        return stacked;
    } else if constexpr (std::is_same_v<T, bool>) {
        return stacked >= 0.5;
    } else {
        return (stacked >= 0.5).to(at::kByte);
    }
}
#endif

/// Throws unless `found` is what the plain loop writes, whose floats are `expected`.
template <typename T>
void check(const char* name, const T* found, std::span<const float> expected)
{
    for (std::size_t k = 0; k < expected.size(); ++k) {
        bool same = true;
        if constexpr (std::is_same_v<T, float>) {
            same = std::abs(found[k] - expected[k]) <= tolerance;
        } else {
            same = std::abs(expected[k] - 0.5F) <= tolerance || found[k] == pixel<T>(expected[k]);
        }
        if (!same) {
            throw std::runtime_error(std::string(name) + ": pixel " + std::to_string(k) + " is wrong");
        }
    }
}

void print(const std::vector<timing>& timings, std::size_t bytes)
{
    std::printf("| | ms | GB/s | ratio to the limit |\n|---|---|---|---|\n");
    for (const auto& t : timings) {
        std::printf("| %s | %.2f | %.1f | %.2f |\n", t.name.c_str(), t.seconds * 1e3,
                    static_cast<double>(bytes) / t.seconds / 1e9, t.ratio);
    }
    std::printf("\n");
}

template <typename T>
void run(const char* type, const detections& image, std::span<const float> expected, int rounds)
{
    using namespace padbatch;
    namespace streaming = padbatch::bench::streaming;
    const std::size_t n = image.boxes.size();
    padded<masks<T>> owner(1, n, t::masks.shape(1, height, width));
    const std::span<T> full(owner[t::masks].data(), expected.size());
    const std::vector<std::int32_t> counts = {static_cast<std::int32_t>(n)};
    const padded_view batch(counts, n, t::boxes(image.boxes), t::masks(image.regions, 1, cells, cells));

    const auto paste = [&] { paste_masks(owner, batch); };
    const auto loop = [&] { paste_loop(image, full); };
    loop();
    check("plain loop", full.data(), expected);
    std::memset(static_cast<void*>(full.data()), 1, full.size_bytes());
    paste();
    check("padbatch", full.data(), expected);
    {
        const auto made = paste_masks<T>(batch, height, width);
        check("padbatch, new owner", made[t::masks].data(), expected);
    }
    std::vector<variant> variants = {
        {"limit: memset, then the boxes' pixels",
         [&] { write_limit(image, full, [](std::byte* to, std::size_t size) { std::memset(to, 0, size); }); }},
        {"padbatch, into memory used again", paste},
        {"padbatch, new owner (freed again)",
         [&] {
             const auto made = paste_masks<T>(batch, height, width);
             __asm__ volatile("" : : "r"(&made) : "memory");
         }},
        {"plain loop, inside of the boxes", loop},
    };
    if (streaming::available) {
        variants.insert(variants.begin() + 1, {"limit, cleared with non-temporal stores",
                                               [&] { write_limit(image, full, streaming::clear); }});
    }
#ifdef PADBATCH_BENCH_TORCH
    at::set_num_threads(1);
    check("libtorch", paste_torch<T>(image).template data_ptr<T>(), expected);
    variants.push_back({"libtorch, as torchvision does", [&] {
                            const auto made = paste_torch<T>(image);
                            __asm__ volatile("" : : "r"(&made) : "memory");
                        }});
#endif
    const auto timings = padbatch::bench::run_rounds(variants, rounds);
    std::printf("%zu masks of %zux%zu, %s, %.0f MB of output\n\n", n, height, width, type,
                static_cast<double>(full.size_bytes()) / 1e6);
    print(timings, full.size_bytes());
}

} // namespace

int main(int argc, char** argv)
{
    CLI::App app("What it costs to make full masks of region masks.");
    int rounds = 9;
    std::size_t n = 100;
    app.add_option("--rounds", rounds, "Rounds of each type")->check(CLI::PositiveNumber);
    app.add_option("--masks", n, "Masks of the image")->check(CLI::PositiveNumber);
    CLI11_PARSE(app, argc, argv);
    try {
        const detections image(n);
        std::vector<float> expected(n * height * width);
        paste_loop(image, std::span(expected));
        run<float>("float", image, expected, rounds);
        run<std::uint8_t>("uint8", image, expected, rounds);
        run<bool>("bool", image, expected, rounds);
        return 0;
    } catch (const std::exception& e) {
        std::fprintf(stderr, "paste_bench: %s\n", e.what());
        return 1;
    }
}
