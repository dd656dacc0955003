// SPDX-License-Identifier: Apache-2.0
#include <padbatch/detection/mask_bits.hpp>

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
#include <vector>

using namespace padbatch;
using padbatch::test::check_error;
using padbatch::test::check_status;

namespace {

using mask_bytes = std::vector<std::uint8_t>;

/// `numpy.packbits` of each row, as a plain loop.
template <class T, class IsSet>
mask_bytes plain_bits(std::span<const T> pixels, std::size_t width, const IsSet& is_set)
{
    const std::size_t row = (width + 7) / 8;
    mask_bytes bits(pixels.size() / width * row);
    for (std::size_t k = 0; k < pixels.size(); ++k) {
        if (is_set(pixels[k])) {
            std::uint8_t& byte = bits[k / width * row + k % width / 8];
            byte = static_cast<std::uint8_t>(byte | (0x80 >> (k % width % 8)));
        }
    }
    return bits;
}

/// Float masks `[rows, H, W]` with values just at the threshold, NaN and infinities among them.
std::vector<float> mixed_floats(std::mt19937& random, std::size_t n, float threshold)
{
    const float limits = std::numeric_limits<float>::infinity();
    const float special[] = {
        threshold, -threshold, 0.0F, -0.0F, limits, -limits, std::numeric_limits<float>::quiet_NaN()};
    std::uniform_real_distribution<float> number(threshold - 1, threshold + 1);
    std::vector<float> values(n);
    std::generate(values.begin(), values.end(),
                  [&] { return random() % 8 == 0 ? special[random() % 7] : number(random); });
    return values;
}

/// Three images with 2, 0 and 3 of up to 3 masks of 5 x 19 in padded memory.
struct float_mask_batch {
    std::vector<std::int32_t> counts = {2, 0, 3};
    std::vector<float> values;

    float_mask_batch()
    {
        std::mt19937 random(3);
        values = mixed_floats(random, 9 * 95, 0.5F);
    }
    [[nodiscard]] auto view() const { return padded_view(counts, 3, t::masks(values, 1, 5, 19)); }
    /// The first rows of slot i as bits.
    [[nodiscard]] mask_bytes bits_of(std::size_t i, std::size_t rows) const
    {
        return plain_bits(std::span(values).subspan(i * 3 * 95, rows * 95), 19, [](float x) { return x >= 0.5F; });
    }
};

template <class Field>
mask_bytes bytes_of(const Field& field, std::size_t first, std::size_t n)
{
    const auto begin = field.data() + first;
    return {begin, begin + n};
}

} // namespace

TEST_CASE("bits and bytes of masks are those of a plain loop, whatever the width, the type and the address")
{
    std::mt19937 random(11);
    for (const std::size_t width : {1U, 5U, 7U, 8U, 9U, 16U, 31U, 32U, 33U, 63U, 64U, 96U, 101U, 257U, 300U}) {
        for (std::size_t round = 0; round < 3; ++round) {
            CAPTURE(width);
            const std::size_t height = 1 + random() % 6;
            const std::size_t n = random() % 4;
            const std::size_t pixels = n * height * width;
            const std::size_t row = (width + 7) / 8;
            const float threshold = round == 0 ? 0.5F : static_cast<float>(round) - 1.25F;
            const auto floats = mixed_floats(random, pixels, threshold);
            guarded<float> placed(pixels, random() % 4 * 4);
            std::copy(floats.begin(), floats.end(), placed.begin());
            const auto expected =
                plain_bits(std::span<const float>(floats), width, [&](float x) { return x >= threshold; });

            guarded<std::uint8_t> bits(n * height * row, random() % 8);
            guarded<std::uint8_t> ones(pixels, random() % 8);
            pack_masks(t::masks(bits, 1, height, row), t::masks(placed, 1, height, width), mask_threshold(threshold));
            threshold_masks(t::masks(ones, 1, height, width), t::masks(placed, 1, height, width),
                            mask_threshold(threshold));
            CHECK(mask_bytes(bits.begin(), bits.end()) == expected);
            CHECK(std::equal(ones.begin(), ones.end(), floats.begin(), floats.end(),
                             [&](std::uint8_t one, float x) { return one == (x >= threshold ? 1 : 0); }));
            CHECK(bits.intact());
            CHECK(ones.intact());

            guarded<std::uint8_t> unpacked(pixels, random() % 8);
            unpack_masks(t::masks(unpacked, 1, height, width), t::masks(bits, 1, height, row));
            CHECK(std::equal(unpacked.begin(), unpacked.end(), ones.begin()));
            CHECK(unpacked.intact());

            for (std::uint8_t& one : ones) { // any number that is not 0 counts
                one = static_cast<std::uint8_t>(one == 0 ? 0 : 1U << random() % 8);
            }
            guarded<std::uint8_t> again(n * height * row, random() % 8);
            pack_masks(t::masks(again, 1, height, row), t::masks(ones, 1, height, width));
            CHECK(mask_bytes(again.begin(), again.end()) == expected);
            CHECK(again.intact());
        }
    }
}

