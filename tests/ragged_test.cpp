// SPDX-License-Identifier: Apache-2.0
#include <padbatch/ragged.hpp>

#include <tests/support/check_status.hpp>
#include <tests/support/count_allocations.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <limits>
#include <random>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

using namespace padbatch;
using padbatch::test::check_error;
using padbatch::test::check_status;

namespace {

using floats = std::vector<float>;
using detections = ragged<boxes<>, scores<>>;

template <class Batch>
constexpr bool takes_view = requires(Batch&& batch) { static_cast<Batch&&>(batch).view(); };

static_assert(!std::is_copy_constructible_v<detections> && !std::is_copy_assignable_v<detections>);
static_assert(std::is_nothrow_move_constructible_v<detections> && std::is_nothrow_move_assignable_v<detections>);
static_assert(std::is_convertible_v<detections&, ragged_view<boxes<>, scores<>>>);
static_assert(std::is_convertible_v<const detections&, ragged_view<boxes<const float>, scores<const float>>>);
static_assert(!std::is_convertible_v<const detections&, ragged_view<boxes<>, scores<>>>);
static_assert(!takes_view<detections>);
static_assert(takes_view<detections&> && takes_view<const detections&>);
static_assert(!std::is_convertible_v<detections, ragged_view<boxes<>, scores<>>>); // it would dangle

floats as_vector(const rows<const float>& values)
{
    return {values.begin(), values.end()};
}

} // namespace

TEST_CASE("rows are appended image by image, and images may have none")
{
    detections batch;
    batch.append(t::boxes(floats{0, 1, 2, 3, 4, 5, 6, 7}), t::scores(floats{0.5F, 0.25F}));
    CHECK(batch.open_rows() == 2);
    CHECK(batch.size() == 0);
    batch.end_image();
    batch.end_image();
    batch.append(t::scores(std::array{1.0F}), t::boxes(std::array<std::array<float, 4>, 1>{})); // in any order
    batch.end_image();
    CHECK(batch.size() == 3);
    CHECK(batch.open_rows() == 0);
    CHECK(batch.count(0) == 2);
    CHECK(batch.count(1) == 0);
    CHECK(batch.count(2) == 1);
    CHECK(batch.image(0)[t::boxes][1][3] == 7);
    CHECK(batch.image(2)[t::scores][0] == 1);
    CHECK(batch[t::scores].size() == 3);
    CHECK(batch.offsets().size() == 4);
    CHECK(batch.offsets()[3] == 3);
    std::size_t rows = 0;
    for (const auto image : batch) {
        rows += image.size();
    }
    CHECK(rows == 3);
}

TEST_CASE("several appends before the end are one image: models or tiles are merged")
{
    ragged<scores<>> batch;
    batch.append(t::scores(floats{1, 2}));
    batch.append(t::scores(floats{}));
    batch.append(t::scores(floats{3}));
    CHECK(batch.open_rows() == 3);
    batch.end_image();
    batch.append(t::scores(floats{4}));
    CHECK(batch.open_rows() == 1);
    batch.end_image();
    CHECK(as_vector(batch.image(0)[t::scores]) == floats{1, 2, 3});
    CHECK(as_vector(batch.image(1)[t::scores]) == floats{4});
}

TEST_CASE("rows of an image that was not ended are not part of the batch yet")
{
    ragged<scores<>> batch;
    batch.append(t::scores(floats{1}));
    batch.end_image();
    batch.append(t::scores(floats{2, 3}));
    CHECK(batch.size() == 1);
    CHECK(batch[t::scores].size() == 1);
    CHECK(batch.offsets().size() == 2);
    CHECK(batch.view().size() == 1);
    check_status(batch.check(), status_code::field_mismatch, {"image 1", "2 rows", "end_image()"});
    batch.end_image();
    CHECK(batch.check().ok());
}

TEST_CASE("an image of another batch is appended, whatever its layout, and fields too many are left out")
{
    const std::vector<std::int64_t> offsets = {0, 2, 3};
    const floats boxes = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
    const floats scores = {0.5F, 0.25F, 0.125F};
    const std::vector<std::int64_t> labels = {1, 2, 3};
    const ragged_view other(offsets, t::labels(labels), t::scores(scores), t::boxes(boxes));
    detections batch;
    batch.append(other.image(1));
    batch.append(other.image(0));
    batch.end_image();
    CHECK(as_vector(batch.image(0)[t::scores]) == floats{0.125F, 0.5F, 0.25F});
    CHECK(batch.image(0)[t::boxes][0][0] == 8);
    CHECK(batch.image(0)[t::boxes][2][3] == 7);

    ragged<padbatch::scores<>> single;
    single.append(other.image(0)); // one field: still an image, not the data of the field
    single.end_image();
    CHECK(as_vector(single.image(0)[t::scores]) == floats{0.5F, 0.25F});

    const float columns[] = {0, 1, 2, 3, 0.5F, 4, 5, 6, 7, 0.25F};
    const layout::strided stride{5 * sizeof(float)};
    batch.append(image_of(t::boxes(strided_rows<const float, 4>(columns, 2, {}, stride)),
                          t::scores(strided_rows<const float>(columns + 4, 2, {}, stride))));
    batch.end_image();
    CHECK(batch.image(1)[t::boxes][1][0] == 4);
    CHECK(as_vector(batch.image(1)[t::scores]) == floats{0.5F, 0.25F});
}

