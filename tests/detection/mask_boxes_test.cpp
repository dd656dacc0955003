// SPDX-License-Identifier: Apache-2.0
#include <padbatch/detection/mask_bits.hpp>
#include <padbatch/detection/mask_boxes.hpp>
#include <padbatch/unpad.hpp>

#include <tests/support/check_status.hpp>
#include <tests/support/count_allocations.hpp>
#include <tests/support/guarded.hpp>
#include <tests/support/mask_values.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <random>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

using namespace padbatch;
using padbatch::test::check_error;
using padbatch::test::check_status;

namespace {

using box4 = std::array<float, 4>;

template <class T>
struct measured {
    box4 box{};
    std::int64_t area = 0;

    measured(std::span<const T> mask, std::size_t width)
    {
        for (std::size_t k = 0; k < mask.size(); ++k) {
            if (mask[k] != 0) {
                const auto x = static_cast<float>(k % width);
                const auto y = static_cast<float>(k / width);
                const box4 grown = {std::min(box[0], x), std::min(box[1], y), std::max(box[2], x), std::max(box[3], y)};
                box = area == 0 ? box4{x, y, x, y} : grown;
                ++area;
            }
        }
    }
};

/// Masks of every density, from empty to full, each with its set pixels in a random part.
template <class T>
std::vector<T> sparse_masks(std::mt19937& random, std::size_t n, std::size_t height, std::size_t width)
{
    const float nan = std::numeric_limits<float>::quiet_NaN();
    const T set[] = {static_cast<T>(1), static_cast<T>(255), static_cast<T>(std::is_same_v<T, float> ? nan : 128.0F),
                     std::is_same_v<T, float> ? static_cast<T>(1e-42F) : static_cast<T>(1)};
    std::vector<T> all(n * height * width);
    for (std::size_t j = 0; j < n; ++j) {
        const std::size_t pixels = std::array<std::size_t, 5>{0, 1, 2, 9, 400}[random() % 5];
        const std::size_t left = random() % width;
        const std::size_t top = random() % height;
        for (std::size_t k = 0; k < pixels; ++k) {
            const std::size_t x = left + random() % (width - left);
            const std::size_t y = top + random() % (height - top);
            all[(j * height + y) * width + x] = set[random() % 4];
        }
        if constexpr (std::is_same_v<T, float>) {
            for (std::size_t k = 0; k < 5; ++k) {
                float& pixel = all[j * height * width + random() % (height * width)];
                pixel = pixel == 0 ? -0.0F : pixel;
            }
        }
    }
    return all;
}

template <class T>
void check_measures(unsigned seed)
{
    std::mt19937 random(seed);
    for (std::size_t round = 0; round < 60; ++round) {
        const std::size_t n = random() % 5;
        const std::size_t height = 1 + random() % 40;
        const std::size_t width = 1 + random() % 150;
        const auto masks = sparse_masks<T>(random, n, height, width);
        guarded<float> boxes(n * 4);
        guarded<std::int64_t> areas(n);
        mask_to_boxes(t::boxes(boxes), t::masks(masks, 1, height, width));
        mask_areas(t::values(areas), t::masks(masks, 1, height, width));
        for (std::size_t j = 0; j < n; ++j) {
            const measured<T> expected(std::span<const T>(masks).subspan(j * height * width, height * width), width);
            CHECK(std::equal(expected.box.begin(), expected.box.end(), boxes.begin() + j * 4));
            CHECK(areas.data()[j] == expected.area);
        }
        CHECK(boxes.intact());
        CHECK(areas.intact());
    }
}

/// A padded batch of 2, 0 and 1 masks of 6 x 9, all of them ones, and boxes.
struct cut_batch {
    std::vector<std::int32_t> counts = {2, 0, 1};
    std::vector<std::uint8_t> pixels = std::vector<std::uint8_t>(6 * 54, 1);
    std::vector<box4> boxes = {{1, 2, 4, 5}, {-3, 0.5F, 2.5F, 99}, {9, 9, 9, 9},
                               {9, 9, 9, 9}, {5, 1, 3, 4},         {0, 0, 1, 1}};

