// SPDX-License-Identifier: Apache-2.0
#include <padbatch/counts.hpp>

#include <tests/support/check_status.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <limits>
#include <span>
#include <type_traits>
#include <vector>

using padbatch::counts_view;
using padbatch::offsets_view;
using padbatch::status_code;
using padbatch::unchecked;
using padbatch::test::check_error;
using padbatch::test::check_status;

static_assert(std::is_trivially_copyable_v<counts_view> && std::is_trivially_copyable_v<offsets_view>);
static_assert(padbatch::count_element<const float> && padbatch::count_element<std::int64_t>);
static_assert(!padbatch::count_element<double> && !padbatch::count_element<std::uint32_t>);
static_assert(padbatch::offset_element<std::int32_t> && !padbatch::offset_element<float>);
static_assert(!std::is_constructible_v<counts_view, const std::vector<std::uint8_t>&, std::size_t>);
static_assert(!std::is_constructible_v<offsets_view, const std::vector<float>&, std::size_t>);

TEST_CASE_TEMPLATE("counts of every type are read as they are", T, std::int32_t, std::int64_t, float)
{
    const std::vector<T> values = {2, 0, 3};
    const counts_view counts(values, 3);
    CHECK(counts.size() == 3);
    CHECK(counts[0] == 2);
    CHECK(counts[1] == 0);
    CHECK(counts[2] == 3);
    CHECK(counts.total() == 5);
    CHECK(counts.largest() == 3);

    std::array<T, 2> writable = {1, 2};
    CHECK(counts_view(writable, 2).total() == 3);
    writable[0] = 2;
    CHECK(counts_view(std::span(writable), 2).total() == 4);
}

TEST_CASE_TEMPLATE("a count below zero or above the capacity is an error that names the image", T, std::int32_t,
                   std::int64_t, float)
{
    check_status(counts_view::check(std::vector<T>{2, 101, 3}, 100), status_code::bad_count, {"image 1", "101", "100"});
    check_status(counts_view::check(std::vector<T>{2, 0, -1}, 100), status_code::bad_count, {"image 2", "-1", "100"});
    check_status(counts_view::check(std::vector<T>{1}, 0), status_code::bad_count, {"image 0", "1", "capacity, 0"});
    check_status(counts_view::check(std::vector<T>{std::numeric_limits<T>::max()}, 100), status_code::bad_count);
    check_status(counts_view::check(std::vector<T>{std::numeric_limits<T>::lowest()}, 100), status_code::bad_count);
    CHECK(counts_view::check(std::vector<T>{0, 100}, 100).ok());
    check_error([] { counts_view(std::vector<T>{4}, 3); }, status_code::bad_count, {"4", "3"});
}

TEST_CASE("a float count that is no whole number is an error")
{
    using floats = std::vector<float>;
    check_status(counts_view::check(floats{1, 2.5F}, 100), status_code::bad_count, {"image 1", "2.5"});
    check_status(counts_view::check(floats{std::numeric_limits<float>::quiet_NaN()}, 100), status_code::bad_count,
                 {"nan"});
    check_status(counts_view::check(floats{std::numeric_limits<float>::infinity()}, 100), status_code::bad_count,
                 {"inf"});
    check_status(counts_view::check(floats{-0.25F}, 100), status_code::bad_count, {"-0.25"});
    CHECK(counts_view::check(floats{-0.0F}, 100).ok());
}

TEST_CASE("counts may be as large as the capacity, whatever that is")
{
    constexpr std::size_t no_limit = std::numeric_limits<std::size_t>::max();
    const std::vector<std::int64_t> most = {std::numeric_limits<std::int64_t>::max()};
    CHECK(counts_view(most, no_limit)[0] == static_cast<std::size_t>(most[0]));
    const std::vector<float> large = {0x1p24F + 2, 0x1p40F};
    CHECK(counts_view(large, no_limit)[0] == (1U << 24) + 2);
    CHECK(counts_view(large, no_limit)[1] == std::size_t{1} << 40);
    CHECK_FALSE(counts_view::check(large, (std::size_t{1} << 40) - 1).ok());
    for (const float too_large : {0x1p63F, 0x1p64F, std::numeric_limits<float>::max()}) {
        CHECK_FALSE(counts_view::check(std::vector<float>{too_large}, no_limit).ok());
    }
}

TEST_CASE("a batch without images has no counts")
{
    const counts_view none;
    CHECK(none.size() == 0);
    CHECK(none.total() == 0);
    CHECK(none.largest() == 0);
    CHECK(counts_view(std::vector<float>{}, 0).size() == 0);
    CHECK(counts_view(std::span<const std::int32_t>(), 100).total() == 0);
}

TEST_CASE("counts that are not checked are taken as they are")
{
    const std::vector<std::int32_t> values = {200};
    CHECK(counts_view(unchecked, values)[0] == 200);
}

TEST_CASE_TEMPLATE("offsets say where each image's rows begin and how many they are", T, std::int32_t, std::int64_t)
{
    const std::vector<T> values = {0, 2, 2, 5};
    const offsets_view offsets(values, 5);
    CHECK(offsets.size() == 3);
    CHECK(offsets[1] == 2);
    CHECK(offsets[3] == 5);
    CHECK(offsets.count(0) == 2);
    CHECK(offsets.count(1) == 0);
    CHECK(offsets.count(2) == 3);
    CHECK(offsets.total() == 5);
    CHECK(offsets_view(std::span<const T>(values), 100).size() == 3); // rows behind the last are no mistake
}

TEST_CASE_TEMPLATE("the first offset need not be 0", T, std::int32_t, std::int64_t)
{
    const std::vector<T> values = {3, 3, 7};
    const offsets_view offsets(values, 7);
    CHECK(offsets.count(0) == 0);
    CHECK(offsets.count(1) == 4);
    CHECK(offsets.total() == 4);
}

TEST_CASE_TEMPLATE("offsets that decrease, are negative or overrun the rows are an error", T, std::int32_t,
                   std::int64_t)
{
    check_status(offsets_view::check(std::vector<T>{0, 5, 3, 6}, 9), status_code::bad_offsets, {"offset 2", "3", "5"});
    check_status(offsets_view::check(std::vector<T>{-1, 5}, 9), status_code::bad_offsets, {"offset 0", "-1", "0"});
    check_status(offsets_view::check(std::vector<T>{0, 5, 10}, 9), status_code::bad_offsets, {"10", "9 rows"});
    check_status(offsets_view::check(std::vector<T>{10}, 9), status_code::bad_offsets, {"10", "9 rows"});
    check_status(offsets_view::check(std::vector<T>{0, std::numeric_limits<T>::lowest()}, 9), status_code::bad_offsets);
    check_status(offsets_view::check(std::vector<T>{0, std::numeric_limits<T>::max()}, 9), status_code::bad_offsets);
    check_error([] { offsets_view(std::vector<T>{0, 5, 3}, 9); }, status_code::bad_offsets, {"offset 2"});
}

TEST_CASE("no offsets at all are an error; of no images there is one")
{
    check_status(offsets_view::check(std::vector<std::int32_t>{}, 9), status_code::bad_offsets, {"B + 1"});
    check_error([] { offsets_view(std::vector<std::int64_t>{}, 0); }, status_code::bad_offsets);
    const std::vector<std::int32_t> zero = {0};
    CHECK(offsets_view(zero, 0).size() == 0);
    CHECK(offsets_view(zero, 0).total() == 0);
}

TEST_CASE("offsets that were made of nothing are those of no images")
{
    const offsets_view none;
    CHECK(none.size() == 0);
    CHECK(none[0] == 0);
    CHECK(none.total() == 0);
}
