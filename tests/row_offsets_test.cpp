// SPDX-License-Identifier: Apache-2.0
#include <padbatch/row_offsets.hpp>

#include <tests/support/check_status.hpp>
#include <tests/support/count_allocations.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

using namespace padbatch;
using padbatch::test::check_error;
using padbatch::test::check_status;

namespace {

std::vector<std::int64_t> all(const row_offsets& offsets)
{
    return {offsets.begin(), offsets.end()};
}

} // namespace

TEST_CASE_TEMPLATE("counts of every type become the offsets at which each image's rows begin", T, std::int32_t,
                   std::int64_t, float)
{
    const row_offsets offsets(std::vector<T>{2, 0, 3});
    CHECK(all(offsets) == std::vector<std::int64_t>{0, 2, 2, 5});
    CHECK(offsets.size() == 4);
    CHECK(offsets.data()[3] == 5);
}

TEST_CASE("no images have one offset, 0, with or without counts")
{
    CHECK(all(row_offsets()) == std::vector<std::int64_t>{0});
    CHECK(all(row_offsets(std::vector<std::int32_t>())) == std::vector<std::int64_t>{0});
}

TEST_CASE("offsets go beyond 32 bits where each count does not")
{
    constexpr std::int32_t most = std::numeric_limits<std::int32_t>::max();
    CHECK(all(row_offsets(std::vector<std::int32_t>{most, most})) ==
          std::vector<std::int64_t>{0, most, 2 * std::int64_t{most}});
}

TEST_CASE("counts that are negative, fractional or not a number are refused, and leave no images")
{
    row_offsets offsets(std::vector<std::int32_t>{1, 2});
    check_status(offsets.try_build(std::vector<std::int32_t>{1, -2}), status_code::bad_count, {"image 1", "-2"});
    CHECK(all(offsets) == std::vector<std::int64_t>{0});
    REQUIRE(offsets.try_build(std::vector<std::int32_t>{3}).ok());
    check_status(offsets.try_build(std::vector<float>{0.5F}), status_code::bad_count, {"image 0", "0.5"});
    CHECK(all(offsets) == std::vector<std::int64_t>{0});
    check_error([] { row_offsets(std::vector<float>{std::numeric_limits<float>::quiet_NaN()}); },
                status_code::bad_count);
}

TEST_CASE("offsets that are built again for no more images do not allocate")
{
    const std::vector<std::int32_t> many(50, 2);
    const std::vector<std::int64_t> few{7};
    row_offsets offsets(many);
    const padbatch::test::allocation_counter counter;
    const bool built = offsets.try_build(few).ok() && offsets.try_build(many).ok();
    const std::size_t allocated = counter.count();
    CHECK(built);
    CHECK(allocated == 0);
    CHECK(offsets.data()[50] == 100);
}

TEST_CASE("offsets that are moved are the same, and what they were moved from has no images")
{
    row_offsets first(std::vector<std::int32_t>{4});
    const row_offsets second = std::move(first);
    CHECK(all(second) == std::vector<std::int64_t>{0, 4});
    CHECK(all(first) == std::vector<std::int64_t>{0}); // NOLINT(bugprone-use-after-move)
}