    [[nodiscard]] auto view() { return padded_view(counts, 2, t::masks(pixels, 1, 6, 9), t::boxes(boxes)); }
    [[nodiscard]] std::vector<std::uint8_t> expected() const
    {
        auto all = pixels;
        for (const std::size_t j : {0U, 1U, 4U}) {
            for (std::size_t k = 0; k < 54; ++k) {
                const auto x = static_cast<float>(k % 9);
                const auto y = static_cast<float>(k / 9);
                const box4& b = boxes[j];
                all[j * 54 + k] = x >= b[0] && x < b[2] && y >= b[1] && y < b[3] ? 1 : 0;
            }
        }
        return all;
    }
};

} // namespace

TEST_CASE("boxes and areas of masks are those of a plain loop, in all types")
{
    check_measures<std::uint8_t>(1);
    check_measures<float>(2);
}

TEST_CASE("areas of large and full masks do not overflow the sums in between")
{
    const std::vector<std::uint8_t> full(3 * 300 * 301, 255);
    std::vector<std::int32_t> areas(3);
    mask_areas(t::values(areas), t::masks(full, 1, 300, 301));
    CHECK(areas == std::vector<std::int32_t>(3, 300 * 301));
    const std::vector<std::array<bool, 70>> rows(1000, std::array<bool, 70>{true, false, true});
    std::vector<float> as_floats(1);
    mask_areas(t::values(as_floats), t::masks(std::span(rows.front().data(), 70000), 1, 1000, 70));
    CHECK(as_floats[0] == 2000);
}

TEST_CASE("boxes of masks are those of torchvision, and areas those of PyTorch")
{
    const auto cases = padbatch::test::read_mask_values();
    REQUIRE(cases.size() == 4);
    for (const auto& values : cases) {
        std::vector<std::uint8_t> pixels(values.n * values.pixels());
        unpack_masks(t::masks(pixels, 1, values.image[0], values.image[1]),
                     t::masks(values.bits, 1, values.image[0], values.row_bytes()));
        std::vector<float> boxes(values.n * 4);
        std::vector<std::int32_t> areas(values.n);
        mask_to_boxes(t::boxes(boxes), t::masks(pixels, 1, values.image[0], values.image[1]));
        mask_areas(t::values(areas), t::masks(pixels, 1, values.image[0], values.image[1]));
        CHECK(boxes == values.mask_boxes);
        CHECK(areas == values.areas);
    }
}

TEST_CASE("batches of masks are measured: padded, with zeros behind the rows, and ragged")
{
    cut_batch batch;
    const auto view = batch.view();
    crop_masks(view);
    padded<boxes<>> tight;
    mask_to_boxes(tight, view);
    CHECK(tight.capacity() == 2);
    CHECK(tight[t::boxes](0, 0)[3] == 4);
    CHECK(std::vector<float>(tight[t::boxes](0, 1).begin(), tight[t::boxes](0, 1).end()) ==
          std::vector<float>{0, 1, 2, 5});
    CHECK(tight[t::boxes](1, 0)[2] == 0);
    CHECK(tight[t::boxes](2, 0)[2] == 0); // an empty mask

    guarded<float> memory(6 * 4);
    guarded<std::int32_t> counts(3);
    mask_to_boxes(padded_output(counts, 2, t::boxes(memory)), view, pad_values(t::boxes(-1)));
    CHECK(memory.data()[7] == 5);
    CHECK(memory.data()[8] == -1);

    ragged<field<t::values_t, std::int64_t>> areas;
    mask_areas(areas, view);
    CHECK(areas.size() == 3);
    CHECK(std::vector<std::int64_t>(areas[t::values].begin(), areas[t::values].end()) ==
          std::vector<std::int64_t>{9, 15, 0});
    const padbatch::test::allocation_counter counter;
    const status again = try_mask_areas(areas, view);
    const std::size_t allocations = counter.count();
    CHECK(again.ok());
    CHECK(allocations == 0);
}

