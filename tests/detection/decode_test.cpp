// SPDX-License-Identifier: Apache-2.0
#include <padbatch/detection/decode.hpp>

#include <tests/support/check_status.hpp>
#include <tests/support/count_allocations.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <limits>
#include <random>
#include <span>
#include <string>
#include <vector>

using namespace padbatch;
using padbatch::test::check_status;

namespace {

constexpr float decode_nan = std::numeric_limits<float>::quiet_NaN();
constexpr float decode_infinity = std::numeric_limits<float>::infinity();

/// The numbers of one image of a head, [anchor][column].
using decode_numbers = std::vector<std::vector<float>>;

struct decode_twin_row {
    std::array<float, 4> box{};
    float score = 0;
    std::int64_t label = 0;
    std::size_t anchor = 0;
};

// --- the definition as a plain loop ----------------------------------------------------------------------------------

std::array<float, 4> decode_twin_box(const detector_head& head, std::size_t anchor, std::vector<float> v)
{
    std::size_t a = anchor;
    for (const std::size_t stride : head.strides) {
        if (stride == 0) {
            continue;
        }
        const std::size_t across = head.width / stride;
        const std::size_t cells = head.height / stride * across;
        if (a < cells) {
            volatile float x = (v[0] + static_cast<float>(a % across)) * static_cast<float>(stride);
            volatile float y = (v[1] + static_cast<float>(a / across)) * static_cast<float>(stride);
            volatile float w = std::exp(v[2]) * static_cast<float>(stride);
            volatile float h = std::exp(v[3]) * static_cast<float>(stride);
            v = {x, y, w, h};
            break;
        }
        a -= cells;
    }
    std::array<float, 4> box{v[0], v[1], v[2], v[3]};
    if (head.boxes == box_format::yxyx) {
        box = {v[1], v[0], v[3], v[2]};
    } else if (head.boxes == box_format::xywh) {
        box = {v[0], v[1], v[0] + v[2], v[1] + v[3]};
    } else if (head.boxes == box_format::cxcywh) {
        volatile float half_width = v[2] * 0.5F; // volatile: no product is fused with a sum
        volatile float half_height = v[3] * 0.5F;
        box = {v[0] - half_width, v[1] - half_height, v[0] + half_width, v[1] + half_height};
    }
    if (head.normalized) {
        box[0] *= static_cast<float>(head.width);
        box[1] *= static_cast<float>(head.height);
        box[2] *= static_cast<float>(head.width);
        box[3] *= static_cast<float>(head.height);
    }
    return box;
}

std::vector<float> decode_twin_scores(const detector_head& head, const std::vector<float>& row)
{
    const std::size_t first = head.objectness ? 5 : 4;
    std::vector<float> scores(row.begin() + static_cast<std::ptrdiff_t>(first),
                              row.begin() + static_cast<std::ptrdiff_t>(first + head.class_columns()));
    const auto sigmoid = [](float x) { return 1.0F / (1.0F + std::exp(-x)); };
    if (head.scores == head_scores::sigmoid) {
        std::transform(scores.begin(), scores.end(), scores.begin(), sigmoid);
    } else if (head.scores == head_scores::softmax) {
        const float most = *std::max_element(scores.begin(), scores.end());
        float sum = 0;
        for (float& score : scores) {
            score = std::exp(score - most);
            sum += score;
        }
        for (float& score : scores) {
            score /= sum;
        }
    }
    scores.resize(head.classes);
    if (head.objectness) {
        for (float& score : scores) {
            score *= head.scores == head_scores::sigmoid ? sigmoid(row[4]) : row[4];
        }
    }
    return scores;
}

float decode_twin_overlap(const std::array<float, 4>& a, const std::array<float, 4>& b)
{
    const auto number = [](float value) { // a product on its own
        volatile float kept = value;
        return kept;
    };
    for (const float value : {a[0], a[1], a[2], a[3], b[0], b[1], b[2], b[3]}) {
        if (std::isnan(value)) {
            return 0;
        }
    }
    const float width =
        std::min(std::max(a[0], a[2]), std::max(b[0], b[2])) - std::max(std::min(a[0], a[2]), std::min(b[0], b[2]));
    const float height =
        std::min(std::max(a[1], a[3]), std::max(b[1], b[3])) - std::max(std::min(a[1], a[3]), std::min(b[1], b[3]));
    if (!(width > 0) || !(height > 0)) {
        return 0;
    }
    const float both = number(width * height);
    const float area_a =
        number((std::max(a[0], a[2]) - std::min(a[0], a[2])) * (std::max(a[1], a[3]) - std::min(a[1], a[3])));
    const float area_b =
        number((std::max(b[0], b[2]) - std::min(b[0], b[2])) * (std::max(b[1], b[3]) - std::min(b[1], b[3])));
    return both / (area_a + area_b - both);
}

std::vector<decode_twin_row> decode_twin(const detector_head& head, const decode_numbers& numbers)
{
    const detection_selection& how = head.selection;
    std::vector<decode_twin_row> candidates;
    const auto has = [](std::span<const std::int64_t> labels, std::size_t label) {
        return std::find(labels.begin(), labels.end(), static_cast<std::int64_t>(label)) != labels.end();
    };
    for (std::size_t a = 0; a < numbers.size(); ++a) {
        const auto scores = decode_twin_scores(head, numbers[a]);
        const auto add = [&](std::size_t label) {
            if (scores[label] > how.score_above && (how.only.empty() || has(how.only, label)) &&
                !has(how.without, label)) {
                candidates.push_back(
                    {decode_twin_box(head, a, numbers[a]), scores[label], static_cast<std::int64_t>(label), a});
            }
        };
        if (how.every_class) {
            for (std::size_t label = 0; label < scores.size(); ++label) {
                add(label);
            }
            continue;
        }
        std::size_t best = scores.size();
        for (std::size_t label = 0; label < scores.size(); ++label) {
            if (!std::isnan(scores[label]) && (best == scores.size() || scores[label] > scores[best])) {
                best = label;
            }
        }
        if (best != scores.size()) {
            add(best);
        }
    }
    std::stable_sort(candidates.begin(), candidates.end(),
                     [](const auto& a, const auto& b) { return a.score > b.score; });
    if (how.suppression != head_suppression::none) {
        candidates.resize(std::min<std::size_t>(candidates.size(), 30000));
    }
    const auto shifted = [&](const decode_twin_row& row) {
        auto box = row.box;
        if (how.suppression == head_suppression::shifted) {
            for (float& number : box) {
                volatile float shift = static_cast<float>(row.label) * 7680.0F;
                number += shift;
            }
        }
        return box;
    };
    std::vector<decode_twin_row> kept;
    for (const auto& each : candidates) {
        const bool dropped = std::any_of(kept.begin(), kept.end(), [&](const decode_twin_row& other) {
            return how.suppression != head_suppression::none &&
                   (how.suppression != head_suppression::class_by_class || each.label == other.label) &&
                   decode_twin_overlap(shifted(other), shifted(each)) > how.iou_above;
        });
        if (!dropped && kept.size() < how.at_most) {
            kept.push_back(each);
        }
    }
    return kept;
}

// --- heads that see crowds -------------------------------------------------------------------------------------------

struct decode_case {
    detector_head head;
    std::size_t images = 2;
    std::size_t anchors = 120;
    bool two_tensors = false;
    bool strange = false; // NaN, infinities, boxes without a size and the wrong way round
};

std::size_t decode_columns_of(const detector_head& head)
{
    return 4 + (head.objectness ? 1 : 0) + head.class_columns() + head.further_columns();
}

/// Crowds around a few places; a third of the scores are equal to others.
decode_numbers decode_crowd(std::mt19937& random, const decode_case& of)
{
    const detector_head& head = of.head;
    std::uniform_real_distribution<float> unit(0, 1);
    std::normal_distribution<float> near(0, 3);
    std::array<std::array<float, 2>, 5> places{};
    for (auto& place : places) {
        place = {10 + 60 * unit(random), 10 + 40 * unit(random)};
    }
    const bool logits = head.scores != head_scores::plain;
    decode_numbers rows(of.anchors);
    for (auto& row : rows) {
        const auto& place = places[random() % places.size()];
        row = {place[0] + near(random), place[1] + near(random), 8 + 8 * unit(random), 8 + 8 * unit(random)};
        if (head.boxes == box_format::xyxy || head.boxes == box_format::yxyx) {
            row[2] += row[0];
            row[3] += row[1];
        }
        if (head.strides[0] != 0) {
            row = {2 * near(random), 2 * near(random), unit(random) * 2, unit(random) * 2};
        }
        if (head.normalized) {
            for (float& number : row) {
                number /= 80;
            }
        }
        while (row.size() < decode_columns_of(head)) {
            const float score = random() % 3 == 0 ? 0.5F : unit(random) * unit(random);
            row.push_back(logits ? 8 * score - 4 : head.objectness ? std::sqrt(score) : score);
        }
        if (of.strange && random() % 3 == 0) {
            const std::array<float, 6> values{decode_nan, decode_infinity, -decode_infinity, 0.0F, -0.0F, -3.0F};
            row[random() % row.size()] = values[random() % values.size()];
            if (head.objectness) { // class scores are at most 1
                for (std::size_t c = 5; c < row.size(); ++c) {
                    row[c] = row[c] > 1 ? 1 : row[c];
                }
            }
        }
    }
    return rows;
}

/// A batch as a model gives it.
struct decode_tensors {
    std::vector<float> all;   // in one
    std::vector<float> boxes; // in two
    std::vector<float> scores;
    std::vector<std::int64_t> shape;
    std::vector<std::int64_t> boxes_shape;
    std::vector<std::int64_t> scores_shape;

