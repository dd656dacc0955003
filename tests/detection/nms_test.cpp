// SPDX-License-Identifier: Apache-2.0
#include <padbatch/detection/nms.hpp>

#include <tests/support/check_status.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>
#include <limits>
#include <numeric>
#include <random>
#include <string>
#include <vector>

using namespace padbatch;
using padbatch::test::check_status;

namespace {

using nms_box = std::array<float, 4>;

struct nms_rows {
    std::vector<nms_box> boxes;
    std::vector<float> scores;
    std::vector<std::int64_t> labels;
};

/// The definition as a double loop: rows in the order of their scores; each one that is left drops those after it.
/// volatile: each product is rounded, whatever the compiler would fuse.
std::vector<std::int64_t> plain_nms(const nms_rows& rows, double threshold, bool by_class)
{
    std::vector<std::size_t> order(rows.scores.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    const auto rank = [&](std::size_t j) {
        return std::isnan(rows.scores[j]) ? -std::numeric_limits<double>::infinity() : double{rows.scores[j]};
    };
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        return std::isnan(rows.scores[a]) != std::isnan(rows.scores[b]) ? std::isnan(rows.scores[b])
                                                                        : rank(a) > rank(b);
    });
    const auto area = [](const nms_box& b) {
        const volatile float product = (b[2] - b[0]) * (b[3] - b[1]);
        return float{product};
    };
    std::vector<bool> dropped(order.size());
    std::vector<std::int64_t> kept;
    for (std::size_t i = 0; i < order.size(); ++i) {
        if (dropped[i]) {
            continue;
        }
        kept.push_back(static_cast<std::int64_t>(order[i]));
        const nms_box& a = rows.boxes[order[i]];
        for (std::size_t j = i + 1; j < order.size(); ++j) {
            const nms_box& b = rows.boxes[order[j]];
            if (by_class && rows.labels[order[i]] != rows.labels[order[j]]) {
                continue;
            }
            const float width = std::max(0.0F, std::min(a[2], b[2]) - std::max(a[0], b[0]));
            const float height = std::max(0.0F, std::min(a[3], b[3]) - std::max(a[1], b[1]));
            const volatile float both = width * height;
            const float iou = both / (area(a) + area(b) - both);
            dropped[j] = dropped[j] || double{iou} > threshold;
        }
    }
    return kept;
}

std::vector<std::int64_t> numbers_in(const row_numbers& kept)
{
    return {kept.begin(), kept.end()};
}

nms_rows random_nms_rows(std::mt19937& random, std::size_t n, bool strange)
{
    const auto number = [&](float low, float high) { return std::uniform_real_distribution<float>(low, high)(random); };
    nms_rows rows;
    const float places = number(1, 12);
    for (std::size_t j = 0; j < n; ++j) {
        const float x = std::floor(number(0, places)) * 60 + number(-8, 8);
        const float y = std::floor(number(0, places)) * 60 + number(-8, 8);
        rows.boxes.push_back({x, y, x + number(5, 80), y + number(5, 80)});
        rows.scores.push_back(std::floor(number(0, 40)) / 40); // many are equal
        rows.labels.push_back(static_cast<std::int64_t>(random() % 4) * 1000000007 - 3);
        if (strange && random() % 8 == 0) {
            const float values[] = {std::numeric_limits<float>::quiet_NaN(),
                                    std::numeric_limits<float>::infinity(),
                                    -std::numeric_limits<float>::infinity(),
                                    3e38F,
                                    -3e38F,
                                    0.0F,
                                    -0.0F,
                                    1e-40F};
            rows.boxes.back()[random() % 4] = values[random() % 8];
            rows.scores.back() = random() % 4 == 0 ? values[random() % 8] : rows.scores.back();
        }
        if (strange && j != 0 && random() % 8 == 0) {
            rows.boxes.back() = rows.boxes[random() % j];
        }
        if (strange && random() % 8 == 0) {
            std::swap(rows.boxes.back()[0], rows.boxes.back()[2]);
        }
        if (strange && random() % 16 == 0) {
            rows.boxes.back()[2] = rows.boxes.back()[0];
        }
    }
    return rows;
}

} // namespace

