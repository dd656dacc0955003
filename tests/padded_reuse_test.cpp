// SPDX-License-Identifier: Apache-2.0
#include <padbatch/padbatch.hpp>

#include "tests/support/random_batch.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <vector>

using namespace padbatch;

// What padding::reuse promises: the same bytes as without it, however calls follow each other.

namespace {

using owner_type = padded<scores<>, masks<std::uint8_t>>;

struct batch {
    plain_batch<float> scores;
    plain_batch<std::uint8_t> masks;
    std::size_t height;
    std::size_t width;

    batch(dice& random, std::size_t images, std::size_t most, std::size_t h, std::size_t w)
        : scores(random.batch<float>(random.counts(images, most), 1)),
          masks(random.batch<std::uint8_t>(scores.counts, h * w)), height(h), width(w)
    {
    }
    auto source() const { return each(t::scores(scores.images), t::masks(masks.images, 1, height, width)); }
    bool is_in(const owner_type& owner, std::size_t capacity, float score, std::uint8_t mask) const
    {
        bool same = owner.size() == scores.counts.size() && owner.capacity() == capacity &&
                    same_bytes(owner[t::scores], padded_plainly(scores, capacity, score)) &&
                    same_bytes(owner[t::masks], padded_plainly(masks, capacity, mask));
        for (std::size_t i = 0; same && i < owner.size(); ++i) {
            same = owner.count(i) == (scores.counts[i] < capacity ? scores.counts[i] : capacity);
        }
        return same;
    }
};

} // namespace

TEST_CASE("streams of batches with padding::reuse hold the bytes of plain padding")
{
    dice random(1);
    owner_type owner(5, 8, t::masks.shape(1, 3, 2));
    for (int k = 0; k < 200; ++k) {
        const batch from(random, random.below(6), 8, 3, 2);
        pad_into(owner, from.source(), padding::reuse);
        CHECK(from.is_in(owner, 8, 0, 0));
    }
}

TEST_CASE("calls with and without reuse, of other M, extents, pad values and sizes, may follow each other in any order")
{
    dice random(2);
    for (int stream = 0; stream < 20; ++stream) {
        owner_type owner;
        if (random.once_in(2)) {
            owner = owner_type(4, 8, t::masks.shape(1, 3, 2));
        }
        std::size_t rows = 8;
        std::size_t height = 3;
        float score = 0;
        std::uint8_t mask = 0;
        for (int k = 0; k < 60; ++k) {
            CAPTURE(stream);
            CAPTURE(k);
            if (random.once_in(6)) {
                rows = 1 + random.below(12);
            }
            if (random.once_in(8)) {
                height = 1 + random.below(4);
            }
            if (random.once_in(5)) {
                score = random.once_in(2) ? 0 : random.value<float>();
                mask = random.once_in(2) ? std::uint8_t{0} : random.value<std::uint8_t>();
            }
            const batch from(random, random.below(7), rows + 2, height, 2);
            const auto pad_value = pad_values(t::masks(mask), t::scores(score));
            const auto options = [&](const auto&... more) {
                pad_into(owner, from.source(), capacity::fixed(rows), overflow::truncate, more...);
            };
            if (random.once_in(6)) {
                score = 0;
                mask = 0;
                options(padding::reuse); // no pad value is 0
            } else if (random.once_in(3)) {
                options(pad_value);
            } else {
                options(padding::reuse, pad_value);
            }
            CHECK(from.is_in(owner, rows, score, mask));
            if (random.once_in(10)) {
                REQUIRE(owner.try_resize(random.below(8)).ok());
            }
        }
    }
}

TEST_CASE("padding that someone wrote into is cleared when the owner is told so")
{
    dice random(3);
    owner_type owner(4, 6, t::masks.shape(1, 1, 2));
    for (int k = 0; k < 50; ++k) {
        const batch from(random, 1 + random.below(4), 6, 1, 2);
        pad_into(owner, from.source(), padding::reuse, pad_values(t::scores(3)));
        CHECK(from.is_in(owner, 6, 3, 0));
        if (random.once_in(2)) {
            for (float& value : owner[t::scores]) {
                value = 99;
            }
            for (std::uint8_t& value : owner[t::masks]) {
                value = 99;
            }
            owner.invalidate();
        }
    }
}

