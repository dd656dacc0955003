// SPDX-License-Identifier: Apache-2.0
#include <padbatch/padbatch.hpp>

#include "tests/support/check_status.hpp"
#include "tests/support/count_allocations.hpp"
#include "tests/support/guarded.hpp"
#include "tests/support/random_batch.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <span>
#include <vector>

using namespace padbatch;
using padbatch::test::check_status;

namespace {

/// Rows of several images, shuffled: flat fields, and the same as `[n, 7]` of floats (image, box, label, score).
struct shuffled {
    std::size_t batch;
    plain_batch<float> boxes;
    plain_batch<float> scores;
    plain_batch<float> labels;
    flat<float> all_boxes;
    flat<float> all_scores;
    std::vector<std::int64_t> ids;
    std::vector<float> matrix;

    shuffled(dice& random, std::size_t images, std::size_t most, bool sorted)
        : batch(images), boxes(random.batch<float>(random.counts(images, most), 4)),
          scores(random.batch<float>(boxes.counts, 1)), labels(random.batch<float>(boxes.counts, 1)),
          all_boxes(boxes.total() * 4), all_scores(boxes.total())
    {
        for (flat<float>& image : labels.images) {
            for (std::size_t k = 0; k < image.size(); ++k) {
                image.set(k, static_cast<float>(random.below(90)));
            }
        }
        std::vector<std::size_t> next(batch);
        std::size_t left = boxes.total();
        for (std::size_t row = 0; left != 0;) {
            std::size_t i = sorted ? 0 : random.below(batch);
            while (next[i] == boxes.counts[i]) {
                i = (i + 1) % batch;
            }
            const std::size_t j = next[i]++;
            ids.push_back(static_cast<std::int64_t>(i));
            matrix.push_back(static_cast<float>(i));
            for (std::size_t k = 0; k < 4; ++k) {
                all_boxes.set(row * 4 + k, boxes.images[i].get(j * 4 + k));
                matrix.push_back(boxes.images[i].get(j * 4 + k));
            }
            all_scores.set(row, scores.images[i].get(j));
            matrix.push_back(labels.images[i].get(j));
            matrix.push_back(scores.images[i].get(j));
            ++row;
            --left;
        }
    }
};

/// The plain batch of one field as int32.
plain_batch<std::int32_t> as_int32(const plain_batch<float>& from)
{
    plain_batch<std::int32_t> to{from.row, from.counts, {}};
    for (const flat<float>& image : from.images) {
        flat<std::int32_t> values(image.size());
        for (std::size_t k = 0; k < image.size(); ++k) {
            values.set(k, static_cast<std::int32_t>(image.get(k)));
        }
        to.images.push_back(std::move(values));
    }
    return to;
}

} // namespace

TEST_CASE("flat fields with a batch index, sorted or not, are padded image by image, each image's rows in their order")
{
    dice random(1);
    for (int k = 0; k < 60; ++k) {
        const shuffled from(random, 1 + random.below(6), 9, k % 2 == 0);
        const std::size_t capacity = from.boxes.largest() + random.below(3);
        guarded<float> boxes(from.batch * capacity * 4, 4 * random.below(16));
        guarded<float> scores(from.batch * capacity);
        guarded<std::int32_t> counts(from.batch);
        const padded_view output(unchecked, counts, capacity, t::boxes(boxes), t::scores(scores));
        const auto before = from.all_boxes;
        pad_into(output, tagged(row_index(from.ids, from.batch), t::scores(from.all_scores), t::boxes(from.all_boxes)),
                 pad_values(t::scores(-1)));
        CHECK(same_bytes(boxes, padded_plainly(from.boxes, capacity, 0.0F)));
        CHECK(same_bytes(scores, padded_plainly(from.scores, capacity, -1.0F)));
        CHECK((boxes.intact() && scores.intact() && counts.intact()));
        CHECK(before == from.all_boxes);
        for (std::size_t i = 0; i < from.batch; ++i) {
            CHECK(counts.data()[i] == static_cast<std::int32_t>(from.boxes.counts[i]));
        }
    }
}

