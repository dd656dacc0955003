// SPDX-License-Identifier: Apache-2.0
#include <padbatch/ragged_view.hpp>

#include <tests/support/check_status.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <limits>
#include <span>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

using namespace padbatch;
using padbatch::test::check_error;
using padbatch::test::check_status;

namespace {

struct corners {
    float x1, y1, x2, y2;
};

using floats = std::vector<float>;
using offsets32 = std::vector<std::int32_t>;
using offsets64 = std::vector<std::int64_t>;

template <class... T>
using view_of = decltype(ragged_view(std::declval<T>()...));
using bound_floats = decltype(t::scores(std::declval<floats&>()));
using bound_const_floats = decltype(t::scores(std::declval<const floats&>()));

// Const where the data are; offsets are only read, so they make no difference.
static_assert(std::is_same_v<view_of<offsets32&, bound_floats>, ragged_view<scores<>>>);
static_assert(std::is_same_v<view_of<const offsets64&, bound_floats>, ragged_view<scores<>>>);
static_assert(std::is_same_v<view_of<const offsets64&, bound_const_floats>, ragged_view<scores<const float>>>);

static_assert(std::is_convertible_v<ragged_view<scores<>>, ragged_view<scores<const float>>>);
static_assert(!std::is_convertible_v<ragged_view<scores<const float>>, ragged_view<scores<>>>);
static_assert(!std::is_convertible_v<ragged_view<scores<>>, ragged_view<labels<const std::int64_t>>>);
static_assert(std::is_trivially_copyable_v<ragged_view<scores<>, boxes<>>>);
static_assert(std::is_same_v<decltype(std::declval<ragged_view<boxes<>, scores<const float>>>().image(0)[0]),
                             std::tuple<std::span<float, 4>, const float&>>);

} // namespace

TEST_CASE_TEMPLATE("each image's rows are those between its offsets, where they lie", T, std::int32_t, std::int64_t)
{
    const std::vector<T> offsets = {0, 2, 2, 5};
    floats boxes(5 * 4);
    std::vector<std::int64_t> labels = {10, 11, 12, 13, 14};
    const ragged_view batch(offsets, t::boxes(boxes), t::labels(labels));
    CHECK(batch.size() == 3);
    CHECK(batch.count(0) == 2);
    CHECK(batch.count(1) == 0);
    CHECK(batch.offsets()[3] == 5);
    std::size_t row = 0;
    for (const auto image : batch) {
        CHECK(image[t::boxes].data() == boxes.data() + 4 * row);
        for (auto [box, label] : image) {
            static_assert(std::is_same_v<decltype(box), std::span<float, 4>>);
            static_assert(std::is_same_v<decltype(label), std::int64_t&>);
            CHECK(label == static_cast<std::int64_t>(10 + row));
            CHECK(box.data() == boxes.data() + 4 * row);
            ++row;
        }
    }
    CHECK(row == 5);
    CHECK(batch[t::labels].size() == 5);
    CHECK(batch[t::boxes].data() == boxes.data());
}

TEST_CASE("values come in every kind of contiguous container")
{
    const std::array<std::int32_t, 3> offsets = {0, 1, 3};
    floats flat(3 * 4);
    std::vector<std::array<float, 4>> arrays(3);
    std::vector<corners> structs(3);
    std::vector<std::uint8_t> masks(3 * 6);
    CHECK(ragged_view(offsets, t::boxes(flat)).image(1)[t::boxes].data() == flat.data() + 4);
    CHECK(ragged_view(std::span(offsets), t::boxes(std::span(flat))).image(1)[t::boxes].data() == flat.data() + 4);
    CHECK(ragged_view(offsets, t::boxes(arrays)).image(1)[t::boxes].data() == arrays[1].data());
    CHECK(ragged_view(offsets, t::boxes(structs).of<float>()).image(1)[t::boxes].data() == &structs[1].x1);
    CHECK(ragged_view(offsets, t::boxes(rows<float, 4>(flat.data(), 3))).image(1)[t::boxes].data() == flat.data() + 4);
    const ragged_view of_masks(offsets, t::masks(masks, 1, 2, 3));
    CHECK(of_masks.image(1)[t::masks].data() == masks.data() + 6);
    CHECK(of_masks.image(1)[t::masks][1].extent(2) == 3);
}