    decode_tensors(const decode_case& of, const std::vector<decode_numbers>& images)
    {
        const std::size_t columns = decode_columns_of(of.head);
        const auto put = [&](std::vector<float>& to, std::size_t first, std::size_t last, bool anchors_last) {
            for (const auto& rows : images) {
                const std::size_t n = last - first;
                for (std::size_t k = 0; k < of.anchors * n; ++k) {
                    to.push_back(anchors_last ? rows[k % of.anchors][first + k / of.anchors]
                                              : rows[k / n][first + k % n]);
                }
            }
        };
        const auto shaped = [&](std::size_t n, bool anchors_last) {
            const auto b = static_cast<std::int64_t>(images.size());
            const auto a = static_cast<std::int64_t>(of.anchors);
            const auto c = static_cast<std::int64_t>(n);
            return anchors_last ? std::vector{b, c, a} : std::vector{b, a, c};
        };
        put(all, 0, columns, of.head.anchors_last);
        put(boxes, 0, 4, false);
        put(scores, 4, columns, of.head.anchors_last);
        shape = shaped(columns, of.head.anchors_last);
        boxes_shape = shaped(4, false);
        scores_shape = shaped(columns - 4, of.head.anchors_last);
    }

    [[nodiscard]] head_output output(bool two_tensors) const
    {
        if (two_tensors) {
            return {const_tensor_ref(boxes.data(), boxes_shape), const_tensor_ref(scores.data(), scores_shape)};
        }
        return const_tensor_ref(all.data(), shape);
    }
};

template <class T>
bool decode_same_bits(const T& a, const T& b)
{
    return std::memcmp(&a, &b, sizeof(T)) == 0 || a == b; // the sign of a zero does not matter
}

using decoded_batch = ragged<boxes<>, scores<>, labels<>>;

/// Checks the detections of a batch against the plain loop.
template <class Batch>
void check_decoded(const Batch& found, const detector_head& head, const std::vector<decode_numbers>& images)
{
    REQUIRE(found.size() == images.size());
    for (std::size_t i = 0; i < images.size(); ++i) {
        CAPTURE(i);
        const auto expected = decode_twin(head, images[i]);
        const auto image = found.image(i);
        REQUIRE(image.size() == expected.size());
        bool same = true;
        for (std::size_t r = 0; r < expected.size(); ++r) {
            for (std::size_t k = 0; k < 4; ++k) {
                same = same && decode_same_bits(image[t::boxes][r][k], expected[r].box[k]);
            }
            same = same && decode_same_bits(image[t::scores][r], expected[r].score);
            same = same && static_cast<std::int64_t>(image[t::labels][r]) == expected[r].label;
        }
        CHECK(same);
    }
}

void check_decode_case(const decode_case& of, std::mt19937& random, workspace& space, std::size_t* rows = nullptr)
{
    std::vector<decode_numbers> images;
    for (std::size_t i = 0; i < of.images; ++i) {
        images.push_back(decode_crowd(random, of));
    }
    const decode_tensors given(of, images);
    decoded_batch found;
    decode_head(found, of.head, given.output(of.two_tensors), space);
    check_decoded(found, of.head, images);
    if (rows != nullptr) {
        *rows += found.offsets().empty() ? 0 : static_cast<std::size_t>(found.offsets().back());
    }
}

/// All heads that exporters write, and a few that they could.
std::vector<decode_case> decode_all_heads()
{
    std::vector<decode_case> cases;
    const auto add = [&](const detector_head& head, std::size_t anchors = 120) -> decode_case& {
        cases.push_back({head, 2, anchors, false, false});
        return cases.back();
    };
    add(heads::yolov8(3));
    add(heads::yolov8(1), 119);
    add(heads::yolov8(80), 97);
    add(heads::yolov8(20), 130).two_tensors = true;
    add(heads::yolov8_seg(9, 4));
    add(heads::yolov8_pose(1, 5));
    add(heads::yolov8_pose(2, 3, 2));
    add(heads::yolov8(17)).head.anchors_last = false;
    add(heads::yolov5(80), 60);
    add(heads::yolov5(3)).head.anchors_last = true;
    add(heads::yolov5_seg(5, 8));
    add(heads::yolox(4, 64, 80, {8, 16}), 80 + 20);
    add(heads::boxes_scores(3));
    add(heads::boxes_scores(40)).two_tensors = true;
    for (const auto format : {box_format::xywh, box_format::yxyx, box_format::cxcywh}) {
        add(heads::boxes_scores(6, format)).two_tensors = format != box_format::xywh;
    }
    auto fractions = heads::boxes_scores(3, box_format::cxcywh); // RT-DETR of Ultralytics
    fractions.normalized = true;
    fractions.height = 64;
    fractions.width = 80;
    add(fractions);
    add(heads::detr_sigmoid(7, 120, 64, 80)).two_tensors = true;
    add(heads::detr_softmax(7, 120, 64, 80)).two_tensors = true;
    add(heads::detr_softmax(1, 50, 64, 80), 50);
    auto logits = heads::yolov8(11);
    logits.scores = head_scores::sigmoid;
    add(logits);
    logits = heads::yolov5(11);
    logits.scores = head_scores::sigmoid;
    add(logits);
    logits = heads::boxes_scores(33);
    logits.scores = head_scores::sigmoid;
    add(logits).two_tensors = true;
    logits.scores = head_scores::softmax;
    logits.selection.score_above = 0.03F;
    add(logits);
    return cases;
}

} // namespace