TEST_CASE("nms and batched_nms keep what torchvision keeps, in its order")
{
    std::ifstream file(PADBATCH_TESTS_DATA "/nms.bin", std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    std::size_t at = 0;
    const auto read = [&](auto& values, std::size_t n) {
        values.resize(n);
        const std::size_t size = n * sizeof(values[0]);
        REQUIRE(at + size <= bytes.size());
        std::memcpy(static_cast<void*>(values.data()), bytes.data() + at, size);
        at += size;
    };
    int cases = 0;
    while (at < bytes.size()) {
        std::vector<std::int32_t> head;
        nms_rows rows;
        std::vector<std::int32_t> labels;
        read(head, 2);
        const auto n = static_cast<std::size_t>(head[0]);
        read(rows.boxes, n);
        read(rows.scores, n);
        read(labels, n);
        const double threshold = head[1] / 1000.0;
        std::vector<std::vector<std::int64_t>> wanted;
        for (int form = 0; form < 3; ++form) {
            std::vector<std::int32_t> size;
            std::vector<std::int32_t> list;
            read(size, 1);
            read(list, static_cast<std::size_t>(size[0]));
            wanted.emplace_back(list.begin(), list.end());
        }
        const auto boxes = t::boxes(rows.boxes);
        const auto scores = t::scores(rows.scores);
        CHECK(numbers_in(nms(boxes, scores, threshold)) == wanted[0]);
        CHECK(numbers_in(batched_nms(boxes, scores, t::labels(labels), threshold)) == wanted[1]);
        CHECK(numbers_in(batched_nms(boxes, scores, t::labels(labels), threshold, class_shift(largest_coordinate))) ==
              wanted[2]);
        ++cases;
    }
    CHECK(cases == 7);
}

TEST_CASE("nms keeps what the definition says, for any boxes and any scores")
{
    std::mt19937 random(1); // NOLINT(cert-msc51-cpp): the same in each run
    row_numbers kept;
    workspace space;
    for (int round = 0; round < 180; ++round) {
        const std::size_t n = round < 60 ? static_cast<std::size_t>(round) : random() % 260;
        const nms_rows rows = random_nms_rows(random, n, round % 2 == 0);
        const double thresholds[] = {0.0, -0.0, 0.3, 0.5, 0.7, 1.0, 1e-35, 1.0 / 3};
        const double threshold = thresholds[random() % 8];
        const auto wanted = plain_nms(rows, threshold, false);
        nms(kept, t::boxes(rows.boxes), t::scores(rows.scores), threshold, space);
        CHECK(numbers_in(kept) == wanted);
        const auto apart = plain_nms(rows, threshold, true);
        batched_nms(kept, t::boxes(rows.boxes), t::scores(rows.scores), t::labels(rows.labels), threshold, space);
        CHECK(numbers_in(kept) == apart);
        const std::size_t most = random() % 20;
        batched_nms(kept, t::boxes(rows.boxes), t::scores(rows.scores), t::labels(rows.labels), threshold, space,
                    at_most(most));
        CHECK(numbers_in(kept) ==
              std::vector<std::int64_t>(apart.begin(),
                                        apart.begin() + static_cast<std::ptrdiff_t>(std::min(most, apart.size()))));
    }
}

TEST_CASE("class_shift moves boxes by label * distance, in floats")
{
    std::mt19937 random(2); // NOLINT(cert-msc51-cpp): the same in each run
    for (int round = 0; round < 100; ++round) {
        const nms_rows rows = random_nms_rows(random, random() % 120, round % 2 == 0);
        std::vector<std::int32_t> labels(rows.scores.size());
        for (std::int32_t& label : labels) {
            label = static_cast<std::int32_t>(random() % 5);
        }
        for (const bool follows : {false, true}) {
            float distance = 7680;
            if (follows) { // torch's max: NaN if there is one
                float largest = -std::numeric_limits<float>::infinity();
                for (const nms_box& box : rows.boxes) {
                    for (const float x : box) {
                        largest = std::isnan(x) || std::isnan(largest) ? std::numeric_limits<float>::quiet_NaN()
                                                                       : std::max(largest, x);
                    }
                }
                distance = largest + 1;
            }
            nms_rows moved = rows;
            for (std::size_t j = 0; j < labels.size(); ++j) {
                const volatile float offset = static_cast<float>(labels[j]) * distance;
                for (float& x : moved.boxes[j]) {
                    x += offset;
                }
            }
            const auto shift = follows ? class_shift(largest_coordinate) : class_shift(7680);
            CHECK(numbers_in(batched_nms(t::boxes(rows.boxes), t::scores(rows.scores), t::labels(labels), 0.5,
                                         shift)) == plain_nms(moved, 0.5, false));
        }
    }
}

TEST_CASE("nms takes rows in any layout, and labels of any integer type")
{
    struct packed_detection {
        float score;
        float corners[4];
        std::uint8_t label;
    };
    const std::vector<packed_detection> structs{
        {0.25F, {0, 0, 10, 10}, 1}, {0.75F, {1, 1, 10, 10}, 1}, {0.5F, {1, 1, 10, 10}, 2}, {0.75F, {50, 0, 60, 10}, 1}};
    std::vector<std::vector<float>> boxes;
    std::vector<float> scores;
    std::vector<std::uint8_t> labels;
    for (const packed_detection& d : structs) {
        boxes.emplace_back(d.corners, d.corners + 4);
        scores.push_back(d.score);
        labels.push_back(d.label);
    }
    CHECK(numbers_in(nms(t::boxes(boxes), t::scores(scores), 0.5)) == std::vector<std::int64_t>{1, 3});
    CHECK(numbers_in(batched_nms(t::boxes(boxes), t::scores(scores), t::labels(labels), 0.5)) ==
          std::vector<std::int64_t>{1, 3, 2});
    const std::vector<nms_box> none;
    CHECK(nms(t::boxes(none), t::scores(std::vector<float>()), 0.5).empty());
}

TEST_CASE("nms refuses what it cannot take, and says why")
{
    const std::vector<nms_box> boxes(3, {0, 0, 10, 10});
    const std::vector<float> scores{1, 2};
    const std::vector<float> three{1, 2, 3};
    const std::vector<std::int64_t> labels(2);
    row_numbers kept;
    check_status(try_nms(kept, t::boxes(boxes), t::scores(scores), 0.5), status_code::field_mismatch,
                 {"there are 3 boxes, but 2 scores"});
    check_status(try_batched_nms(kept, t::boxes(boxes), t::scores(three), t::labels(labels), 0.5),
                 status_code::field_mismatch, {"there are 2 labels, but 3 scores"});
    for (const double threshold : {-0.1, 1.1, 50.0, std::numeric_limits<double>::quiet_NaN()}) {
        CHECK(try_nms(kept, t::boxes(boxes), t::scores(three), threshold).code() == status_code::bad_argument);
    }
    check_status(try_batched_nms(kept, t::boxes(boxes), t::scores(three), t::labels(std::vector<int>(3)), 0.5,
                                 class_shift(std::numeric_limits<float>::infinity())),
                 status_code::bad_argument, {"the distance of class_shift is inf; expected a finite number of pixels"});
    const std::vector<float> fives(15);
    check_status(try_nms(kept, t::boxes(fives, 5), t::scores(three), 0.5), status_code::row_mismatch, {"rows of 5"});
    CHECK(nms(t::boxes(std::vector<float>(12), 4), t::scores(three), 0.5).size() == 3);
    CHECK(kept.empty());
    ragged<field<t::boxes_t, float, row_extents<dynamic>>, padbatch::scores<>> narrow;
    narrow.end_image();
    narrow.append(t::boxes(std::vector<float>(4), 2), t::scores(scores));
    narrow.end_image();
    check_status(try_nms(narrow, 0.5), status_code::row_mismatch, {"rows of 2 numbers; expected 4"});

    padded<padbatch::boxes<>, padbatch::scores<>> batch(1, 3);
    check_status(try_nms(batch, 1.5), status_code::bad_argument,
                 {"the IoU threshold is 1.5; expected a number from 0 to 1: boxes that overlap by more are dropped"});
    ragged<padbatch::boxes<>, padbatch::scores<>> open;
    open.append(t::boxes(boxes), t::scores(three));
    CHECK(try_nms(open, 0.5).code() == status_code::field_mismatch);
    CHECK(open.open_rows() == 3);
}
