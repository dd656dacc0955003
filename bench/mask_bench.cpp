// SPDX-License-Identifier: Apache-2.0
// What it costs to turn masks into bits, bytes, boxes and areas, beside the time to read them, and to make the masks of
// a YOLO segmentation model from its prototypes, beside the time to clear the output. Masks of one 640x640 image.
//
//     mask_bench [--rounds N] [--masks N]
//
// Prints Markdown tables. All variants run in turn in one process, in an order that is shuffled in each round; ratios
// are medians of the ratios within a round. Before anything is timed, all results are compared with those of plain
// loops.

#include "rounds.hpp"
#include "streaming.hpp"

#include <padbatch/detection/mask_bits.hpp>
#include <padbatch/detection/mask_boxes.hpp>
#include <padbatch/detection/prototypes.hpp>

#include <CLI/CLI.hpp>

#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <span>
#include <stdexcept>

namespace {

using padbatch::bench::timing;
using padbatch::bench::variant;

constexpr std::size_t side = 640;
constexpr std::size_t area = side * side;
constexpr std::size_t cells = 160;
constexpr std::size_t count = 32;
using bytes = std::vector<std::uint8_t>;

/// The detections of one image: boxes of 20 to 400 pixels a side, all of them inside.
struct detections {
    std::vector<std::array<float, 4>> boxes;
    std::vector<float> coefficients;
    std::vector<float> prototypes;

