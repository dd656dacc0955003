// SPDX-License-Identifier: Apache-2.0
#include <padbatch/detection/mask_bits.hpp>
#include <padbatch/detection/prototypes.hpp>

#include <tests/support/check_status.hpp>
#include <tests/support/count_allocations.hpp>
#include <tests/support/guarded.hpp>
#include <tests/support/mask_values.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <span>
#include <utility>
#include <vector>

using namespace padbatch;
using padbatch::test::check_error;
using padbatch::test::check_status;

namespace {

struct plane_size {
    std::size_t height;
    std::size_t width;
    [[nodiscard]] std::size_t area() const { return height * width; }
};

/// The detections of one image.
struct segments {
    std::size_t n = 0;
    std::size_t count = 0; // of prototypes
    plane_size cells{};
    plane_size image{};
    std::vector<float> boxes;
    std::vector<float> coefficients;
    std::vector<float> prototypes;
};

template <class T>
std::vector<T> prototype_pixels(const segments& from, bool native, std::size_t shift = 0)
{
    guarded<T> full(from.n * from.image.area(), shift);
    const auto to = t::masks(full, 1, from.image.height, from.image.width);
    const auto coefficients = t::mask_coefficients(from.coefficients, from.count);
    const auto prototypes = t::prototypes(from.prototypes, from.count, from.cells.height, from.cells.width);
    if (native) {
        prototype_masks_native(to, coefficients, prototypes, t::boxes(from.boxes));
    } else {
        prototype_masks(to, coefficients, prototypes, t::boxes(from.boxes));
    }
    CHECK(full.intact());
    return std::vector<T>(full.begin(), full.end());
}

/// Where pixels lie among cells, as PyTorch's floats have it; volatile, so that nothing is fused.
struct plain_place {
    std::size_t cell;
    std::size_t next;
    double weight;