TEST_CASE("every raw head gives what a plain loop selects from it")
{
    std::mt19937 random(1);
    workspace space;
    std::size_t rows = 0;
    std::size_t number = 0;
    for (auto each : decode_all_heads()) {
        CAPTURE(number++);
        check_decode_case(each, random, space, &rows);
        each.strange = true;
        check_decode_case(each, random, space, &rows);
        each.images = 0;
        check_decode_case(each, random, space);
        each.images = 1;
        if (each.head.strides[0] == 0) {
            for (const std::size_t anchors : {0U, 1U, 2U, 31U, 33U}) {
                each.anchors = anchors;
                each.head.anchors = anchors;
                check_decode_case(each, random, space, &rows);
            }
        }
    }
    CHECK(rows > 3000);
}

TEST_CASE("what is selected from a raw head follows every member of its selection")
{
    std::mt19937 random(2);
    workspace space;
    const std::array<std::int64_t, 2> some{1, 2};
    std::size_t number = 0;
    for (auto each : decode_all_heads()) {
        CAPTURE(number++);
        const detector_head usual = each.head;
        for (int round = 0; round < 4; ++round) {
            auto& how = each.head.selection;
            how = usual.selection;
            how.suppression = static_cast<head_suppression>(random() % 4);
            how.every_class = random() % 2 == 0;
            constexpr std::array<float, 7> thresholds{0.5F, 0.1F, 0.0F, -1.0F, 0.9F, 1.0F, every_head_score};
            how.score_above = thresholds[random() % thresholds.size()];
            constexpr std::array<float, 5> overlaps{0.0F, 0.3F, 0.45F, 0.7F, 1.0F};
            how.iou_above = overlaps[random() % overlaps.size()];
            constexpr std::array<std::size_t, 5> limits{0, 1, 7, 300, 100000};
            how.at_most = limits[random() % limits.size()];
            if (each.head.classes > 2 && random() % 3 == 0) {
                (random() % 2 == 0 ? how.only : how.without) = some;
            }
            each.strange = random() % 2 == 0 && !(each.head.objectness && how.score_above < 0);
            CAPTURE(static_cast<int>(how.suppression));
            CAPTURE(how.every_class);
            CAPTURE(how.score_above);
            CAPTURE(how.iou_above);
            CAPTURE(how.at_most);
            check_decode_case(each, random, space);
        }
    }
}