TEST_CASE("portable bits are those of the wide registers")
{
    std::mt19937 random(12);
    const auto floats = mixed_floats(random, 1000, 0.5F);
    for (std::size_t n = 0; n < 1000; n += 1 + random() % 40) {
        mask_bytes wide((n + 7) / 8);
        mask_bytes one_by_one((n + 7) / 8);
        detail::bits_from(wide.data(), floats.data(), n, 0.5F);
        detail::bits_one_by_one(one_by_one.data(), floats.data(), n, 0.5F);
        CHECK(wide == one_by_one);
    }
}

TEST_CASE("bits are those of NumPy, of masks that Ultralytics made")
{
    const auto cases = padbatch::test::read_mask_values();
    REQUIRE(cases.size() == 4);
    for (const auto& values : cases) {
        padded<masks<bool>> unpacked(1, values.n, t::masks.shape(1, values.image[0], values.image[1]));
        const std::vector<std::int32_t> counts = {static_cast<std::int32_t>(values.n)};
        unpack_masks(unpacked,
                     padded_view(counts, values.n, t::masks(values.bits, 1, values.image[0], values.row_bytes())));
        ragged<masks<std::uint8_t>> bits;
        pack_masks(bits, unpacked);
        CHECK(bytes_of(bits[t::masks], 0, values.bits.size()) == values.bits);
        const auto pixels = static_cast<std::ptrdiff_t>(values.pixels());
        for (std::size_t j = 0; j < values.n; ++j) {
            const bool* const first = unpacked[t::masks].data() + static_cast<std::ptrdiff_t>(j) * pixels;
            CHECK(std::count(first, first + pixels, true) == values.areas[j]);
        }
    }
}

