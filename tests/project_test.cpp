// SPDX-License-Identifier: Apache-2.0
#include <padbatch/padbatch.hpp>

#include "tests/support/check_status.hpp"
#include "tests/support/guarded.hpp"
#include "tests/support/random_batch.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <vector>

using namespace padbatch;

namespace {

struct box {
    float x1, y1, x2, y2;
};

/// The same box in every way that a struct can hold one, and members of other types between.
struct detection {
    std::uint8_t flag;
    float array[4];
    double score;
    std::array<float, 4> std_array;
    std::int16_t label;
    box corners;
    bool crowd;
    float x1, y1, x2, y2;
    std::int64_t id;
    std::uint8_t mask[1][2][3];
};

struct base {
    std::int32_t label;
    float score;
};
struct derived : base {
    float extra;
};

struct random_detections {
    std::vector<std::vector<detection>> images;
    plain_batch<float> boxes;
    plain_batch<double> scores;
    plain_batch<std::int16_t> labels;
    plain_batch<bool> crowds;
    plain_batch<std::int64_t> ids;
    plain_batch<std::uint8_t> masks;

    random_detections(dice& random, const std::vector<std::size_t>& counts)
        : images(counts.size()), boxes(random.batch<float>(counts, 4)), scores(random.batch<double>(counts, 1)),
          labels(random.batch<std::int16_t>(counts, 1)), crowds(random.batch<bool>(counts, 1)),
          ids(random.batch<std::int64_t>(counts, 1)), masks(random.batch<std::uint8_t>(counts, 6))
    {
        for (std::size_t i = 0; i < counts.size(); ++i) {
            for (std::size_t j = 0; j < counts[i]; ++j) {
                detection d{};
                const float* const corners = boxes.images[i].data() + j * 4;
                std::memcpy(d.array, corners, sizeof d.array);
                std::memcpy(d.std_array.data(), corners, sizeof d.std_array);
                std::memcpy(&d.corners, corners, sizeof d.corners);
                std::memcpy(&d.x1, corners, sizeof d.x1);
                std::memcpy(&d.y1, corners + 1, sizeof d.y1);
                std::memcpy(&d.x2, corners + 2, sizeof d.x2);
                std::memcpy(&d.y2, corners + 3, sizeof d.y2);
                std::memcpy(d.mask, masks.images[i].data() + j * 6, sizeof d.mask);
                d.score = scores.images[i].get(j);
                d.label = labels.images[i].get(j);
                d.crowd = crowds.images[i].get(j);
                d.id = ids.images[i].get(j);
                images[i].push_back(d);
            }
        }
    }
};

struct crowd_t : tag<crowd_t> {
    static constexpr char name[] = "crowd";
};
constexpr crowd_t crowd{};

} // namespace

TEST_CASE("structs are padded by their members: arrays, std::array, class types, adjacent members, numbers")
{
    dice random(1);
    for (int k = 0; k < 40; ++k) {
        const random_detections from(random, random.counts(random.below(5), 9));
        const std::size_t capacity = from.boxes.largest() + random.below(4);
        const auto boxes = padded_plainly(from.boxes, capacity, -1.0F);
        const auto check = [&](const auto& box_member) {
            guarded<float> memory(boxes.size() / sizeof(float), 4 * random.below(16));
            guarded<double> scores(from.images.size() * capacity);
            guarded<std::int32_t> counts(from.images.size());
            const padded_view output(unchecked, counts, capacity, t::scores(scores), t::boxes(memory));
            pad_into(output, project(from.images, box_member, t::scores(&detection::score)), pad_values(t::boxes(-1)));
            CHECK(same_bytes(memory, boxes));
            CHECK(same_bytes(scores, padded_plainly(from.scores, capacity, 0.0)));
            CHECK((memory.intact() && scores.intact() && counts.intact()));
        };
        check(t::boxes(&detection::array));
        check(t::boxes(&detection::std_array));
        check(t::boxes(&detection::corners).of<float>());
        check(t::boxes(&detection::x1, &detection::y1, &detection::x2, &detection::y2));
    }
}

TEST_CASE("members of every type and rank are padded, in any order, some left out")
{
    dice random(2);
    for (int k = 0; k < 20; ++k) {
        const random_detections from(random, random.counts(1 + random.below(4), 9));
        const std::size_t capacity = from.boxes.largest() + 1;
        const auto source =
            project(from.images, crowd(&detection::crowd), t::labels(&detection::label), t::masks(&detection::mask),
                    t::track_id(&detection::id), t::boxes(&detection::array));
        const auto owner = pad(source, capacity::fixed(capacity));
        CHECK(same_bytes(owner[crowd], padded_plainly(from.crowds, capacity, false)));
        CHECK(same_bytes(owner[t::labels], padded_plainly(from.labels, capacity, std::int16_t{0})));
        CHECK(same_bytes(owner[t::masks], padded_plainly(from.masks, capacity, std::uint8_t{0})));
        CHECK(same_bytes(owner[t::track_id], padded_plainly(from.ids, capacity, std::int64_t{0})));
        CHECK(owner[t::masks].shape() == std::array<std::int64_t, 5>{static_cast<std::int64_t>(from.images.size()),
                                                                     static_cast<std::int64_t>(capacity), 1, 2, 3});

        padded<field<t::track_id_t, std::int64_t>, boxes<>> some;
        pad_into(some, source);
        CHECK(same_bytes(some[t::boxes], padded_plainly(from.boxes, from.boxes.largest(), 0.0F)));
        CHECK(same_bytes(some[t::track_id], padded_plainly(from.ids, from.boxes.largest(), std::int64_t{0})));
    }
}