TEST_CASE("a raw head of more anchors than are looked at in one go, and of more candidates than go on")
{
    std::mt19937 random(3);
    workspace space;
    decode_case each{heads::yolov8(3), 1, 5003, false, true};
    each.head.selection.score_above = 0.7F;
    check_decode_case(each, random, space);
    each.head.selection.every_class = true;
    each.head.selection.at_most = 40;
    each.head.selection.score_above = 0.01F;
    each.anchors = 12000; // 36000 pairs, of which 30000 go on
    std::vector<decode_numbers> images{decode_crowd(random, each)};
    for (std::size_t a = 0; a < each.anchors; ++a) { // 29970 pairs whose boxes are the same, and then others
        auto& row = images[0][a];
        const auto place = static_cast<float>(a);
        row = {a < 9990 ? 10.0F : 20 * place, 10, 8, 8, 0, 0, 0};
        for (std::size_t c = 4; c < 7; ++c) {
            row[c] = a < 9990 ? 0.5F : 0.25F - place * 1e-5F;
        }
    }
    const decode_tensors given(each, images);
    decoded_batch found;
    decode_head(found, each.head, given.output(false), space);
    check_decoded(found, each.head, images);
    CHECK(found.count(0) == 3 + 30);
}

TEST_CASE("a score that is the threshold is not above it, and of equal scores the lower anchor and class come first")
{
    detector_head head = heads::yolov8(2);
    head.selection.suppression = head_suppression::none;
    const std::vector<float> rows = {0,     0,    0,     0,    0,    // cx of five anchors
                                     0,     0,    0,     0,    0,    //
                                     2,     2,    2,     2,    2,    //
                                     2,     2,    2,     2,    2,    //
                                     0.25F, 0.5F, 0.5F,  0.9F, 0.1F, //
                                     0.25F, 0.5F, 0.25F, 0.9F, 0.5F};
    const std::array<std::int64_t, 2> one_image{6, 5};
    decoded_batch found;
    decode_head(found, head, const_tensor_ref(rows.data(), one_image));
    REQUIRE(found.count(0) == 4);
    const auto image = found.image(0);
    CHECK(std::vector<float>(image[t::scores].begin(), image[t::scores].end()) ==
          std::vector<float>{0.9F, 0.5F, 0.5F, 0.5F});
    CHECK(std::vector<std::int64_t>(image[t::labels].begin(), image[t::labels].end()) ==
          std::vector<std::int64_t>{0, 0, 0, 1});
    CHECK(image[t::boxes][0][0] == -1.0F);
    CHECK(image[t::boxes][0][2] == 1.0F);
    head.selection.every_class = true;
    decode_head(found, head, const_tensor_ref(rows.data(), one_image));
    CHECK(found.count(0) == 6);
    CHECK(found.image(0)[t::labels][1] == 1);
}

