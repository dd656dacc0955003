// SPDX-License-Identifier: Apache-2.0
#include <padbatch/row_index.hpp>

#include "tests/support/check_status.hpp"
#include "tests/support/count_allocations.hpp"
#include "tests/support/random_batch.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

using namespace padbatch;
using padbatch::test::check_status;

namespace {

std::vector<std::vector<std::int32_t>> rows_in(const row_index& index)
{
    std::vector<std::vector<std::int32_t>> all;
    for (std::size_t i = 0; i < index.size(); ++i) {
        const auto rows = index.rows_of(i);
        CHECK(rows.size() == index.count(i));
        all.emplace_back(rows.begin(), rows.end());
    }
    return all;
}

/// What the index of these ids is: for each image a look at all of them.
template <class T>
std::vector<std::vector<std::int32_t>> rows_plainly(const std::vector<T>& ids, std::size_t batch)
{
    std::vector<std::vector<std::int32_t>> all(batch);
    for (std::size_t i = 0; i < batch; ++i) {
        for (std::size_t j = 0; j < ids.size(); ++j) {
            if (ids[j] == static_cast<T>(i)) {
                all[i].push_back(static_cast<std::int32_t>(j));
            }
        }
    }
    return all;
}

} // namespace

TEST_CASE_TEMPLATE("rows in any order are found for each image, in the order that they come in", T, float, double,
                   std::int32_t, std::int64_t, std::uint8_t)
{
    dice random(1);
    for (int k = 0; k < 100; ++k) {
        const std::size_t batch = 1 + random.below(6);
        std::vector<T> ids(random.below(30));
        for (T& id : ids) {
            id = static_cast<T>(random.below(batch));
        }
        const bool sorts = random.once_in(2);
        if (sorts) {
            std::sort(ids.begin(), ids.end());
        }
        const row_index index(ids, batch);
        CHECK(index.size() == batch);
        CHECK(index.rows() == ids.size());
        CHECK(index.given_rows() == ids.size());
        CHECK(index.is_sorted() == std::is_sorted(ids.begin(), ids.end()));
        CHECK(rows_in(index) == rows_plainly(ids, batch));
    }
}

TEST_CASE("images without rows have none, the last ones too, and a batch may have no rows or no images at all")
{
    const std::vector<float> ids{1, 1, 3};
    CHECK(rows_in(row_index(ids, 6)) == std::vector<std::vector<std::int32_t>>{{}, {0, 1}, {}, {2}, {}, {}});
    CHECK(rows_in(row_index(std::vector<float>(), 2)) == std::vector<std::vector<std::int32_t>>(2));
    CHECK(row_index(std::vector<float>(), 0).size() == 0);
    CHECK(row_index().size() == 0);
    CHECK(row_index().rows() == 0);
}

TEST_CASE("the batch index may be any column of flat rows")
{
    const std::vector<float> values{9, 2, 8, 9, 0, 8, 9, 2, 8};
    const row_index index(values, 3, col<1>, 3);
    CHECK(rows_in(index) == std::vector<std::vector<std::int32_t>>{{1}, {}, {0, 2}});
    CHECK_FALSE(index.is_sorted());
    const std::vector<float> stopped{9, 0, 8, 9, -1, 8, 9, 77, 8};
    CHECK(rows_in(row_index(stopped, 3, col<1>, 1, ends_with_minus_one)) ==
          std::vector<std::vector<std::int32_t>>{{0}});

    row_index other;
    check_status(other.try_build(values, 3, col<3>, 3), status_code::bad_argument, {"column 3", "3 columns"});
    check_status(other.try_build(values, 0, col<0>, 3), status_code::bad_argument);
    check_status(other.try_build(values, 2, col<0>, 3), status_code::size_mismatch, {"9 values", "2 columns"});
    CHECK(row_index(std::vector<float>(), 7, col<0>, 2).size() == 2);
}

