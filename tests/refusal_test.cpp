// SPDX-License-Identifier: Apache-2.0
// What would read memory that is gone, or not what the caller means, and is refused instead.

#include <padbatch/padbatch.hpp>

#include "tests/support/check_status.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <vector>

using namespace padbatch;
using padbatch::test::check_status;

namespace {

/// A row type without a default.
struct point {
    float x;
    float y;
    point(float first, float second) : x(first), y(second) {}
};
struct points_t : padbatch::tag<points_t> {
    static constexpr char name[] = "points";
};
constexpr points_t points{};

} // namespace

TEST_CASE("a function whose data are no whole rows is refused, and none of its rows is read")
{
    const std::vector<float> six(6, 1);
    const auto source = generated(2, [&](std::size_t) { return image_of(t::boxes(six)); });
    padded<boxes<>> output(2, 3);
    check_status(try_pad_into(output, source), errc::size_mismatch, {"image 0"});
}

TEST_CASE("rows of a batch cannot be appended to it, whichever field they are of")
{
    ragged<scores<>, field<t::values_t, float>> batch;
    const std::vector<float> one{1};
    batch.append(t::scores(one), t::values(one));
    batch.end_image();
    const auto own = batch[t::scores].flat();
    check_status(batch.try_append(t::scores(one), t::values(own)), errc::overlap, {"this batch itself"});
    check_status(batch.try_append(t::scores(own), t::values(one)), errc::overlap, {"this batch itself"});
    CHECK(batch.open_rows() == 0);
}

TEST_CASE("a ragged batch cannot be unpadded into itself")
{
    ragged<scores<>> batch;
    batch.end_image();
    batch.end_image();
    check_status(try_unpad_into(batch, batch), errc::overlap, {"itself"});
    check_status(try_unpad_into(batch, batch.view()), errc::overlap, {"itself"});
    CHECK(batch.size() == 2);
}

TEST_CASE("an index that was built again for another number of rows is refused")
{
    const std::vector<float> corners(8, 1);
    row_index index(std::vector<int>{0, 1}, 2);
    const auto source = tagged(index, t::boxes(corners));
    REQUIRE(index.try_build(std::vector<int>(50), 2).ok());
    padded<boxes<>> output(2, 50);
    check_status(try_pad_into(output, source), errc::field_mismatch, {"50", "2"});
}

TEST_CASE("padding that was overwritten through a view with higher counts is cleared all the same")
{
    padded<scores<>> batch(1, 4);
    std::vector<std::vector<float>> rows{{1, 2, 3}};
    pad_into(batch, rows);
    rows[0] = {9, 9, 9, 4};
    pad_into(batch.view(), rows);
    rows[0] = {9};
    pad_into(batch, rows, padding::reuse);
    CHECK(std::vector<float>(batch[t::scores].begin(), batch[t::scores].end()) == std::vector<float>{9, 0, 0, 0});
}

TEST_CASE("a row type needs no default, and its padding is zero bytes")
{
    const std::vector<std::vector<point>> rows{{point(1, 2)}, {}};
    const auto batch = pad(each(points(rows)));
    CHECK(batch[points](0, 0).y == 2);
    CHECK(batch[points](1, 0).x == 0);
}

TEST_CASE("a row shape that the field's type cannot have is refused")
{
    padded<masks<float, 1, 28, 28>> batch;
    check_status(batch.try_allocate(2, 3, t::masks.shape(1, 14, 14)), errc::row_mismatch, {"masks"});
    CHECK(batch.try_allocate(2, 3, t::masks.shape(1, 28, 28)).ok());
}

TEST_CASE("a count that the counts' type cannot hold is refused")
{
    constexpr std::size_t capacity = (std::size_t{1} << 24) + 4;
    std::vector<float> counts(1);
    std::vector<std::uint8_t> memory(capacity);
    const padded_view<field<t::values_t, std::uint8_t>> batch(counts, capacity, t::values(memory));
    check_status(try_finish_slot(batch, 0, capacity - 1), errc::size_overflow, {"16777219"});
    CHECK(counts[0] == 0);
}

TEST_CASE("row ids become a mask")
{
    const std::vector<std::int32_t> ids{0, 0, 2};
    std::vector<std::uint8_t> mask(6);
    to_mask(row_ids_view(ids, 3), 2, mask);
    CHECK(mask == std::vector<std::uint8_t>{1, 1, 0, 0, 1, 0});
    check_status(try_to_mask(row_ids_view(ids, 3), 1, std::vector<std::uint8_t>(3)), errc::bad_count, {"image 0"});
}