    plain_place(std::size_t pixel, std::size_t cells, std::size_t pixels)
    {
        const float scale = static_cast<float>(cells) / static_cast<float>(pixels);
        volatile float along = scale * (static_cast<float>(pixel) + 0.5F);
        const float at = std::max(along - 0.5F, 0.0F);
        cell = std::min(static_cast<std::size_t>(at), cells - 1);
        next = std::min(cell + 1, cells - 1);
        weight = std::min(static_cast<double>(at) - static_cast<double>(cell), 1.0);
    }
};

/// Both orders, pixel by pixel over the whole image, summed in doubles. What padbatch sums in floats differs by the
/// rounding of `count` products and sums of numbers up to 1 and of the three of the resizing: less than
/// (2 * count + 9) * 2^-24 * count, which for 8 is 1.2e-5; random signs leave a tenth of it.
std::vector<double> plain_masks(const segments& from, bool native)
{
    double gain = std::min(static_cast<double>(from.cells.height) / static_cast<double>(from.image.height),
                           static_cast<double>(from.cells.width) / static_cast<double>(from.image.width));
    std::size_t top = 0;
    std::size_t left = 0;
    plane_size window = from.cells;
    if (native) {
        volatile double down = static_cast<double>(from.image.height) * gain;
        volatile double across = static_cast<double>(from.image.width) * gain;
        const double pad_y = std::max((static_cast<double>(from.cells.height) - down) / 2, 0.0);
        const double pad_x = std::max((static_cast<double>(from.cells.width) - across) / 2, 0.0);
        top = static_cast<std::size_t>(pad_y);
        left = static_cast<std::size_t>(pad_x);
        window.height = static_cast<std::size_t>(static_cast<double>(from.cells.height) - pad_y) - top;
        window.width = static_cast<std::size_t>(static_cast<double>(from.cells.width) - pad_x) - left;
    }
    const float ratio_x =
        static_cast<float>(static_cast<double>(from.cells.width) / static_cast<double>(from.image.width));
    const float ratio_y =
        static_cast<float>(static_cast<double>(from.cells.height) / static_cast<double>(from.image.height));
    std::vector<double> all(from.n * from.image.area());
    for (std::size_t j = 0; j < from.n; ++j) {
        const float* const b = from.boxes.data() + j * 4;
        const auto inside = [&](std::size_t x, std::size_t y, float sx, float sy) {
            return static_cast<float>(x) >= b[0] * sx && static_cast<float>(x) < b[2] * sx &&
                   static_cast<float>(y) >= b[1] * sy && static_cast<float>(y) < b[3] * sy;
        };
        std::vector<double> cells(window.area());
        for (std::size_t k = 0; k < cells.size(); ++k) {
            const std::size_t x = k % window.width;
            const std::size_t y = k / window.width;
            for (std::size_t p = 0; p < from.count && (native || inside(x, y, ratio_x, ratio_y)); ++p) {
                cells[k] += double{from.coefficients[j * from.count + p]} *
                            double{from.prototypes[(p * from.cells.height + top + y) * from.cells.width + left + x]};
            }
        }
        for (std::size_t y = 0; y < from.image.height; ++y) {
            for (std::size_t x = 0; x < from.image.width; ++x) {
                if (native && !inside(x, y, 1, 1)) {
                    continue;
                }
                const plain_place px(x, window.width, from.image.width);
                const plain_place py(y, window.height, from.image.height);
                const auto line = [&](std::size_t row) {
                    return (1 - px.weight) * cells[row * window.width + px.cell] +
                           px.weight * cells[row * window.width + px.next];
                };
                all[j * from.image.area() + y * from.image.width + x] =
                    (1 - py.weight) * line(py.cell) + py.weight * line(py.next);
            }
        }
    }
    return all;
}

segments random_segments(std::mt19937& random, std::size_t n, std::size_t count, plane_size cells, plane_size image)
{
    segments made{n, count, cells, image, {}, {}, {}};
    const auto number = [&](float low, float high) { return std::uniform_real_distribution<float>(low, high)(random); };
    const auto w = static_cast<float>(image.width);
    const auto h = static_cast<float>(image.height);
    for (std::size_t j = 0; j < n; ++j) {
        const float x = number(-w / 4, w);
        const float y = number(-h / 4, h);
        switch (random() % 5) {
        case 0: made.boxes.insert(made.boxes.end(), {x, y, x - 2, y + h}); break;
        case 1: made.boxes.insert(made.boxes.end(), {-w, -h, 2 * w, 2 * h}); break;
        case 2:
            made.boxes.insert(made.boxes.end(), {std::floor(x), std::floor(y), std::floor(x) + 4, std::floor(y) + 8});
            break;
        default: made.boxes.insert(made.boxes.end(), {x, y, x + number(0, w), y + number(0, h)}); break;
        }
    }
    for (std::size_t k = 0; k < n * count; ++k) {
        made.coefficients.push_back(number(-1, 1));
    }
    for (std::size_t k = 0; k < count * cells.area(); ++k) {
        made.prototypes.push_back(number(-1, 1));
    }
    return made;
}

/// Three images of 2, 0 and 1 detections, with one of them in the memory of the prototypes' batch each.
struct segment_batch {
    std::vector<std::int32_t> counts = {2, 0, 1};
    segments all; // [3 * 2] detections, of which the batch takes those that count
    std::vector<float> prototypes;

    segment_batch()
    {
        std::mt19937 random(21);
        all = random_segments(random, 6, 3, {6, 8}, {24, 32});
        all.boxes.assign(all.boxes.size(), 0);
        for (std::size_t j = 0; j < 6; ++j) {
            const auto first = static_cast<float>(j);
            const float corners[] = {first, first + 1, first + 17, first + 13};
            std::copy(corners, corners + 4, all.boxes.begin() + static_cast<std::ptrdiff_t>(j * 4));
        }
        prototypes = random_segments(random, 0, 9, {6, 8}, {24, 32}).prototypes;
    }
    [[nodiscard]] auto view() const
    {
        return padded_view(counts, 2, t::boxes(all.boxes), t::mask_coefficients(all.coefficients, 3));
    }
    [[nodiscard]] auto planes() const { return t::prototypes(prototypes, 3, 6, 8); }
    /// The masks of image i, by the form for one image.
    template <class T>
    [[nodiscard]] std::vector<T> masks_of(std::size_t i, bool native) const
    {
        const auto n = static_cast<std::size_t>(counts[i]);
        const auto part = [](const std::vector<float>& from, std::size_t first, std::size_t size) {
            const auto begin = from.begin() + static_cast<std::ptrdiff_t>(first);
            return std::vector<float>(begin, begin + static_cast<std::ptrdiff_t>(size));
        };
        const segments one{n,
                           3,
                           {6, 8},
                           {24, 32},
                           part(all.boxes, i * 8, n * 4),
                           part(all.coefficients, i * 6, n * 3),
                           part(prototypes, i * 144, 144)};
        return prototype_pixels<T>(one, native);
    }
};

} // namespace

