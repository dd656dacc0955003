// SPDX-License-Identifier: Apache-2.0
#include <padbatch/padbatch.hpp>

#include "tests/support/count_allocations.hpp"
#include "tests/support/guarded.hpp"
#include "tests/support/random_batch.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

using namespace padbatch;

namespace {

/// The numbers of the `m` rows with the highest scores, ascending, by a stable sort: NaN comes last.
template <class T>
std::vector<std::size_t> best_rows(const flat<T>& scores, std::size_t m)
{
    std::vector<std::size_t> order(scores.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        const double x = convert<double>(scores.get(a));
        const double y = convert<double>(scores.get(b));
        return std::isnan(x) || std::isnan(y) ? !std::isnan(x) && std::isnan(y) : x > y;
    });
    order.resize(std::min(m, order.size()));
    std::sort(order.begin(), order.end());
    return order;
}

/// `from` with the rows that are best by `scores`.
template <class T, class Score>
plain_batch<T> best_of(const plain_batch<T>& from, const plain_batch<Score>& scores, std::size_t m)
{
    plain_batch<T> result{from.row, {}, {}};
    for (std::size_t i = 0; i < from.images.size(); ++i) {
        const std::vector<std::size_t> kept = best_rows(scores.images[i], m);
        flat<T> values(kept.size() * from.row);
        for (std::size_t j = 0; j < kept.size(); ++j) {
            for (std::size_t k = 0; k < from.row; ++k) {
                values.set(j * from.row + k, from.images[i].get(kept[j] * from.row + k));
            }
        }
        result.counts.push_back(kept.size());
        result.images.push_back(std::move(values));
    }
    return result;
}

template <class T>
T random_score(dice& random)
{
    if constexpr (std::is_integral_v<T>) {
        return static_cast<T>(random.below(6));
    } else {
        const float special[] = {std::numeric_limits<float>::quiet_NaN(),
                                 std::numeric_limits<float>::infinity(),
                                 -std::numeric_limits<float>::infinity(),
                                 -0.0F,
                                 0.0F,
                                 1.0F};
        return T(random.once_in(6) ? special[random.below(6)] : static_cast<float>(random.below(12)) / 8.0F);
    }
}

template <class T>
plain_batch<T> random_scores(dice& random, const std::vector<std::size_t>& counts)
{
    plain_batch<T> scores = random.batch<T>(counts, 1);
    for (flat<T>& image : scores.images) {
        for (std::size_t k = 0; k < image.size(); ++k) {
            image.set(k, random_score<T>(random));
        }
    }
    return scores;
}

std::size_t too_many(std::size_t n, std::size_t capacity)
{
    return n > capacity ? n - capacity : 0;
}

bool dropped_are(const auto& result, const std::vector<std::size_t>& counts, std::size_t capacity)
{
    bool same = true;
    for (std::size_t i = 0; i < counts.size(); ++i) {
        same = same && result.dropped(i) == too_many(counts[i], capacity);
    }
    return same;
}

std::size_t all_dropped(const std::vector<std::size_t>& counts, std::size_t capacity)
{
    std::size_t sum = 0;
    for (const std::size_t n : counts) {
        sum += too_many(n, capacity);
    }
    return sum;
}

} // namespace

TEST_CASE("overflow::error, also when it is not named, refuses an image with more rows than M and names the numbers")
{
    const std::vector<std::vector<float>> scores{{1}, {1, 2, 3, 4, 5}};
    guarded<float> memory(8);
    guarded<std::int32_t> counts(2);
    const padded_view output(unchecked, counts, 4, t::scores(memory));
    for (const status& outcome : {try_pad_into(output, scores), try_pad_into(output, scores, overflow::error)}) {
        CHECK(outcome.code() == status_code::too_many_rows);
        const std::string why = outcome.message();
        CHECK(why.find("image 1 has 5 rows") != std::string::npos);
        CHECK(why.find("capacity is 4") != std::string::npos);
    }
    CHECK((memory.untouched() && counts.untouched()));
    CHECK_THROWS_AS(pad_into(output, scores), error);

    padded<padbatch::scores<>> owner(2, 4);
    CHECK(try_pad_into(owner, scores).code() == status_code::too_many_rows);
    CHECK(owner.count(0) == 0);
}