TEST_CASE("batches of masks become bits: padded views and owners with zeros behind the rows, and ragged ones")
{
    const float_mask_batch batch;
    const auto view = batch.view();
    SUBCASE("a view, whose counts are written too")
    {
        guarded<std::uint8_t> bits(12 * 15);
        guarded<std::int64_t> counts(3);
        pack_masks(padded_output(counts, 4, t::masks(bits, 1, 5, 3)), view);
        CHECK(std::vector<std::int64_t>(counts.begin(), counts.end()) == std::vector<std::int64_t>{2, 0, 3});
        for (std::size_t i = 0; i < 3; ++i) {
            const auto n = static_cast<std::size_t>(batch.counts[i]);
            CHECK(bytes_of(bits, i * 60, n * 15) == batch.bits_of(i, n));
            CHECK(bytes_of(bits, i * 60 + n * 15, (4 - n) * 15) == mask_bytes((4 - n) * 15));
        }
        CHECK(bits.intact());
        CHECK(counts.intact());
    }
    SUBCASE("an owner takes the shape of the rows, drops those that do not fit, and is padded as asked")
    {
        padded<masks<std::uint8_t>> bits;
        pad_result result;
        workspace space;
        pack_masks(bits, view, capacity::fixed(2), overflow::truncate, pad_values(t::masks(7)), result, space,
                   mask_threshold(0.5F));
        CHECK(result.dropped() == 1);
        CHECK(bits[t::masks].shape() == std::array<std::int64_t, 5>{3, 2, 1, 5, 3});
        CHECK(bytes_of(bits[t::masks], 0, 30) == batch.bits_of(0, 2));
        CHECK(bytes_of(bits[t::masks], 30, 30) == mask_bytes(30, 7));
        CHECK(bytes_of(bits[t::masks], 60, 30) == batch.bits_of(2, 2));
    }
    SUBCASE("ragged, again and again, by a loop of one's own, without an allocation")
    {
        ragged<masks<std::uint8_t>> ones;
        threshold_masks(ones, view);
        CHECK(ones.count(2) == 3);
        std::vector<std::size_t> order;
        order.reserve(3);
        const auto backwards = parallel([&order](std::size_t n, const auto& body) {
            while (n-- > 0) {
                order.push_back(n);
                body(n);
            }
        });
        ragged<masks<std::uint8_t>> bits;
        pack_masks(bits, ones);
        const padbatch::test::allocation_counter counter;
        const status outcome = try_pack_masks(bits, ones, backwards);
        const std::size_t allocations = counter.count();
        CHECK(outcome.ok());
        CHECK(allocations == 0);
        CHECK(order == std::vector<std::size_t>{2, 1, 0});
        CHECK(bits.size() == 3);
        CHECK(bytes_of(bits[t::masks], 0, 30) == batch.bits_of(0, 2));
        CHECK(bytes_of(bits[t::masks], 30, 45) == batch.bits_of(2, 3));

        padded<masks<bool>> back(1, 4, t::masks.shape(1, 5, 19));
        unpack_masks(back, bits, parallel([](std::size_t n, const auto& body) {
                         for (std::size_t i = 0; i < n; ++i) {
                             body(i);
                         }
                     }));
        for (std::size_t k = 0; k < 95; ++k) {
            CHECK(back[t::masks].data()[k] == (batch.values[k] >= 0.5F));
        }
    }
}

TEST_CASE("masks that are large together are written past the caches, and are the same")
{
    const std::size_t side = 2000;
    const std::size_t n = detail::stream_total / (side * (side + 1)) + 1;
    std::vector<float> values(n * side * (side + 1));
    for (std::size_t k = 0; k < values.size(); ++k) {
        values[k] = static_cast<float>(k * 2654435761U % 1024);
    }
    mask_bytes ones(values.size() + 3);
    mask_bytes bits(n * side * ((side + 8) / 8));
    mask_bytes back(values.size() + 3);
    const std::span<std::uint8_t> shifted(ones.data() + 3, values.size());
    const std::span<std::uint8_t> back_shifted(back.data() + 3, values.size());
    threshold_masks(t::masks(shifted, 1, side, side + 1), t::masks(values, 1, side, side + 1), mask_threshold(700));
    pack_masks(t::masks(bits, 1, side, (side + 8) / 8), t::masks(shifted, 1, side, side + 1));
    unpack_masks(t::masks(back_shifted, 1, side, side + 1), t::masks(bits, 1, side, (side + 8) / 8));
    std::size_t wrong = 0;
    for (std::size_t k = 0; k < values.size(); ++k) {
        wrong += shifted[k] != (values[k] >= 700 ? 1 : 0) ? 1 : 0;
    }
    CHECK(wrong == 0);
    CHECK(back == ones);
    // Rows of whole bytes are taken together.
    std::fill(back.begin(), back.end(), std::uint8_t{0});
    const std::size_t rows = n * side * (side + 1) / 2000;
    pack_masks(t::masks(std::span(bits).first(rows * 250), 1, rows, 250), t::masks(shifted, 1, rows, 2000));
    unpack_masks(t::masks(back_shifted, 1, rows, 2000), t::masks(std::span(bits).first(rows * 250), 1, rows, 250));
    CHECK(back == ones);
}

