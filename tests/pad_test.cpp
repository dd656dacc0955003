// SPDX-License-Identifier: Apache-2.0
#include <padbatch/padbatch.hpp>

#include "tests/support/guarded.hpp"
#include "tests/support/random_batch.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <tuple>
#include <vector>

using namespace padbatch;

namespace {

/// Detections of a batch, one plain field each; the same counts.
struct detections {
    std::vector<std::size_t> counts;
    plain_batch<float> boxes;
    plain_batch<std::int64_t> labels;
    plain_batch<float> scores;
    plain_batch<std::uint8_t> masks;

    detections(dice& random, std::size_t batch, std::size_t most)
        : counts(random.counts(batch, most)), boxes(random.batch<float>(counts, 4)),
          labels(random.batch<std::int64_t>(counts, 1)), scores(random.batch<float>(counts, 1)),
          masks(random.batch<std::uint8_t>(counts, 3 * 5))
    {
    }
    auto source() const
    {
        return each(t::boxes(boxes.images), t::labels(labels.images), t::scores(scores.images),
                    t::masks(masks.images, 1, 3, 5));
    }
};

/// A row type without a default.
struct point {
    float x;
    float y;
    point(float first, float second) : x(first), y(second) {}
};
struct points_t : padbatch::tag<points_t> {
    static constexpr char name[] = "points";
};
constexpr points_t points{};

std::string message_of(const auto& work)
{
    try {
        work();
    } catch (const error& e) {
        return e.what();
    }
    return "";
}

} // namespace

TEST_CASE("all fields of a batch are padded in one call, in the output's order, each with its own pad value")
{
    dice random(1);
    for (int k = 0; k < 60; ++k) {
        const detections from(random, random.below(7), random.below(30));
        const std::size_t capacity = from.boxes.largest() + random.below(5);
        const std::size_t rows = from.counts.size() * capacity;
        guarded<std::uint8_t> masks(rows * 15, random.below(64));
        guarded<float> scores(rows, 4 * random.below(16));
        guarded<float> boxes(rows * 4, 4 * random.below(16));
        guarded<std::int64_t> counts(from.counts.size());
        const padded_view output(unchecked, counts, capacity, t::masks(masks, 1, 3, 5), t::boxes(boxes),
                                 t::scores(scores));
        const auto before = from.boxes;

        // The labels are left out.
        pad_into(output, from.source(), pad_values(t::boxes(-1), t::masks(7)));

        CHECK(same_bytes(masks.bytes(), padded_plainly(from.masks, capacity, std::uint8_t{7})));
        CHECK(same_bytes(boxes.bytes(), padded_plainly(from.boxes, capacity, -1.0F)));
        CHECK(same_bytes(scores.bytes(), padded_plainly(from.scores, capacity, 0.0F)));
        for (std::size_t i = 0; i < from.counts.size(); ++i) {
            CHECK(counts.data()[i] == static_cast<std::int64_t>(from.counts[i]));
        }
        CHECK((masks.intact() && boxes.intact() && scores.intact() && counts.intact()));
        CHECK(from.boxes == before);
    }
}

TEST_CASE("counts are written as int32, int64 or float, whatever the output has")
{
    const std::vector<std::vector<float>> scores{{1, 2}, {}, {3}};
    std::vector<float> memory(9);
    std::vector<std::int32_t> narrow(3);
    std::vector<std::int64_t> wide(3);
    std::vector<float> floating(3);
    pad_into(padded_view(unchecked, narrow, 3, t::scores(memory)), each(t::scores(scores)));
    pad_into(padded_view(unchecked, wide, 3, t::scores(memory)), each(t::scores(scores)));
    pad_into(padded_view(unchecked, floating, 3, t::scores(memory)), each(t::scores(scores)));
    CHECK(narrow == std::vector<std::int32_t>{2, 0, 1});
    CHECK(wide == std::vector<std::int64_t>{2, 0, 1});
    CHECK(floating == std::vector<float>{2, 0, 1});
    CHECK(memory == std::vector<float>{1, 2, 0, 0, 0, 0, 3, 0, 0});
}

