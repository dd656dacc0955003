// SPDX-License-Identifier: Apache-2.0
#include <padbatch/padbatch.hpp>

#include "tests/support/check_status.hpp"
#include "tests/support/guarded.hpp"
#include "tests/support/random_batch.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

using namespace padbatch;
using padbatch::test::check_status;

namespace {

/// Flat rows of [n, width] whose columns `first` to `first + from.row - 1` are a plain batch; the rest is noise.
std::vector<float> matrix_with(dice& random, const plain_batch<float>& from, std::size_t before, std::size_t width,
                               std::size_t first)
{
    std::vector<float> matrix;
    const auto add_row = [&](const float* row) {
        for (std::size_t k = 0; k < width; ++k) {
            matrix.push_back(row != nullptr && k >= first && k < first + from.row ? row[k - first]
                                                                                  : random.value<float>());
        }
    };
    for (std::size_t j = 0; j < before; ++j) {
        add_row(nullptr);
    }
    for (const flat<float>& image : from.images) {
        for (std::size_t j = 0; j < image.size() / from.row; ++j) {
            add_row(image.data() + j * from.row);
        }
    }
    return matrix;
}

template <class Offset>
std::vector<Offset> offsets_of(const std::vector<std::size_t>& counts, std::size_t before)
{
    std::vector<Offset> offsets{static_cast<Offset>(before)};
    for (const std::size_t n : counts) {
        offsets.push_back(offsets.back() + static_cast<Offset>(n));
    }
    return offsets;
}

} // namespace

TEST_CASE("columns of flat rows with offsets are padded like the rows that they are, from any first offset")
{
    dice random(1);
    for (int k = 0; k < 60; ++k) {
        const auto boxes = random.batch<float>(random.counts(random.below(6), 9), 4);
        const std::size_t before = random.below(3);
        const auto matrix = matrix_with(random, boxes, before, 6, 1);
        const auto copy = matrix; // NOLINT(performance-unnecessary-copy-initialization): to compare with afterwards
        const std::size_t capacity = boxes.largest() + random.below(3);
        guarded<float> memory(boxes.images.size() * capacity * 4, 4 * random.below(16));
        guarded<std::int32_t> counts(boxes.images.size());
        const padded_view output(unchecked, counts, capacity, t::boxes(memory));
        if (k % 2 == 0) {
            const auto offsets = offsets_of<std::int32_t>(boxes.counts, before);
            pad_into(output, columns(matrix, 6, offsets, t::boxes(cols<1, 4>)), pad_values(t::boxes(-1)));
        } else {
            const auto offsets = offsets_of<std::int64_t>(boxes.counts, before);
            pad_into(output, columns(matrix, 6, offsets, t::scores(col<0>), t::boxes(cols<1, 4>)),
                     pad_values(t::boxes(-1)));
        }
        CHECK(same_bytes(memory, padded_plainly(boxes, capacity, -1.0F)));
        CHECK((memory.intact() && counts.intact()));
        CHECK(same_bytes(matrix, copy));
    }
}

TEST_CASE("columns of a padded tensor with counts are padded again, without its padding")
{
    dice random(2);
    for (int k = 0; k < 40; ++k) {
        const auto boxes = random.batch<float>(random.counts(1 + random.below(5), 6), 4);
        const std::size_t slot = boxes.largest() + random.below(3);
        plain_batch<float> slots{4, std::vector<std::size_t>(boxes.images.size(), slot), {}};
        for (const flat<float>& image : boxes.images) {
            flat<float> values(slot * 4);
            for (std::size_t j = 0; j < values.size(); ++j) {
                values.set(j, j < image.size() ? image.get(j) : random.value<float>());
            }
            slots.images.push_back(std::move(values));
        }
        const auto matrix = matrix_with(random, slots, 0, 7, 2);
        const std::vector<float> counts(boxes.counts.begin(), boxes.counts.end());
        const auto owner = pad(padded_columns(matrix, 7, counts, slot, t::boxes(cols<2, 4>)));
        CHECK(same_bytes(owner[t::boxes], padded_plainly(boxes, boxes.largest(), 0.0F)));
    }
}