TEST_CASE("offsets that decrease, overrun the rows of a field or are negative are an error")
{
    const floats boxes(5 * 4);
    const floats scores(4);
    const auto refused = [](const auto& offsets, const auto&... values) {
        return [&offsets, values...] { ragged_view(offsets, values...); };
    };
    const offsets32 decreasing = {0, 3, 2, 5};
    const offsets32 too_many = {0, 6};
    const offsets64 negative = {-1, 5};
    const offsets64 none;
    const offsets64 five = {0, 5};
    const offsets64 huge = {0, std::numeric_limits<std::int64_t>::max()};
    check_error(refused(decreasing, t::boxes(boxes)), status_code::bad_offsets, {"offset 2"});
    check_error(refused(too_many, t::boxes(boxes)), status_code::bad_offsets, {"6", "5 rows"});
    check_error(refused(negative, t::boxes(boxes)), status_code::bad_offsets, {"-1"});
    check_error(refused(none, t::boxes(boxes)), status_code::bad_offsets, {"B + 1"});
    check_error(refused(five, t::boxes(boxes), t::scores(scores)), status_code::bad_offsets, {"5", "4 rows"});
    check_error(refused(huge, t::boxes(boxes)), status_code::bad_offsets);
    CHECK(ragged_view<padbatch::scores<const float>>::check(offsets32{0, 4}, t::scores(scores)).ok());
    check_status(ragged_view<padbatch::scores<const float>>::check(offsets32{0, 5}, t::scores(scores)),
                 status_code::bad_offsets, {"5", "4 rows"});
}

TEST_CASE("values that are no multiple of a row are an error")
{
    const floats broken(7);
    const offsets32 offsets = {0, 1};
    check_error([&] { ragged_view(offsets, t::boxes(broken)); }, status_code::size_mismatch, {"boxes", "7", "4"});
    check_error([&] { ragged_view(offsets, t::masks(broken)); }, status_code::row_mismatch,
                {"masks", "t::masks(x, 1, 28, 28)"});
}

TEST_CASE("the first offset need not be 0, and rows behind the last belong to no image")
{
    const offsets32 offsets = {2, 3};
    floats scores = {0, 1, 2, 3, 4};
    const ragged_view batch(offsets, t::scores(scores));
    CHECK(batch.size() == 1);
    CHECK(batch.image(0)[t::scores][0] == 2);
    CHECK(batch[t::scores].size() == 3); // from row 0 to the last offset
    CHECK(batch.overlaps(scores.data() + 2, scores.data() + 3));
    CHECK_FALSE(batch.overlaps(scores.data(), scores.data() + 2));
    CHECK_FALSE(batch.overlaps(scores.data() + 3, scores.data() + 5));
}

TEST_CASE("a batch without images and one without rows are batches")
{
    const offsets32 zero = {0};
    const floats empty;
    const ragged_view no_images(zero, t::boxes(empty), t::scores(empty));
    CHECK(no_images.size() == 0);
    CHECK(no_images.begin() == no_images.end());
    CHECK(no_images[t::boxes].empty());

    const offsets64 zeros = {0, 0, 0};
    const ragged_view no_rows(zeros, t::boxes(empty));
    CHECK(no_rows.size() == 2);
    for (const auto image : no_rows) {
        CHECK(image.empty());
    }
    const ragged_view<boxes<>> nothing;
    CHECK(nothing.size() == 0);
    CHECK(nothing[t::boxes].empty());
    CHECK_FALSE(nothing.overlaps(&zero, &zero + 1));
}

TEST_CASE("a view that may write is const like a span, and becomes one that may read")
{
    const offsets32 offsets = {0, 1, 3};
    floats scores = {0, 1, 2};
    const ragged_view batch(offsets, t::scores(scores));
    batch.image(1)[t::scores][1] = 9;
    CHECK(scores[2] == 9);
    const ragged_view<padbatch::scores<const float>> read = batch;
    CHECK(read.size() == 2);
    CHECK(read.image(1)[t::scores].data() == scores.data() + 1);
}

TEST_CASE("what is not checked is taken as it is")
{
    const offsets32 offsets = {0, 1, 3};
    floats scores = {0, 1, 2};
    CHECK(ragged_view(unchecked, offsets, t::scores(scores)).image(1).size() == 2);
}