TEST_CASE("slots that a producer finishes are cleared by the next call with reuse")
{
    dice random(4);
    owner_type owner(2, 5, t::masks.shape(1, 1, 1));
    for (int k = 0; k < 20; ++k) {
        const batch from(random, 2, 5, 1, 1);
        pad_into(owner, from.source(), padding::reuse);
        CHECK(from.is_in(owner, 5, 0, 0));
        for (std::size_t j = 0; j < 4; ++j) {
            owner.slot(1)[t::scores][j] = 7;
            owner.slot(1)[t::masks][j].data()[0] = 7;
        }
        finish_slot(owner, 1, 4);
    }
}

TEST_CASE("slots that a producer got are cleared by the next call with reuse, finished or not, whatever they were "
          "filled with")
{
    dice random(7);
    owner_type owner(5, 5, t::masks.shape(1, 1, 1));
    for (int k = 0; k < 50; ++k) {
        const batch from(random, 1 + random.below(5), 5, 1, 1);
        pad_into(owner, from.source(), padding::reuse, pad_values(t::scores(2)));
        CHECK(from.is_in(owner, 5, 2, 0));
        REQUIRE(owner.try_resize(5).ok());
        for (std::size_t i = 0; i < 5; ++i) {
            if (random.once_in(2)) {
                const auto slot = owner.slot(i);
                for (std::size_t j = 0; j < 5; ++j) {
                    slot[t::scores][j] = 7;
                    slot[t::masks][j].data()[0] = 7;
                }
            }
            if (random.once_in(3)) {
                finish_slot(owner, i, random.below(6), pad_values(t::scores(random.once_in(2) ? 2 : 3)));
            }
        }
    }
}

TEST_CASE("a slot that a producer finishes leaves what is known of the others")
{
    padded<scores<>> owner(2, 3);
    const std::vector<std::vector<float>> one{{1}, {1}};
    pad_into(owner, one);
    owner[t::scores].data()[2] = 99; // which shows whether the padding is trusted
    finish_slot(owner, 1, 0);
    pad_into(owner, one, padding::reuse);
    CHECK(same_bytes(owner[t::scores], std::vector<float>{1, 0, 99, 1, 0, 0}));
}

TEST_CASE("with reuse only the rows that were real are written: what the owner is not told of stays")
{
    // Not a use to make of it, but how one sees that reuse saves the work.
    padded<scores<>> owner(1, 4);
    const std::vector<std::vector<float>> three{{1, 2, 3}};
    const std::vector<std::vector<float>> one{{1}};
    pad_into(owner, three);
    owner[t::scores].data()[3] = 99;
    pad_into(owner, one, padding::reuse);
    CHECK(same_bytes(owner[t::scores], std::vector<float>{1, 0, 0, 99}));
    pad_into(owner, one);
    CHECK(same_bytes(owner[t::scores], std::vector<float>{1, 0, 0, 0}));
}

TEST_CASE("an owner that grows holds the right padding, whether the new memory came zeroed or not")
{
    dice random(5);
    for (const float score : {0.0F, 2.0F}) {
        owner_type owner;
        for (std::size_t images = 1; images < 12; ++images) {
            const batch from(random, images, 4, 2, 2);
            pad_into(owner, from.source(), capacity::fixed(4), padding::reuse, pad_values(t::scores(score)));
            CHECK(from.is_in(owner, 4, score, 0));
            const batch smaller(random, (images + 1) / 2, 4, 2, 2);
            pad_into(owner, smaller.source(), capacity::fixed(4), padding::reuse, pad_values(t::scores(score)));
            CHECK(smaller.is_in(owner, 4, score, 0));
        }
    }
}

TEST_CASE("owners that move take along what they know of their padding")
{
    dice random(6);
    owner_type first(3, 5, t::masks.shape(1, 2, 2));
    owner_type second;
    for (int k = 0; k < 20; ++k) {
        const batch from(random, 1 + random.below(3), 5, 2, 2);
        pad_into(first, from.source(), padding::reuse);
        CHECK(from.is_in(first, 5, 0, 0));
        second = std::move(first);
        const batch next(random, 1 + random.below(3), 5, 2, 2);
        pad_into(second, next.source(), padding::reuse);
        CHECK(next.is_in(second, 5, 0, 0));
        first = std::move(second);
    }
}

TEST_CASE("padding that was overwritten through a view with higher counts is cleared all the same")
{
    padded<scores<>> batch(1, 4);
    std::vector<std::vector<float>> rows{{1, 2, 3}};
    pad_into(batch, rows);
    rows[0] = {9, 9, 9, 4};
    pad_into(batch.view(), rows);
    rows[0] = {9};
    pad_into(batch, rows, padding::reuse);
    CHECK(std::vector<float>(batch[t::scores].begin(), batch[t::scores].end()) == std::vector<float>{9, 0, 0, 0});
}
