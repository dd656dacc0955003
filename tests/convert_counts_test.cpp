// SPDX-License-Identifier: Apache-2.0
#include <padbatch/convert_counts.hpp>

#include <tests/support/check_status.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <limits>
#include <memory>
#include <random>
#include <span>
#include <type_traits>
#include <vector>

using namespace padbatch;
using padbatch::test::check_error;
using padbatch::test::check_status;

namespace {

/// One batch in all four forms, by loops as plain as they can be.
struct plain_batch {
    std::vector<std::int64_t> counts;
    std::vector<std::int64_t> offsets{0};
    std::vector<std::int64_t> row_ids;
    std::vector<std::uint8_t> mask;
    std::size_t capacity = 0;
};

plain_batch random_batch(std::mt19937& random)
{
    plain_batch batch;
    const std::size_t images = random() % 7;
    batch.capacity = random() % 6;
    for (std::size_t i = 0; i < images; ++i) {
        const auto n = static_cast<std::int64_t>(random() % (batch.capacity + 1));
        batch.counts.push_back(n);
        batch.offsets.push_back(batch.offsets.back() + n);
        for (std::int64_t j = 0; j < static_cast<std::int64_t>(batch.capacity); ++j) {
            batch.mask.push_back(j < n ? 1 : 0);
            if (j < n) {
                batch.row_ids.push_back(static_cast<std::int64_t>(i));
            }
        }
    }
    return batch;
}

template <class T>
std::vector<T> as(const std::vector<std::int64_t>& values)
{
    std::vector<T> all;
    for (const auto value : values) {
        all.push_back(static_cast<T>(value));
    }
    return all;
}

/// Bools in memory of their own: std::vector has none.
struct bools {
    explicit bools(const std::vector<std::uint8_t>& values) : memory(new bool[values.size() + 1]), size(values.size())
    {
        for (std::size_t i = 0; i < size; ++i) {
            memory[i] = values[i] != 0;
        }
    }
    [[nodiscard]] std::span<bool> span() const { return {memory.get(), size}; }

    std::unique_ptr<bool[]> memory;
    std::size_t size;
};

/// Converts `from` into all forms in all their types, and compares with the plain loops.
template <class From>
void check_all(const From& from, const plain_batch& batch)
{
    const auto filled = [](std::size_t size, auto value) { return std::vector<decltype(value)>(size, value); };

    auto counts32 = filled(batch.counts.size(), std::int32_t{-9});
    auto counts64 = filled(batch.counts.size(), std::int64_t{-9});
    auto counts_float = filled(batch.counts.size(), -9.0F);
    to_counts(from, counts32);
    to_counts(from, counts64);
    to_counts(from, counts_float);
    CHECK(counts32 == as<std::int32_t>(batch.counts));
    CHECK(counts64 == batch.counts);
    CHECK(counts_float == as<float>(batch.counts));

    auto offsets32 = filled(batch.offsets.size(), std::int32_t{-9});
    auto offsets64 = filled(batch.offsets.size(), std::int64_t{-9});
    to_offsets(from, offsets32);
    to_offsets(from, std::span(offsets64));
    CHECK(offsets32 == as<std::int32_t>(batch.offsets));
    CHECK(offsets64 == batch.offsets);

    if constexpr (!std::is_same_v<From, row_ids_view>) {
        auto ids32 = filled(batch.row_ids.size(), std::int32_t{-9});
        auto ids64 = filled(batch.row_ids.size(), std::int64_t{-9});
        to_row_ids(from, ids32);
        to_row_ids(from, ids64);
        CHECK(ids32 == as<std::int32_t>(batch.row_ids));
        CHECK(ids64 == batch.row_ids);

        auto mask = filled(batch.mask.size(), std::uint8_t{9});
        to_mask(from, batch.capacity, mask);
        CHECK(mask == batch.mask);
        const bools mask_of_bool(std::vector<std::uint8_t>(batch.mask.size(), 1));
        to_mask(from, batch.capacity, mask_of_bool.span());
        for (std::size_t j = 0; j < batch.mask.size(); ++j) {
            CHECK(mask_of_bool.span()[j] == (batch.mask[j] != 0));
        }
    }
}

/// Whether a form without exceptions takes this output.
template <class From, class To>
constexpr bool takes = requires(const From& from, To to) { try_to_counts(from, to); };

} // namespace