TEST_CASE("detections of a raw head come in every kind of batch, with the fields that it has")
{
    std::mt19937 random(4);
    workspace space;
    decode_case each{heads::yolov8_seg(4, 6), 3, 150, false, false};
    std::vector<decode_numbers> images;
    for (std::size_t i = 0; i < each.images; ++i) {
        images.push_back(decode_crowd(random, each));
    }
    const decode_tensors given(each, images);
    const head_output output = given.output(false);

    padded<boxes<>, scores<>, labels<std::int32_t>, mask_coefficients<>> owner(3, 200, t::mask_coefficients.shape(6));
    const pad_result result = decode_head(owner, each.head, output, space, pad_values(t::labels(-1)));
    check_decoded(owner, each.head, images);
    CHECK(result.dropped() == 0);
    CHECK(result.rows() == owner.count(0) + owner.count(1) + owner.count(2));
    for (std::size_t i = 0; i < 3; ++i) {
        const auto expected = decode_twin(each.head, images[i]);
        for (std::size_t r = 0; r < expected.size(); ++r) {
            for (std::size_t k = 0; k < 6; ++k) {
                CHECK(owner.image(i)[t::mask_coefficients][r][k] == images[i][expected[r].anchor][8 + k]);
            }
        }
        CHECK(owner[t::labels](i, expected.size()) == -1);
        CHECK(owner[t::boxes](i, 199)[3] == 0);
    }

    std::vector<std::int64_t> counts(3);
    std::vector<float> scores_of(3 * 20);
    std::vector<float> boxes_of(3 * 20 * 4);
    const auto view = padded_output(counts, 20, t::scores(scores_of), t::boxes(boxes_of));
    const pad_result of_view = decode_head(view, each.head, output, space);
    CHECK(of_view.dropped() == result.rows() - 60); // the best stay
    for (std::size_t i = 0; i < 3; ++i) {
        REQUIRE(counts[i] == 20);
        const auto expected = decode_twin(each.head, images[i]);
        CHECK(scores_of[i * 20 + 19] == expected[19].score);
        CHECK(boxes_of[(i * 20 + 19) * 4 + 2] == expected[19].box[2]);
    }
    const auto before = boxes_of;
    check_status(try_decode_head(view, each.head, output, overflow::error), status_code::too_many_rows);
    CHECK(boxes_of == before);

    padded<scores<>> grown; // M is the largest count
    decode_head(grown, each.head, output, capacity::multiple_of(8));
    CHECK(grown.capacity() % 8 == 0);
    CHECK(grown.count(1) == owner.count(1));

    ragged<labels<float>, mask_coefficients<float, 6>> list;
    decode_head(list, each.head, output);
    decode_head(list, each.head, output, space); // in the place of what it held
    CHECK(list.size() == 3);
    CHECK(list.image(2)[t::labels][3] == static_cast<float>(owner.image(2)[t::labels][3]));
    CHECK(list.image(2)[t::mask_coefficients][3][5] == owner.image(2)[t::mask_coefficients][3][5]);
}

