// SPDX-License-Identifier: Apache-2.0
#include <padbatch/count_rows.hpp>

#include <tests/support/check_status.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <random>
#include <span>
#include <vector>

using namespace padbatch;
using padbatch::test::check_error;

namespace {

using counts32 = std::vector<std::int32_t>;

constexpr float nan_score = std::numeric_limits<float>::quiet_NaN();

} // namespace

TEST_CASE_TEMPLATE("the rows of each image with a score above 0 are counted", T, std::int32_t, std::int64_t, float)
{
    const std::vector<float> scores = {0.9F, 0.1F, 0, 0, 0, 0, 0.5F, 0.4F, 0.3F};
    std::vector<T> counts(3, T{77});
    count_scores(scores, 3, counts);
    CHECK(counts == std::vector<T>{2, 0, 3});
}

TEST_CASE("scores are counted above any threshold, and not at it")
{
    const std::vector<float> scores = {0.75F, 0.5F, 0.25F, 0.5F, 0.5F, 0.5F};
    counts32 counts(2);
    count_scores(scores, 3, counts, 0.5);
    CHECK(counts == counts32{1, 0});
    count_scores(scores, 3, counts, 0.25);
    CHECK(counts == counts32{2, 3});
    count_scores(scores, 3, counts, -1);
    CHECK(counts == counts32{3, 3});
}

TEST_CASE("scores of every element type are compared by their value")
{
    counts32 counts(1);
    count_scores(std::vector<float16>{float16(0.5F), float16(0.25F), float16(0)}, 3, counts);
    CHECK(counts[0] == 2);
    count_scores(std::vector<bfloat16>{bfloat16(0.5F), bfloat16(-1), bfloat16(0)}, 3, counts);
    CHECK(counts[0] == 1);
    count_scores(std::vector<std::uint8_t>{255, 1, 0}, 3, counts);
    CHECK(counts[0] == 2);
    count_scores(std::vector<double>{1e-300, 0, 0}, 3, counts);
    CHECK(counts[0] == 1);
}

TEST_CASE("a score that is no number is not real")
{
    counts32 counts = {77};
    count_scores(std::vector<float>{0.5F, nan_score, 0}, 3, counts);
    CHECK(counts[0] == 1);
    count_scores(std::vector<float>{nan_score, nan_score, nan_score}, 3, counts, -1);
    CHECK(counts[0] == 0);
    check_error([&] { count_scores(std::vector<float>{0.5F, nan_score, 0.25F}, 3, counts); }, status_code::not_a_prefix,
                {"row 2 of image 0", "row 1"});
}

TEST_CASE("a real row behind one that is not is an error, and nothing is written")
{
    const std::vector<float> scores = {0.9F, 0, 0, 0.5F, 0, 0.1F};
    counts32 counts(2, 77);
    check_error([&] { count_scores(scores, 3, counts); }, status_code::not_a_prefix, {"row 2 of image 1", "row 1"});
    CHECK(counts == counts32{77, 77});
    CHECK_FALSE(try_count_scores(scores, 3, std::span(counts)).ok());
}

TEST_CASE_TEMPLATE("ids end where the first one is -1", T, std::int32_t, std::int64_t, float)
{
    const std::vector<T> ids = {3, 0, -1, -1, -1, -1, 1, 1, 1};
    counts32 counts(3, 77);
    count_ids(ids, 3, counts);
    CHECK(counts == counts32{2, 0, 3});
    counts = counts32(3, 77);
    const std::vector<T> hole = {3, 0, -1, -1, 5, -1, 1, 1, 1};
    check_error([&] { count_ids(hole, 3, counts); }, status_code::not_a_prefix, {"row 1 of image 1", "row 0"});
    CHECK(counts == counts32(3, 77));
}

TEST_CASE("rows are counted by any condition, the same as by a plain loop")
{
    std::mt19937 random(3);
    for (int round = 0; round < 100; ++round) {
        const std::size_t batch = random() % 5;
        const std::size_t capacity = random() % 6;
        std::vector<std::uint8_t> values(batch * capacity);
        counts32 expected;
        for (std::size_t i = 0; i < batch; ++i) {
            const std::size_t n = random() % (capacity + 1);
            expected.push_back(static_cast<std::int32_t>(n));
            for (std::size_t j = 0; j < capacity; ++j) {
                values[i * capacity + j] = static_cast<std::uint8_t>(random() % 5 + (j < n ? 0 : 5));
            }
        }
        counts32 counts(batch, 77);
        count_rows(values, capacity, [](std::uint8_t value) { return value < 5; }, counts);
        CHECK(counts == expected);
    }
}

TEST_CASE("another number of values than [B, M] is an error, and nothing is written")
{
    counts32 counts(2, 77);
    const std::vector<float> scores(5, 1.0F);
    check_error([&] { count_scores(std::vector<float>(7), 3, counts); }, status_code::size_mismatch, {"7 values"});
    check_error([&] { count_scores(scores, 3, counts); }, status_code::size_mismatch, {"5 values", "2 images of 3"});
    check_error([&] { count_scores(scores, 0, counts); }, status_code::size_mismatch, {"5 values", "2 images of 0"});
    check_error([&] { count_ids(scores, 3, counts); }, status_code::size_mismatch);
    check_error([&] { count_rows(scores, 5, [](float) { return true; }, counts); }, status_code::size_mismatch);
    CHECK(counts == counts32{77, 77});
    counts32 none;
    CHECK_NOTHROW(count_scores(std::vector<float>{}, 3, none));
    CHECK_NOTHROW(count_scores(std::vector<float>{}, 0, counts));
    CHECK(counts == counts32{0, 0});
}