TEST_CASE("masks of prototypes are those of a plain loop, in both orders and all types")
{
    // Images that are larger and smaller than the prototypes, letterboxed either way, wider than a piece of columns.
    const std::array<plane_size, 2> sizes[] = {{{{16, 16}, {64, 64}}},  {{{12, 9}, {31, 25}}}, {{{20, 20}, {20, 20}}},
                                               {{{40, 30}, {17, 11}}},  {{{2, 2}, {5, 7}}},    {{{10, 40}, {9, 1100}}},
                                               {{{3, 1200}, {4, 300}}}, {{{16, 16}, {64, 36}}}};
    std::mt19937 random(5);
    std::size_t set = 0;
    for (const auto& size : sizes) {
        for (const bool native : {false, true}) {
            CAPTURE(size[1].width);
            CAPTURE(native);
            const segments made = random_segments(random, 9, 8, size[0], size[1]);
            const auto expected = plain_masks(made, native);
            const auto sums = prototype_pixels<float>(made, native, random() % 2 * 4);
            const auto pixels = prototype_pixels<std::uint8_t>(made, native, random() % 5);
            const auto bools = prototype_pixels<bool>(made, native, random() % 5);
            double worst = 0;
            std::size_t wrong = 0;
            for (std::size_t k = 0; k < expected.size(); ++k) {
                worst = std::max(worst, std::abs(double{sums[k]} - expected[k]));
                wrong += pixels[k] != (sums[k] > 0 ? 1 : 0) || bools[k] != (pixels[k] != 0) ? 1 : 0;
                set += pixels[k];
            }
            CHECK(worst < 1.5e-6);
            CHECK(wrong == 0);
        }
    }
    CHECK(set > 10000);
}

TEST_CASE("masks of prototypes are those of Ultralytics")
{
    const auto cases = padbatch::test::read_mask_values();
    REQUIRE(cases.size() == 4);
    for (const auto& values : cases) {
        CAPTURE(values.native);
        CAPTURE(values.image[0]);
        const segments made{values.n,
                            values.prototypes_each,
                            {values.cells[0], values.cells[1]},
                            {values.image[0], values.image[1]},
                            values.boxes,
                            values.coefficients,
                            values.prototypes};
        const auto pixels = prototype_pixels<std::uint8_t>(made, values.native);
        std::vector<std::uint8_t> bits(values.bits.size());
        pack_masks(t::masks(bits, 1, values.image[0], values.row_bytes()),
                   t::masks(pixels, 1, values.image[0], values.image[1]));
        CHECK(bits == values.bits); // no sum is nearer to the threshold than 1e-5
        if (!values.sums.empty()) {
            const auto sums = prototype_pixels<float>(made, values.native);
            float worst = 0;
            for (std::size_t k = 0; k < sums.size(); ++k) {
                worst = std::max(worst, std::abs(sums[k] - values.sums[k]));
            }
            CHECK(worst <= 2e-6F);
        }
    }
}