TEST_CASE("overflow::truncate keeps the first M rows and tells how many of each image were dropped")
{
    dice random(1);
    workspace space;
    for (int k = 0; k < 100; ++k) {
        const std::vector<std::size_t> counts = random.counts(random.below(6), 10);
        const auto boxes = random.batch<float>(counts, 4);
        const std::size_t capacity = random.below(11);
        guarded<float> memory(counts.size() * capacity * 4);
        guarded<std::int32_t> written(counts.size());
        const padded_view output(unchecked, written, capacity, t::boxes(memory));
        const auto source = each(t::boxes(boxes.images));
        const pad_result result = k % 2 == 0 ? pad_into(output, source, overflow::truncate)
                                             : pad_into(output, source, space, overflow::truncate);
        CHECK(same_bytes(memory, padded_plainly(boxes, capacity, 0.0F)));
        CHECK((memory.intact() && written.intact()));
        CHECK(result.dropped() == all_dropped(counts, capacity));
        CHECK(result.rows() + result.dropped() == boxes.total());
        CHECK(dropped_are(result, counts, capacity));
        for (std::size_t i = 0; i < counts.size(); ++i) {
            CHECK(output.count(i) == std::min(counts[i], capacity));
        }

        padded<padbatch::boxes<>> owner;
        const pad_result of_owner = pad_into(owner, source, overflow::truncate, padbatch::capacity::fixed(capacity));
        CHECK(same_bytes(owner[t::boxes], memory));
        CHECK(of_owner.dropped() == result.dropped());
        CHECK(dropped_are(of_owner, counts, capacity));
        CHECK(dropped_are(owner, counts, capacity));
    }
}

TEST_CASE_TEMPLATE("overflow::top_scores keeps the rows that a stable sort by score puts first, in their order", Score,
                   float, double, float16, bfloat16, std::int32_t, std::int64_t, std::uint8_t, std::int8_t, bool)
{
    dice random(2);
    workspace space;
    for (int k = 0; k < 60; ++k) {
        const std::vector<std::size_t> counts = random.counts(1 + random.below(5), 1 + random.below(40));
        const auto boxes = random.batch<float>(counts, 4);
        const auto scores = random_scores<Score>(random, counts);
        // M = 0, fewer, exactly the largest, one less, more.
        const std::size_t most = boxes.largest();
        const std::size_t capacity = k % 5 == 0   ? 0
                                     : k % 5 == 1 ? most
                                     : k % 5 == 2 ? (most == 0 ? 0 : most - 1)
                                                  : random.below(most + 2);
        guarded<float> memory(counts.size() * capacity * 4);
        guarded<Score> score_memory(counts.size() * capacity);
        guarded<std::int64_t> written(counts.size());
        const padded_view output(unchecked, written, capacity, t::boxes(memory), t::scores(score_memory));
        const auto source = each(t::scores(scores.images), t::boxes(boxes.images));
        const auto pad_value = pad_values(t::boxes(-1));
        const pad_result result = k % 2 == 0 ? pad_into(output, source, overflow::top_scores, pad_value)
                                             : pad_into(output, source, pad_value, overflow::top_scores, space);
        CHECK(same_bytes(memory, padded_plainly(best_of(boxes, scores, capacity), capacity, -1.0F)));
        CHECK(same_bytes(score_memory, padded_plainly(best_of(scores, scores, capacity), capacity, Score{})));
        CHECK((memory.intact() && score_memory.intact() && written.intact()));
        CHECK(result.dropped() == all_dropped(counts, capacity));
        CHECK(dropped_are(result, counts, capacity));
    }
}

TEST_CASE("overflow::top_scores_by chooses by another field, also by one that the output leaves out")
{
    dice random(3);
    for (int k = 0; k < 40; ++k) {
        const std::vector<std::size_t> counts = random.counts(4, 12);
        const auto boxes = random.batch<float>(counts, 4);
        const auto scores = random_scores<float>(random, counts);
        const auto ranks = random_scores<std::int64_t>(random, counts);
        const auto source = each(t::boxes(boxes.images), t::scores(scores.images), t::track_id(ranks.images));
        padded<padbatch::boxes<>> owner(4, 5);
        pad_into(owner, source, overflow::top_scores_by(t::track_id));
        CHECK(same_bytes(owner[t::boxes], padded_plainly(best_of(boxes, ranks, 5), 5, 0.0F)));
        pad_into(owner, source, overflow::top_scores);
        CHECK(same_bytes(owner[t::boxes], padded_plainly(best_of(boxes, scores, 5), 5, 0.0F)));
    }
}