TEST_CASE("a batch of one field is padded from its container of images alone")
{
    const std::vector<std::vector<std::array<float, 4>>> boxes{{{1, 2, 3, 4}}, {}};
    padded<padbatch::boxes<>> owner(2, 2);
    pad_into(owner, boxes);
    CHECK(same_bytes(owner[t::boxes], std::vector<float>{1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}));
    guarded<float> memory(16);
    guarded<std::int32_t> counts(2);
    pad_into(padded_view(unchecked, counts, 2, t::boxes(memory)), boxes);
    CHECK(same_bytes(memory.span(), owner[t::boxes]));
}

TEST_CASE("pad values keep their bits: NaN, infinities, -0, -1, and values of a class type")
{
    const std::vector<std::vector<float>> scores{{1}};
    const auto second = [&](const auto& options) {
        const auto owner = pad(each(t::scores(scores)), capacity::fixed(2), options);
        return owner[t::scores].data()[1];
    };
    CHECK(std::isnan(second(pad_values(t::scores(std::numeric_limits<float>::quiet_NaN())))));
    CHECK(second(pad_values(t::scores(-std::numeric_limits<float>::infinity()))) ==
          -std::numeric_limits<float>::infinity());
    CHECK(second(pad_values(t::scores(-1))) == -1.0F);
    CHECK(second(pad_values(t::scores(0.1))) == 0.1F);
    CHECK((second(pad_values(t::scores(-0.0F))) == 0.0F && std::signbit(second(pad_values(t::scores(-0.0F))))));

    struct pair {
        std::int32_t id;
        float weight;
    };
    const std::vector<std::vector<pair>> pairs{{{1, 0.5F}}, {}};
    const pair empty{-1, 2.0F};
    const auto owner = pad(each(t::values(pairs)), capacity::fixed(2), pad_values(t::values(empty)));
    const pair expected[] = {{1, 0.5F}, empty, empty, empty};
    CHECK(same_bytes(owner[t::values], expected));
}

namespace {
struct marked {
    std::int32_t id = -1;
    std::int32_t other = 0;
};
} // namespace

TEST_CASE("fields whose pad value is not given are padded with zero bytes, whether or not another field's is")
{
    const std::vector<std::vector<marked>> values{{}};
    const std::vector<std::vector<float>> scores{{}};
    const auto source = each(t::values(values), t::scores(scores));
    const std::array<std::int32_t, 2> zeros{};
    CHECK(same_bytes(field_bytes(pad(source, capacity::fixed(1)), t::values), zeros));
    CHECK(same_bytes(field_bytes(pad(source, capacity::fixed(1), pad_values(t::scores(1))), t::values), zeros));
}

TEST_CASE("a pad value that the field's type cannot hold is refused with the value in the text")
{
    const std::vector<std::vector<std::int64_t>> labels{{1}};
    const std::vector<std::vector<std::uint8_t>> bytes{{1}};
    const auto wide = each(t::labels(labels));
    const auto narrow = each(t::labels(bytes));
    CHECK(message_of([&] { (void)pad(wide, pad_values(t::labels(0.5))); }).find("0.5") != std::string::npos);
    CHECK(message_of([&] { (void)pad(narrow, pad_values(t::labels(-1))); }).find("-1") != std::string::npos);
    CHECK(message_of([&] { (void)pad(narrow, pad_values(t::labels(256))); }).find("256") != std::string::npos);
    CHECK(message_of([&] { (void)pad(wide, pad_values(t::labels(std::nan("")))); }) != "");
    CHECK(message_of([&] { (void)pad(wide, pad_values(t::labels(1e30))); }) != "");
    CHECK(message_of([&] { (void)pad(wide, pad_values(t::labels(0x1p63))); }) != ""); // one more than the highest
    CHECK(message_of([&] { (void)pad(wide, pad_values(t::labels(~std::uint64_t{0}))); }) != "");
    CHECK(message_of([&] { (void)pad(wide, pad_values(t::labels(-1))); }) == "");
    CHECK(message_of([&] { (void)pad(narrow, pad_values(t::labels(255.0F))); }) == "");
}

TEST_CASE("the unchecked form writes the same bytes and drops what does not fit from the end")
{
    dice random(3);
    for (int k = 0; k < 30; ++k) {
        const detections from(random, 1 + random.below(5), random.below(12));
        const std::size_t capacity = random.below(12);
        guarded<float> boxes(from.counts.size() * capacity * 4, random.below(16) * 4);
        guarded<std::int32_t> counts(from.counts.size());
        const padded_view output(unchecked, counts, capacity, t::boxes(boxes));
        std::size_t rows = 0;
        for (const std::size_t n : from.counts) {
            rows += n < capacity ? n : capacity;
        }
        CHECK(pad_into(unchecked, output, from.source(), pad_values(t::boxes(2))) == rows);
        CHECK(same_bytes(boxes.bytes(), padded_plainly(from.boxes, capacity, 2.0F)));
        CHECK((boxes.intact() && counts.intact()));
    }
}

