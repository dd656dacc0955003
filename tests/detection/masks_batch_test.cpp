// SPDX-License-Identifier: Apache-2.0
#include <padbatch/detection/masks.hpp>

#include <padbatch/slots.hpp>

#include <tests/support/check_status.hpp>
#include <tests/support/count_allocations.hpp>
#include <tests/support/guarded.hpp>

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

// Whole batches, and what is refused. That the masks are the right ones is what masks_test.cpp is about.

using namespace padbatch;
using padbatch::test::allocation_counter;
using padbatch::test::check_error;
using padbatch::test::check_status;

namespace {

using floats = std::vector<float>;
using bytes = std::vector<std::uint8_t>;
using box = std::array<float, 4>;

/// A padded batch of boxes, scores and region masks of 5 x 6, with counts 3, 0, 2 of 4, for images of 20 x 31.
struct region_batch {
    static constexpr std::size_t cells = 5 * 6;
    static constexpr std::size_t pixels = 20 * 31;

    std::vector<std::int32_t> counts = {3, 0, 2};
    std::vector<box> boxes;
    floats scores = floats(12, 0.5F);
    floats regions;

    region_batch()
    {
        std::mt19937 random(5);
        std::uniform_real_distribution<float> probability(0, 1);
        for (std::size_t k = 0; k < 12; ++k) {
            boxes.push_back({static_cast<float>(k), 2.5F, static_cast<float>(k) + 9.75F, 15});
        }
        for (std::size_t k = 0; k < 12 * cells; ++k) {
            regions.push_back(probability(random));
        }
    }

    [[nodiscard]] auto view() const
    {
        return padded_view(counts, 4, t::boxes(boxes), t::scores(scores), t::masks(regions, 1, 5, 6));
    }

    /// The full masks, `[3, rows, H, W]`, row by row with the form for one image; padding is zero.
    template <class T>
    [[nodiscard]] std::vector<T> full(std::size_t rows) const
    {
        std::vector<T> all(3 * rows * pixels);
        for (std::size_t i = 0; i < 3; ++i) {
            const auto rows_of_image = view().image(i);
            const std::size_t n = std::min(rows, rows_of_image.size());
            std::span<T> slot(all.data() + i * rows * pixels, n * pixels);
            paste_masks(t::masks(slot, 1, 20, 31), t::boxes(rows_of_image[t::boxes].first(n)),
                        t::masks(rows_of_image[t::masks].first(n)));
        }
        return all;
    }
};

template <class Field>
auto values_of(const Field& field)
{
    return std::vector<std::remove_cv_t<std::remove_reference_t<decltype(*field.data())>>>(field.begin(), field.end());
}

} // namespace

TEST_CASE("a padded batch: counts, masks, and zeros behind them")
{
    const region_batch batch;
    const std::size_t size = 3 * 4 * region_batch::pixels;
    SUBCASE("float, counts of int64")
    {
        guarded<float> full(size);
        guarded<std::int64_t> counts(3);
        const auto output = padded_output(counts, 4, t::masks(full, 1, 20, 31));
        const pad_result result = paste_masks(output, batch.view());
        CHECK(result.rows() == 5);
        CHECK(result.dropped() == 0);
        CHECK(std::vector<std::int64_t>(counts.begin(), counts.end()) == std::vector<std::int64_t>{3, 0, 2});
        CHECK(floats(full.begin(), full.end()) == batch.full<float>(4));
        CHECK(full.intact());
        CHECK(counts.intact());
    }
    SUBCASE("bool, a larger capacity, rows of [H, W]")
    {
        using plane = field<t::masks_t, bool, row_extents<20, 31>>;
        padded<plane> owner(3, 6);
        std::fill(owner[t::masks].begin(), owner[t::masks].end(), true);
        paste_masks(owner.view(), batch.view());
        const auto expected = batch.full<std::uint8_t>(6);
        CHECK(bytes(owner[t::masks].begin(), owner[t::masks].end()) == expected);
        CHECK(owner.count(0) == 3);
    }
    SUBCASE("regions of [h, w], from several vectors")
    {
        using region_field = field<t::masks_t, float, row_extents<2, 2>>;
        padded<boxes<>, region_field> regions(1, 1);
        const box corners = {1, 1, 12, 12};
        std::copy(corners.begin(), corners.end(), regions[t::boxes].begin());
        std::fill(regions[t::masks].begin(), regions[t::masks].end(), 1.0F);
        finish_slot(regions, 0, 1);
        const auto one = paste_masks<float>(regions, 16, 16);

        const std::vector<std::vector<box>> image_boxes = {{{1, 1, 12, 12}}};
        const std::vector<std::vector<float>> image_cells = {{1, 1, 1, 1}};
        const auto two = paste_masks<float>(each(t::boxes(image_boxes), t::masks(image_cells, 1, 2, 2)), 16, 16);
        CHECK(values_of(one[t::masks]) == values_of(two[t::masks]));
        CHECK(one[t::masks](0, 0)(0, 6, 6) == 1);
    }
    SUBCASE("fewer rows than there are: the first ones")
    {
        padded<masks<std::uint8_t>> owner(3, 2, t::masks.shape(1, 20, 31));
        check_status(try_paste_masks(owner, batch.view()), status_code::too_many_rows, {"image 0", "3 rows"});
        const pad_result result = paste_masks(owner, batch.view(), overflow::truncate, mask_threshold(0.5F));
        CHECK(result.rows() == 4);
        CHECK(result.dropped(0) == 1);
        CHECK(values_of(owner[t::masks]) == batch.full<std::uint8_t>(2));
    }
    SUBCASE("a batch of no images")
    {
        const std::vector<std::int32_t> none;
        const floats nothing;
        const padded_view empty(none, 4, t::boxes(nothing), t::masks(nothing, 1, 5, 6));
        const auto full = paste_masks<bool>(empty, 20, 31);
        CHECK(full.size() == 0);
    }
}

