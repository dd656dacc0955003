// SPDX-License-Identifier: Apache-2.0
#include <padbatch/detection/masks.hpp>

#include <tests/support/guarded.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <limits>
#include <random>
#include <span>
#include <string>
#include <vector>

using namespace padbatch;

namespace {

using floats = std::vector<float>;
using bytes = std::vector<std::uint8_t>;
using box = std::array<float, 4>;

struct size_2d {
    std::size_t height;
    std::size_t width;
    [[nodiscard]] std::size_t area() const { return height * width; }
};

/// One axis of torchvision's formula as it reads: the first pixel of the resized mask, and how many it has.
struct twin_axis {
    long long first;
    long long size;

    twin_axis(float low, float high, float growth)
    {
        float half = (high - low) * 0.5F;
        const float centre = (high + low) * 0.5F;
        half *= growth;
        const float from = centre - half;
        const float to = centre + half;
        first = static_cast<long long>(from);
        size = std::max(static_cast<long long>(to) - first + 1, 0LL);
    }

    /// Where pixel `at` of the image lies in `cells` cells, as `interpolate(align_corners=False)` has it.
    [[nodiscard]] double place(long long at, long long cells) const
    {
        const float scale = static_cast<float>(cells) / static_cast<float>(size);
        return std::max(double{scale} * (static_cast<double>(at - first) + 0.5) - 0.5, 0.0);
    }
    [[nodiscard]] bool covers(long long at) const { return at >= first && at < first + size; }
};

/// One full mask by a plain loop over all pixels of the image. Sums are doubles: what padbatch computes with floats
/// differs by the rounding of three of these, of numbers up to 1: less than 3e-7.
constexpr double twin_tolerance = 3e-7;
std::vector<double> twin_mask(std::span<const float> region, size_2d cells, const box& b, size_2d image)
{
    const float growth = static_cast<float>(cells.width + 2) / static_cast<float>(cells.width);
    const twin_axis x_axis(b[0], b[2], growth);
    const twin_axis y_axis(b[1], b[3], growth);
    const auto h = static_cast<long long>(cells.height) + 2;
    const auto w = static_cast<long long>(cells.width) + 2;
    std::vector<double> bordered(static_cast<std::size_t>(h * w));
    for (std::size_t r = 0; r < cells.height; ++r) {
        for (std::size_t c = 0; c < cells.width; ++c) {
            bordered[(r + 1) * (cells.width + 2) + c + 1] = double{region[r * cells.width + c]};
        }
    }
    std::vector<double> full(image.area());
    for (long long y = 0; y < static_cast<long long>(image.height); ++y) {
        for (long long x = 0; x < static_cast<long long>(image.width); ++x) {
            if (!x_axis.covers(x) || !y_axis.covers(y)) {
                continue;
            }
            const double px = x_axis.place(x, w);
            const double py = y_axis.place(y, h);
            const auto c0 = std::min(static_cast<long long>(px), w - 1);
            const auto r0 = std::min(static_cast<long long>(py), h - 1);
            const double fx = std::clamp(px - static_cast<double>(c0), 0.0, 1.0);
            const double fy = std::clamp(py - static_cast<double>(r0), 0.0, 1.0);
            const auto cell = [&](long long r, long long c) {
                return bordered[static_cast<std::size_t>(std::min(r, h - 1) * w + std::min(c, w - 1))];
            };
            full[static_cast<std::size_t>(y) * image.width + static_cast<std::size_t>(x)] =
                (1 - fy) * ((1 - fx) * cell(r0, c0) + fx * cell(r0, c0 + 1)) +
                fy * ((1 - fx) * cell(r0 + 1, c0) + fx * cell(r0 + 1, c0 + 1));
        }
    }
    return full;
}

floats random_floats(std::mt19937& random, std::size_t n, float low = 0, float high = 1)
{
    std::uniform_real_distribution<float> number(low, high);
    floats values(n);
    std::generate(values.begin(), values.end(), [&] { return number(random); });
    return values;
}

/// Boxes of every kind: inside, across borders, outside, of no size, the wrong way round, far larger than the image.
box random_box(std::mt19937& random, size_2d image)
{
    const auto w = static_cast<float>(image.width);
    const auto h = static_cast<float>(image.height);
    const auto number = [&](float low, float high) { return random_floats(random, 1, low, high)[0]; };
    const float x = number(0, w);
    const float y = number(0, h);
    switch (random() % 7) {
    case 0: return {x, y, number(x, w), number(y, h)};
    case 1: return {x - w / 2, y - h / 2, x + w / 2, y + h / 2};
    case 2: return {x + w + 2, y, x + 2 * w + 2, y + h};
    case 3: return {x, y, x, y};
    case 4: return {x, y, x - number(0, 3), y - number(0, 3)};
    case 5: return {x - 1000 * w, y - 50000, x + 500 * w, y + 80000};
    default: return {x, y, x + number(0, 4), y + number(0, 4)};
    }
}

/// What one call makes of n boxes and regions, in memory between guard bytes.
template <class T, class... Options>
std::vector<T> pasted(const std::vector<box>& boxes, const floats& regions, size_2d cells, size_2d image,
                      std::size_t shift, const Options&... options)
{
    guarded<T> full(boxes.size() * image.area(), shift);
    paste_masks(t::masks(full, 1, image.height, image.width), t::boxes(boxes),
                t::masks(regions, 1, cells.height, cells.width), options...);
    CHECK(full.intact());
    return std::vector<T>(full.begin(), full.end());
}

std::vector<std::uint8_t> as_bytes(const std::vector<bool>& from)
{
    return {from.begin(), from.end()};
}

} // namespace

