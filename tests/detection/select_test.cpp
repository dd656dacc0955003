// SPDX-License-Identifier: Apache-2.0
#include <padbatch/detection/select.hpp>

#include <padbatch/columns.hpp>

#include <tests/support/check_status.hpp>
#include <tests/support/count_allocations.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <deque>
#include <limits>
#include <numeric>
#include <random>
#include <span>
#include <vector>

using namespace padbatch;
using padbatch::test::check_error;
using padbatch::test::check_status;

namespace {

using select_list = std::vector<std::int64_t>;

constexpr float select_nan = std::numeric_limits<float>::quiet_NaN();
constexpr float select_inf = std::numeric_limits<float>::infinity();

select_list list_in(const row_numbers& numbers)
{
    return {numbers.begin(), numbers.end()};
}

/// The rows for which a test holds.
template <class Test>
select_list rows_that(std::size_t n, const Test& test)
{
    select_list rows;
    for (std::size_t j = 0; j < n; ++j) {
        if (test(j)) {
            rows.push_back(static_cast<std::int64_t>(j));
        }
    }
    return rows;
}

/// Rows in the order of their scores; NaN is below every number.
void sort_plainly(select_list& rows, const std::vector<float>& scores)
{
    std::stable_sort(rows.begin(), rows.end(), [&](std::int64_t a, std::int64_t b) {
        const float x = scores[static_cast<std::size_t>(a)];
        const float y = scores[static_cast<std::size_t>(b)];
        return x > y || (x == x && y != y);
    });
}

struct select_rows_of_image {
    std::vector<float> scores;
    std::vector<std::int64_t> labels;
    std::vector<std::array<float, 4>> boxes;

    select_rows_of_image(std::mt19937& random, std::size_t n)
    {
        constexpr float strange[] = {select_nan, select_inf, -select_inf, 0.0F, -0.0F, 0.5F};
        for (std::size_t j = 0; j < n; ++j) {
            scores.push_back(random() % 5 == 0 ? strange[random() % 6] : static_cast<float>(random() % 100) / 100);
            labels.push_back(static_cast<std::int64_t>(random() % 8) - 1);
            boxes.push_back({static_cast<float>(j), static_cast<float>(random() % 50), 60, 60});
            if (random() % 10 == 0) {
                labels.back() = random() % 2 == 0 ? 1000 : std::numeric_limits<std::int64_t>::min();
            }
        }
    }
};

} // namespace

TEST_CASE("rows are selected as a plain loop selects them, whatever the number of rows and the scores")
{
    std::mt19937 random(5);
    workspace space;
    row_numbers kept;
    const std::vector<std::int32_t> list = {2, 1000, 5, 2};
    const std::vector<float> table = {0.3F, -select_inf, select_inf, 0.5F};
    for (std::size_t n = 0; n < 150; ++n) {
        CAPTURE(n);
        const select_rows_of_image image(random, n);
        const auto& s = image.scores;
        const auto& l = image.labels;
        const float limit = n % 3 == 0 ? 0.5F : 0.0F;
        const auto is_listed = [&](std::size_t j) { return l[j] == 2 || l[j] == 5 || l[j] == 1000; };

        CHECK(list_in(select_rows(t::scores(s), score_above(limit))) ==
              rows_that(n, [&](std::size_t j) { return s[j] > limit; }));
        CHECK(list_in(select_rows(t::scores(s), score_at_least(limit))) ==
              rows_that(n, [&](std::size_t j) { return s[j] >= limit; }));
        CHECK(list_in(select_rows(t::labels(l), label_in(list))) == rows_that(n, is_listed));
        const auto of_label = rows_that(
            n, [&](std::size_t j) { return l[j] >= 0 && l[j] < 4 && s[j] > table[static_cast<std::size_t>(l[j])]; });
        CHECK(list_in(select_rows(t::labels(l), t::scores(s), score_above_of_label(table))) == of_label);

        // All of them together, and the best of what is left.
        const auto both = rows_that(n, [&](std::size_t j) {
            return s[j] > limit && is_listed(j) && image.boxes[j][1] < 40 && s[j] < image.boxes[j][2];
        });
        const auto lower =
            rows_where([](std::span<const float, 4> box, float score) { return score < box[2]; }, t::boxes, t::scores);
        const auto upper = rows_where([](const auto& rows, std::size_t j) { return rows[t::boxes][j][1] < 40; });
        select_rows(kept, t::scores(s), t::boxes(image.boxes), t::labels(l), label_in(list), lower, score_above(limit),
                    upper);
        CHECK(list_in(kept) == both);
        for (const std::size_t most : {std::size_t{0}, std::size_t{3}, n / 4, n}) {
            auto best = both;
            sort_plainly(best, s);
            best.resize(std::min(best.size(), most));
            std::sort(best.begin(), best.end());
            select_rows(kept, t::scores(s), t::boxes(image.boxes), t::labels(l), highest_scores(most), label_in(list),
                        lower, score_above(limit), upper, space);
            CHECK(list_in(kept) == best);
        }
        // Alone, they may have to take rows of NaN, of which the first ones come first.
        auto all = rows_that(n, [](std::size_t) { return true; });
        sort_plainly(all, s);
        CHECK(list_in(sort_by_score(t::scores(s))) == all);
        CHECK(list_in(sort_by_score(t::scores(s), at_most(n / 2), space)) ==
              select_list(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(n / 2)));
        const std::size_t most = n - n / 10;
        all.resize(most);
        std::sort(all.begin(), all.end());
        CHECK(list_in(select_rows(t::scores(s), highest_scores(most), space)) == all);
    }
}