TEST_CASE("flat rows of [n, 7] with the batch index in a column are split into their fields and converted")
{
    dice random(2);
    for (int k = 0; k < 60; ++k) {
        const shuffled from(random, 1 + random.below(6), 9, k % 2 == 0);
        const std::size_t capacity = from.boxes.largest() + random.below(3);
        const row_index index(from.matrix, 7, col<0>, from.batch);
        const auto source = tagged_columns(index, from.matrix, 7, t::boxes(cols<1, 4>),
                                           t::labels(col<5>).as<std::int32_t>(), t::scores(col<6>));
        const auto owner = pad(source, capacity::fixed(capacity));
        CHECK(same_bytes(owner[t::boxes], padded_plainly(from.boxes, capacity, 0.0F)));
        CHECK(same_bytes(owner[t::scores], padded_plainly(from.scores, capacity, 0.0F)));
        CHECK(same_bytes(owner[t::labels], padded_plainly(as_int32(from.labels), capacity, 0)));
        CHECK(owner.counts().total() == from.boxes.total());

        padded<scores<>> some;
        pad_into(some, source, overflow::truncate, capacity::fixed(2));
        CHECK(same_bytes(some[t::scores], padded_plainly(from.scores, 2, 0.0F)));
    }
}

TEST_CASE("rows behind an index of -1 belong to no image")
{
    const std::vector<float> rows{0, 0.5F, 1, 0.25F, -1, 9, 0, 9};
    const auto owner =
        pad(tagged_columns(row_index(rows, 2, col<0>, 3, ends_with_minus_one), rows, 2, t::scores(col<1>)));
    CHECK(same_bytes(owner[t::scores], std::vector<float>{0.5F, 0.25F, 0}));
    CHECK(owner.count(2) == 0);
}

