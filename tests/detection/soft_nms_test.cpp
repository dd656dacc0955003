// SPDX-License-Identifier: Apache-2.0
#include <padbatch/detection/soft_nms.hpp>

#include <padbatch/pad.hpp>

#include <tests/support/check_status.hpp>
#include <tests/support/count_allocations.hpp>
#include <tests/support/guarded.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <limits>
#include <random>
#include <string>
#include <vector>

using namespace padbatch;
using padbatch::test::check_error;
using padbatch::test::check_status;

namespace {

using soft_box = std::array<float, 4>;
using soft_floats = std::vector<float>;

constexpr float soft_nan = std::numeric_limits<float>::quiet_NaN();
constexpr float soft_inf = std::numeric_limits<float>::infinity();

struct soft_rule {
    bool gaussian;
    double number; // threshold or sigma
    float floor;
};

struct soft_result {
    std::vector<std::int64_t> kept;
    soft_floats scores;
};

/// The definition, step by step. Products and sums that could be fused are rounded by being volatile.
soft_result soft_twin(const std::vector<soft_box>& boxes, soft_floats scores, const soft_rule& rule)
{
    soft_result result;
    std::vector<bool> gone(scores.size());
    const auto drop = [&] {
        for (std::size_t j = 0; j < scores.size(); ++j) {
            gone[j] = gone[j] || !(scores[j] >= rule.floor);
        }
    };
    const auto area = [](const soft_box& b) {
        volatile float product = (b[2] - b[0]) * (b[3] - b[1]);
        return product;
    };
    drop();
    while (std::find(gone.begin(), gone.end(), false) != gone.end()) {
        std::size_t best = scores.size();
        for (std::size_t j = 0; j < scores.size(); ++j) {
            if (!gone[j] && (best == scores.size() || scores[j] > scores[best])) {
                best = j;
            }
        }
        gone[best] = true;
        result.kept.push_back(static_cast<std::int64_t>(best));
        result.scores.push_back(scores[best]);
        const soft_box& a = boxes[best];
        for (std::size_t j = 0; j < scores.size(); ++j) {
            const soft_box& b = boxes[j];
            const float width = std::min(a[2], b[2]) - std::max(a[0], b[0]);
            const float height = std::min(a[3], b[3]) - std::max(a[1], b[1]);
            if (gone[j] || !(width > 0) || !(height > 0)) {
                continue;
            }
            volatile float both = width * height;
            const float iou = both / ((area(a) + area(b)) - both);
            if (rule.gaussian && iou == iou) {
                const double square = double{iou} * double{iou};
                scores[j] *= static_cast<float>(std::exp(-square / rule.number));
            } else if (!rule.gaussian && double{iou} > rule.number) {
                scores[j] *= 1.0F - iou;
            }
        }
        drop();
    }
    return result;
}

template <class... Options>
soft_result soft_of(const std::vector<soft_box>& boxes, const soft_floats& scores, const soft_rule& rule,
                    Options&&... options)
{
    row_numbers kept;
    guarded<float> left(scores.size());
    if (rule.gaussian) {
        soft_nms(kept, t::scores(left), t::boxes(boxes), t::scores(scores), soft_nms_gaussian(rule.number), rule.floor,
                 options...);
    } else {
        soft_nms(kept, t::scores(left), t::boxes(boxes), t::scores(scores), soft_nms_linear(rule.number), rule.floor,
                 options...);
    }
    CHECK(left.intact());
    return {{kept.begin(), kept.end()}, {left.begin(), left.begin() + static_cast<std::ptrdiff_t>(kept.size())}};
}

/// An exponential that is right to a float differs from another by 1 in the last place, 1.2e-7 of it, in each of up to
/// n products.
bool soft_close(const soft_floats& a, const soft_floats& b, std::size_t n)
{
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](float x, float y) {
        return x == y || std::abs(x - y) <= 1.2e-7F * static_cast<float>(n) * std::abs(y);
    });
}

template <class T>
std::vector<T> soft_read(std::ifstream& file, std::size_t n)
{
    std::vector<T> values(n);
    file.read(reinterpret_cast<char*>(values.data()), static_cast<std::streamsize>(n * sizeof(T)));
    return values;
}

} // namespace