TEST_CASE("a box that is none gives an empty mask, and what is outside a box is 0 whatever the prototypes are")
{
    const float nan = std::numeric_limits<float>::quiet_NaN();
    const float inf = std::numeric_limits<float>::infinity();
    const std::vector<std::array<float, 4>> boxes = {
        {nan, 0, 9, 9}, {0, nan, 9, 9}, {0, 0, nan, 9},   {0, 0, 9, nan},     {9, 0, 4, 9},          {4, 4, 4, 9},
        {-9, 0, -1, 9}, {40, 0, 99, 9}, {inf, 0, inf, 9}, {-inf, 0, -inf, 9}, {inf, inf, -inf, -inf}};
    const std::vector<float> ones(boxes.size() + 16, 1.0F);
    for (const bool native : {false, true}) {
        segments made{boxes.size(), 1, {4, 4}, {16, 16}, {}, {}, {}};
        for (const auto& box : boxes) {
            made.boxes.insert(made.boxes.end(), box.begin(), box.end());
        }
        made.coefficients.assign(boxes.size(), 1);
        made.prototypes.assign(16, 1);
        CHECK(prototype_pixels<float>(made, native) == std::vector<float>(boxes.size() * 256));

        made = {3, 1, {4, 4}, {16, 16}, {-inf, -inf, inf, inf, 0, 0, 8, 16, -99, -99, 99, 99}, {1, 1, -1}, {}};
        made.prototypes.assign(16, 1);
        made.prototypes[3] = nan; // the last cell of the first row
        const auto sums = prototype_pixels<float>(made, native);
        CHECK(std::isnan(sums[15]));
        CHECK(sums[256 + 15] == 0);
        const auto pixels = prototype_pixels<std::uint8_t>(made, native);
        CHECK(pixels[15] == 0);
        CHECK(pixels[0] == 1);
        CHECK(std::count(pixels.begin() + 512, pixels.end(), 1) == 0);
    }
}

TEST_CASE("batches of masks are made of prototypes: padded views and owners, and ragged ones")
{
    const segment_batch batch;
    const std::size_t area = 24 * 32;
    for (const bool native : {false, true}) {
        const auto first = batch.masks_of<std::uint8_t>(0, native);
        const auto last = batch.masks_of<std::uint8_t>(2, native);
        const auto make = [&](auto&& full, auto&&... options) {
            return native ? try_prototype_masks_native(full, batch.view(), batch.planes(), options...)
                          : try_prototype_masks(full, batch.view(), batch.planes(), options...);
        };
        guarded<std::uint8_t> memory(9 * area);
        guarded<float> counts(3);
        const auto view = padded_output(counts, 3, t::masks(memory, 1, 24, 32));
        REQUIRE(make(view).ok());
        CHECK(std::equal(first.begin(), first.end(), memory.begin()));
        CHECK(std::equal(last.begin(), last.end(), memory.begin() + 6 * area));
        CHECK(std::count(memory.begin() + 2 * area, memory.begin() + 6 * area, 0) ==
              static_cast<std::ptrdiff_t>(4 * area));
        CHECK(std::count(memory.begin() + 7 * area, memory.end(), 0) == static_cast<std::ptrdiff_t>(2 * area));
        CHECK(counts.data()[0] == 2);
        CHECK(memory.intact());

        padded<masks<std::uint8_t>> owner(3, 1, t::masks.shape(1, 24, 32));
        check_status(make(owner), status_code::too_many_rows);
        pad_result result;
        workspace space;
        REQUIRE(make(owner, overflow::truncate, result, space, padding::reuse).ok());
        CHECK(result.dropped(0) == 1);
        CHECK(std::equal(first.begin(), first.begin() + static_cast<std::ptrdiff_t>(area), owner[t::masks].begin()));
        const padbatch::test::allocation_counter counter;
        const status outcome = make(owner, overflow::truncate, result, space, padding::reuse);
        const std::size_t allocations = counter.count();
        CHECK(outcome.ok());
        CHECK(allocations == 0);

        ragged<masks<std::uint8_t>> rows(t::masks.shape(1, 24, 32));
        REQUIRE(make(rows, parallel([](std::size_t n, const auto& body) {
                         while (n-- > 0) {
                             body(n);
                         }
                     }))
                    .ok());
        CHECK(rows.size() == 3);
        CHECK(std::equal(first.begin(), first.end(), rows[t::masks].data()));
        CHECK(std::equal(last.begin(), last.end(), rows[t::masks].data() + 2 * area));
    }
}