TEST_CASE("fields with other numbers of rows are an error, and nothing is appended")
{
    detections batch;
    batch.append(t::boxes(floats(4)), t::scores(floats{1}));
    check_error([&] { batch.append(t::boxes(floats(8)), t::scores(floats{1})); }, status_code::field_mismatch,
                {"scores", "1", "2"});
    check_error([&] { batch.append(t::boxes(floats(7)), t::scores(floats{1})); }, status_code::size_mismatch,
                {"boxes", "7", "4"});
    CHECK(batch.open_rows() == 1);
    batch.end_image();
    CHECK(batch.count(0) == 1);
    CHECK(batch.image(0)[t::boxes].size() == 1);
}

TEST_CASE("masks have the shape of the first ones, or the one that was given")
{
    ragged<masks<std::uint8_t>> batch;
    batch.append(t::masks(std::vector<std::uint8_t>(12, 1), 1, 2, 3));
    check_error([&] { batch.append(t::masks(std::vector<std::uint8_t>(12), 1, 3, 2)); }, status_code::row_mismatch,
                {"masks", "[1, 3, 2]", "[1, 2, 3]"});
    batch.append(t::masks(std::vector<std::uint8_t>(6, 2), 1, 2, 3));
    batch.end_image();
    CHECK(batch.count(0) == 3);
    CHECK(batch.image(0)[t::masks][2](0, 1, 2) == 2);
    CHECK(batch.image(0)[t::masks][0].extent(2) == 3);

    ragged<boxes<>, masks<std::uint8_t>> shaped(t::masks.shape(1, 2, 3));
    check_error([&] { shaped.append(t::boxes(floats(4)), t::masks(std::vector<std::uint8_t>(4), 1, 2, 2)); },
                status_code::row_mismatch, {"[1, 2, 2]", "[1, 2, 3]"});
    CHECK(shaped.open_rows() == 0);
    CHECK(shaped[t::masks].extents().same_as(row_extents<1, 2, 3>{}));
}

TEST_CASE("what could not be appended leaves no shape behind")
{
    // The masks fit, the embeddings after them do not: the next masks may have any shape.
    ragged<masks<std::uint8_t>, keypoints_scores<float, 5>> batch;
    check_error(
        [&] { batch.append(t::masks(std::vector<std::uint8_t>(6), 1, 2, 3), t::keypoints_scores(floats(4), 4)); },
        status_code::row_mismatch, {"keypoints_scores", "[4]"});
    CHECK(batch.open_rows() == 0);
    CHECK(batch.try_append(t::masks(std::vector<std::uint8_t>(4), 1, 2, 2), t::keypoints_scores(floats(5), 5)).ok());
}

TEST_CASE("an image without rows has rows of any shape")
{
    ragged<masks<std::uint8_t>> batch;
    const std::vector<std::uint8_t> none;
    CHECK(batch.try_append(t::masks(none)).ok());
    batch.end_image();
    batch.append(t::masks(std::vector<std::uint8_t>(6, 1), 1, 2, 3));
    batch.end_image();
    CHECK(batch.try_append(t::masks(none)).ok());
    CHECK(batch.try_append(t::masks(none, 1, 5, 5)).ok());
    batch.end_image();
    CHECK(batch.size() == 3);
    CHECK(batch.count(2) == 0);
    CHECK(batch.count(1) == 1);
}

TEST_CASE("rows of the batch itself can be appended to it")
{
    // As often as it takes to grow while the rows that are copied lie in the memory that grows.
    ragged<boxes<>, scores<>> batch;
    batch.append(t::boxes(floats{0, 1, 2, 3, 4, 5, 6, 7}), t::scores(floats{0.5F, 0.25F}));
    batch.end_image();
    for (int i = 0; i < 8; ++i) {
        status outcome = batch.try_append(batch.image(0));
        if (!outcome.ok()) {
            CHECK(outcome.code() == status_code::overlap);
            return;
        }
        batch.end_image();
    }
    CHECK(batch.size() == 9);
    for (std::size_t i = 0; i < 9; ++i) {
        CHECK(as_vector(batch.image(i)[t::scores]) == floats{0.5F, 0.25F});
        CHECK(batch.image(i)[t::boxes][1][3] == 7);
    }
}

TEST_CASE("clearing keeps the memory: the second round allocates nothing")
{
    detections batch;
    const floats boxes(4 * 100, 1.0F);
    const floats scores(100, 0.5F);
    const auto round = [&] {
        const padbatch::test::allocation_counter counter;
        for (int i = 0; i < 20; ++i) {
            batch.append(t::boxes(boxes), t::scores(scores));
            batch.end_image();
        }
        return counter.count();
    };
    const std::size_t first = round();
    CHECK(first > 0);
    CHECK(first < 40); // it grows by more than is asked for
    const float* const where = batch[t::boxes].data();
    batch.clear();
    CHECK(batch.size() == 0);
    CHECK(batch.open_rows() == 0);
    CHECK(batch.offsets().size() == 1);
    CHECK(round() == 0);
    CHECK(batch[t::boxes].data() == where);
    CHECK(batch.size() == 20);
}