TEST_CASE("an owner of its own has the same masks, and the capacity that is asked for")
{
    const region_batch batch;
    const auto full = paste_masks<std::uint8_t>(batch.view(), 20, 31);
    static_assert(std::is_same_v<decltype(full), const padded<masks<std::uint8_t>>>);
    CHECK(full[t::masks].shape() == std::array<std::int64_t, 5>{3, 3, 1, 20, 31});
    CHECK(values_of(full[t::masks]) == batch.full<std::uint8_t>(3));
    const auto probabilities = paste_masks<float>(batch.view(), 20, 31, capacity::fixed(7));
    CHECK(probabilities.capacity() == 7);
    CHECK(values_of(probabilities[t::masks]) == batch.full<float>(7));
    pad_result result;
    workspace space;
    const auto cut = paste_masks<bool>(batch.view(), 20, 31, capacity::fixed(2), overflow::truncate, result, space,
                                       mask_threshold(0.5F));
    CHECK(result.dropped() == 1);
    const auto expected = batch.full<std::uint8_t>(2);
    CHECK(bytes(cut[t::masks].begin(), cut[t::masks].end()) == expected);
}

TEST_CASE("a stream of batches into one owner clears what it has to, and does not allocate")
{
    region_batch batch;
    padded<masks<std::uint8_t>> full(3, 4, t::masks.shape(1, 20, 31));
    paste_masks(full, batch.view(), padding::reuse);
    CHECK(values_of(full[t::masks]) == batch.full<std::uint8_t>(4));
    for (const auto& counts : std::vector<std::vector<std::int32_t>>{{1, 4, 0}, {4, 4, 4}, {0, 1, 2}, {0, 0, 0}}) {
        batch.counts = counts;
        const auto view = batch.view();
        const allocation_counter counter;
        const status outcome = try_paste_masks(full, view, padding::reuse, mask_threshold(0.5F));
        const std::size_t allocations = counter.count();
        CHECK(outcome.ok());
        CHECK(allocations == 0);
        CHECK(values_of(full[t::masks]) == batch.full<std::uint8_t>(4));
    }
    full[t::masks].data()[region_batch::pixels] = 9; // padding, as the owner knows
    paste_masks(full, batch.view(), padding::reuse);
    CHECK(full[t::masks].data()[region_batch::pixels] == 9);
    paste_masks(full, batch.view());
    CHECK(full[t::masks].data()[region_batch::pixels] == 0);

    floats pixels(2 * region_batch::pixels);
    const std::span<const box> two(batch.boxes.data(), 2);
    const std::span<const float> regions(batch.regions.data(), 2 * region_batch::cells);
    const allocation_counter counter;
    const status outcome = try_paste_masks(t::masks(pixels, 1, 20, 31), t::boxes(two), t::masks(regions, 1, 5, 6));
    const std::size_t allocations = counter.count();
    CHECK(outcome.ok());
    CHECK(allocations == 0);
}