TEST_CASE("overflow::top_scores reads scores in columns, in structs and in rows of any order")
{
    struct detection {
        float box[4];
        double score;
        std::int32_t label;
    };
    dice random(4);
    for (int k = 0; k < 30; ++k) {
        const std::vector<std::size_t> counts = random.counts(4, 12);
        const auto boxes = random.batch<float>(counts, 4);
        const auto scores = random_scores<float>(random, counts);
        const std::size_t total = boxes.total();
        std::vector<std::vector<detection>> structs(4);
        std::vector<float> flat_rows;
        std::vector<std::int32_t> offsets{0};
        std::vector<float> mixed_rows; // image 3's first, then image 2's, ...
        std::vector<std::int32_t> ids;
        for (std::size_t i = 0; i < 4; ++i) {
            for (std::size_t j = 0; j < counts[i]; ++j) {
                detection d{{}, scores.images[i].get(j), 0};
                for (std::size_t c = 0; c < 4; ++c) {
                    d.box[c] = boxes.images[i].get(j * 4 + c);
                }
                flat_rows.insert(flat_rows.end(), {d.box[0], d.box[1], d.box[2], d.box[3], scores.images[i].get(j)});
                structs[i].push_back(d);
            }
            offsets.push_back(static_cast<std::int32_t>(flat_rows.size() / 5));
        }
        for (std::size_t i = 4; i-- > 0;) {
            for (std::size_t j = 0; j < counts[i]; ++j) {
                const float* const row = flat_rows.data() + (static_cast<std::size_t>(offsets[i]) + j) * 5;
                mixed_rows.insert(mixed_rows.end(), row, row + 5);
                ids.push_back(static_cast<std::int32_t>(i));
            }
        }
        CHECK(flat_rows.size() == total * 5);
        const auto expected = padded_plainly(best_of(boxes, scores, 5), 5, 0.0F);
        padded<padbatch::boxes<>> owner(4, 5);
        pad_into(owner, project(structs, t::boxes(&detection::box), t::scores(&detection::score)),
                 overflow::top_scores);
        CHECK(same_bytes(owner[t::boxes], expected));
        pad_into(owner, columns(flat_rows, 5, offsets, t::boxes(cols<0, 4>), t::scores(col<4>)), overflow::top_scores);
        CHECK(same_bytes(owner[t::boxes], expected));
        pad_into(owner, tagged_columns(row_index(ids, 4), mixed_rows, 5, t::boxes(cols<0, 4>), t::scores(col<4>)),
                 overflow::top_scores);
        CHECK(same_bytes(owner[t::boxes], expected));
    }
}

TEST_CASE("with a workspace that has grown, dropping rows does not allocate, on views and on owners")
{
    dice random(6);
    const std::vector<std::size_t> counts{30, 0, 12, 3};
    const auto boxes = random.batch<float>(counts, 4);
    const auto scores = random_scores<float>(random, counts);
    const auto source = each(t::boxes(boxes.images), t::scores(scores.images));
    std::vector<float> memory(4 * 5 * 4);
    std::vector<std::int32_t> written(4);
    const padded_view output(unchecked, written, 5, t::boxes(memory));
    padded<padbatch::boxes<>> owner(4, 5);
    workspace space;
    const auto all = [&] {
        bool right = pad_into(output, source, overflow::top_scores, space).dropped(0) == 25;
        right = pad_into(output, source, overflow::truncate, space).dropped(2) == 7 && right;
        right = pad_into(owner, source, overflow::top_scores, space).dropped(0) == 25 && right;
        right = pad_into(owner, source, overflow::truncate).dropped(2) == 7 && right;
        return right;
    };
    CHECK(all());
    const padbatch::test::allocation_counter counter;
    const bool right = all();
    const std::size_t allocated = counter.count();
    CHECK(right);
    CHECK(allocated == 0);
}

TEST_CASE("a result is handed out by the form that throws nothing, and set again by each call")
{
    const std::vector<std::vector<float>> many{{1, 2, 3}, {4}};
    const std::vector<std::vector<float>> few{{1}, {4}};
    std::vector<float> memory(4);
    std::vector<std::int32_t> counts(2);
    const padded_view output(unchecked, counts, 2, t::scores(memory));
    pad_result result;
    CHECK(result.rows() == 0);
    CHECK(try_pad_into(output, many, overflow::truncate, result).ok());
    CHECK(result.rows() == 3);
    CHECK(result.dropped() == 1);
    CHECK(result.dropped(0) == 1);
    CHECK(result.dropped(1) == 0);
    CHECK(try_pad_into(output, few, overflow::truncate, result).ok());
    CHECK(result.rows() == 2);
    CHECK(result.dropped() == 0);
    CHECK(result.dropped(0) == 0);

    padded<padbatch::scores<>> owner(2, 2);
    CHECK(try_pad_into(owner, many, result, overflow::truncate).ok());
    CHECK(result.rows() == 3);
    CHECK(result.dropped(0) == 1);
    const pad_result moved = std::move(result);
    CHECK(moved.dropped(0) == 1);
}