TEST_CASE("masks are cut to their boxes in place, in rows and in batches of every kind")
{
    cut_batch batch;
    const auto expected = batch.expected();
    SUBCASE("a view: padding stays")
    {
        const auto view = batch.view();
        crop_masks(view);
        CHECK(batch.pixels == expected);
    }
    SUBCASE("a padded owner, by a loop of one's own")
    {
        auto owner = pad(batch.view());
        crop_masks(owner, parallel([](std::size_t n, const auto& body) {
                       while (n-- > 0) {
                           body(n);
                       }
                   }));
        CHECK(std::equal(expected.begin(), expected.begin() + 108, owner[t::masks].data()));
    }
    SUBCASE("a ragged owner")
    {
        ragged<masks<std::uint8_t>, boxes<>> owner;
        REQUIRE(try_unpad_into(owner, batch.view()).ok());
        crop_masks(owner);
        CHECK(std::equal(expected.begin(), expected.begin() + 108, owner[t::masks].data()));
        CHECK(std::equal(expected.begin() + 216, expected.begin() + 270, owner[t::masks].data() + 108));
    }
    SUBCASE("rows, with boxes that are none")
    {
        const float nan = std::numeric_limits<float>::quiet_NaN();
        const float inf = std::numeric_limits<float>::infinity();
        const std::vector<box4> boxes = {{nan, 0, 9, 6}, {0, 0, 9, nan},    {-inf, -inf, inf, inf},
                                         {4, 0, 4, 6},   {7, 0, 2, 6},      {0.1F, 0, 1.1F, 1},
                                         {-5, -5, 0, 0}, {1e30F, 0, inf, 6}};
        std::vector<float> pixels(boxes.size() * 54, inf);
        crop_masks(t::masks(pixels, 1, 6, 9), t::boxes(boxes));
        for (const std::size_t j : {0U, 1U, 3U, 4U, 6U, 7U}) {
            CHECK(std::count(pixels.begin() + static_cast<std::ptrdiff_t>(j * 54),
                             pixels.begin() + static_cast<std::ptrdiff_t>(j * 54 + 54), 0.0F) == 54);
        }
        CHECK(std::count(pixels.begin() + 108, pixels.begin() + 162, inf) == 54);
        CHECK(std::count(pixels.begin() + 270, pixels.begin() + 324, 0.0F) == 53);
        CHECK(pixels[271] == inf);
    }
}

TEST_CASE("masks that cannot be measured or cut are refused, and nothing is written")
{
    cut_batch batch;
    const auto before = batch.pixels;
    guarded<float> boxes(24);
    guarded<std::int32_t> counts(3);
    const auto output = padded_output(counts, 2, t::boxes(boxes));
    const padded_view channels(std::as_const(batch.counts), 2, t::masks(std::as_const(batch.pixels), 6, 1, 9));
    check_status(try_mask_to_boxes(output, channels), status_code::row_mismatch, {"image 0", "[6, 1, 9]"});
    check_status(try_mask_to_boxes(t::boxes(boxes.span().first(20)), t::masks(batch.pixels, 1, 6, 9)),
                 status_code::size_mismatch, {"boxes has 5 rows"});
    check_status(try_mask_to_boxes(t::boxes(boxes.span().first(18), 3), t::masks(batch.pixels, 1, 6, 9)),
                 status_code::row_mismatch);
    check_error([&] { mask_to_boxes(t::boxes(boxes.span().first(19)), t::masks(batch.pixels, 1, 6, 9)); },
                status_code::size_mismatch, {"19 values"});
    CHECK(boxes.untouched());
    CHECK(counts.untouched());

    const std::size_t side = (std::size_t{1} << 12) + 1;
    const float pixel = 0;
    const padded_view<masks<const float>> huge(
        unchecked, 1, 1, batch.counts.data() + 2, element_type::int32,
        {&pixel, row_extents<dynamic, dynamic, dynamic>(std::array<std::size_t, 3>{1, side, side})});
    padded<scores<>> float_areas;
    check_status(try_mask_areas(float_areas, huge), status_code::size_overflow, {"4097 x 4097", "int64"});

    check_status(try_crop_masks(t::masks(batch.pixels, 1, 6, 9), t::boxes(std::span(batch.boxes).first(5))),
                 status_code::field_mismatch, {"6 masks", "5 boxes"});
    check_status(try_crop_masks(t::masks(batch.pixels, 1, 5, 10), t::boxes(batch.boxes)), status_code::size_mismatch);
    check_status(try_crop_masks(padded_view(batch.counts, 2, t::masks(batch.pixels, 6, 1, 9), t::boxes(batch.boxes))),
                 status_code::row_mismatch, {"[6, 1, 9]"});
    CHECK(batch.pixels == before);
    std::vector<float> shared(54 + 3, 1.0F);
    check_status(try_crop_masks(t::masks(std::span(shared).first(54), 1, 6, 9), t::boxes(std::span(shared).last(4))),
                 status_code::overlap);
    check_error(
        [&] { crop_masks(t::masks(std::span(shared).first(54), 1, 6, 9), t::boxes(std::span(shared).last(4))); },
        status_code::overlap);
    CHECK(shared == std::vector<float>(57, 1.0F));
}
