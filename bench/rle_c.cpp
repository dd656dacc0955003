// SPDX-License-Identifier: Apache-2.0
// COCO's run lengths here and in pycocotools' own C, in one process. rle_peers.py fetches that C (maskApi.c), compiles
// both and runs this:
//
//     rle_c [ROUNDS [MASKS]]
//
// Prints a Markdown table: milliseconds for all masks of one 800x1333 image, and the ratio of pycocotools' time to
// ours, a median of the ratios within a round. Before anything is timed, all results are compared.

#include "rle_masks.hpp"
#include "rounds.hpp"

#include <padbatch/detection/rle.hpp>

extern "C" {
#include "maskApi.h"
}

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

namespace {

using namespace padbatch;
using namespace padbatch::bench;

constexpr std::size_t area = mask_height * mask_width;

/// A list of run lengths as pycocotools has it. Owns them.
struct coco_list {
    std::vector<RLE> rles;
    explicit coco_list(std::size_t n) : rles(n) {}
    coco_list(const coco_list&) = delete;
    coco_list& operator=(const coco_list&) = delete;
    ~coco_list() { clear(); }
    void clear()
    {
        for (RLE& rle : rles) {
            rleFree(&rle);
        }
    }
};

void check(bool same, const char* what)
{
    if (!same) {
        throw std::runtime_error(std::string("other results: ") + what);
    }
}

bool same_runs(const run_lengths& ours, const std::vector<RLE>& theirs)
{
    bool same = ours.size() == theirs.size();
    for (std::size_t i = 0; same && i < theirs.size(); ++i) {
        const auto counts = ours[i].counts;
        same = counts.size() == theirs[i].m && std::memcmp(counts.data(), theirs[i].cnts, counts.size_bytes()) == 0;
    }
    return same;
}

/// Masks to column-major order, in blocks that stay in the cache: faster than numpy's asfortranarray.
void transpose(const std::uint8_t* from, std::uint8_t* to)
{
    constexpr std::size_t block = 32;
    for (std::size_t x0 = 0; x0 < mask_width; x0 += block) {
        const std::size_t x1 = std::min(x0 + block, mask_width);
        for (std::size_t y0 = 0; y0 < mask_height; y0 += block) {
            for (std::size_t x = x0; x < x1; ++x) {
                for (std::size_t y = y0; y < y0 + block; ++y) {
                    to[x * mask_height + y] = from[y * mask_width + x];
                }
            }
        }
    }
}
static_assert(mask_height % 32 == 0);

/// Prints the ratios of pairs: ours, theirs, ours, theirs.
void print(const std::vector<timing>& timings)
{
    for (std::size_t k = 0; k + 1 < timings.size(); k += 2) {
        std::printf("| %s | %.3f | %.3f | %.1f |\n", timings[k].name.c_str(), timings[k].seconds * 1e3,
                    timings[k + 1].seconds * 1e3, median_ratio(timings[k + 1], timings[k]));
    }
}

/// Everything that starts with full masks, `[n, 1, H, W]`.
void run(const char* name, const std::vector<std::uint8_t>& full, int rounds)
{
    const std::size_t n = full.size() / area;
    std::vector<std::uint8_t> columns(full.size());
    for (std::size_t i = 0; i < n; ++i) {
        transpose(full.data() + i * area, columns.data() + i * area);
    }
    workspace space;
    run_lengths runs;
    coco_list rles(n);
    rle_encode(runs, t::masks(full, 1, mask_height, mask_width), space);
    rleEncode(rles.rles.data(), columns.data(), mask_height, mask_width, n);
    check(same_runs(runs, rles.rles), "encode");
    std::vector<std::uint8_t> pixels(full.size());
    std::vector<std::uint8_t> column(area);
    rle_decode(t::masks(pixels, 1, mask_height, mask_width), runs);
    check(pixels == full, "decode");
    std::fill(pixels.begin(), pixels.end(), std::uint8_t{2});
    rleDecode(rles.rles.data(), pixels.data(), n);
    check(pixels == columns, "pycocotools decode");

    const std::size_t half = n / 2;
    run_lengths dets;
    run_lengths truths;
    for (std::size_t i = 0; i < n; ++i) {
        (i < half ? dets : truths).append(runs[i]);
    }
    std::vector<double> ours(half * (n - half));
    std::vector<double> theirs(ours.size());
    std::vector<std::uint8_t> crowd(n - half);
    run_lengths out;
    RLE merged{};
    std::vector<std::string> texts(n);
    std::vector<std::vector<char>> chars(n);
    run_lengths scratch;
    coco_list scratch_rles(n);
    coco_list read_rles(n);

    const std::vector<variant> variants = {
        {"encode (pycocotools: masks that are transposed already)",
         [&] {
             out.clear();
             rle_encode(out, t::masks(full, 1, mask_height, mask_width), space);
         }},
        {"", [&] { rleEncode(scratch_rles.rles.data(), columns.data(), mask_height, mask_width, n); },
         [&] { scratch_rles.clear(); }},
        {"encode (pycocotools: transposed in blocks first)",
         [&] {
             out.clear();
             rle_encode(out, t::masks(full, 1, mask_height, mask_width), space);
         }},
        {"",
         [&] {
             for (std::size_t i = 0; i < n; ++i) {
                 transpose(full.data() + i * area, column.data());
                 rleEncode(&scratch_rles.rles[i], column.data(), mask_height, mask_width, 1);
             }
         },
         [&] { scratch_rles.clear(); }},
        {"decode (pycocotools: left transposed)",
         [&] { rle_decode(t::masks(pixels, 1, mask_height, mask_width), runs); }},
        {"", [&] { rleDecode(rles.rles.data(), pixels.data(), n); }},
        {"union of two, each with the next",
         [&] {
             out.clear();
             for (std::size_t i = 0; i + 1 < n; ++i) {
                 rle_merge(out, runs[i], runs[i + 1], rle_union, space);
             }
         }},
        {"",
         [&] {
             for (std::size_t i = 0; i + 1 < n; ++i) {
                 rleMerge(rles.rles.data() + i, &merged, 2, 0);
                 rleFree(&merged);
             }
         }},
        {"intersection of two, each with the next",
         [&] {
             out.clear();
             for (std::size_t i = 0; i + 1 < n; ++i) {
                 rle_merge(out, runs[i], runs[i + 1], rle_intersection, space);
             }
         }},
        {"",
         [&] {
             for (std::size_t i = 0; i + 1 < n; ++i) {
                 rleMerge(rles.rles.data() + i, &merged, 2, 1);
                 rleFree(&merged);
             }
         }},
        {"union of all",
         [&] {
             out.clear();
             rle_merge(out, runs, rle_union, space);
         }},
        {"",
         [&] {
             rleMerge(rles.rles.data(), &merged, n, 0);
             rleFree(&merged);
         }},
        {"IoU, one half of the masks with the other", [&] { rle_iou(ours, dets, truths, crowd, space); }},
        {"", [&] { rleIou(rles.rles.data(), rles.rles.data() + half, half, n - half, crowd.data(), theirs.data()); }},
        {"to strings",
         [&] {
             for (std::size_t i = 0; i < n; ++i) {
                 chars[i].resize(rle_string_size(runs[i]));
                 rle_to_string(chars[i], runs[i]);
             }
         }},
        {"",
         [&] {
             for (std::size_t i = 0; i < n; ++i) {
                 char* const text = rleToString(&rles.rles[i]);
                 texts[i] = text;
                 std::free(text);
             }
         }},
        {"from strings",
         [&] {
             out.clear();
             for (std::size_t i = 0; i < n; ++i) {
                 rle_from_string(out, texts[i], mask_height, mask_width);
             }
         }},
        {"",
         [&] {
             for (std::size_t i = 0; i < n; ++i) {
                 rleFrString(&read_rles.rles[i], texts[i].data(), mask_height, mask_width);
             }
         },
         [&] { read_rles.clear(); }},
        {"areas and boxes",
         [&] {
             for (std::size_t i = 0; i < n; ++i) {
                 ours[i] = static_cast<double>(rle_area(runs[i]) + rle_box(runs[i])[2]);
             }
         }},
        {"",
         [&] {
             for (std::size_t i = 0; i < n; ++i) {
                 uint pixels_set = 0;
                 double box[4];
                 rleArea(&rles.rles[i], 1, &pixels_set);
                 rleToBbox(&rles.rles[i], box, 1);
                 theirs[i] = pixels_set + box[2];
             }
         }},
    };
    for (const variant& each : variants) { // once, for strings that the next need, and to compare
        if (each.prepare) {
            each.prepare();
        }
        each.run();
        if (each.name.empty() && (&each - variants.data()) / 2 == 6) {
            bool same = true;
            for (std::size_t k = 0; k < ours.size(); ++k) { // theirs is column-major
                same = same && ours[k] == theirs[k % (n - half) * half + k / (n - half)];
            }
            check(same, "IoU");
        }
        if (each.name.empty() && (&each - variants.data()) / 2 == 3) {
            check(out.size() == n - 1, "union of two");
        }
        if (each.name.empty() && (&each - variants.data()) / 2 == 5) {
            rleMerge(rles.rles.data(), &merged, n, 0);
            check(same_runs(out, {merged}), "union of all");
            rleFree(&merged);
        }
        if (each.name.empty() && (&each - variants.data()) / 2 == 8) {
            check(same_runs(out, rles.rles) && same_runs(out, read_rles.rles), "strings");
        }
    }
    for (std::size_t i = 0; i < n; ++i) {
        check(std::string(chars[i].begin(), chars[i].end()) == texts[i], "strings");
    }
    for (std::size_t i = 0; i + 1 < n; ++i) {
        for (int all = 0; all < 2; ++all) {
            out.clear();
            rle_merge(out, runs[i], runs[i + 1], all == 1 ? rle_intersection : rle_union);
            rleMerge(rles.rles.data() + i, &merged, 2, all);
            check(same_runs(out, {merged}), "merge");
            rleFree(&merged);
        }
    }
    std::printf("%zu masks of %zux%zu, %s, %zu runs\n\n", n, mask_height, mask_width, name, runs.counts().size());
    std::printf("| | padbatch, ms | pycocotools' C, ms | ratio |\n|---|---|---|---|\n");
    print(run_rounds(variants, rounds));
}

/// Region masks to run lengths, beside pasting, transposing and encoding each mask.
void run_regions(const region_scene& scene, int rounds)
{
    const std::size_t n = scene.boxes.size();
    workspace space;
    run_lengths runs;
    coco_list rles(n);
    std::vector<std::uint8_t> mask(area);
    std::vector<std::uint8_t> column(area);
    const std::vector<variant> variants = {
        {"region masks (pycocotools: paste_masks of ours, transposed in blocks, encoded)",
         [&] {
             runs.clear();
             rle_encode_regions(runs, t::boxes(scene.boxes), t::masks(scene.regions, 1, region_cells, region_cells),
                                mask_height, mask_width, space);
         }},
        {"",
         [&] {
             for (std::size_t i = 0; i < n; ++i) {
                 paste_masks(
                     t::masks(mask, 1, mask_height, mask_width), t::boxes(std::span(&scene.boxes[i], 1)),
                     t::masks(std::span(&scene.regions[i * region_cells * region_cells], region_cells * region_cells),
                              1, region_cells, region_cells));
                 transpose(mask.data(), column.data());
                 rleEncode(&rles.rles[i], column.data(), mask_height, mask_width, 1);
             }
         },
         [&] { rles.clear(); }},
    };
    variants[0].run();
    variants[1].run();
    check(same_runs(runs, rles.rles), "region masks");
    print(run_rounds(variants, rounds));
    std::printf("\n");
}

} // namespace