TEST_CASE("a refused call says why with the numbers in it, the same in all forms, and writes nothing")
{
    const std::vector<std::vector<float>> scores{{1, 2}, {3, 4, 5}};
    const std::vector<std::vector<std::int64_t>> labels{{1, 2}, {3, 4}};
    guarded<float> memory(2 * 3);
    guarded<std::int64_t> label_memory(2 * 3);
    guarded<std::int32_t> counts(2);
    const padded_view output(unchecked, counts, 3, t::scores(memory), t::labels(label_memory));
    const auto refused = [&](const auto& view, const auto& source, const auto& option, status_code code,
                             const std::vector<std::string>& parts) {
        const status checked = check_pad_into(view, source, option);
        const status tried = try_pad_into(view, source, option);
        CHECK(checked.code() == code);
        CHECK(tried.code() == code);
        const std::string thrown = message_of([&] { pad_into(view, source, option); });
        CHECK(thrown == checked.message());
        CHECK(thrown == tried.message());
        for (const std::string& part : parts) {
            CAPTURE(thrown);
            CHECK(thrown.find(part) != std::string::npos);
        }
        CHECK((memory.untouched() && label_memory.untouched() && counts.untouched()));
    };

    refused(output, each(t::scores(scores), t::labels(labels)), pad_values(), status_code::field_mismatch,
            {"image 1", "2 rows of labels", "3 of scores"});
    const std::vector<std::vector<float>> more(3);
    refused(output, each(t::labels(labels), t::scores(more)), pad_values(), status_code::field_mismatch,
            {"scores has 3 images", "labels has 2"});
    const std::vector<std::vector<std::int64_t>> more_labels(3);
    refused(output, each(t::scores(more), t::labels(more_labels)), pad_values(), status_code::batch_mismatch,
            {"the output has 2 images", "the source has 3"});

    const padded_view scores_only(unchecked, counts, 2, t::scores(memory));
    refused(scores_only, each(t::scores(scores)), overflow::error, status_code::too_many_rows,
            {"image 1", "3 rows", "is 2"});
    const padded_view labels_only(unchecked, counts, 3, t::labels(label_memory));
    refused(labels_only, each(t::labels(labels)), pad_values(t::labels(0.25)), status_code::bad_argument,
            {"0.25", "int64"});
}

TEST_CASE("rows of another shape than the output's, or than in other images, are refused with both shapes")
{
    const std::vector<float> two_by_two(4);
    const std::vector<float> two_by_three(6);
    using mask_rows = rows<const float, 1, dynamic, dynamic>;
    const auto shape = [](std::size_t h, std::size_t w) {
        const std::size_t all[] = {1, h, w};
        return row_extents<1, dynamic, dynamic>(all);
    };
    const std::vector<mask_rows> images{{two_by_two.data(), 1, shape(2, 2)}, {two_by_three.data(), 1, shape(2, 3)}};
    guarded<float> memory(2 * 4);
    guarded<std::int32_t> counts(2);
    const padded_view output(unchecked, counts, 1, t::masks(memory, 1, 2, 2));
    const std::string why = message_of([&] { pad_into(output, each(t::masks(images))); });
    CHECK(why.find("image 1") != std::string::npos);
    CHECK(why.find("[1, 2, 3]") != std::string::npos);
    CHECK(why.find("[1, 2, 2]") != std::string::npos);
    CHECK((memory.untouched() && counts.untouched()));
    CHECK(message_of([&] { (void)pad(each(t::masks(images))); }).find("[1, 2, 3]") != std::string::npos);

    // An image without rows may have any shape.
    const std::vector<mask_rows> empty{{two_by_two.data(), 1, shape(2, 2)}, {two_by_three.data(), 0, shape(2, 3)}};
    CHECK(message_of([&] { pad_into(output, each(t::masks(empty))); }) == "");
}