TEST_CASE("images of raw heads are decoded in any order, with the caller's own loop")
{
    std::mt19937 random(7);
    workspace space;
    decode_case each{heads::yolov8(4), 5, 150, false, false};
    std::vector<decode_numbers> images;
    for (std::size_t i = 0; i < each.images; ++i) {
        images.push_back(decode_crowd(random, each));
    }
    const decode_tensors given(each, images);
    const auto backwards = parallel([](std::size_t n, auto& body) {
        for (std::size_t i = n; i-- > 0;) {
            body(i);
        }
    });
    for (const auto suppression : {head_suppression::shifted, head_suppression::class_by_class}) {
        each.head.selection.suppression = suppression;
        padded<boxes<>, scores<>, labels<>> found(5, 150);
        decode_head(found, each.head, given.output(false), space, backwards);
        check_decoded(found, each.head, images);
        decoded_batch list;
        decode_head(list, each.head, given.output(false), backwards);
        check_decoded(list, each.head, images);
    }
}

TEST_CASE("decoding raw heads allocates nothing with a workspace and an output that were used before")
{
    std::mt19937 random(8);
    workspace space;
    for (auto each : decode_all_heads()) {
        std::vector<decode_numbers> images{decode_crowd(random, each), decode_crowd(random, each)};
        each.head.selection.suppression = static_cast<head_suppression>(random() % 4);
        const decode_tensors given(each, images);
        const head_output output = given.output(each.two_tensors);
        padded<boxes<>, scores<>, labels<>> found(2, 50);
        decoded_batch list;
        decode_head(found, each.head, output, space);
        decode_head(list, each.head, output, space);
        const padbatch::test::allocation_counter counter;
        decode_head(found, each.head, output, space);
        decode_head(list, each.head, output, space);
        const std::size_t allocations = counter.count();
        CHECK(allocations == 0);
    }
}

TEST_CASE("keypoints of a raw head have three numbers, a visibility of 1 where there is none")
{
    std::mt19937 random(5);
    for (const std::size_t numbers : {2U, 3U}) {
        decode_case each{heads::yolov8_pose(2, 4, numbers), 1, 90, false, false};
        std::vector<decode_numbers> images{decode_crowd(random, each)};
        const decode_tensors given(each, images);
        padded<boxes<>, scores<>, labels<>, keypoints<>> found(1, 90, t::keypoints.shape(4, 3));
        decode_head(found, each.head, given.output(false));
        check_decoded(found, each.head, images);
        const auto expected = decode_twin(each.head, images[0]);
        CHECK(expected.size() > 5);
        for (std::size_t r = 0; r < expected.size(); ++r) {
            const auto& row = images[0][expected[r].anchor];
            for (std::size_t p = 0; p < 4; ++p) {
                const auto point = found.image(0)[t::keypoints][r];
                CHECK(point(p, 0) == row[6 + p * numbers]);
                CHECK(point(p, 1) == row[6 + p * numbers + 1]);
                CHECK(point(p, 2) == (numbers == 3 ? row[6 + p * numbers + 2] : 1.0F));
            }
        }
    }
}