int main(int argc, char** argv)
{
    const int rounds = argc > 1 ? std::atoi(argv[1]) : 15;
    const std::size_t n = argc > 2 ? static_cast<std::size_t>(std::atoi(argv[2])) : 50;
    if (rounds < 1 || n < 2) {
        std::fprintf(stderr, "rle_c [ROUNDS [MASKS]]: 1 or more rounds, 2 or more masks\n");
        return 2;
    }
    try {
        const region_scene scene(n);
        std::vector<std::uint8_t> full(n * area);
        paste_masks(t::masks(full, 1, mask_height, mask_width), t::boxes(scene.boxes),
                    t::masks(scene.regions, 1, region_cells, region_cells));
        run("of region masks", full, rounds);
        run_regions(scene, rounds);
        region_scene large(n);
        for (auto& box : large.boxes) {
            box = {0, 0, mask_width, mask_height};
        }
        paste_masks(t::masks(full, 1, mask_height, mask_width), t::boxes(large.boxes),
                    t::masks(large.regions, 1, region_cells, region_cells));
        run("objects as large as the image", full, rounds);
        run_regions(large, rounds);
        std::vector<std::uint8_t> noise(2 * area);
        std::mt19937 random(4); // NOLINT(cert-msc51-cpp,bugprone-random-generator-seed): the same on every run
        std::generate(noise.begin(), noise.end(), [&] { return random() % 2; });
        run("noise, every other pixel", noise, rounds);
        return 0;
    } catch (const std::exception& e) {
        std::fprintf(stderr, "rle_c: %s\n", e.what());
        return 1;
    }
}
