// SPDX-License-Identifier: Apache-2.0
#include <padbatch/detection/rle.hpp>

#include <padbatch/ragged.hpp>
#include <padbatch/row_offsets.hpp>

#include <tests/support/check_status.hpp>
#include <tests/support/count_allocations.hpp>
#include <tests/support/guarded.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <random>
#include <span>
#include <utility>
#include <vector>

// Whole batches, and what is refused. That the run lengths are the right ones is what rle_test.cpp is about.

using namespace padbatch;
using padbatch::test::allocation_counter;
using padbatch::test::check_error;
using padbatch::test::check_status;

namespace {

using rle_counts = std::vector<std::uint32_t>;

/// Boxes and region masks of 5 x 6 for images of 20 x 31, padded: counts 3, 0, 2 of 4.
struct rle_batch {
    static constexpr std::size_t cells = 5 * 6;

    std::vector<std::int32_t> counts = {3, 0, 2};
    std::vector<std::array<float, 4>> boxes;
    std::vector<float> regions;

    rle_batch()
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
    [[nodiscard]] auto view() const { return padded_view(counts, 4, t::boxes(boxes), t::masks(regions, 1, 5, 6)); }
    /// The same, image by image.
    [[nodiscard]] run_lengths one_by_one() const
    {
        run_lengths runs;
        for (const auto image : view()) {
            rle_encode_regions(runs, t::boxes(image[t::boxes]), t::masks(image[t::masks]), 20, 31);
        }
        return runs;
    }
};

rle_counts all_counts(const run_lengths& runs)
{
    return {runs.counts().begin(), runs.counts().end()};
}

} // namespace

TEST_CASE("a batch gives the run lengths of all its masks, whatever holds it")
{
    const rle_batch batch;
    const rle_counts expected = all_counts(batch.one_by_one());
    const auto check_list = [&](const run_lengths& runs) {
        CHECK(runs.size() == 5);
        CHECK(all_counts(runs) == expected);
    };
    run_lengths runs;
    rle_encode_regions(runs, batch.view(), 20, 31); // a padded view
    check_list(runs);

    padded<boxes<>, masks<>> owner(3, 4, t::masks.shape(1, 5, 6));
    pad_into(owner, batch.view());
    runs.clear();
    rle_encode_regions(runs, owner, 20, 31);
    check_list(runs);

    ragged<boxes<>, masks<>> ragged_owner;
    for (const auto image : batch.view()) {
        ragged_owner.append(image);
        ragged_owner.end_image();
    }
    runs.clear();
    rle_encode_regions(runs, ragged_owner, 20, 31);
    check_list(runs);

    // The full masks of the batch.
    const padded<masks<std::uint8_t>> full = paste_masks<std::uint8_t>(batch.view(), 20, 31);
    runs.clear();
    rle_encode(runs, full);
    check_list(runs);
    const padded<masks<bool>> bools = paste_masks<bool>(batch.view(), 20, 31);
    runs.clear();
    rle_encode(runs, bools);
    check_list(runs);

    const row_offsets offsets(batch.counts);
    CHECK(offsets.data()[2] == 3);
    CHECK(offsets.data()[3] == 5);
    std::vector<std::uint8_t> pixels(2 * 20 * 31);
    run_lengths last;
    for (auto i = static_cast<std::size_t>(offsets.data()[2]); i < 5; ++i) {
        last.append(runs[i]);
    }
    rle_decode(t::masks(pixels, 1, 20, 31), last);
    const auto image = full.image(2);
    CHECK(std::equal(pixels.begin(), pixels.end(), image[t::masks].flat().begin()));
    std::size_t visited = 0;
    for (const run_length_view& mask : runs) {
        visited += mask.counts.size();
    }
    CHECK(visited == expected.size());
}

TEST_CASE("a list and a workspace that have been used allocate nothing")
{
    const rle_batch batch;
    const padded<masks<std::uint8_t>> full = paste_masks<std::uint8_t>(batch.view(), 20, 31);
    std::vector<std::uint8_t> pixels(5 * 20 * 31);
    std::vector<double> ious(25);
    std::vector<char> text(4000);
    workspace space;
    run_lengths runs;
    run_lengths merged;
    run_lengths read;
    const auto all = [&] {
        runs.clear();
        merged.clear();
        read.clear();
        rle_encode(runs, full, space);
        runs.clear();
        rle_encode_regions(runs, batch.view(), 20, 31, space, mask_threshold(0.4F));
        rle_decode(t::masks(pixels, 1, 20, 31), runs);
        rle_merge(merged, runs, rle_union, space);
        rle_merge(merged, runs[0], runs[1], rle_intersection, space);
        rle_iou(ious, runs, runs, space);
        for (const run_length_view& mask : runs) {
            rle_from_string(read, std::span(text.data(), rle_to_string(text, mask)), 20, 31);
        }
    };
    all();
    const allocation_counter allocations;
    all();
    const std::size_t count = allocations.count();
    CHECK(count == 0);
    CHECK(all_counts(read) == all_counts(runs));
}

