// SPDX-License-Identifier: Apache-2.0
#include <padbatch/pad.hpp>
#include <padbatch/slots.hpp>

#include <tests/support/check_status.hpp>
#include <tests/support/count_allocations.hpp>
#include <tests/support/plain_batch.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <vector>

using namespace padbatch;
using padbatch::test::check_error;
using padbatch::test::check_status;

namespace {

/// Two images of three rows, all 7, with counts of 9.
struct two_images {
    std::vector<std::int32_t> counts{9, 9};
    std::vector<float> boxes = std::vector<float>(2 * 3 * 4, 7);
    std::vector<std::uint8_t> labels = std::vector<std::uint8_t>(2 * 3, 7);

    auto view() { return padded_view(unchecked, counts, 3, t::boxes(boxes), t::labels(labels)); }
    bool operator==(const two_images&) const = default;
};

} // namespace

TEST_CASE("finishing a slot sets its count and fills the rows behind, and no others")
{
    two_images batch;
    REQUIRE(try_finish_slot(batch.view(), 1, 1).ok());
    CHECK(batch.counts == std::vector<std::int32_t>{9, 1});
    std::vector<float> boxes(2 * 3 * 4, 7);
    std::fill(boxes.begin() + 16, boxes.end(), 0.0F);
    CHECK(batch.boxes == boxes);
    CHECK(batch.labels == std::vector<std::uint8_t>{7, 7, 7, 7, 0, 0});
}

TEST_CASE("each field gets its own pad value, and those that are not named get 0")
{
    two_images batch;
    REQUIRE(try_finish_slot(batch.view(), 0, 2, pad_values(t::labels(200))).ok());
    CHECK(batch.labels == std::vector<std::uint8_t>{7, 7, 200, 7, 7, 7});
    CHECK(batch.boxes[7] == 7);
    CHECK(batch.boxes[8] == 0);
    REQUIRE(try_finish_slot(batch.view(), 0, 1, pad_values(t::boxes(-0.5F), t::labels(3))).ok());
    CHECK(batch.labels == std::vector<std::uint8_t>{7, 3, 3, 7, 7, 7});
    CHECK(batch.boxes[3] == 7);
    CHECK(batch.boxes[4] == -0.5F);
    CHECK(batch.boxes[11] == -0.5F);
    CHECK(batch.boxes[12] == 7);
}

TEST_CASE("a slot may be finished without rows, and full")
{
    two_images batch;
    REQUIRE(try_finish_slot(batch.view(), 0, 3).ok());
    CHECK(batch.labels == std::vector<std::uint8_t>(6, 7));
    REQUIRE(try_finish_slot(batch.view(), 1, 0).ok());
    CHECK(batch.labels == std::vector<std::uint8_t>{7, 7, 7, 0, 0, 0});
    CHECK(batch.counts == std::vector<std::int32_t>{3, 0});
}

TEST_CASE("an image, a count or a pad value that cannot be is refused, and nothing is written")
{
    two_images batch;
    const two_images before = batch;
    const auto refused = [&](status_code code, std::size_t i, std::size_t n, std::initializer_list<const char*> texts,
                             const auto&... options) {
        check_status(try_finish_slot(batch.view(), i, n, options...), code, texts);
        check_error([&] { finish_slot(batch.view(), i, n, options...); }, code, texts);
        CHECK(batch == before);
    };
    refused(status_code::batch_mismatch, 2, 1, {"image 2", "batch of 2"});
    refused(status_code::batch_mismatch, static_cast<std::size_t>(-1), 0, {});
    refused(status_code::bad_count, 0, 4, {"image 0", "is 4", "capacity, 3"});
    refused(status_code::bad_argument, 0, 1, {"-1", "labels", "uint8"}, pad_values(t::labels(-1)));
    refused(status_code::bad_argument, 0, 3, {"0.5", "labels"}, pad_values(t::labels(0.5)));
}

TEST_CASE("a count that the counts' type cannot hold is refused")
{
    constexpr std::size_t capacity = (std::size_t{1} << 24) + 4;
    std::vector<float> counts(1);
    std::vector<std::uint8_t> memory(capacity);
    const padded_view<field<t::values_t, std::uint8_t>> batch(counts, capacity, t::values(memory));
    check_status(try_finish_slot(batch, 0, capacity - 1), status_code::size_overflow, {"16777219"});
    CHECK(counts[0] == 0);
}

TEST_CASE("a producer fills the slots of an owner, which allocates nothing")
{
    padded<boxes<>, labels<>> owner(2, 3);
    const padbatch::test::allocation_counter counter;
    for (std::size_t i = 0; i < 2; ++i) {
        owner.slot(i)[t::boxes][0][3] = static_cast<float>(i);
        owner.slot(i)[t::labels][0] = 5;
        finish_slot(owner, i, 1, pad_values(t::labels(-1)));
    }
    const std::size_t allocated = counter.count();
    CHECK(allocated == 0);
    CHECK(owner.counts().total() == 2);
    CHECK(owner.image(1)[t::boxes][0][3] == 1);
    CHECK(same_bytes(owner[t::labels], std::vector<std::int64_t>{5, -1, -1, 5, -1, -1}));
}

TEST_CASE("an owner forgets its padding when a slot is finished, and not when that is refused")
{
    const std::vector<std::vector<float>> one{{1}};
    padded<scores<>> owner(1, 3);
    pad_into(owner, one);
    owner[t::scores].data()[2] = 99; // which an owner that trusts its padding leaves
    check_status(try_finish_slot(owner, 0, 4), status_code::bad_count);
    pad_into(owner, one, padding::reuse);
    CHECK(same_bytes(owner[t::scores], std::vector<float>{1, 0, 99}));
    REQUIRE(try_finish_slot(owner, 0, 1, pad_values(t::scores(5))).ok());
    pad_into(owner, one, padding::reuse);
    CHECK(same_bytes(owner[t::scores], std::vector<float>{1, 0, 0}));
}