TEST_CASE("a raw head may be of another type, a part of a larger tensor, turned, or one image without a batch")
{
    std::mt19937 random(6);
    decode_case each{heads::yolov8(5), 2, 70, false, false};
    std::vector<decode_numbers> images{decode_crowd(random, each), decode_crowd(random, each)};
    for (auto& rows : images) {
        for (auto& row : rows) {
            for (float& number : row) { // numbers that all types hold
                number = static_cast<float>(bfloat16(number));
                number = static_cast<float>(float16(number));
            }
        }
    }
    const decode_tensors given(each, images);
    const auto check = [&](const detector_head& head, const head_output& output) {
        decoded_batch found;
        decode_head(found, head, output);
        check_decoded(found, each.head, images);
    };
    const std::vector<double> doubles(given.all.begin(), given.all.end());
    std::vector<float16> halves;
    std::vector<bfloat16> brains;
    for (const float number : given.all) {
        halves.emplace_back(number);
        brains.emplace_back(number);
    }
    check(each.head, const_tensor_ref(doubles.data(), given.shape));
    check(each.head, const_tensor_ref(halves.data(), given.shape));
    check(each.head, const_tensor_ref(brains.data(), given.shape));

    detector_head turned = each.head; // what a transposition without a copy gives
    turned.anchors_last = false;
    const std::array<std::int64_t, 3> turned_shape{2, 70, 9};
    const std::array<std::int64_t, 3> turned_strides{9 * 70, 1, 70};
    check(turned, const_tensor_ref(given.all.data(), element_type::float32, turned_shape, turned_strides));
    check(turned, const_tensor_ref(halves.data(), element_type::float16, turned_shape, turned_strides));

    std::vector<float> spread(2 * 9 * 70 * 2, decode_nan); // every second number of another tensor
    for (std::size_t k = 0; k < given.all.size(); ++k) {
        spread[2 * k] = given.all[k];
    }
    const std::array<std::int64_t, 3> spread_strides{2 * 9 * 70, 2 * 70, 2};
    check(each.head, const_tensor_ref(spread.data(), element_type::float32, given.shape, spread_strides));

    // Boxes and scores of one tensor as two, and boxes with a dimension of 1.
    const std::array<std::int64_t, 4> box_shape{2, 70, 1, 4};
    const std::array<std::int64_t, 4> box_strides{9 * 70, 1, 0, 70};
    const std::array<std::int64_t, 3> score_shape{2, 5, 70};
    const std::array<std::int64_t, 3> score_strides{9 * 70, 70, 1};
    check(each.head, {const_tensor_ref(given.all.data(), element_type::float32, box_shape, box_strides),
                      const_tensor_ref(given.all.data() + std::size_t{4} * 70, element_type::float32, score_shape,
                                       score_strides)});

    const std::array<std::int64_t, 2> one_shape{9, 70};
    images.pop_back();
    check(each.head, const_tensor_ref(given.all.data(), one_shape));
}