TEST_CASE("counts, offsets, row ids and masks of random batches become each other as by plain loops")
{
    std::mt19937 random(1);
    for (int round = 0; round < 200; ++round) {
        const plain_batch batch = random_batch(random);
        CAPTURE(round);
        const auto counts32 = as<std::int32_t>(batch.counts);
        const auto counts_float = as<float>(batch.counts);
        check_all(counts_view(counts32, batch.capacity), batch);
        check_all(counts_view(batch.counts, batch.capacity), batch);
        check_all(counts_view(counts_float, batch.capacity), batch);

        const auto offsets32 = as<std::int32_t>(batch.offsets);
        check_all(offsets_view(offsets32, batch.row_ids.size()), batch);
        check_all(offsets_view(batch.offsets, batch.row_ids.size()), batch);

        const auto ids32 = as<std::int32_t>(batch.row_ids);
        check_all(row_ids_view(ids32, batch.counts.size()), batch);
        check_all(row_ids_view(batch.row_ids, batch.counts.size()), batch);

        const bools mask_of_bool(batch.mask);
        check_all(mask_view(batch.mask, batch.counts.size(), batch.capacity), batch);
        check_all(mask_view(mask_of_bool.span(), batch.counts.size(), batch.capacity), batch);
    }
}

TEST_CASE("offsets that begin elsewhere become offsets from 0 on")
{
    const std::vector<std::int32_t> values = {3, 3, 7};
    std::vector<std::int64_t> offsets(3);
    to_offsets(offsets_view(values, 7), offsets);
    CHECK(offsets == std::vector<std::int64_t>{0, 0, 4});
}

TEST_CASE("an output of another size is an error, and nothing is written")
{
    const std::vector<std::int32_t> values = {2, 0, 3};
    const counts_view counts(values, 4);
    std::vector<std::int32_t> two(2, 77);
    std::vector<std::int64_t> four(4, 77);
    std::vector<std::uint8_t> eleven(11, 77);
    check_error([&] { to_counts(counts, two); }, status_code::size_mismatch, {"2 counts", "3"});
    check_error([&] { to_counts(counts, four); }, status_code::size_mismatch, {"4 counts", "3"});
    check_error([&] { to_offsets(counts, two); }, status_code::size_mismatch, {"2 offsets", "4"});
    check_error([&] { to_row_ids(counts, four); }, status_code::size_mismatch, {"4 row ids", "5"});
    check_error([&] { to_mask(counts, 4, eleven); }, status_code::size_mismatch, {"11", "3 images of 4 rows"});
    check_error([&] { to_mask(counts, 0, eleven); }, status_code::size_mismatch, {"11", "3 images of 0 rows"});

    const std::vector<std::int32_t> ids = {0, 0, 2};
    const row_ids_view row_ids(ids, 3);
    check_error([&] { to_counts(row_ids, two); }, status_code::size_mismatch, {"2 counts", "3"});
    check_error([&] { to_offsets(row_ids, two); }, status_code::size_mismatch, {"2 offsets", "4"});

    CHECK(two == std::vector<std::int32_t>(2, 77));
    CHECK(four == std::vector<std::int64_t>(4, 77));
    CHECK(eleven == std::vector<std::uint8_t>(11, 77));
}

TEST_CASE("a mask with fewer rows than an image has is an error, and nothing is written")
{
    const std::vector<std::int32_t> values = {1, 3};
    std::vector<std::uint8_t> mask(4, 77);
    check_error([&] { to_mask(counts_view(values, 3), 2, mask); }, status_code::bad_count, {"image 1", "3", "2"});
    CHECK(mask == std::vector<std::uint8_t>(4, 77));
}

TEST_CASE("a number that the output's type cannot hold is an error, and nothing is written")
{
    constexpr std::int64_t two_31 = std::int64_t{1} << 31;
    const std::vector<std::int64_t> large = {two_31};
    const counts_view counts(large, static_cast<std::size_t>(two_31));
    std::vector<std::int32_t> one = {77};
    check_error([&] { to_counts(counts, one); }, status_code::size_overflow, {"2147483648"});
    CHECK(one[0] == 77);

    const std::vector<std::int64_t> halves = {two_31 / 2, two_31 / 2};
    std::vector<std::int32_t> offsets(3, 77);
    check_error([&] { to_offsets(counts_view(halves, static_cast<std::size_t>(two_31)), offsets); },
                status_code::size_overflow, {"2147483648"});
    CHECK(offsets[0] == 77);
    std::vector<std::int64_t> wide(3);
    to_offsets(counts_view(halves, static_cast<std::size_t>(two_31)), wide);
    CHECK(wide[2] == two_31);
}

TEST_CASE("counts above 2^24 are not written as floats, which cannot tell them apart")
{
    const std::vector<std::int64_t> exact = {std::int64_t{1} << 24};
    const std::vector<std::int64_t> inexact = {(std::int64_t{1} << 24) + 1};
    std::vector<float> counts = {77};
    to_counts(counts_view(exact, 1U << 25), counts);
    CHECK(counts[0] == 0x1p24F);
    counts[0] = 77;
    check_error([&] { to_counts(counts_view(inexact, 1U << 25), counts); }, status_code::size_overflow, {"16777217"});
    CHECK(counts[0] == 77);
}