TEST_CASE("columns are converted where that is asked for, saturated, and NaN becomes 0")
{
    const float nan = std::numeric_limits<float>::quiet_NaN();
    const std::vector<float> rows{1.9F, 2, 3, 4, 0.5F, 7.9F, -1.5F, 6, 7, 8, 0.25F, nan, 9, 10, 11, 12, 1, 3e9F};
    const std::vector<std::int32_t> offsets{0, 1, 3};
    const auto owner = pad(columns(rows, 6, offsets, t::labels(col<5>).as<std::int32_t>(),
                                   t::boxes(cols<0, 4>).as<std::int64_t>(), t::scores(col<4>).as<double>()));
    CHECK(same_bytes(owner[t::labels], std::array<std::int32_t, 4>{7, 0, 0, 2147483647}));
    CHECK(
        same_bytes(owner[t::boxes], std::array<std::int64_t, 16>{1, 2, 3, 4, 0, 0, 0, 0, -1, 6, 7, 8, 9, 10, 11, 12}));
    CHECK(same_bytes(owner[t::scores], std::array<double, 4>{0.5, 0, 0.25, 1}));
}

TEST_CASE("rows may come as arrays, and a field of several extents or of an open one takes adjacent columns")
{
    const std::vector<std::array<float, 8>> rows{{0, 1, 2, 3, 4, 5, 6, 7}, {10, 11, 12, 13, 14, 15, 16, 17}};
    const std::vector<std::int64_t> offsets{0, 0, 2};
    const auto owner = pad(columns(rows, 8, offsets, t::keypoints(cols<1, 6>, 2, 3), t::keypoints_scores(cols<6, 2>)));
    CHECK(same_bytes(owner[t::keypoints], std::array<float, 24>{0, 0, 0, 0, 0, 0, 0,  0,  0,  0,  0,  0,
                                                                1, 2, 3, 4, 5, 6, 11, 12, 13, 14, 15, 16}));
    CHECK(owner[t::keypoints].shape() == std::array<std::int64_t, 4>{2, 2, 2, 3});
    CHECK(same_bytes(owner[t::keypoints_scores], std::array<float, 8>{0, 0, 0, 0, 6, 7, 16, 17}));
    CHECK(owner[t::keypoints_scores].shape() == std::array<std::int64_t, 3>{2, 2, 2});
}

TEST_CASE("images of columns are views: strided rows of the matrix")
{
    const std::vector<float> rows{1, 2, 3, 4, 0.5F, 5, 6, 7, 8, 0.25F};
    const std::vector<std::int32_t> offsets{0, 0, 2};
    const auto batch = columns(rows, 5, offsets, t::boxes(cols<0, 4>), t::scores(col<4>));
    CHECK(batch.size() == 2);
    CHECK(batch.count(1) == 2);
    CHECK(&batch.image(1)[t::scores][1] == &rows[9]);
    float sum = 0;
    for (const auto image : batch) {
        for (const auto [box, score] : image) {
            sum += box[3] * score;
        }
    }
    CHECK(sum == 4.0F);
}