TEST_CASE("scores and labels are selected from in other containers and types")
{
    const std::vector<float> flat = {0.1F, 1, 0.9F, 2, 0.5F, 3, 0.7F, 1};
    const select_list wanted = {1, 3};
    // Every other number, as in rows [score, label].
    CHECK(list_in(select_rows(t::scores(strided_rows<const float>(flat.data(), 4, {}, {2 * sizeof(float)})),
                              score_above(0.5F))) == wanted);
    const std::deque<float> scattered = {0.1F, 0.9F, 0.5F, 0.7F};
    CHECK(list_in(select_rows(t::scores(scattered), score_above(0.5F))) == wanted);
    const std::vector<std::uint8_t> bytes = {1, 255, 0, 255};
    const std::array<int, 1> last = {255};
    CHECK(list_in(select_rows(t::labels(bytes), label_in(last))) == wanted);
    CHECK(list_in(select_rows(t::labels(bytes), label_in(std::span<const int>()))).empty());
    const std::vector<std::int64_t> negative = {-1};
    const std::vector<std::int16_t> shorts = {1, -1, 0, -1};
    CHECK(list_in(select_rows(t::labels(shorts), label_in(negative))) == wanted);
}

TEST_CASE("a batch keeps what the conditions keep of each image, in all fields")
{
    std::mt19937 random(8);
    ragged<boxes<>, scores<>, labels<>> batch;
    std::vector<select_rows_of_image> images;
    for (const unsigned n : {0U, 1U, 40U, 100U, 9U}) {
        images.emplace_back(random, n);
        batch.append(t::boxes(images.back().boxes), t::scores(images.back().scores), t::labels(images.back().labels));
        batch.end_image();
    }
    const std::vector<int> list = {1, 2, 3};
    workspace space;
    select_rows(batch, score_at_least(0.2F), label_in(list), highest_scores(10), space);
    for (std::size_t i = 0; i < images.size(); ++i) {
        const auto kept = select_rows(t::scores(images[i].scores), t::labels(images[i].labels), score_at_least(0.2F),
                                      label_in(list), highest_scores(10));
        REQUIRE(batch.count(i) == kept.size());
        for (std::size_t k = 0; k < kept.size(); ++k) {
            CHECK(batch.image(i)[t::boxes][k][0] == static_cast<float>(kept[k])); // which was the row's number
        }
    }
    sort_by_score(batch, at_most(4), space);
    for (std::size_t i = 0; i < images.size(); ++i) {
        CHECK(batch.count(i) <= 4);
        const auto sorted = batch.image(i)[t::scores];
        CHECK(std::is_sorted(sorted.begin(), sorted.end(), std::greater<>()));
    }
    const padbatch::test::allocation_counter allocations;
    select_rows(batch, score_above(0.3F), highest_scores(2), space);
    const std::size_t count = allocations.count();
    CHECK(count == 0);
}

TEST_CASE("selecting refuses what it cannot do, and changes nothing")
{
    const std::vector<float> scores = {0.5F, 0.6F, 0.7F};
    const std::vector<int> labels = {1, 2};
    row_numbers kept;
    select_rows(kept, t::scores(scores), score_above(0.55F));
    check_status(try_select_rows(kept, t::scores(scores), score_above(select_nan)), status_code::bad_argument,
                 {"score_above", "finite"});
    check_status(try_select_rows(kept, t::scores(scores), score_at_least(select_inf)), status_code::bad_argument,
                 {"score_at_least", "inf"});
    check_status(try_select_rows(kept, t::scores(scores), t::labels(labels), label_in(labels)),
                 status_code::field_mismatch, {"labels has 2 rows", "has 3"});
    const std::vector<float> bad = {0.1F, select_nan};
    const std::vector<int> three = {0, 1, 1};
    check_status(try_select_rows(kept, t::scores(scores), t::labels(three), score_above_of_label(bad)),
                 status_code::bad_argument, {"label 1", "NaN"});
    CHECK(list_in(kept) == select_list{1, 2});

    ragged<padbatch::scores<>, padbatch::labels<int>> batch;
    batch.append(t::scores(scores), t::labels(three));
    check_status(try_select_rows(batch, score_above(0.5F)), status_code::field_mismatch, {"end_image"});
    batch.end_image();
    const auto own = batch[t::labels].flat();
    check_status(try_select_rows(batch, label_in(own)), status_code::overlap, {"list", "copy"});
    check_status(try_select_rows(batch, score_above_of_label(batch[t::scores].flat())), status_code::overlap);
    check_error([&] { select_rows(batch, score_above(select_inf)); }, status_code::bad_argument);
    CHECK(batch.count(0) == 3);
    select_rows(batch, label_in(three), score_above(0.5F));
    CHECK(batch.count(0) == 2);
}
