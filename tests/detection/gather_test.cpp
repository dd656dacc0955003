// SPDX-License-Identifier: Apache-2.0
#include <padbatch/detection/gather.hpp>

#include <padbatch/detection/row_numbers.hpp>
#include <padbatch/pad.hpp>

#include <tests/support/check_status.hpp>
#include <tests/support/count_allocations.hpp>
#include <tests/support/guarded.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <deque>
#include <random>
#include <vector>

using namespace padbatch;
using padbatch::test::allocation_counter;
using padbatch::test::check_error;
using padbatch::test::check_status;

namespace {

using gather_box = std::array<float, 4>;
using gather_ragged = ragged<boxes<>, labels<>, masks<>>;

/// Images whose rows have their image and number in every field; masks are [1, 1, 3].
gather_ragged gather_batch(const std::vector<std::size_t>& counts)
{
    gather_ragged batch(t::masks.shape(1, 1, 3));
    for (std::size_t i = 0; i < counts.size(); ++i) {
        std::vector<gather_box> boxes;
        std::vector<std::int64_t> labels;
        std::vector<float> masks;
        for (std::size_t j = 0; j < counts[i]; ++j) {
            const auto number = static_cast<float>(100 * i + j);
            boxes.push_back({number, 1, 2, number});
            labels.push_back(static_cast<std::int64_t>(100 * i + j));
            masks.insert(masks.end(), {number, 0, number});
        }
        batch.append(t::boxes(boxes), t::labels(labels), t::masks(masks, 1, 1, 3));
        batch.end_image();
    }
    return batch;
}

template <class Batch, class Lists>
void check_gathered(const Batch& batch, const Lists& lists)
{
    REQUIRE(batch.size() == lists.size());
    for (std::size_t i = 0; i < lists.size(); ++i) {
        const auto image = batch.image(i);
        REQUIRE(image.size() == lists[i].size());
        for (std::size_t j = 0; j < image.size(); ++j) {
            const auto label = static_cast<std::int64_t>(100 * i) + static_cast<std::int64_t>(lists[i][j]);
            CHECK(image[t::labels][j] == label);
            CHECK(image[t::boxes][j][3] == static_cast<float>(label));
            CHECK(image[t::masks].data()[3 * j + 2] == static_cast<float>(label));
        }
    }
}

} // namespace

TEST_CASE("rows of one image are gathered into memory, in every container, and no byte more is written")
{
    std::mt19937 random(2);
    for (std::size_t n = 1; n < 40; ++n) {
        const gather_ragged batch = gather_batch({n});
        const auto image = batch.image(0);
        std::vector<std::int32_t> numbers(random() % 60);
        for (auto& number : numbers) {
            number = static_cast<std::int32_t>(random() % n);
        }
        guarded<gather_box> boxes(numbers.size());
        guarded<std::int64_t> labels(numbers.size() + 2);
        guarded<float> masks(3 * numbers.size());
        // With masks of dynamic extents field by field, without them in one pass.
        gather_rows_into(t::boxes(boxes), t::labels(labels), t::masks(masks, 1, 1, 3), numbers,
                         t::labels(image[t::labels]), t::boxes(image[t::boxes]), t::masks(image[t::masks]));
        guarded<std::int64_t> again(numbers.size());
        const std::deque<std::int64_t> scattered(image[t::labels].begin(), image[t::labels].end());
        gather_rows_into(t::labels(again), numbers, t::labels(scattered));
        guarded<gather_box> boxes_again(numbers.size());
        gather_rows_into(t::boxes(boxes_again), numbers, t::boxes(image[t::boxes]));
        bool same = true;
        for (std::size_t j = 0; j < numbers.size(); ++j) {
            const std::int64_t wanted = numbers[j];
            same = same && labels.data()[j] == wanted && again.data()[j] == wanted &&
                   boxes.data()[j] == boxes_again.data()[j] && boxes.data()[j][3] == static_cast<float>(wanted) &&
                   masks.data()[3 * j + 2] == static_cast<float>(wanted);
        }
        CHECK(same);
        const std::int64_t untouched = labels.data()[numbers.size() + 1];
        CHECK(untouched == static_cast<std::int64_t>(0xEEEEEEEEEEEEEEEE));
        CHECK((boxes.intact() && labels.intact() && masks.intact() && again.intact() && boxes_again.intact()));
    }
}