TEST_CASE("full masks are those of a plain loop, whatever the boxes, in all three types")
{
    const size_2d cell_sizes[] = {{28, 28}, {1, 1}, {14, 14}, {7, 40}, {3, 1300}};
    const size_2d images[] = {{50, 70}, {33, 1100}, {1, 1}, {120, 5}};
    std::mt19937 random(7);
    std::size_t pixels = 0;
    std::size_t undecided = 0;
    for (const auto cells : cell_sizes) {
        for (const auto image : images) {
            CAPTURE(cells.width);
            CAPTURE(image.width);
            const std::size_t n = 21;
            std::vector<box> boxes(n);
            std::generate(boxes.begin(), boxes.end(), [&] { return random_box(random, image); });
            const floats regions = random_floats(random, n * cells.area());
            const auto full = pasted<float>(boxes, regions, cells, image, random() % 2 * 4);
            const auto whether = pasted<std::uint8_t>(boxes, regions, cells, image, random() % 5);
            const auto bools = pasted<bool>(boxes, regions, cells, image, random() % 5, mask_threshold(0.5F));
            const auto lower = pasted<std::uint8_t>(boxes, regions, cells, image, 1, mask_threshold(0.25F));
            double worst = 0;
            std::size_t wrong = 0;
            for (std::size_t j = 0; j < n; ++j) {
                const auto expected =
                    twin_mask(std::span(regions).subspan(j * cells.area(), cells.area()), cells, boxes[j], image);
                for (std::size_t k = 0; k < image.area(); ++k) {
                    const std::size_t at = j * image.area() + k;
                    worst = std::max(worst, std::abs(double{full[at]} - expected[k]));
                    // The float says it exactly; the plain loop, where it is not nearer than it is precise.
                    wrong += whether[at] != (full[at] >= 0.5F ? 1 : 0) ? 1 : 0;
                    wrong += lower[at] != (full[at] >= 0.25F ? 1 : 0) ? 1 : 0;
                    const bool decided = std::abs(expected[k] - 0.5) > twin_tolerance;
                    wrong += decided && whether[at] != (expected[k] >= 0.5 ? 1 : 0) ? 1 : 0;
                    undecided += decided ? 0 : 1;
                    pixels += expected[k] > 0 ? 1 : 0;
                }
            }
            CHECK(worst < twin_tolerance);
            CHECK(wrong == 0);
            CHECK(as_bytes(bools) == whether);
        }
    }
    CHECK(pixels > 100000);
    CHECK(undecided < 5);
}

TEST_CASE("full masks are those of torchvision")
{
    // tests/data/make_pasted_masks.py made the file, and saw to it that no value is nearer than 2e-6 to the threshold.
    // All its numbers are four bytes, the lowest first.
    std::ifstream file(std::string(PADBATCH_TESTS_DATA) + "/pasted_masks.bin", std::ios::binary);
    const auto read = [&](auto& values) {
        auto* const bytes = reinterpret_cast<char*>(values.data());
        const std::size_t size = values.size() * sizeof(values[0]);
        file.read(bytes, static_cast<std::streamsize>(size));
        for (std::size_t k = 0; std::endian::native == std::endian::big && k < size; k += 4) {
            std::reverse(bytes + k, bytes + k + 4);
        }
        return static_cast<bool>(file);
    };
    std::size_t cases = 0;
    for (std::array<std::int32_t, 5> numbers{}; read(numbers);) {
        const auto n = static_cast<std::size_t>(numbers[0]);
        const size_2d cells{static_cast<std::size_t>(numbers[1]), static_cast<std::size_t>(numbers[2])};
        const size_2d image{static_cast<std::size_t>(numbers[3]), static_cast<std::size_t>(numbers[4])};
        std::vector<box> boxes(n);
        floats regions(n * cells.area());
        floats expected(n * image.area());
        REQUIRE(read(boxes));
        REQUIRE(read(regions));
        REQUIRE(read(expected));
        const auto full = pasted<float>(boxes, regions, cells, image, 0);
        const auto whether = pasted<std::uint8_t>(boxes, regions, cells, image, 0);
        float worst = 0;
        std::size_t wrong = 0;
        std::size_t ones = 0;
        for (std::size_t k = 0; k < expected.size(); ++k) {
            worst = std::max(worst, std::abs(full[k] - expected[k]));
            wrong += whether[k] != (expected[k] >= 0.5F ? 1 : 0) ? 1 : 0;
            ones += whether[k];
        }
        CAPTURE(cases);
        CHECK(worst <= 1.5e-6F);
        CHECK(wrong == 0);
        CHECK(ones > 100);
        ++cases;
    }
    CHECK(cases == 2);
}