TEST_CASE("soft-NMS takes the rows that a plain program in NumPy takes, with its scores")
{
    std::ifstream file(PADBATCH_TESTS_DATA "/soft_nms.bin", std::ios::binary);
    int cases = 0;
    while (file.peek() != std::ifstream::traits_type::eof()) {
        CAPTURE(cases);
        const auto numbers = soft_read<std::int32_t>(file, 2);
        const auto n = static_cast<std::size_t>(numbers[0]);
        const double number = soft_read<double>(file, 1)[0];
        const soft_rule rule{numbers[1] != 0, number, soft_read<float>(file, 1)[0]};
        const auto boxes = soft_read<soft_box>(file, n);
        const auto scores = soft_read<float>(file, n);
        const auto m = static_cast<std::size_t>(soft_read<std::int32_t>(file, 1)[0]);
        const auto kept = soft_read<std::int32_t>(file, m);
        const auto left = soft_read<float>(file, m);
        REQUIRE(file.good());
        const soft_result found = soft_of(boxes, scores, rule);
        CHECK(found.kept == std::vector<std::int64_t>(kept.begin(), kept.end()));
        if (rule.gaussian) {
            CHECK(soft_close(found.scores, left, n));
        } else {
            CHECK(found.scores == left); // the same float operations in the same order
        }
        ++cases;
    }
    CHECK(cases == 6);
}

TEST_CASE("soft-NMS is what its definition says, step by step, for boxes and scores of all kinds")
{
    std::mt19937 random(11);
    const auto number = [&](float low, float high) { return std::uniform_real_distribution<float>(low, high)(random); };
    workspace space;
    for (int round = 0; round < 200; ++round) {
        CAPTURE(round);
        const std::size_t n = round < 4 ? static_cast<std::size_t>(round) : random() % 150;
        std::vector<soft_box> boxes;
        soft_floats scores;
        const bool strange = round % 3 == 0;
        for (std::size_t j = 0; j < n; ++j) {
            const float x = std::floor(number(0, 3)) * 50 + number(-9, 9);
            const float y = std::floor(number(0, 3)) * 50 + number(-9, 9);
            boxes.push_back({x, y, x + number(1, 60), y + number(1, 60)});
            scores.push_back(round % 2 == 0 ? std::floor(number(0, 20)) / 20 : number(0, 1)); // ties, or none
            if (strange && random() % 6 == 0) {
                constexpr float values[] = {0, -1, soft_nan, soft_inf, -soft_inf, 1e38F, 30};
                boxes.back()[random() % 4] = values[random() % 7];
                scores.back() = random() % 3 == 0 ? values[random() % 6] : scores.back();
            }
            if (random() % 8 == 0) {
                boxes.back() = boxes[random() % boxes.size()];
            }
        }
        // With a floor of 0, a Gaussian of one box times infinity would be NaN in one way and not in another.
        const soft_rule rule{round % 4 < 2, round % 4 < 2 ? 0.5 : number(0, 0.8F), round % 5 == 0 ? 0.0F : 0.1F};
        const soft_result wanted = soft_twin(boxes, scores, rule);
        const soft_result found = soft_of(boxes, scores, rule, space);
        CHECK(found.kept == wanted.kept);
        if (rule.gaussian) {
            CHECK(soft_close(found.scores, wanted.scores, n));
        } else {
            CHECK(std::equal(found.scores.begin(), found.scores.end(), wanted.scores.begin(), wanted.scores.end()));
        }
        const std::size_t most = n / 3;
        const soft_result few = soft_of(boxes, scores, rule, at_most(most), space);
        CHECK(few.kept.size() == std::min(most, wanted.kept.size()));
        CHECK(std::equal(few.kept.begin(), few.kept.end(), wanted.kept.begin()));
    }
}

TEST_CASE("soft-NMS: equal scores in their order, a sigma that leaves nothing, the scores' own memory")
{
    const std::vector<soft_box> boxes(30, {0, 0, 10, 10});
    const soft_floats scores(30, 0.5F);
    // The first takes all from the others; a score of 0 is not below a floor of 0.
    const soft_result linear = soft_of(boxes, scores, {false, 0.5, 0});
    CHECK(linear.kept.size() == 30);
    CHECK(linear.kept[1] == 1);
    CHECK(linear.kept[29] == 29);
    CHECK(linear.scores[1] == 0);
    CHECK(soft_of(boxes, scores, {false, 0.5, 1e-6F}).kept == std::vector<std::int64_t>{0});
    CHECK(soft_of(boxes, scores, {false, 1.0, 1e-6F}).kept.size() == 30); // nothing is over 1
    CHECK(soft_of(boxes, scores, {true, 1e-30, 1e-6F}).kept == std::vector<std::int64_t>{0});
    CHECK(soft_of(boxes, scores, {true, 1e30, 0.5F}).kept.size() == 30);

    soft_floats own = {0.1F, 0.9F, 0.8F};
    const std::vector<soft_box> three = {{0, 0, 1, 1}, {5, 5, 9, 9}, {5, 5, 9, 9}};
    row_numbers kept;
    soft_nms(kept, t::scores(own), t::boxes(three), t::scores(own), soft_nms_linear(0.5), 0.0F);
    CHECK(own == soft_floats{0.9F, 0.1F, 0.0F});
    CHECK(std::vector<std::int64_t>(kept.begin(), kept.end()) == std::vector<std::int64_t>{1, 0, 2});
}