TEST_CASE("rows of a batch are gathered into a batch of its own, and kept in place")
{
    const std::vector<std::vector<std::int64_t>> lists = {{3, 0, 3}, {}, {1}, {5, 4, 3, 2, 1, 0}};
    ragged<field<t::values_t, std::int32_t>> as_batch;
    for (const auto& list : lists) {
        as_batch.append(t::values(std::vector<std::int32_t>(list.begin(), list.end())));
        as_batch.end_image();
    }
    gather_ragged batch = gather_batch({4, 2, 2, 6});
    check_gathered(gather_rows(batch, lists), lists);
    padded<boxes<>, labels<>, masks<>> owner(4, 7, t::masks.shape(1, 1, 3));
    pad_into(owner, batch, pad_values(t::labels(-1)));
    check_gathered(gather_rows(owner, as_batch), lists);
    check_gathered(gather_rows(owner.view(), as_batch.view()), lists);

    // Memory is used again.
    gather_ragged out;
    workspace space;
    gather_rows(out, batch, lists, space);
    {
        const allocation_counter allocations;
        gather_rows(out, batch.view(), lists, space);
        const std::size_t count = allocations.count();
        CHECK(count == 0);
    }
    check_gathered(out, lists);

    const auto backwards = [](std::size_t n, const auto& body) {
        for (std::size_t i = n; i-- > 0;) {
            body(i);
        }
    };
    keep_listed(owner, lists, parallel(backwards));
    check_gathered(owner, lists);
    CHECK(owner.view().slot(0)[t::labels][3] == -1);
    keep_listed(batch, as_batch, space);
    check_gathered(batch, lists);

    std::vector<row_numbers> numbers(4); // of a batch whose first image has three rows by now
    REQUIRE(numbers[0].try_resize(1).ok());
    numbers[0][0] = 0;
    keep_listed(batch, numbers);
    CHECK(batch.count(0) == 1);
    CHECK(batch.count(3) == 0);
}

TEST_CASE("gathering refuses what it cannot do, and changes nothing")
{
    gather_ragged batch = gather_batch({3, 2});
    gather_ragged out = gather_batch({1});
    const std::vector<std::vector<int>> one = {{0}};
    const std::vector<std::vector<int>> beyond = {{0, 1}, {0, 2}};
    const std::vector<std::vector<int>> negative = {{0, 1}, {-1}};
    const std::vector<std::vector<int>> many = {{0}, {0, 1, 1}};
    check_status(try_keep_listed(batch, one), status_code::batch_mismatch, {"1 lists", "2 images"});
    check_status(try_keep_listed(batch, beyond), status_code::bad_argument, {"image 1", "number 1", "is 2", "2 rows"});
    check_status(try_keep_listed(batch, negative), status_code::bad_argument, {"image 1", "-1"});
    check_status(try_keep_listed(batch, many), status_code::too_many_rows, {"image 1", "3 numbers", "gather_rows"});
    check_status(try_gather_rows(out, batch, one), status_code::batch_mismatch);
    check_status(try_gather_rows(out, batch, beyond), status_code::bad_argument);
    check_status(try_gather_rows(batch, batch, many), status_code::overlap);
    check_gathered(out, one);
    check_gathered(batch, std::vector<std::vector<int>>{{0, 1, 2}, {0, 1}});
    const auto labels = batch[t::labels].flat();
    const std::vector<std::span<const std::int64_t>> own = {labels.first(1), labels.first(1)};
    check_status(try_keep_listed(batch, own), status_code::overlap);
    check_error([&] { keep_listed(batch, one); }, status_code::batch_mismatch);
    gather_rows(out, batch, many);
    CHECK(out.count(1) == 3);

    const std::vector<gather_box> boxes(3);
    const std::vector<float> scores(3);
    std::vector<gather_box> to(2, {7, 7, 7, 7});
    std::vector<float> to_scores(2, 7);
    const std::vector<int> numbers = {2, 0};
    const auto call = [&](const std::vector<int>& list, const std::vector<float>& from) {
        return try_gather_rows_into(t::boxes(to), t::scores(to_scores), list, t::boxes(boxes), t::scores(from));
    };
    check_status(call({0, 3}, scores), status_code::bad_argument, {"is 3", "3 rows"});
    check_status(call({-1}, scores), status_code::bad_argument, {"-1"});
    check_status(call({0, 1, 2}, scores), status_code::size_mismatch, {"room for 2", "3 are gathered"});
    check_status(call(numbers, std::vector<float>(2)), status_code::field_mismatch, {"scores has 2 rows"});
    const std::vector<float> cells(3 * 4);
    std::vector<float> to_cells(2 * 3);
    check_status(try_gather_rows_into(t::masks(to_cells, 1, 1, 3), numbers, t::masks(cells, 1, 2, 2)),
                 status_code::row_mismatch, {"4 elements", "3 where"});
    std::vector<float> both(8, 1);
    const std::span<float> all(both);
    check_status(try_gather_rows_into(t::scores(all.subspan(2, 2)), numbers, t::scores(all.first(3))),
                 status_code::overlap);
    check_status(try_gather_rows_into(t::scores(all.first(2)), t::values(all.subspan(1, 2)), numbers,
                                      t::scores(all.subspan(3, 2).subspan(0, 2)), t::values(all.subspan(5, 2))),
                 status_code::bad_argument); // number 2 of 2 rows
    const std::vector<int> zeros = {0, 0};
    check_status(try_gather_rows_into(t::scores(all.first(2)), t::values(all.subspan(1, 2)), zeros,
                                      t::scores(all.subspan(3, 2)), t::values(all.subspan(5, 2))),
                 status_code::overlap);
    CHECK(to == std::vector<gather_box>(2, {7, 7, 7, 7}));
    CHECK(to_scores == std::vector<float>(2, 7));
    CHECK(call(numbers, scores).ok());
    CHECK(to_scores == std::vector<float>(2, 0));
}