TEST_CASE("masks that give no bits are refused, and nothing is written")
{
    const float_mask_batch batch;
    const auto view = batch.view();
    guarded<std::uint8_t> bits(9 * 15);
    guarded<std::int32_t> counts(3);
    const auto output = padded_output(counts, 3, t::masks(bits, 1, 5, 3));
    const auto refused = [&](const status& outcome, status_code code, std::initializer_list<const char*> texts) {
        check_status(outcome, code, texts);
        CHECK(bits.untouched());
        CHECK(counts.untouched());
    };
    const float nan = std::numeric_limits<float>::quiet_NaN();
    const float inf = std::numeric_limits<float>::infinity();
    refused(try_pack_masks(output, view, mask_threshold(nan)), status_code::bad_argument, {"threshold", "finite"});
    refused(try_pack_masks(output, view, mask_threshold(inf)), status_code::bad_argument, {"threshold", "finite"});
    SUBCASE("shapes and counts")
    {
        refused(try_pack_masks(padded_output(counts, 3, t::masks(bits, 1, 3, 5)), view), status_code::row_mismatch,
                {"[1, 5, 3]", "[1, 3, 5]"});
        refused(try_pack_masks(padded_output(counts, 2, t::masks(bits.span().first(90), 1, 5, 3)), view),
                status_code::too_many_rows, {"3 rows"});
        refused(try_pack_masks(output, padded_view(batch.counts, 3, t::masks(batch.values, 5, 1, 19))),
                status_code::row_mismatch, {"[5, 1, 19]", "[1, H, W]"});
        const std::vector<std::vector<float>> two = {std::vector<float>(95), {}};
        const std::vector<std::vector<float>> threes(3, {1, 2, 3});
        const mask_bytes zeros(9 * 15);
        refused(try_pack_masks(output, each(t::masks(two, 1, 5, 19))), status_code::batch_mismatch, {"3", "2"});
        refused(try_pack_masks(output, each(t::masks(threes, 1, 5, 19))), status_code::size_mismatch, {"3 values"});
        ragged<masks<std::uint8_t>> unshaped;
        check_status(try_unpack_masks(unshaped, padded_view(batch.counts, 3, t::masks(zeros, 1, 5, 3))),
                     status_code::row_mismatch, {"[1, 5, 3]", "[0, 0, 0]"});
        CHECK(unshaped.size() == 0);
    }
    SUBCASE("one image")
    {
        const std::span<const float> two(batch.values.data(), 190);
        refused(try_pack_masks(t::masks(bits, 1, 5, 3), t::masks(two, 1, 5, 19)), status_code::size_mismatch,
                {"9 rows", "2"});
        refused(try_pack_masks(t::masks(bits.span().first(10), 1, 5, 1), t::masks(two, 1, 5, 19)),
                status_code::row_mismatch, {"[1, 5, 3]", "[1, 5, 1]"});
        refused(try_pack_masks(t::masks(bits.span().first(30), 1, 5, 3), t::masks(two.first(189), 1, 5, 19)),
                status_code::size_mismatch, {"189 values"});
        check_error([&] { unpack_masks(t::masks(bits, 1, 15, 9), t::masks(mask_bytes(4), 1, 1, 4)); },
                    status_code::row_mismatch, {"[1, 1, 4]"});
        CHECK(bits.untouched());
    }
    SUBCASE("an output over the masks")
    {
        mask_bytes shared(9 * 95 + 9 * 15);
        const padded_view ones(batch.counts, 3,
                               t::masks(std::span<const std::uint8_t>(shared).first(9 * 95), 1, 5, 19));
        std::vector<std::int32_t> n(3);
        const auto over = padded_output(n, 3, t::masks(std::span(shared).subspan(9 * 95 - 1, 9 * 15), 1, 5, 3));
        check_status(try_pack_masks(over, ones), status_code::overlap, {"masks"});
        ragged<masks<std::uint8_t>> own;
        threshold_masks(own, view);
        check_status(try_pack_masks(own, own), status_code::overlap, {"overlap"});
        CHECK(own.count(0) == 2);
    }
}