TEST_CASE("members are converted where that is asked for")
{
    const std::vector<std::vector<detection>> images{{detection{.flag = 0,
                                                                .array = {1.9F, -2.5F, 3e9F, 4},
                                                                .score = 0.25,
                                                                .std_array = {},
                                                                .label = -7,
                                                                .corners = {1.5F, 2.5F, -1, 300},
                                                                .crowd = true,
                                                                .x1 = 1,
                                                                .y1 = 2,
                                                                .x2 = 3,
                                                                .y2 = 4,
                                                                .id = std::int64_t{1} << 40,
                                                                .mask = {}}}};
    const auto integers =
        pad(project(images, t::boxes(&detection::array).as<std::int32_t>(), t::scores(&detection::score).as<float>(),
                    t::labels(&detection::id).as<std::int32_t>(), t::values(&detection::label).as<std::uint8_t>()));
    CHECK(same_bytes(integers[t::boxes], std::array<std::int32_t, 4>{1, -2, 2147483647, 4}));
    CHECK(integers[t::scores].data()[0] == 0.25F);
    CHECK(integers[t::labels].data()[0] == 2147483647);
    CHECK(integers[t::values].data()[0] == 0);
    const auto bytes = pad(project(images, t::boxes(&detection::corners).of<float>().as<std::uint8_t>()));
    CHECK(same_bytes(bytes[t::boxes], std::array<std::uint8_t, 4>{1, 2, 0, 255}));
    const auto doubles =
        pad(project(images, t::boxes(&detection::x1, &detection::y1, &detection::x2, &detection::y2).as<double>()));
    CHECK(same_bytes(doubles[t::boxes], std::array<double, 4>{1, 2, 3, 4}));
}

TEST_CASE("members that do not lie one after the other are refused with their places, and nothing is written")
{
    const std::vector<std::vector<detection>> images{{}, {detection{}}};
    const auto source = project(images, t::boxes(&detection::x1, &detection::x2, &detection::y1, &detection::y2));
    guarded<float> memory(2 * 4);
    guarded<std::int32_t> counts(2);
    const padded_view output(unchecked, counts, 1, t::boxes(memory));
    padbatch::test::check_status(try_pad_into(output, source), status_code::bad_argument,
                                 {"boxes", "are not adjacent"});
    CHECK((memory.untouched() && counts.untouched()));
    padded<padbatch::boxes<>> owner;
    padbatch::test::check_status(try_pad_into(owner, source), status_code::bad_argument);
    CHECK(owner.size() == 0);

    // Without a struct there is nothing to read.
    const std::vector<std::vector<detection>> none(2);
    CHECK(try_pad_into(output, project(none, t::boxes(&detection::x1, &detection::x2, &detection::y1, &detection::y2)))
              .ok());
}

TEST_CASE("spans of structs, also of one array of all, are images too")
{
    std::vector<detection> all(5);
    for (std::size_t j = 0; j < all.size(); ++j) {
        all[j].id = static_cast<std::int64_t>(j);
    }
    const std::vector<std::span<const detection>> spans{std::span(all).first(2), {}, std::span(all).last(3)};
    const auto owner = pad(project(spans, t::track_id(&detection::id)));
    CHECK(same_bytes(owner[t::track_id], std::array<std::int64_t, 9>{0, 1, 0, 0, 0, 0, 2, 3, 4}));
}

TEST_CASE("an output inside of the structs is refused")
{
    std::vector<std::vector<detection>> images{{detection{}, detection{}}};
    std::vector<std::int32_t> counts(1);
    const padded_view output(unchecked, counts, 1, t::boxes(std::span<float>(images[0][1].array)));
    padbatch::test::check_status(
        try_pad_into(output, project(images, t::boxes(&detection::std_array)), overflow::truncate),
        status_code::overlap, {"boxes"});
}

TEST_CASE("images of structs are views: each struct a row of each field")
{
    std::vector<std::vector<detection>> images{{detection{}, detection{}}};
    images[0][1].score = 0.5;
    images[0][1].array[2] = 7;
    const auto source = project(images, t::boxes(&detection::array), t::scores(&detection::score));
    CHECK(source.image(0)[t::scores][1] == 0.5);
    CHECK(&source.image(0)[t::boxes][1][2] == &images[0][1].array[2]);
    double sum = 0;
    for (const auto image : source) {
        for (const auto [corners, score] : image) {
            sum += score + corners[2];
        }
    }
    CHECK(sum == 7.5);
}

TEST_CASE("members that a struct inherits are members")
{
    const std::vector<std::vector<derived>> images{{derived{{7, 0.5F}, 1}}, {derived{{8, 0.25F}, 2}}};
    const auto owner =
        pad(project(images, t::labels(&derived::label), t::scores(&derived::score), t::values(&derived::extra)));
    CHECK(same_bytes(owner[t::labels], std::array<std::int32_t, 2>{7, 8}));
    CHECK(same_bytes(owner[t::scores], std::array<float, 2>{0.5F, 0.25F}));
    CHECK(same_bytes(owner[t::values], std::array<float, 2>{1, 2}));
}