TEST_CASE("a raw head that is not as it was said is refused, and the output stays as it was")
{
    const std::vector<float> numbers(2 * 7 * 10, 0.5F);
    const std::array<std::int64_t, 3> shape{2, 7, 10};
    const const_tensor_ref tensor(numbers.data(), shape);
    const detector_head head = heads::yolov8(3);
    std::vector<std::int32_t> counts(2, 5);
    std::vector<float> values(2 * 6, 9.0F);
    const auto found = padded_output(counts, 6, t::scores(values));
    const auto refused = [&](const detector_head& said, const head_output& output, status_code code,
                             std::initializer_list<const char*> texts = {}) {
        check_status(try_decode_head(found, said, output), code, texts);
        CHECK(counts == std::vector<std::int32_t>(2, 5));
        CHECK(values == std::vector<float>(12, 9.0F));
    };
    const auto changed = [&](auto change) {
        detector_head other = head;
        change(other);
        return other;
    };
    refused(heads::yolov8(4), tensor, status_code::wrong_shape, {"[2, 7, 10]", "7 columns", "4 classes", "make 8"});
    refused(changed([](auto& h) { h.anchors_last = false; }), tensor, status_code::wrong_shape, {"10 columns"});
    refused(changed([](auto& h) { h.anchors = 11; }), tensor, status_code::wrong_shape, {"10 anchors", "11"});
    refused(heads::yolov8(0), tensor, status_code::bad_argument, {"0 classes"});
    refused(changed([](auto& h) { h.selection.score_above = decode_nan; }), tensor, status_code::bad_argument,
            {"score_above"});
    refused(changed([](auto& h) { h.selection.score_above = decode_infinity; }), tensor, status_code::bad_argument);
    refused(changed([](auto& h) { h.selection.iou_above = 1.5F; }), tensor, status_code::bad_argument, {"1.5"});
    refused(changed([](auto& h) { h.selection.iou_above = decode_nan; }), tensor, status_code::bad_argument);
    refused(changed([](auto& h) { h.normalized = true; }), tensor, status_code::bad_argument, {"fractions"});
    refused(changed([](auto& h) { h.last_is_none = true; }), tensor, status_code::bad_argument, {"softmax"});
    refused(heads::yolov8_pose(3, 1, 4), tensor, status_code::bad_argument, {"4 numbers"});
    const std::array<std::int64_t, 1> beyond{3};
    const std::array<std::int64_t, 1> label{1};
    refused(changed([&](auto& h) { h.selection.only = beyond; }), tensor, status_code::bad_argument, {"label is 3"});
    refused(changed([&](auto& h) { h.selection.only = h.selection.without = label; }), tensor,
            status_code::bad_argument);
    refused(changed([](auto& h) {
                h.strides = {8, 16};
                h.height = h.width = 32;
            }),
            tensor, status_code::wrong_shape, {"10 anchors", "20 cells"});
    refused(head, const_tensor_ref(nullptr, element_type::float32, shape), status_code::size_mismatch, {"null"});
    refused(head, const_tensor_ref(numbers.data(), element_type::int32, shape), status_code::wrong_type, {"int32"});
    refused(head, const_tensor_ref(numbers.data(), element_type::float32, shape, device::cuda),
            status_code::device_memory);
    refused(head,
            const_tensor_ref(reinterpret_cast<const std::byte*>(numbers.data()) + 1, element_type::float32, shape),
            status_code::misaligned);
    const std::array<std::int64_t, 4> four{2, 7, 10, 1};
    refused(head, const_tensor_ref(numbers.data(), four), status_code::wrong_shape, {"[2, 7, 10, 1]"});
    const std::array<std::int64_t, 3> boxes_shape{2, 9, 4};
    const std::array<std::int64_t, 3> scores_shape{2, 3, 10};
    refused(head, {const_tensor_ref(numbers.data(), boxes_shape), const_tensor_ref(numbers.data(), scores_shape)},
            status_code::wrong_shape, {"[2, 9, 4]", "10 anchors"});
    const std::array<std::int64_t, 3> three_images{3, 7, 2};
    refused(head, const_tensor_ref(numbers.data(), three_images), status_code::batch_mismatch);
    const std::array<std::int64_t, 3> huge{1, 7, std::int64_t{1} << 40};
    refused(head, const_tensor_ref(numbers.data(), huge), status_code::size_overflow);

    padded<boxes<>, mask_coefficients<>> with_masks(2, 5, t::mask_coefficients.shape(4));
    check_status(try_decode_head(with_masks, head, tensor), status_code::missing_field, {"mask_coefficients"});
    const std::array<std::int64_t, 3> with_two{2, 9, 10};
    const std::vector<float> more(2 * 9 * 10, 0.5F);
    std::vector<float> four_each(std::size_t{2} * 5 * 4);
    check_status(try_decode_head(padded_output(counts, 5, t::mask_coefficients(four_each, 4)), heads::yolov8_seg(3, 2),
                                 const_tensor_ref(more.data(), with_two)),
                 status_code::row_mismatch);
    padded<mask_coefficients<float, 4>> fixed(2, 5);
    check_status(try_decode_head(fixed, heads::yolov8_seg(3, 2), const_tensor_ref(more.data(), with_two)),
                 status_code::row_mismatch);
    padded<labels<std::int8_t>> small(2, 5);
    const std::vector<float> wide(2 * 204 * 2, 0.5F);
    const std::array<std::int64_t, 3> wide_shape{2, 204, 2};
    check_status(try_decode_head(small, heads::yolov8(200), const_tensor_ref(wide.data(), wide_shape)),
                 status_code::bad_argument, {"200 classes"});
    check_status(try_decode_head(small, head, tensor), status_code::none);
    CHECK_THROWS_AS(decode_head(small, heads::yolov8(4), tensor), error);
}

TEST_CASE("an image that the caller's loop leaves out has no detections")
{
    const std::vector<float> numbers(3 * 6 * 10, 1);
    const std::array<std::int64_t, 3> shape{3, 6, 10};
    detector_head head = heads::yolov8(2);
    head.selection.suppression = head_suppression::none;
    ragged<boxes<>, scores<>> found;
    workspace space;
    for (int again = 0; again < 2; ++again) { // with old numbers in the workspace
        decode_head(found, head, const_tensor_ref(numbers.data(), shape), space,
                    parallel([](std::size_t n, auto& body) {
                        for (std::size_t i = 0; i < n; i += 2) {
                            body(i);
                        }
                    }));
        CHECK((found.size() == 3 && found.count(0) == 10 && found.count(1) == 0 && found.count(2) == 10));
    }
}