TEST_CASE("what does not fit is refused, and nothing is written")
{
    const region_batch batch;
    const auto view = batch.view();
    guarded<std::uint8_t> full(3 * 4 * 620);
    guarded<std::int32_t> counts(3);
    const auto output = padded_output(counts, 4, t::masks(full, 1, 20, 31));
    const auto refused = [&](const status& outcome, status_code code, std::initializer_list<const char*> texts) {
        check_status(outcome, code, texts);
        CHECK(full.untouched());
        CHECK(counts.untouched());
    };
    for (const float threshold : {0.0F, -1.0F, 1.5F, std::numeric_limits<float>::quiet_NaN()}) {
        refused(try_paste_masks(output, view, mask_threshold(threshold)), status_code::bad_argument,
                {"the threshold is", "above 0"});
    }
    SUBCASE("other sizes of batch and capacity")
    {
        const std::vector<std::int32_t> two = {1, 1};
        const padded_view smaller(two, 4, t::boxes(std::span(batch.boxes).first(8)),
                                  t::masks(std::span(batch.regions).first(8 * 30), 1, 5, 6));
        refused(try_paste_masks(output, smaller), status_code::batch_mismatch,
                {"the output has 3 images", "the source has 2"});
        const auto narrow = padded_output(counts, 2, t::masks(full.span().first(3 * 2 * 620), 1, 20, 31));
        refused(try_paste_masks(narrow, view), status_code::too_many_rows, {"3 rows", "2"});
        check_error([&] { paste_masks(narrow, view); }, status_code::too_many_rows);
    }
    SUBCASE("an output that is no full mask")
    {
        const auto channels = padded_output(counts, 4, t::masks(full, 20, 1, 31));
        refused(try_paste_masks(channels, view), status_code::row_mismatch, {"[20, 1, 31]", "[1, H, W]"});
        padded<masks<bool>> unshaped;
        check_status(try_paste_masks(unshaped, view), status_code::row_mismatch,
                     {"[0, 0, 0]", "t::masks.shape(1, H, W)"});
        check_error([&] { static_cast<void>(paste_masks<bool>(view, 0, 31)); }, status_code::row_mismatch,
                    {"[1, 0, 31]"});
        check_error([&] { static_cast<void>(paste_masks<bool>(view, std::size_t{1} << 40, std::size_t{1} << 40)); },
                    status_code::size_overflow);
    }
    SUBCASE("regions and boxes of another shape")
    {
        const padded_view channels(batch.counts, 4, t::boxes(batch.boxes), t::masks(batch.regions, 5, 1, 6));
        refused(try_paste_masks(output, channels), status_code::row_mismatch, {"image 0", "[5, 1, 6]", "[1, h, w]"});
        const std::size_t too_many = (std::size_t{1} << 24) + 1;
        for (const auto& sides : {std::array<std::size_t, 3>{1, 0, 6}, {1, 5, too_many}, {1, too_many, 6}}) {
            std::vector<std::int32_t> n = batch.counts;
            const padded_view<boxes<const float>, masks<const float>> view_of_none(
                unchecked, 3, 4, n.data(), element_type::int32, {batch.boxes[0].data(), {}},
                {batch.regions.data(), row_extents<dynamic, dynamic, dynamic>(sides)});
            refused(try_paste_masks(output, view_of_none), status_code::row_mismatch, {"h and w from 1 to 16777216"});
        }
        const floats fives(12 * 5);
        const padded_view five(batch.counts, 4, t::boxes(fives, 5), t::masks(batch.regions, 1, 5, 6));
        refused(try_paste_masks(output, five), status_code::row_mismatch, {"boxes of 5 numbers", "x1, y1, x2, y2"});
        const std::vector<std::vector<box>> image_boxes = {{{1, 1, 5, 5}}, {}, {}};
        const std::vector<floats> two_regions = {floats(2 * 30), {}, {}};
        refused(try_paste_masks(output, each(t::boxes(image_boxes), t::masks(two_regions, 1, 5, 6))),
                status_code::field_mismatch, {"image 0", "2 rows of masks", "1 of boxes"});
        const std::vector<floats> three_images = {floats(30), {}};
        refused(try_paste_masks(output, each(t::boxes(image_boxes), t::masks(three_images, 1, 5, 6))),
                status_code::field_mismatch, {"2 images"});
    }
    SUBCASE("an output over the regions")
    {
        std::vector<float> shared(12 * 620 + 12 * 30);
        const auto over = padded_output(counts, 4, t::masks(std::span(shared).first(12 * 620), 1, 20, 31));
        const padded_view regions(batch.counts, 4, t::boxes(batch.boxes),
                                  t::masks(std::span(std::as_const(shared)).subspan(12 * 620 - 1, 12 * 30), 1, 5, 6));
        refused(try_paste_masks(over, regions), status_code::overlap, {"masks"});
    }
    SUBCASE("one image")
    {
        const std::span<const box> two(batch.boxes.data(), 2);
        const std::span<const float> regions(batch.regions.data(), 60);
        const auto try_one = [&](auto pixels, auto of_regions, auto... options) {
            return try_paste_masks(t::masks(pixels, 1, 20, 31), t::boxes(two), t::masks(of_regions, 1, 5, 6),
                                   options...);
        };
        refused(try_one(full.span().first(3 * 620), regions), status_code::size_mismatch, {"masks has 3 rows"});
        refused(try_one(full.span().first(2 * 620 - 1), regions), status_code::size_mismatch, {"1239 values"});
        refused(try_one(full.span().first(2 * 620), regions.first(30)), status_code::field_mismatch,
                {"1 rows of masks"});
        refused(try_one(full.span().first(2 * 620), regions.first(59)), status_code::size_mismatch, {"not whole rows"});
        refused(try_one(full.span().first(2 * 620), regions, mask_threshold(2)), status_code::bad_argument, {"2"});
        refused(try_paste_masks(t::masks(full.span().first(1240), 1, 20, 31),
                                t::boxes(std::span<const float>(batch.scores).first(7)), t::masks(regions, 1, 5, 6)),
                status_code::size_mismatch, {"boxes has 7 values"});
        check_error([&] { paste_masks(t::masks(full.span(), 1, 20, 31), t::boxes(two), t::masks(regions, 1, 5, 6)); },
                    status_code::size_mismatch);
        CHECK(full.untouched());
    }
}