TEST_CASE("soft-NMS of every kind of batch is that of each image; nothing is allocated with a workspace")
{
    std::mt19937 random(3);
    const auto number = [&](float low, float high) { return std::uniform_real_distribution<float>(low, high)(random); };
    ragged<boxes<>, scores<>, labels<>> rows;
    std::vector<soft_result> wanted;
    for (std::size_t i = 0; i < 5; ++i) {
        std::vector<soft_box> image_boxes;
        soft_floats image_scores;
        std::vector<std::int64_t> names;
        for (std::size_t j = 0; j < i * 12; ++j) {
            image_boxes.push_back({number(0, 20), number(0, 20), number(20, 40), number(20, 40)});
            image_scores.push_back(number(0, 1));
            names.push_back(static_cast<std::int64_t>(j));
        }
        rows.append(t::boxes(image_boxes), t::scores(image_scores), t::labels(names));
        rows.end_image();
        wanted.push_back(soft_of(image_boxes, image_scores, {true, 0.3, 0.05F}));
    }
    const auto check = [&](const auto& batch) {
        for (std::size_t i = 0; i < 5; ++i) {
            const auto image = batch.image(i);
            CHECK(std::equal(image[t::labels].begin(), image[t::labels].end(), wanted[i].kept.begin(),
                             wanted[i].kept.end()));
            CHECK(std::equal(image[t::scores].begin(), image[t::scores].end(), wanted[i].scores.begin(),
                             wanted[i].scores.end()));
        }
    };
    padded<boxes<>, scores<>, labels<>> owner(5, 50);
    padded<boxes<>, scores<>, labels<>> memory(5, 50);
    pad_into(owner, rows, pad_values(t::labels(-1)));
    pad_into(memory, rows);
    const auto backwards = [](std::size_t n, const auto& body) {
        for (std::size_t i = n; i-- > 0;) {
            body(i);
        }
    };
    workspace space;
    soft_nms(owner, soft_nms_gaussian(0.3), 0.05F, parallel(backwards), space);
    check(owner);
    CHECK(owner.view().slot(4)[t::labels][owner.count(4)] == -1);
    {
        const padbatch::test::allocation_counter allocations;
        soft_nms(memory.view(), soft_nms_gaussian(0.3), 0.05F, pad_values(t::labels(7)), space);
        soft_nms(rows, soft_nms_gaussian(0.3), 0.05F, space);
        const std::size_t count = allocations.count();
        CHECK(count == 0);
    }
    check(memory);
    CHECK(memory.view().slot(4)[t::labels][memory.count(4)] == 7);
    check(rows);
}

TEST_CASE("soft-NMS refuses what it cannot do, and writes nothing")
{
    const std::vector<soft_box> boxes(4);
    const soft_floats scores(4, 1);
    soft_floats left(4, 7);
    row_numbers kept;
    const auto call = [&](const auto& rule, float floor) {
        return try_soft_nms(kept, t::scores(left), t::boxes(boxes), t::scores(scores), rule, floor);
    };
    CHECK(call(soft_nms_linear(0.3), 0.1F).ok());
    left.assign(4, 7);
    check_status(call(soft_nms_linear(1.5), 0.1F), status_code::bad_argument, {"threshold", "1.5"});
    check_status(call(soft_nms_linear(std::nan("")), 0.1F), status_code::bad_argument);
    check_status(call(soft_nms_gaussian(0), 0.1F), status_code::bad_argument, {"sigma is 0"});
    check_status(call(soft_nms_gaussian(std::numeric_limits<double>::infinity()), 0.1F), status_code::bad_argument);
    check_status(call(soft_nms_gaussian(0.5), -1), status_code::bad_argument, {"floor", "-1"});
    check_status(call(soft_nms_gaussian(0.5), soft_nan), status_code::bad_argument);
    check_status(call(soft_nms_gaussian(0.5), soft_inf), status_code::bad_argument);
    const soft_floats three(3);
    check_status(try_soft_nms(kept, t::scores(left), t::boxes(boxes), t::scores(three), soft_nms_linear(0.3), 0),
                 status_code::field_mismatch, {"4 boxes", "3 scores"});
    soft_floats small(3, 7);
    check_status(try_soft_nms(kept, t::scores(small), t::boxes(boxes), t::scores(scores), soft_nms_linear(0.3), 0),
                 status_code::size_mismatch, {"room for 3", "4 rows"});
    CHECK(left == soft_floats(4, 7));
    CHECK(small == soft_floats(3, 7));
    padded<padbatch::boxes<>, padbatch::scores<>> batch(1, 4);
    check_status(try_soft_nms(batch, soft_nms_linear(-1), 0), status_code::bad_argument);
    check_error([&] { soft_nms(batch, soft_nms_linear(-1), 0); }, status_code::bad_argument);
}