TEST_CASE("a matrix, columns, offsets or counts that do not fit are refused with the numbers")
{
    const std::vector<float> rows(18);
    const std::vector<std::int32_t> offsets{0, 1, 3};
    const std::vector<std::int32_t> counts{1, 2, 0};
    const auto boxes = t::boxes(cols<0, 4>);
    check_status(check_columns(rows, 7, offsets, boxes), status_code::size_mismatch, {"18 values", "7 columns"});
    check_status(check_columns(rows, 0, offsets, boxes), status_code::bad_argument);
    check_status(check_columns(rows, 6, offsets, t::boxes(cols<3, 4>)), status_code::bad_argument,
                 {"boxes", "columns 3 to 6", "6 columns"});
    check_status(check_columns(rows, 6, offsets, t::keypoints(cols<0, 6>)), status_code::row_mismatch,
                 {"6", "extents"});
    check_status(check_columns(rows, 6, std::vector<std::int32_t>{0, 4}, boxes), status_code::bad_offsets, {"4", "3"});
    check_status(check_columns(rows, 6, std::vector<std::int64_t>{0, 2, 1}, boxes), status_code::bad_offsets,
                 {"2", "1"});
    check_status(check_columns(rows, 6, std::vector<std::int32_t>{-1, 2}, boxes), status_code::bad_offsets, {"-1"});
    check_status(check_columns(rows, 6, std::vector<std::int32_t>{}, boxes), status_code::bad_offsets);
    CHECK(check_columns(rows, 6, offsets, boxes).ok());
    CHECK_THROWS_AS((void)columns(rows, 7, offsets, boxes), error);

    check_status(check_padded_columns(rows, 6, counts, 2, boxes), status_code::size_mismatch,
                 {"3 rows", "3 images of 2"});
    check_status(check_padded_columns(rows, 6, counts, 0, boxes), status_code::size_mismatch, {"3 rows"});
    check_status(check_padded_columns(rows, 6, counts, 1, boxes), status_code::bad_count, {"image 1", "2"});
    const std::vector<float> good{1, 0, 1};
    CHECK(check_padded_columns(rows, 6, good, 1, boxes).ok());
    const std::vector<float> fractional{1, 0.5F, 1};
    check_status(check_padded_columns(rows, 6, fractional, 1, boxes), status_code::bad_count, {"image 1", "0.5"});
    CHECK_THROWS_AS((void)padded_columns(rows, 6, counts, 1, boxes), error);
    CHECK(check_padded_columns(std::vector<float>(), 6, counts, 0, boxes).code() == status_code::bad_count);
}

TEST_CASE("no rows and no images are batches of columns too")
{
    const std::vector<float> rows;
    const std::vector<std::int32_t> no_images{0};
    const std::vector<std::int32_t> two_images{0, 0, 0};
    CHECK(pad(columns(rows, 6, no_images, t::boxes(cols<0, 4>))).size() == 0);
    const auto owner = pad(columns(rows, 6, two_images, t::boxes(cols<0, 4>)), capacity::fixed(1));
    CHECK(same_bytes(owner[t::boxes], std::array<float, 8>{}));
    CHECK(owner.counts().total() == 0);
}

TEST_CASE("an output inside of the matrix is refused, and one right behind or before it is not")
{
    std::vector<float> memory(4 + 12 + 4, 1.0F);
    const std::span<float> all(memory);
    const std::vector<std::int32_t> offsets{0, 2, 4};
    const auto source = columns(std::span<const float>(all.subspan(4, 12)), 3, offsets, t::scores(col<2>));
    std::vector<std::int32_t> counts(2);
    const auto outcome = [&](std::size_t first) {
        return check_pad_into(padded_view(counts, 2, t::scores(all.subspan(first, 4))), source).code();
    };
    CHECK(outcome(0) == status_code::none);
    CHECK(outcome(16) == status_code::none);
    CHECK(outcome(1) == status_code::overlap);
    CHECK(outcome(15) == status_code::overlap);
}

TEST_CASE("rows of all images with a count for each are columns by their offsets")
{
    const std::vector<float> rows{1, 0, 2, 0, 3, 0};
    const std::vector<float> counts{2, 0, 1};
    const row_offsets offsets(counts);
    const auto owner = pad(columns(rows, 2, offsets, t::scores(col<0>)));
    CHECK(same_bytes(owner[t::scores], std::array<float, 6>{1, 2, 0, 0, 3, 0}));
}