TEST_CASE("moved lists keep their masks, and leave an empty list")
{
    run_lengths runs;
    runs.append({rle_counts{1, 2, 3}, 2, 3});
    run_lengths taken = std::move(runs);
    CHECK(all_counts(taken) == rle_counts{1, 2, 3});
    CHECK(runs.empty()); // NOLINT(bugprone-use-after-move)
    CHECK(runs.height() == 0);
    taken.clear();
    CHECK(taken.height() == 0);
    taken.append({rle_counts{7}, 1, 7});
    CHECK(taken.width() == 7);
    taken.reserve(100, 1000);
    CHECK(all_counts(taken) == rle_counts{7});
}

TEST_CASE("what cannot be encoded is refused, and the list stays as it was")
{
    const rle_batch batch;
    run_lengths runs = batch.one_by_one();
    const rle_counts before = all_counts(runs);
    const auto refuse = [&](const status& outcome, status_code code, std::initializer_list<const char*> texts) {
        check_status(outcome, code, texts);
        CHECK(runs.size() == 5);
        CHECK(all_counts(runs) == before);
    };
    std::vector<std::uint8_t> pixels(2 * 20 * 31);
    // Of one list, of one size.
    refuse(try_rle_encode(runs, t::masks(pixels, 1, 31, 20)), status_code::row_mismatch, {"31 x 20", "20 x 31"});
    refuse(try_rle_encode(runs, t::masks(pixels, 2, 20, 31)), status_code::row_mismatch, {"[2, 20, 31]", "channel"});
    refuse(try_rle_encode(runs, t::masks(pixels, 1, 20, 32)), status_code::size_mismatch, {"1240", "640"});
    refuse(try_rle_encode(runs, t::masks(pixels)), status_code::row_mismatch, {"unknown extents"});
    refuse(try_rle_encode_bits(runs, 31, t::masks(pixels, 1, 20, 31)), status_code::row_mismatch,
           {"rows of 31 bytes; expected 4, for 31 pixels"});
    refuse(try_rle_encode_bits(runs, 0, t::masks(pixels, 1, 20, 31)), status_code::row_mismatch, {"0 pixels"});
    refuse(try_rle_encode_regions(runs, batch.view(), 20, 30), status_code::row_mismatch, {"20 x 30"});
    refuse(try_rle_encode_regions(runs, batch.view(), 20, 0), status_code::bad_argument, {"20 x 0"});
    refuse(try_rle_encode_regions(runs, batch.view(), 1 << 20, 1 << 12), status_code::size_overflow,
           {"1048576 x 4096", "4294967295"});
    for (const float threshold : {0.0F, -1.0F, 1.5F, std::numeric_limits<float>::quiet_NaN()}) {
        refuse(try_rle_encode_regions(runs, batch.view(), 20, 31, mask_threshold(threshold)), status_code::bad_argument,
               {"threshold"});
    }
    refuse(try_rle_encode_regions(runs, t::boxes(std::span(batch.boxes).first(2)), t::masks(batch.regions, 1, 5, 6), 20,
                                  31),
           status_code::field_mismatch, {"12 rows of masks, but 2"});
    refuse(try_rle_encode_regions(runs, t::boxes(batch.boxes), t::masks(batch.regions, 2, 5, 3), 20, 31),
           status_code::row_mismatch, {"[2, 5, 3]"});
    const std::vector<std::vector<std::uint8_t>> sizes = {std::vector<std::uint8_t>(12), std::vector<std::uint8_t>(20)};
    const auto mixed = generated(2, [&](std::size_t i) { return image_of(t::masks(sizes[i], 1, i == 0 ? 3 : 5, 4)); });
    run_lengths other;
    check_status(try_rle_encode(other, mixed), status_code::row_mismatch, {"image 1", "5 x 4", "3 x 4"});
    CHECK(other.empty());
    check_error([&] { rle_encode(runs, t::masks(pixels, 1, 31, 20)); }, status_code::row_mismatch, {"31 x 20"});

    // Appending counts.
    refuse(runs.try_append({rle_counts{1, 618}, 20, 31}), status_code::size_mismatch, {"add up to 619; expected 620"});
    refuse(runs.try_append({rle_counts{}, 20, 31}), status_code::size_mismatch, {"add up to 0"});
    refuse(runs.try_append({rle_counts{UINT32_MAX, 621}, 20, 31}), status_code::size_mismatch, {"4294967916"});
    refuse(runs.try_append(runs[1]), status_code::overlap, {"copy them first"});
    check_error([&] { runs.append({rle_counts{620}, 31, 20}); }, status_code::row_mismatch, {"31 x 20"});

    // Nothing to encode is no mistake.
    CHECK(try_rle_encode(runs, t::masks(std::span<std::uint8_t>(), 1, 20, 31)).ok());
    CHECK(
        try_rle_encode_regions(runs, t::boxes(std::span<float>()), t::masks(std::span<float>(), 1, 5, 6), 20, 31).ok());
    CHECK(runs.size() == 5);
}