TEST_CASE("totals that no number can hold are an error")
{
    const std::vector<std::int64_t> values(3, std::numeric_limits<std::int64_t>::max());
    const counts_view counts(values, std::numeric_limits<std::size_t>::max());
    std::vector<std::int64_t> offsets(4, 77);
    check_status(try_to_offsets(counts, std::span(offsets)), status_code::size_overflow);
    CHECK(offsets[0] == 77);
    std::vector<std::int64_t> none;
    CHECK_FALSE(try_to_row_ids(counts, std::span(none)).ok());
}

TEST_CASE_TEMPLATE("row ids have to be images of the batch, in order", T, std::int32_t, std::int64_t)
{
    check_status(row_ids_view::check(std::vector<T>{0, 3}, 3), status_code::bad_batch_index, {"row 1", "3", "0 to 2"});
    check_status(row_ids_view::check(std::vector<T>{-1, 2}, 3), status_code::bad_batch_index,
                 {"row 0", "-1", "0 to 2"});
    check_status(row_ids_view::check(std::vector<T>{1, 2, 1}, 3), status_code::bad_batch_index,
                 {"row 2", "1, after 2"});
    check_status(row_ids_view::check(std::vector<T>{0}, 0), status_code::bad_batch_index, {"row 0"});
    check_error([] { row_ids_view(std::vector<T>{2, 1}, 3); }, status_code::bad_batch_index, {"ascend"});
    const std::vector<T> ids = {0, 0, 2};
    const row_ids_view view(ids, 4);
    CHECK(view.size() == 3);
    CHECK(view.batch() == 4);
    CHECK(view[2] == 2);
    CHECK(row_ids_view(std::vector<T>{}, 0).size() == 0);
    CHECK(row_ids_view().batch() == 0);
}

TEST_CASE("a mask has to have its size, and its real rows first")
{
    using mask = std::vector<std::uint8_t>;
    check_status(mask_view::check(mask{1, 1, 0, 0, 1, 0}, 2, 3), status_code::not_a_prefix,
                 {"row 1 of image 1", "row 0 is not"});
    check_status(mask_view::check(mask{1, 0, 1}, 1, 3), status_code::not_a_prefix, {"row 2 of image 0"});
    check_status(mask_view::check(mask{1, 1, 0, 0}, 2, 3), status_code::size_mismatch, {"4 values", "2 images of 3"});
    check_status(mask_view::check(mask(7), 2, 3), status_code::size_mismatch, {"7 values"});
    check_status(mask_view::check(mask{1}, 1, 0), status_code::size_mismatch, {"1 values", "1 images of 0"});
    check_status(mask_view::check(mask{}, 2, 3), status_code::size_mismatch);
    const bools hole(mask{0, 1});
    check_status(mask_view::check(hole.span(), 1, 2), status_code::not_a_prefix, {"row 1 of image 0"});
    check_error([] { mask_view(mask{0, 1}, 1, 2); }, status_code::not_a_prefix);
    // Real is what is not 0, and a new image may begin with a real row.
    CHECK(mask_view(mask{255, 0, 7, 2}, 2, 2).count(1) == 2);
    CHECK(mask_view::check(mask{0, 0, 1, 0}, 2, 2).ok());
    CHECK(mask_view::check(mask{}, 2, 0).ok());
    CHECK(mask_view::check(mask{}, 0, 3).ok());
    CHECK(mask_view().size() == 0);
}

TEST_CASE("a mask whose size only fits because a product wraps is an error")
{
    const std::vector<std::uint8_t> mask(4);
    constexpr std::size_t half = std::size_t{1} << 63;
    check_status(mask_view::check(mask, half + 2, 2), status_code::size_mismatch);
    check_status(mask_view::check(std::vector<std::uint8_t>{}, half, 2), status_code::size_mismatch);
}

TEST_CASE("arrays whose size is known at compile time are outputs too")
{
    CHECK(takes<counts_view, std::span<std::int32_t>>);
    CHECK(takes<counts_view, std::span<std::int32_t, 3>>);
    CHECK(takes<row_ids_view, std::span<std::int64_t, 3>>);
}

TEST_CASE("row ids become a mask")
{
    const std::vector<std::int32_t> ids{0, 0, 2};
    std::vector<std::uint8_t> mask(6);
    to_mask(row_ids_view(ids, 3), 2, mask);
    CHECK(mask == std::vector<std::uint8_t>{1, 1, 0, 0, 1, 0});
    check_status(try_to_mask(row_ids_view(ids, 3), 1, std::vector<std::uint8_t>(3)), status_code::bad_count,
                 {"image 0"});
}
