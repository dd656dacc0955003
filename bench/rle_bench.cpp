// SPDX-License-Identifier: Apache-2.0
// What COCO's run lengths cost, beside plain loops: full masks and region masks to run lengths, back to pixels, merged,
// compared and written as strings, for masks of one 800x1333 image.
//
//     rle_bench [--rounds N] [--masks N]
//
// Prints a Markdown table for each operation; ratios are to the first line, medians of the ratios within a round. All
// variants run in turn in one process, in an order that is shuffled in each round. Before anything is timed, their
// results are compared. rle_peers.py does the same beside pycocotools' own C.

#include "rle_masks.hpp"
#include "rounds.hpp"

#include <padbatch/detection/rle.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <span>
#include <stdexcept>

namespace {

using namespace padbatch::bench;
using padbatch::run_length_view;
using padbatch::run_lengths;
namespace t = padbatch::t;

constexpr std::size_t area = mask_height * mask_width;

/// The runs of a mask, a pixel at a time.
void encode_loop(std::span<const std::uint8_t> mask, std::vector<std::uint32_t>& counts)
{
    counts.assign(1, 0);
    bool object = false;
    for (std::size_t x = 0; x < mask_width; ++x) {
        for (std::size_t y = 0; y < mask_height; ++y) {
            if ((mask[y * mask_width + x] != 0) != object) {
                object = !object;
                counts.push_back(0);
            }
            ++counts.back();
        }
    }
}

void decode_loop(const run_length_view& runs, std::span<std::uint8_t> mask)
{
    std::size_t k = 0;
    for (std::size_t run = 0; run < runs.counts.size(); ++run) {
        for (std::uint32_t n = 0; n < runs.counts[run]; ++n, ++k) {
            mask[k % mask_height * mask_width + k / mask_height] = run % 2;
        }
    }
}

/// Both masks, a run at a time: `use(n, in one, in the other)`.
template <typename Use>
void walk(const run_length_view& one, const run_length_view& other, Use use)
{
    std::size_t a = 0;
    std::size_t b = 0;
    std::uint32_t left_a = one.counts[0];
    std::uint32_t left_b = other.counts[0];
    while (true) {
        const std::uint32_t n = std::min(left_a, left_b);
        use(n, a % 2 == 1, b % 2 == 1);
        left_a -= n;
        left_b -= n;
        while (left_a == 0 && a + 1 < one.counts.size()) {
            left_a = one.counts[++a];
        }
        while (left_b == 0 && b + 1 < other.counts.size()) {
            left_b = other.counts[++b];
        }
        if (left_a == 0 && left_b == 0) {
            return;
        }
    }
}

void unite_loop(const run_length_view& one, const run_length_view& other, std::vector<std::uint32_t>& counts)
{
    counts.assign(1, 0);
    walk(one, other, [&](std::uint32_t n, bool in_one, bool in_other) {
        if ((in_one || in_other) != (counts.size() % 2 == 0) && n != 0) {
            counts.push_back(0);
        }
        counts.back() += n;
    });
}

double iou_loop(const run_length_view& one, const run_length_view& other)
{
    std::uint32_t both = 0;
    std::uint32_t any = 0;
    walk(one, other, [&](std::uint32_t n, bool in_one, bool in_other) {
        both += in_one && in_other ? n : 0;
        any += in_one || in_other ? n : 0;
    });
    return both == 0 ? 0 : static_cast<double>(both) / static_cast<double>(any);
}

void check(bool same, const char* what)
{
    if (!same) {
        throw std::runtime_error(std::string(what) + ": other results");
    }
}

bool same_counts(const run_length_view& runs, const std::vector<std::uint32_t>& counts)
{
    return std::equal(runs.counts.begin(), runs.counts.end(), counts.begin(), counts.end());
}

void print(const char* what, const std::vector<variant>& variants, int rounds)
{
    std::printf("%s\n\n| | ms | ratio |\n|---|---|---|\n", what);
    for (const timing& each : run_rounds(variants, rounds)) {
        std::printf("| %s | %.3f | %.2f |\n", each.name.c_str(), each.seconds * 1e3, each.ratio);
    }
    std::printf("\n");
}

void run(std::size_t n, int rounds)
{
    const region_scene scene(n);
    const auto boxes = t::boxes(scene.boxes);
    const auto regions = t::masks(scene.regions, 1, region_cells, region_cells);
    std::vector<std::uint8_t> full(n * area);
    padbatch::paste_masks(t::masks(full, 1, mask_height, mask_width), boxes, regions);
    const auto masks = t::masks(full, 1, mask_height, mask_width);
    const auto mask = [&](std::size_t i) { return std::span(full).subspan(i * area, area); };
    std::vector<std::uint8_t> bits(n * mask_height * ((mask_width + 7) / 8));
    for (std::size_t k = 0; k < full.size(); ++k) {
        const std::size_t row = k / mask_width;
        const std::size_t x = k % mask_width;
        std::uint8_t& byte = bits[row * ((mask_width + 7) / 8) + x / 8];
        byte = static_cast<std::uint8_t>(byte | (full[k] << (7 - x % 8)));
    }

    padbatch::workspace space;
    run_lengths runs;
    run_lengths other;
    std::vector<std::uint32_t> counts;
    rle_encode(runs, masks, space);
    rle_encode_regions(other, boxes, regions, mask_height, mask_width, space);
    check(std::equal(runs.counts().begin(), runs.counts().end(), other.counts().begin(), other.counts().end()),
          "region masks");
    other.clear();
    rle_encode_bits(other, mask_width, t::masks(bits, 1, mask_height, (mask_width + 7) / 8), space);
    check(std::equal(runs.counts().begin(), runs.counts().end(), other.counts().begin(), other.counts().end()), "bits");
    std::vector<std::uint8_t> pixels(area);
    std::vector<std::uint8_t> all(n * area);
    rle_decode(t::masks(all, 1, mask_height, mask_width), runs);
    check(all == full, "decode");
    for (std::size_t i = 0; i < n; ++i) {
        encode_loop(mask(i), counts);
        check(same_counts(runs[i], counts), "encode");
        decode_loop(runs[i], pixels);
        check(std::equal(pixels.begin(), pixels.end(), mask(i).begin()), "decode");
        other.clear();
        rle_merge(other, runs[i], runs[0], padbatch::rle_union);
        unite_loop(runs[i], runs[0], counts);
        check(same_counts(other[0], counts), "merge");
    }
    std::vector<double> ious(n * n);
    rle_iou(ious, runs, runs);
    for (std::size_t k = 0; k < n * n; ++k) {
        check(ious[k] == iou_loop(runs[k / n], runs[k % n]), "IoU");
    }

    std::printf("%zu masks of %zux%zu, %zu runs\n\n", n, mask_height, mask_width, runs.counts().size());
    print("encode",
          {{"padbatch, bytes", [&] { other.clear(), rle_encode(other, masks, space); }},
           {"padbatch, bits",
            [&] {
                other.clear();
                rle_encode_bits(other, mask_width, t::masks(bits, 1, mask_height, (mask_width + 7) / 8), space);
            }},
           {"padbatch, region masks",
            [&] { other.clear(), rle_encode_regions(other, boxes, regions, mask_height, mask_width, space); }},
           {"plain loop",
            [&] {
                for (std::size_t i = 0; i < n; ++i) {
                    encode_loop(mask(i), counts);
                }
            }}},
          rounds);
    print("decode",
          {{"padbatch", [&] { rle_decode(t::masks(all, 1, mask_height, mask_width), runs); }},
           {"limit: memset", [&] { std::fill(all.begin(), all.end(), std::uint8_t{0}); }},
           {"plain loop",
            [&] {
                for (std::size_t i = 0; i < n; ++i) {
                    decode_loop(runs[i], std::span(all).subspan(i * area, area));
                }
            }}},
          rounds);
    print("union of each with the first",
          {{"padbatch",
            [&] {
                other.clear();
                for (std::size_t i = 0; i < n; ++i) {
                    rle_merge(other, runs[i], runs[0], padbatch::rle_union, space);
                }
            }},
           {"plain loop",
            [&] {
                for (std::size_t i = 0; i < n; ++i) {
                    unite_loop(runs[i], runs[0], counts);
                }
            }}},
          rounds);
    print("IoU of all with all",
          {{"padbatch", [&] { rle_iou(ious, runs, runs, space); }},
           {"plain loop",
            [&] {
                for (std::size_t k = 0; k < n * n; ++k) {
                    ious[k] = iou_loop(runs[k / n], runs[k % n]);
                }
            }}},
          rounds);
}

} // namespace

int main(int argc, char** argv)
{
    CLI::App app("What COCO's run lengths cost.");
    int rounds = 15;
    std::size_t n = 50;
    app.add_option("--rounds", rounds, "Rounds of each operation")->check(CLI::PositiveNumber);
    app.add_option("--masks", n, "Masks of the image")->check(CLI::PositiveNumber);
    CLI11_PARSE(app, argc, argv);
    try {
        run(n, rounds);
        return 0;
    } catch (const std::exception& e) {
        std::fprintf(stderr, "rle_bench: %s\n", e.what());
        return 1;
    }
}