TEST_CASE("what cannot be decoded, merged, compared or written is refused, and nothing is written")
{
    const rle_batch batch;
    const run_lengths runs = batch.one_by_one();
    guarded<std::uint8_t> pixels(6 * 20 * 31);
    const auto span = pixels.span();
    check_status(try_rle_decode(t::masks(span, 1, 20, 31), runs), status_code::field_mismatch, {"6 masks", "5"});
    check_status(try_rle_decode(t::masks(span.first(5 * 620), 1, 31, 20), runs), status_code::row_mismatch,
                 {"[1, 31, 20]", "[1, 20, 31]"});
    check_status(try_rle_decode(t::masks(span.first(7), 1, 20, 31), runs), status_code::size_mismatch, {"7"});
    CHECK(pixels.untouched());
    CHECK(try_rle_decode(t::masks(span.first(0), 1, 9, 9), run_lengths()).ok());
    check_error([&] { rle_decode(t::masks(span, 1, 20, 31), runs); }, status_code::field_mismatch, {});

    run_lengths out;
    check_status(try_rle_merge(out, run_lengths(), rle_union), status_code::bad_argument, {"no masks"});
    run_lengths same = batch.one_by_one();
    check_status(try_rle_merge(same, same, rle_union), status_code::overlap, {"take another"});
    check_status(try_rle_merge(same, same[0], runs[0], rle_union), status_code::overlap, {"take another"});
    check_status(try_rle_merge(out, runs[0], {rle_counts{620}, 31, 20}, rle_union), status_code::row_mismatch,
                 {"20 x 31", "31 x 20"});
    for (const rle_rule rule : {rle_union, rle_intersection}) {
        for (const rle_counts& wrong : {rle_counts{1, 2, 3}, rle_counts{}, rle_counts{620, 1}, rle_counts{0, 700, 5, 9},
                                        rle_counts{UINT32_MAX, 621}}) {
            check_status(try_rle_merge(out, runs[0], {wrong, 20, 31}, rule), status_code::size_mismatch,
                         {"expected 620"});
            check_status(try_rle_merge(out, {wrong, 20, 31}, runs[0], rule), status_code::size_mismatch,
                         {"expected 620"});
        }
    }
    CHECK(out.empty());
    CHECK(same.size() == 5);
    out.append({rle_counts{6}, 2, 3});
    check_status(try_rle_merge(out, runs, rle_union), status_code::row_mismatch, {"20 x 31", "2 x 3"});
    CHECK(out.size() == 1);
    check_error([&] { rle_merge(out, runs, rle_union); }, status_code::row_mismatch, {});

    guarded<double> ious(25);
    const std::vector<std::uint8_t> crowd(4);
    check_status(try_rle_iou(ious.span().first(24), runs, runs), status_code::size_mismatch, {"24", "25", "5 x 5"});
    check_status(try_rle_iou(ious.span(), runs, runs, crowd), status_code::size_mismatch, {"crowd has 4", "5"});
    check_status(try_rle_iou(ious.span().first(5), runs, out), status_code::row_mismatch, {"20 x 31", "2 x 3"});
    CHECK(ious.untouched());
    CHECK(try_rle_iou(ious.span().first(0), runs, run_lengths()).ok());

    guarded<char> text(3);
    std::size_t size = 77;
    check_status(try_rle_to_string(text.span(), size, runs[0]), status_code::out_of_memory, {"3 characters"});
    CHECK(text.untouched());
    CHECK(size == 77);
    check_error([&] { rle_to_string(text.span(), runs[0]); }, status_code::out_of_memory, {});
    check_error([&] { rle_from_string(out, "6", 2, 4); }, status_code::row_mismatch, {});
}

TEST_CASE("areas and boxes of empty masks, and of views of nothing, are 0")
{
    CHECK(rle_area({}) == 0);
    CHECK(rle_box({}) == std::array<std::uint32_t, 4>{});
    CHECK(rle_box({rle_counts{12}, 3, 4}) == std::array<std::uint32_t, 4>{});
    CHECK(rle_string_size({}) == 0);
    CHECK(rle_box({rle_counts{0, 12}, 3, 4}) == std::array<std::uint32_t, 4>{0, 0, 4, 3});
    CHECK(rle_box({rle_counts{2, 2, 8}, 3, 4}) == std::array<std::uint32_t, 4>{0, 0, 2, 3});
}