TEST_CASE("masks that are large together are cleared past the caches, and are the same")
{
    std::mt19937 random(8);
    const plane_size image{1024, 2051};
    const std::size_t n = detail::stream_total / image.area() + 1;
    const segments made = random_segments(random, n, 2, {64, 128}, image);
    const auto together = prototype_pixels<std::uint8_t>(made, false, 1);
    for (std::size_t j = 0; j < n; ++j) {
        segments one = made;
        one.n = 1;
        one.boxes.assign(made.boxes.begin() + static_cast<std::ptrdiff_t>(j * 4),
                         made.boxes.begin() + static_cast<std::ptrdiff_t>(j * 4 + 4));
        one.coefficients = {made.coefficients[j * 2], made.coefficients[j * 2 + 1]};
        const auto alone = prototype_pixels<std::uint8_t>(one, false);
        CHECK(std::equal(alone.begin(), alone.end(), together.begin() + static_cast<std::ptrdiff_t>(j * image.area())));
    }
}

TEST_CASE("detections and prototypes that do not go together are refused, and nothing is written")
{
    const segment_batch batch;
    const auto view = batch.view();
    guarded<std::uint8_t> memory(6 * 24 * 32);
    guarded<std::int32_t> counts(3);
    const auto output = padded_output(counts, 2, t::masks(memory, 1, 24, 32));
    const auto refused = [&](const status& outcome, status_code code, std::initializer_list<const char*> texts) {
        check_status(outcome, code, texts);
        CHECK(memory.untouched());
        CHECK(counts.untouched());
    };
    const std::span<const float> planes(batch.prototypes);
    refused(try_prototype_masks(output, view, t::prototypes(planes.first(288), 3, 6, 8)), status_code::batch_mismatch,
            {"prototypes of 2 images", "3"});
    refused(try_prototype_masks(output, view, t::prototypes(planes, 2, 9, 8)), status_code::row_mismatch,
            {"3 coefficients", "2 prototypes"});
    refused(try_prototype_masks(output, view, t::prototypes(planes.first(431), 3, 6, 8)), status_code::size_mismatch,
            {"431 values"});
    refused(try_prototype_masks(output, view, t::prototypes(planes, 3, 0, 8)), status_code::row_mismatch, {});
    refused(try_prototype_masks_native(padded_output(counts, 2, t::masks(memory, 24, 1, 32)), view, batch.planes()),
            status_code::row_mismatch, {"[24, 1, 32]", "[1, H, W]"});
    refused(try_prototype_masks_native(padded_output(counts, 2, t::masks(memory, 1, 1, 768)), view,
                                       t::prototypes(planes, 3, 3, 16)),
            status_code::bad_argument, {"1 x 768", "less than one cell"});
    ragged<masks<bool>> unshaped;
    refused(try_prototype_masks(unshaped, view, batch.planes()), status_code::row_mismatch, {"[0, 0, 0]"});
    const std::vector<float> fives(6 * 5);
    refused(try_prototype_masks(
                output,
                padded_view(batch.counts, 2, t::boxes(fives, 5), t::mask_coefficients(batch.all.coefficients, 3)),
                batch.planes()),
            status_code::row_mismatch, {"boxes of 5 numbers"});

    const std::span<const float> two(batch.all.coefficients.data(), 6);
    const std::span<const float> corners(batch.all.boxes.data(), 8);
    refused(try_prototype_masks(t::masks(memory.span().first(768), 1, 24, 32), t::mask_coefficients(two, 3),
                                t::prototypes(planes.first(144), 3, 6, 8), t::boxes(corners)),
            status_code::size_mismatch, {"masks has 1 rows"});
    refused(try_prototype_masks(t::masks(memory.span().first(1536), 1, 24, 32), t::mask_coefficients(two.first(3), 3),
                                t::prototypes(planes.first(144), 3, 6, 8), t::boxes(corners)),
            status_code::field_mismatch, {"mask_coefficients"});
    check_error(
        [&] {
            prototype_masks_native(t::masks(memory.span().first(1536), 1, 24, 32), t::mask_coefficients(two, 3),
                                   t::prototypes(planes.first(288), 3, 6, 8), t::boxes(corners));
        },
        status_code::batch_mismatch, {"2 images"});
    std::vector<float> shared(144 + 767);
    check_status(try_prototype_masks(
                     t::masks(std::span(shared).first(768), 1, 24, 32), t::mask_coefficients(two.first(3), 3),
                     t::prototypes(std::span(std::as_const(shared)).last(144), 3, 6, 8), t::boxes(corners.first(4))),
                 status_code::overlap);
    CHECK(memory.untouched());
}