TEST_CASE("an output that shares memory with the source is refused, and one beside it is not")
{
    // [ 4 rows of the source | 4 rows of the output | 4 rows of the source ]
    std::vector<float> memory(12, 1.0F);
    std::vector<std::int32_t> counts{9};
    const padded_view output(unchecked, counts, 4, t::scores(std::span(memory).subspan(4, 4)));
    const auto from = [&](std::size_t first, std::size_t n) {
        return std::vector<std::span<const float>>{std::span<const float>(memory).subspan(first, n)};
    };
    for (const auto& [first, n] : {std::pair<std::size_t, std::size_t>{3, 2}, {4, 4}, {5, 1}, {7, 1}, {0, 3}, {7, 4}}) {
        const bool apart = first + n <= 4 || first >= 8;
        CHECK((check_pad_into(output, from(first, n), overflow::truncate).code() == status_code::none) == apart);
        if (!apart) {
            CHECK(try_pad_into(output, from(first, n)).code() == status_code::overlap);
        }
    }
    CHECK(counts[0] == 9);
    CHECK(memory == std::vector<float>(12, 1.0F));

    CHECK(try_pad_into(output, from(0, 4)).ok());
    CHECK(try_pad_into(output, from(8, 4)).ok());

    // The counts are output too.
    std::vector<std::int32_t> labels{1, 2, 3};
    std::vector<std::int32_t> padded_labels(3);
    const padded_view into_labels(unchecked, std::span(labels).first(1), 3, t::labels(padded_labels));
    const std::vector<std::span<const std::int32_t>> own{labels};
    const status why = check_pad_into(into_labels, own);
    CHECK(why.code() == status_code::overlap);
    CHECK(std::string(why.message()).find("counts") != std::string::npos);
}

TEST_CASE("a capacity that a float count cannot hold exactly is refused")
{
    float count = 0;
    float score = 0;
    const std::vector<std::vector<float>> scores{{1}};
    const padded_view output(unchecked, std::span(&count, 1), (std::size_t{1} << 24) + 1,
                             t::scores(std::span(&score, 1)));
    CHECK(check_pad_into(output, scores).code() == status_code::size_overflow);
}

TEST_CASE("padding and then unpadding gives the same rows: as views, as ragged batches, as flat values")
{
    dice random(5);
    for (int k = 0; k < 40; ++k) {
        const detections from(random, random.below(6), random.below(12));
        const auto owner = pad(from.source(), capacity::multiple_of(4));
        const auto ragged = to_ragged(owner.view());
        const std::size_t total = from.boxes.total();
        guarded<float> boxes(total * 4);
        guarded<std::uint8_t> masks(total * 15);
        std::vector<std::int32_t> offsets(from.counts.size() + 1);
        unpad_into(offsets, owner.view(), t::masks(masks, 1, 3, 5), t::boxes(boxes));

        CHECK(same_bytes(boxes, from.boxes.concatenated()));
        CHECK(same_bytes(masks, from.masks.concatenated()));
        CHECK((boxes.intact() && masks.intact()));
        CHECK(same_bytes(ragged[t::boxes].flat(), from.boxes.concatenated()));
        CHECK(same_bytes(ragged[t::labels].flat(), from.labels.concatenated()));
        std::size_t first = 0;
        for (std::size_t i = 0; i < from.counts.size(); ++i) {
            CHECK(same_bytes(owner.image(i)[t::boxes].flat(), from.boxes.images[i]));
            CHECK(same_bytes(owner.image(i)[t::labels].flat(), from.labels.images[i]));
            CHECK(same_bytes(owner.image(i)[t::masks].flat(), from.masks.images[i]));
            CHECK(ragged.count(i) == from.counts[i]);
            CHECK(offsets[i] == static_cast<std::int32_t>(first));
            first += from.counts[i];
        }
        CHECK(offsets.back() == static_cast<std::int32_t>(first));
        // And padded again it is the same batch.
        const auto again = pad(ragged, capacity::multiple_of(4));
        CHECK(same_bytes(again[t::boxes], owner[t::boxes]));
        CHECK(same_bytes(again[t::masks], owner[t::masks]));
    }
}

TEST_CASE("a row type needs no default, and its padding is zero bytes")
{
    const std::vector<std::vector<point>> rows{{point(1, 2)}, {}};
    const auto batch = pad(each(points(rows)));
    CHECK(batch[points](0, 0).y == 2);
    CHECK(batch[points](1, 0).x == 0);
}
