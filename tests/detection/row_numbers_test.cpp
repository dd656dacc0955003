// SPDX-License-Identifier: Apache-2.0
#include <padbatch/detection/row_numbers.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <span>
#include <utility>

TEST_CASE("row numbers are a contiguous container that keeps its memory")
{
    padbatch::row_numbers rows;
    CHECK(rows.empty());
    REQUIRE(rows.try_resize(4).ok());
    std::iota(rows.begin(), rows.end(), std::int64_t{10});
    CHECK((rows[3] == 13 && rows.size() == 4));
    const std::int64_t* const before = rows.data();
    REQUIRE(rows.try_resize(2).ok());
    REQUIRE(rows.try_resize(4).ok());
    CHECK(rows.data() == before);
    const padbatch::row_numbers& same = rows;
    const std::span<const std::int64_t> all(same);
    CHECK(std::accumulate(all.begin(), all.end(), std::int64_t{0}) == 46);
    CHECK(same[0] == 10);
    const padbatch::row_numbers taken = std::move(rows);
    CHECK((taken.data() == before && taken.end() - taken.begin() == 4));
    padbatch::row_numbers too_many;
    CHECK(too_many.try_resize(std::numeric_limits<std::size_t>::max()).code() == padbatch::status_code::out_of_memory);
    CHECK(too_many.empty());
    too_many.clear();
}
