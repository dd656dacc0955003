// SPDX-License-Identifier: Apache-2.0
#include <padbatch/extents.hpp>

#include <tests/support/check_status.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

using padbatch::dynamic;
using padbatch::element_count;
using padbatch::row_extents;

namespace {

constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();

std::int64_t count(const std::vector<std::int64_t>& extents)
{
    return element_count(extents);
}

template <class E>
E make(const std::array<std::size_t, E::rank>& all)
{
    return E{std::span<const std::size_t, E::rank>(all)};
}

} // namespace

static_assert(std::is_empty_v<row_extents<4>> && std::is_empty_v<row_extents<>> &&
              std::is_empty_v<row_extents<1, 28, 28>>);
static_assert(row_extents<>::rank == 0 && row_extents<>{}.size() == 1 && row_extents<>::is_static);
static_assert(row_extents<4>{}.size() == 4 && row_extents<2, 0, 4>{}.size() == 0 &&
              row_extents<1, 28, 28>{}.size() == 784);
static_assert(!row_extents<dynamic, 3>::is_static && row_extents<dynamic, 3>::rank == 2);
static_assert(padbatch::detail::may_be_same<row_extents<dynamic, 3>, row_extents<17, 3>>());
static_assert(!padbatch::detail::may_be_same<row_extents<dynamic, 3>, row_extents<17, 2>>());
static_assert(!padbatch::detail::may_be_same<row_extents<dynamic>, row_extents<dynamic, dynamic>>());

TEST_CASE("the number of elements is the product of the extents")
{
    CHECK(count({}) == 1);
    CHECK(count({7}) == 7);
    CHECK(count({2, 100, 4}) == 800);
    CHECK(count({2, 0, 4}) == 0);
    CHECK(count({most}) == most);
    CHECK(count({std::int64_t{1} << 31, (std::int64_t{1} << 31) - 1, 2}) == ((std::int64_t{1} << 31) - 1) << 32);
}

TEST_CASE("a product above 2^63 - 1 is an error that names the extents")
{
    for (const auto& extents : {std::vector<std::int64_t>{most, 2},
                                {std::int64_t{1} << 32, std::int64_t{1} << 31},
                                {std::int64_t{1} << 32, 0, std::int64_t{1} << 31}}) {
        try {
            (void)count(extents);
            FAIL("no error");
        } catch (const padbatch::error& e) {
            CHECK(e.code() == padbatch::status_code::size_overflow);
            CHECK(std::string(e.what()).find(std::to_string(extents.front())) != std::string::npos);
        }
    }
}

TEST_CASE("a negative extent is not counted")
{
    for (const auto& shape : {std::vector<std::int64_t>{-1}, {2, -1, 4}, {-2, -2}, {0, -1}}) {
        std::int64_t count = 123;
        CHECK_FALSE(padbatch::try_element_count(shape, count).ok());
        CHECK(count == 123);
    }
}

TEST_CASE("the form without exceptions sets the count, and names the shape where it does not fit")
{
    std::int64_t count = 0;
    CHECK(padbatch::try_element_count(std::array<std::int64_t, 3>{2, 3, 4}, count).ok());
    CHECK(count == 24);
    padbatch::test::check_status(padbatch::try_element_count(std::array<std::int64_t, 2>{most, 3}, count),
                                 padbatch::status_code::size_overflow, {"[9223372036854775807, 3]", "2^63 - 1"});
    CHECK(count == 24);
}

TEST_CASE("extents that are dynamic are 0 until they are given; the others are what the type says")
{
    const row_extents<dynamic, 3> unknown;
    CHECK(unknown.extent(0) == 0);
    CHECK(unknown.extent(1) == 3);
    CHECK(unknown.size() == 0);

    const auto known = make<row_extents<dynamic, 3>>({17, 3});
    CHECK(known.extent(0) == 17);
    CHECK(known.extent(1) == 3);
    CHECK(known.size() == 51);
    CHECK(row_extents<dynamic, 3>::static_extent(0) == dynamic);
    CHECK(row_extents<dynamic, 3>::static_extent(1) == 3);
}

TEST_CASE("a type matches the extents that it can have, and no others")
{
    using shape = std::vector<std::size_t>;
    CHECK(row_extents<dynamic, 3>::matches(shape{17, 3}));
    CHECK(row_extents<dynamic, 3>::matches(shape{0, 3}));
    CHECK_FALSE(row_extents<dynamic, 3>::matches(shape{17, 2}));
    CHECK_FALSE(row_extents<dynamic, 3>::matches(shape{17}));
    CHECK_FALSE(row_extents<dynamic, 3>::matches(shape{17, 3, 1}));
    CHECK(row_extents<>::matches(shape{}));
    CHECK_FALSE(row_extents<>::matches(shape{1}));
}

TEST_CASE("extents are the same when their numbers are, whatever is known at compile time")
{
    const auto wide = make<row_extents<dynamic, dynamic, dynamic>>({1, 28, 14});
    CHECK(wide.same_as(row_extents<1, 28, 14>{}));
    CHECK(row_extents<1, 28, 14>{}.same_as(wide));
    CHECK_FALSE(wide.same_as(row_extents<1, 14, 28>{}));
    CHECK_FALSE(wide.same_as(row_extents<28, 14>{}));
    CHECK(row_extents<>{}.same_as(row_extents<>{}));

    CHECK(wide.to_array() == std::array<std::size_t, 3>{1, 28, 14});
    CHECK(row_extents<1, 28, 14>{}.to_array() == wide.to_array());
    CHECK(row_extents<>{}.to_array().empty());

    const auto narrow = padbatch::detail::extents_cast<row_extents<1, dynamic, 14>>(wide);
    CHECK(narrow.same_as(wide));
}