TEST_CASE("rows of several extents and of a class type are tagged like any other")
{
    struct pair {
        std::int32_t a, b;
    };
    const std::vector<std::int32_t> ids{1, 0, 1};
    const std::vector<std::uint8_t> masks{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    const std::vector<pair> pairs{{1, 2}, {3, 4}, {5, 6}};
    const auto owner = pad(tagged(row_index(ids, 2), t::masks(masks, 1, 2, 2), t::values(pairs)));
    CHECK(same_bytes(owner[t::masks], std::vector<std::uint8_t>{5, 6, 7, 8, 0, 0, 0, 0, 1, 2, 3, 4, 9, 10, 11, 12}));
    CHECK(same_bytes(owner[t::values], std::vector<pair>{{3, 4}, {0, 0}, {1, 2}, {5, 6}}));
}

TEST_CASE("fields with another number of rows than there are batch indices are refused with both numbers")
{
    const std::vector<std::int32_t> ids{0, 1, 0};
    const row_index index(ids, 2);
    const std::vector<float> scores(4);
    const std::vector<float> boxes(13);
    check_status(check_tagged(index, t::scores(scores)), status_code::field_mismatch, {"scores has 4 rows", "3 batch"});
    check_status(check_tagged(index, t::boxes(boxes)), status_code::size_mismatch, {"13 values", "4"});
    CHECK_THROWS_AS((void)tagged(index, t::scores(scores)), error);
    CHECK(check_tagged(index, t::scores(std::span(scores).first(3))).ok());
    // Rows behind the end have to be there too, since they were counted.
    CHECK(check_tagged(row_index(std::vector<float>{0, -1, 0, 0}, 1, ends_with_minus_one), t::scores(scores)).ok());
}

TEST_CASE("columns that are not there, and a matrix of another size than the index, are refused")
{
    const std::vector<float> rows(21);
    const row_index index(std::vector<std::int32_t>{0, 0, 0}, 1);
    check_status(check_tagged_columns(index, rows, 7, t::boxes(cols<4, 4>)), status_code::bad_argument,
                 {"boxes", "columns 4 to 7", "7 columns"});
    check_status(check_tagged_columns(index, rows, 0, t::scores(col<0>)), status_code::bad_argument);
    check_status(check_tagged_columns(index, rows, 5, t::scores(col<0>)), status_code::size_mismatch, {"21", "5"});
    check_status(check_tagged_columns(index, rows, 3, t::scores(col<0>)), status_code::field_mismatch,
                 {"7 rows", "3 batch"});
    CHECK(check_tagged_columns(index, rows, 7, t::boxes(cols<3, 4>)).ok());
    CHECK_THROWS_AS((void)tagged_columns(index, rows, 3, t::scores(col<0>)), error);
}

TEST_CASE("an output inside of the flat rows is refused, and one right behind or before them is not")
{
    // [ output of 2 x 2 | rows of [4, 3] | output of 2 x 2 ]
    std::vector<float> memory(4 + 12 + 4, 1.0F);
    const std::span<float> all(memory);
    const std::span<const float> rows = all.subspan(4, 12);
    const row_index index(std::vector<std::int32_t>{0, 0, 1, 1}, 2);
    std::vector<std::int32_t> counts(2);
    const auto outcome = [&](std::size_t first, const auto& source) {
        return check_pad_into(padded_view(counts, 2, t::scores(all.subspan(first, 4))), source).code();
    };
    const auto columns = tagged_columns(index, rows, 3, t::scores(col<2>));
    CHECK(outcome(0, columns) == status_code::none);
    CHECK(outcome(16, columns) == status_code::none);
    CHECK(outcome(15, columns) == status_code::overlap);
    CHECK(outcome(8, columns) == status_code::overlap);
    const auto fields = tagged(index, t::scores(rows.first(4)));
    CHECK(outcome(0, fields) == status_code::none);
    CHECK(outcome(8, fields) == status_code::none);
    CHECK(outcome(7, fields) == status_code::overlap);
    CHECK(outcome(1, fields) == status_code::overlap);
}

TEST_CASE("a stream of tagged batches into an owner does not allocate once everything has grown")
{
    dice random(3);
    std::vector<float> matrix(60 * 7);
    row_index index;
    padded<boxes<>, scores<>> owner(6, 60);
    std::size_t allocated = 0;
    for (int k = 0; k < 20; ++k) {
        const std::size_t batch = k == 0 ? 6 : 1 + random.below(6);
        const std::size_t n = k == 0 ? 60 : random.below(61);
        for (std::size_t j = 0; j < n; ++j) {
            matrix[j * 7] = static_cast<float>(random.below(batch));
        }
        const std::span<const float> rows(matrix.data(), n * 7);
        const padbatch::test::allocation_counter counter;
        const bool built = index.try_build(rows, 7, col<0>, batch).ok();
        const std::size_t copied =
            pad_into(owner, tagged_columns(index, rows, 7, t::boxes(cols<1, 4>), t::scores(col<6>))).rows();
        allocated += k == 0 ? 0 : counter.count();
        CHECK(built);
        CHECK(copied == n);
    }
    CHECK(allocated == 0);
}

TEST_CASE("a tagged source holds an index that it is given as a temporary")
{
    const std::vector<std::int32_t> ids{1, 0};
    const std::vector<float> scores{1, 2};
    const auto source = tagged(row_index(ids, 2), t::scores(scores));
    float sum = 0;
    for (const auto image : source) {
        for (const auto [score] : image) {
            sum = sum * 10 + score;
        }
    }
    CHECK(sum == 21);
}

TEST_CASE("an index that was built again for another number of rows is refused")
{
    const std::vector<float> corners(8, 1);
    row_index index(std::vector<int>{0, 1}, 2);
    const auto source = tagged(index, t::boxes(corners));
    REQUIRE(index.try_build(std::vector<int>(50), 2).ok());
    padded<boxes<>> output(2, 50);
    check_status(try_pad_into(output, source), status_code::field_mismatch, {"50", "2"});
}