TEST_CASE("an index of -1 ends the rows where that is asked for, and is refused where it is not")
{
    const std::vector<float> ids{0, 1, -1, 5, 1};
    const row_index index(ids, 2, ends_with_minus_one);
    CHECK(index.rows() == 2);
    CHECK(index.given_rows() == 5);
    CHECK(rows_in(index) == std::vector<std::vector<std::int32_t>>{{0}, {1}});
    const std::vector<std::int32_t> at_once{-1, 0};
    CHECK(row_index(at_once, 2, ends_with_minus_one).rows() == 0);
    const std::vector<std::int64_t> nowhere{0, 1, 1};
    CHECK(row_index(nowhere, 2, ends_with_minus_one).rows() == 3);

    row_index refused;
    check_status(refused.try_build(ids, 2), status_code::bad_batch_index, {"row 2", "-1"});
}

TEST_CASE("the highest id of an unsigned type is an image like any other, and no -1")
{
    const std::vector<std::uint8_t> ids{255, 0};
    CHECK(row_index(ids, 256, ends_with_minus_one).rows() == 2);
}

TEST_CASE("an index that is NaN, fractional, negative or beyond the batch is refused with the row and the value")
{
    const auto refused = [](auto bad, std::size_t batch, const char* text) {
        const std::vector<decltype(bad)> ids{0, 1, bad};
        row_index index(std::vector<std::int32_t>{0}, 1);
        check_status(index.try_build(ids, batch), status_code::bad_batch_index, {"row 2", text});
        CHECK(index.size() == 0);
        CHECK(index.rows() == 0);
        CHECK(index.given_rows() == 0);
        CHECK_THROWS_AS(row_index(ids, batch), error);
    };
    refused(std::numeric_limits<float>::quiet_NaN(), 4, "nan");
    refused(1.5F, 4, "1.5");
    refused(-0.5F, 4, "-0.5");
    refused(4.0F, 4, "is 4");
    refused(1e30F, 4, "e+30");
    refused(-std::numeric_limits<float>::infinity(), 4, "-inf");
    refused(1e300, 4, "1e+300");
    refused(std::int32_t{4}, 4, "0 to 3");
    refused(std::int32_t{-1}, 4, "-1");
    refused(std::numeric_limits<std::int32_t>::min(), 4, "-2147483648");
    refused(std::numeric_limits<std::int64_t>::max(), 4, "9223372036854775807");
    refused(std::int64_t{1} << 32, 4, "4294967296"); // 0 in its lower half
    refused(std::uint8_t{200}, 200, "200");
    // -0 is 0.
    CHECK(row_index(std::vector<float>{-0.0F}, 1).rows() == 1);
}

TEST_CASE("more images than an index can number are refused before any memory is asked for")
{
    row_index index;
    const std::vector<std::int32_t> ids{0};
    const padbatch::test::allocation_counter counter;
    const status outcome = index.try_build(ids, std::size_t{1} << 31);
    const std::size_t allocated = counter.count();
    check_status(outcome, status_code::size_overflow, {"2147483648"});
    CHECK(allocated == 0);
}

TEST_CASE("an index that is built again for smaller batches does not allocate")
{
    dice random(2);
    std::vector<std::int32_t> ids(50, 7);
    row_index index(ids, 8);
    std::size_t allocated = 0;
    for (int k = 0; k < 20; ++k) {
        const std::size_t batch = 1 + random.below(8);
        for (std::int32_t& id : ids) {
            id = static_cast<std::int32_t>(random.below(batch));
        }
        const padbatch::test::allocation_counter counter;
        const bool built = index.try_build(std::span(ids).first(random.below(51)), batch).ok();
        allocated += counter.count();
        CHECK(built);
    }
    CHECK(allocated == 0);
}

TEST_CASE("an index that is moved is the same, and what it was moved from can be built again")
{
    const std::vector<std::int32_t> ids{1, 0, 1};
    row_index from(ids, 2);
    row_index to(std::move(from));
    CHECK(rows_in(to) == std::vector<std::vector<std::int32_t>>{{1}, {0, 2}});
    from = row_index(ids, 3);
    CHECK(from.size() == 3);
}