    explicit detections(std::size_t n)
    {
        std::mt19937 random(1); // NOLINT(cert-msc51-cpp,bugprone-random-generator-seed): the same boxes on every run
        const auto number = [&](double low, double high) {
            return static_cast<float>(std::uniform_real_distribution<double>(low, high)(random));
        };
        for (std::size_t j = 0; j < n; ++j) {
            const float w = number(20, 400);
            const float h = number(20, 400);
            const float x = number(0, double{side} - double{w});
            const float y = number(0, double{side} - double{h});
            boxes.push_back({x, y, x + w, y + h});
        }
        for (std::size_t k = 0; k < n * count; ++k) {
            coefficients.push_back(number(-1, 1));
        }
        for (std::size_t k = 0; k < count * cells * cells; ++k) {
            prototypes.push_back(number(-1, 1));
        }
    }
};

void keep(const void* pointer)
{
    __asm__ volatile("" : : "r"(pointer) : "memory");
}

typedef long long word32 __attribute__((vector_size(32), aligned(4), may_alias));

/// Reads all bytes once, in the widest registers that all of padbatch uses.
#if defined(__x86_64__)
__attribute__((target("avx2")))
#endif
void read_limit(const void* data, std::size_t size)
{
    const word32* from = static_cast<const word32*>(data);
    word32 sums[4] = {};
    for (std::size_t k = 0; k + 4 <= size / sizeof(word32); k += 4) {
        sums[0] |= from[k];
        sums[1] |= from[k + 1];
        sums[2] |= from[k + 2];
        sums[3] |= from[k + 3];
    }
    keep(sums);
}

template <class T, class IsSet>
void plain_bits(std::span<const T> pixels, bytes& bits, const IsSet& is_set)
{
    for (std::size_t k = 0; k < bits.size(); ++k) {
        unsigned byte = 0;
        for (std::size_t i = 0; i < 8; ++i) {
            byte = byte << 1 | (is_set(pixels[k * 8 + i]) ? 1U : 0U);
        }
        bits[k] = static_cast<std::uint8_t>(byte);
    }
}

/// The formula as it reads: all sums, cut to the boxes; all pixels; which are above 0.
void plain_prototypes(const detections& image, bool native, bytes& full)
{
    std::vector<float> sums(cells * cells);
    std::vector<float> pixels(area);
    const auto place = [](std::size_t i, std::size_t& cell, std::size_t& next, float& weight) {
        const float at = std::max(0.25F * (static_cast<float>(i) + 0.5F) - 0.5F, 0.0F);
        cell = static_cast<std::size_t>(at);
        next = std::min(cell + 1, cells - 1);
        weight = at - static_cast<float>(cell);
    };
    for (std::size_t j = 0; j < image.boxes.size(); ++j) {
        std::fill(sums.begin(), sums.end(), 0.0F);
        for (std::size_t p = 0; p < count; ++p) {
            const float times = image.coefficients[j * count + p];
            for (std::size_t k = 0; k < sums.size(); ++k) {
                sums[k] += times * image.prototypes[p * sums.size() + k];
            }
        }
        const auto& b = image.boxes[j];
        const auto cut = [&](std::vector<float>& values, std::size_t width, float scale) {
            for (std::size_t k = 0; k < values.size(); ++k) {
                const auto x = static_cast<float>(k % width);
                const auto y = static_cast<float>(k / width);
                if (!(x >= b[0] * scale && x < b[2] * scale && y >= b[1] * scale && y < b[3] * scale)) {
                    values[k] = 0;
                }
            }
        };
        if (!native) {
            cut(sums, cells, 0.25F);
        }
        for (std::size_t y = 0; y < side; ++y) {
            std::size_t row = 0;
            std::size_t below = 0;
            float down = 0;
            place(y, row, below, down);
            for (std::size_t x = 0; x < side; ++x) {
                std::size_t cell = 0;
                std::size_t next = 0;
                float across = 0;
                place(x, cell, next, across);
                const auto line = [&](std::size_t r) {
                    return (1 - across) * sums[r * cells + cell] + across * sums[r * cells + next];
                };
                pixels[y * side + x] = (1 - down) * line(row) + down * line(below);
            }
        }
        if (native) {
            cut(pixels, side, 1);
        }
        for (std::size_t k = 0; k < area; ++k) {
            full[j * area + k] = pixels[k] > 0 ? 1 : 0;
        }
    }
}

void require_same(const char* name, const bytes& found, const bytes& expected)
{
    if (found != expected) {
        throw std::runtime_error(std::string(name) + ": the results differ");
    }
}

void run(const char* title, const std::vector<variant>& variants, int rounds)
{
    std::printf("%s\n\n| | ms | ratio to the first |\n|---|---|---|\n", title);
    for (const auto& t : padbatch::bench::run_rounds(variants, rounds)) {
        std::printf("| %s | %.2f | %.2f |\n", t.name.c_str(), t.seconds * 1e3, t.ratio);
    }
    std::printf("\n");
}

void run_all(std::size_t n, int rounds)
{
    using namespace padbatch;
    const detections image(n);
    std::mt19937 random(2); // NOLINT(cert-msc51-cpp,bugprone-random-generator-seed): the same masks on every run
    std::vector<float> floats(n * area);
    for (float& value : floats) {
        value = static_cast<float>(random() % 1024) / 1023;
    }
    bytes expected(n * area / 8);
    bytes bits(n * area / 8);
    bytes ones(n * area);
    bytes expected_ones(n * area);
    for (std::size_t k = 0; k < floats.size(); ++k) {
        expected_ones[k] = floats[k] >= 0.5F ? 1 : 0;
    }
    const std::span<const float> all(floats);
    const auto pack_floats = [&] { pack_masks(t::masks(bits, 1, side, side / 8), t::masks(all, 1, side, side)); };
    const auto pack_ones = [&] { pack_masks(t::masks(bits, 1, side, side / 8), t::masks(ones, 1, side, side)); };
    const auto to_ones = [&] { threshold_masks(t::masks(ones, 1, side, side), t::masks(all, 1, side, side)); };
    const auto unpack = [&] { unpack_masks(t::masks(ones, 1, side, side), t::masks(bits, 1, side, side / 8)); };
    const auto plain_floats = [&] { plain_bits(all, bits, [](float x) { return x >= 0.5F; }); };
    plain_floats();
    expected = bits;
    to_ones();
    require_same("threshold_masks", ones, expected_ones);
    std::fill(bits.begin(), bits.end(), std::uint8_t{0});
    pack_floats();
    require_same("pack_masks of floats", bits, expected);
    std::fill(bits.begin(), bits.end(), std::uint8_t{0});
    pack_ones();
    require_same("pack_masks of bytes", bits, expected);
    std::fill(ones.begin(), ones.end(), std::uint8_t{9});
    unpack();
    require_same("unpack_masks", ones, expected_ones);

    const auto read_floats = [&] { read_limit(floats.data(), floats.size() * sizeof(float)); };
    const auto read_ones = [&] { read_limit(ones.data(), ones.size()); };
    std::printf("%zu masks of %zux%zu\n\n", n, side, side);
    run("Float masks",
        {{"limit: read them", read_floats},
         {"to bits", pack_floats},
         {"to uint8", to_ones},
         {"to bits, plain loop", plain_floats},
         {"to uint8, plain loop",
          [&] {
              for (std::size_t k = 0; k < floats.size(); ++k) {
                  ones[k] = floats[k] >= 0.5F ? 1 : 0;
              }
              keep(ones.data());
          }}},
        rounds);

    std::vector<float> boxes(n * 4);
    std::vector<std::int32_t> areas(n);
    run("uint8 masks",
        {{"limit: read them", read_ones},
         {"to bits", pack_ones},
         {"from bits", unpack},
         {"areas", [&] { mask_areas(t::values(areas), t::masks(ones, 1, side, side)); }},
         {"boxes", [&] { mask_to_boxes(t::boxes(boxes), t::masks(ones, 1, side, side)); }},
         {"to bits, plain loop",
          [&] { plain_bits(std::span<const std::uint8_t>(ones), bits, [](std::uint8_t x) { return x != 0; }); }}},
        rounds);

    for (const bool native : {false, true}) {
        const auto make = [&] {
            const auto full = t::masks(ones, 1, side, side);
            const auto coefficients = t::mask_coefficients(image.coefficients, count);
            const auto prototypes = t::prototypes(image.prototypes, count, cells, cells);
            if (native) {
                prototype_masks_native(full, coefficients, prototypes, t::boxes(image.boxes));
            } else {
                prototype_masks(full, coefficients, prototypes, t::boxes(image.boxes));
            }
        };
        plain_prototypes(image, native, expected_ones);
        make();
        std::size_t wrong = 0; // pixels whose sums round to another side of 0 in the two orders of rounding
        for (std::size_t k = 0; k < ones.size(); ++k) {
            wrong += ones[k] != expected_ones[k] ? 1 : 0;
        }
        if (wrong > ones.size() / 1000000) {
            throw std::runtime_error("prototypes: " + std::to_string(wrong) + " pixels differ");
        }
        std::vector<variant> variants = {
            {"limit: clear the output",
             [&] {
                 std::memset(ones.data(), 0, ones.size());
                 keep(ones.data());
             }},
            {"padbatch", make},
        };
        if (padbatch::bench::streaming::available) {
            variants.insert(variants.begin() + 1, {"limit, with non-temporal stores", [&] {
                                                       padbatch::bench::streaming::clear(
                                                           reinterpret_cast<std::byte*>(ones.data()), ones.size());
                                                   }});
        }
        if (!native) {
            variants.push_back({"plain loop", [&] { plain_prototypes(image, native, expected_ones); }});
        }
        run(native ? "Masks of prototypes, resized and then cut (`prototype_masks_native`)"
                   : "Masks of prototypes, cut and then resized (`prototype_masks`)",
            variants, native ? rounds : std::min(rounds, 9));
    }
}

} // namespace

int main(int argc, char** argv)
{
    CLI::App app("What it costs to pack, measure and make masks.");
    int rounds = 15;
    std::size_t n = 100;
    app.add_option("--rounds", rounds, "Rounds of each table")->check(CLI::PositiveNumber);
    app.add_option("--masks", n, "Masks of the image")->check(CLI::PositiveNumber);
    CLI11_PARSE(app, argc, argv);
    try {
        run_all(n, rounds);
        return 0;
    } catch (const std::exception& e) {
        std::fprintf(stderr, "mask_bench: %s\n", e.what());
        return 1;
    }
}