TEST_CASE("what was reserved is taken without an allocation")
{
    ragged<boxes<>, masks<std::uint8_t>> batch(t::masks.shape(1, 2, 3));
    batch.reserve(10, 50);
    const floats boxes(4 * 5);
    const std::vector<std::uint8_t> masks(6 * 5);
    const padbatch::test::allocation_counter counter;
    for (int i = 0; i < 10; ++i) {
        batch.append(t::boxes(boxes), t::masks(masks, 1, 2, 3));
        batch.end_image();
    }
    const std::size_t allocations = counter.count();
    CHECK(allocations == 0);
    CHECK(batch.view().offsets().total() == 50);
}

TEST_CASE("sizes that overflow are an error, and nothing changes")
{
    detections batch;
    batch.append(t::boxes(floats(4)), t::scores(floats{1}));
    constexpr std::size_t most = std::numeric_limits<std::size_t>::max();
    check_status(batch.try_reserve(1, most), status_code::size_overflow, {"boxes"});
    check_status(batch.try_reserve(1, std::size_t{1} << 61), status_code::size_overflow, {"boxes"});
    CHECK_FALSE(batch.try_reserve(most, 1).ok());
    CHECK_FALSE(batch.try_reserve(most - 1, 1).ok());
    CHECK(batch.open_rows() == 1);
}

TEST_CASE("a batch without images has one offset, and is a batch all the same")
{
    const detections batch;
    CHECK(batch.size() == 0);
    CHECK(batch.open_rows() == 0);
    CHECK(batch.offsets().size() == 1);
    CHECK(batch.offsets()[0] == 0);
    CHECK(batch.begin() == batch.end());
    CHECK(batch[t::boxes].empty());
    CHECK(batch.view().size() == 0);
    CHECK_FALSE(batch.overlaps(&batch, &batch + 1));
}

TEST_CASE("a batch of images without rows has no memory to show, and is walked all the same")
{
    detections batch;
    batch.end_image();
    batch.end_image();
    CHECK(batch.size() == 2);
    for (const auto image : batch) {
        CHECK(image.empty());
    }
    CHECK(batch.offsets()[2] == 0);
}

TEST_CASE("moving a batch hands on its rows, and leaves one that is empty and can be used again")
{
    detections batch;
    batch.append(t::boxes(floats{0, 1, 2, 3, 4, 5, 6, 7}), t::scores(floats{0.5F, 0.25F}));
    batch.end_image();
    const float* const where = batch[t::boxes].data();
    detections moved(std::move(batch));
    CHECK(moved.size() == 1);
    CHECK(moved.open_rows() == 0);
    CHECK(moved[t::boxes].data() == where);

    // NOLINTBEGIN(bugprone-use-after-move)
    CHECK(batch.size() == 0);
    CHECK(batch.open_rows() == 0);
    batch.append(t::boxes(floats{8, 9, 10, 11}), t::scores(floats{1}));
    batch.end_image();
    CHECK(batch.count(0) == 1);
    // NOLINTEND(bugprone-use-after-move)

    moved = std::move(batch);
    CHECK(moved.count(0) == 1);
    CHECK(moved.open_rows() == 0);
    CHECK(moved.image(0)[t::boxes][0][0] == 8);
}

TEST_CASE("a batch that may be changed gives rows that may be written; a const one does not")
{
    detections batch;
    batch.append(t::boxes(floats(4)), t::scores(floats{1}));
    batch.end_image();
    batch.image(0)[t::scores][0] = 7;
    const detections& read = batch;
    CHECK(read.image(0)[t::scores][0] == 7);
    static_assert(std::is_same_v<std::remove_cvref_t<decltype(read.image(0)[t::scores])>, rows<const float>>);
    static_assert(std::is_same_v<std::remove_cvref_t<decltype(batch[t::boxes])>, rows<float, 4>>);
    const ragged_view<boxes<>, scores<>> view = batch;
    CHECK(view.image(0)[t::scores].data() == batch[t::scores].data());
    CHECK(batch.overlaps(batch[t::scores].data(), batch[t::scores].data() + 1));
}

TEST_CASE("rows of a batch cannot be appended to it, whichever field they are of")
{
    ragged<scores<>, field<t::values_t, float>> batch;
    const std::vector<float> one{1};
    batch.append(t::scores(one), t::values(one));
    batch.end_image();
    const auto own = batch[t::scores].flat();
    check_status(batch.try_append(t::scores(one), t::values(own)), status_code::overlap, {"this batch itself"});
    check_status(batch.try_append(t::scores(own), t::values(one)), status_code::overlap, {"this batch itself"});
    CHECK(batch.open_rows() == 0);
}