TEST_CASE("a box without a pixel in the image gives an empty mask, whatever its numbers")
{
    const float nan = std::numeric_limits<float>::quiet_NaN();
    const float inf = std::numeric_limits<float>::infinity();
    const float most = std::numeric_limits<float>::max();
    const float far = 1.2e9F;
    const std::vector<box> boxes = {
        {-30, 2, -5, 9},
        {40, 2, 60, 9},
        {2, -30, 9, -5},
        {2, 40, 9, 60}, // outside
        {9, 2, 5, 9},
        {2, 9, 9, 5}, // wrong way round
        {nan, 2, 9, 9},
        {2, nan, 9, 9},
        {2, 2, nan, 9},
        {2, 2, 9, nan},
        {-inf, 2, 9, 9},
        {2, 2, inf, 9},
        {2, -inf, 9, inf},
        {-inf, -inf, inf, inf},
        {-most, -most, most, most},
        {most, 2, most, 9},
        {2, 2, 9, most},
        {-far, 2, far, 9},
        {2, -far, 9, 9},
        {1e19F, 1e19F, 1e20F, 1e20F},
    };
    const size_2d image{20, 30};
    const floats regions(boxes.size() * 784, 1.0F);
    CHECK(pasted<float>(boxes, regions, {28, 28}, image, 0) == floats(boxes.size() * image.area()));
    CHECK(pasted<std::uint8_t>(boxes, regions, {28, 28}, image, 3) == bytes(boxes.size() * image.area()));

    // The farthest boxes that count, and the nearest that do not.
    const float near = 0x1p29F;
    const std::vector<box> edge = {{-near, -near, near, near}, {2, 2, 3, 0x1p30F}, {-0.9F, -0.9F, -0.1F, -0.1F}};
    const auto whether = pasted<std::uint8_t>(edge, floats(edge.size(), 1.0F), {1, 1}, image, 0);
    CHECK(std::count(whether.begin(), whether.end(), 1) == 0); // three times as wide as their mask: beyond
    const auto wide = pasted<std::uint8_t>(edge, floats(edge.size() * 784, 1.0F), {28, 28}, image, 0);
    const auto area = static_cast<std::ptrdiff_t>(image.area());
    CHECK(std::count(wide.begin(), wide.begin() + area, 1) == area);
    CHECK(std::count(wide.begin() + area, wide.begin() + 2 * area, 1) == 0);
    CHECK(std::count(wide.begin() + 2 * area, wide.end(), 1) == 1); // (-1, 0) becomes pixel 0, toward zero
}

TEST_CASE("a pixel that is just at the threshold belongs to the object")
{
    const std::vector<box> boxes = {{20, 10, 47.2F, 37.2F}}; // grown, 30 pixels wide: the mask is not resized
    const auto pixels = pasted<std::uint8_t>(boxes, floats(784, 0.5F), {28, 28}, {60, 70}, 0);
    CHECK(std::count(pixels.begin(), pixels.end(), 1) == 784);
    const auto quarter = pasted<bool>(boxes, floats(784, 0.25F), {28, 28}, {60, 70}, 0, mask_threshold(0.25F));
    CHECK(as_bytes(quarter) == pixels);
}

TEST_CASE("masks that are not numbers stay so, and are no part of an object")
{
    const float nan = std::numeric_limits<float>::quiet_NaN();
    const std::vector<box> boxes = {{2, 2, 9, 9}};
    const auto full = pasted<float>(boxes, floats(784, nan), {28, 28}, {12, 12}, 0);
    CHECK(std::isnan(full[5 * 12 + 5]));
    CHECK(full[0] == 0);
    CHECK(pasted<bool>(boxes, floats(784, nan), {28, 28}, {12, 12}, 0) == std::vector<bool>(144));
}

TEST_CASE("masks that are large together are written past the caches, and are the same")
{
    const size_2d image{1024, 2051}; // 16 of these are just above 32 MB
    const std::size_t n = 16;
    std::mt19937 random(9);
    const floats regions = random_floats(random, n * 784);
    std::vector<box> boxes;
    for (std::size_t j = 0; j < n; ++j) {
        boxes.push_back(random_box(random, image));
    }
    static_assert(16 * 1024 * 2051 >= detail::stream_total);
    const auto together = pasted<std::uint8_t>(boxes, regions, {28, 28}, image, 1);
    bool same = true;
    for (std::size_t j = 0; j < n; ++j) {
        const auto alone = pasted<std::uint8_t>({boxes[j]},
                                                {regions.begin() + static_cast<std::ptrdiff_t>(j * 784),
                                                 regions.begin() + static_cast<std::ptrdiff_t>(j * 784 + 784)},
                                                {28, 28}, image, 0);
        same = same &&
               std::equal(alone.begin(), alone.end(), together.begin() + static_cast<std::ptrdiff_t>(j * image.area()));
    }
    CHECK(same);
    CHECK(std::count(together.begin(), together.end(), 1) > 1000);
}
