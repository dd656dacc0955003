// SPDX-License-Identifier: Apache-2.0
#include <padbatch/padbatch.hpp>

#include "tests/support/check_status.hpp"
#include "tests/support/guarded.hpp"
#include "tests/support/random_batch.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <vector>

using namespace padbatch;
using padbatch::test::check_status;

namespace {

using box = std::array<float, 4>;

/// The same boxes in every container that does not hold them in one piece of memory.
struct scattered {
    std::vector<std::deque<box>> deques;
    std::vector<std::vector<const box*>> to_arrays;
    std::vector<std::deque<const float*>> to_numbers;
    std::vector<std::vector<std::unique_ptr<box>>> owned;
    std::deque<std::vector<std::vector<float>>> vectors;

    explicit scattered(const plain_batch<float>& from)
        : deques(from.images.size()), to_arrays(from.images.size()), to_numbers(from.images.size()),
          owned(from.images.size()), vectors(from.images.size())
    {
        for (std::size_t i = 0; i < from.images.size(); ++i) {
            for (std::size_t j = 0; j < from.counts[i]; ++j) {
                const float* const row = from.images[i].data() + 4 * j;
                deques[i].push_back({row[0], row[1], row[2], row[3]});
                owned[i].push_back(std::make_unique<box>(deques[i].back()));
                to_arrays[i].push_back(owned[i].back().get());
                to_numbers[i].push_back(row);
                vectors[i].emplace_back(row, row + 4);
            }
        }
    }
};

/// Boxes of numbers that conversions keep apart.
plain_batch<float> random_boxes(dice& random)
{
    auto boxes = random.batch<float>(random.counts(random.below(6), 9), 4);
    for (auto& image : boxes.images) {
        for (float& x : image) {
            x = static_cast<float>(random.below(1000)) / 4;
        }
    }
    return boxes;
}

} // namespace

TEST_CASE("rows in deques, behind pointers and in vectors of their own are padded like the rows that they are")
{
    dice random(1);
    for (int k = 0; k < 30; ++k) {
        const auto from = random_boxes(random);
        const scattered places(from);
        const std::size_t capacity = from.largest() + random.below(3);
        const auto expected = padded_plainly(from, capacity, -1.0F);
        const auto check = [&](const auto& images) {
            guarded<float> memory(from.images.size() * capacity * 4, 4 * random.below(16));
            guarded<std::int32_t> counts(from.images.size());
            const padded_view output(unchecked, counts, capacity, t::boxes(memory));
            pad_into(output, each(t::boxes(images)), pad_values(t::boxes(-1)));
            CHECK(same_bytes(memory, expected));
            CHECK((memory.intact() && counts.intact()));
            const auto doubles = pad(each(t::boxes(images).template as<double>()), capacity::fixed(capacity));
            for (std::size_t e = 0; e < doubles[t::boxes].size(); ++e) {
                CHECK(doubles[t::boxes].data()[e] == (memory.data()[e] < 0 ? 0 : memory.data()[e]));
            }
            const auto loose = to_ragged(each(t::boxes(images)));
            CHECK(same_bytes(loose[t::boxes].flat(), from.concatenated()));
        };
        check(places.deques);
        check(places.to_arrays);
        check(places.to_numbers);
        check(places.owned);
        check(places.vectors);
    }
}

TEST_CASE("scores behind pointers are ordered, and images of them are views")
{
    const std::array<float, 4> numbers = {0.25F, 0.75F, 0.5F, 0};
    const std::vector<std::vector<const float*>> sure = {{&numbers[0], &numbers[1], &numbers[2]}, {&numbers[3]}};
    const auto source = each(t::scores(sure));
    const auto best = pad(source, capacity::fixed(2), overflow::top_scores);
    CHECK(same_bytes(best[t::scores], std::array<float, 4>{0.75F, 0.5F, 0, 0}));
    CHECK(&source.image(0)[t::scores][1] == &numbers[1]);
    float sum = 0;
    for (const auto image : source) {
        for (const auto& [score] : image) {
            sum += score;
        }
    }
    CHECK(sum == 1.5F);
    CHECK(source.image(0)[t::scores].first(2).size() == 2);
}

TEST_CASE("dynamic extents are those of the first row, or those that are given")
{
    const std::vector<std::vector<std::vector<std::uint8_t>>> masks_in = {{}, {{1, 2, 3, 4, 5, 6}, {6, 5, 4, 3, 2, 1}}};
    const auto masks_out = pad(each(t::masks(masks_in, 1, 2, 3)));
    CHECK(masks_out[t::masks].shape() == std::array<std::int64_t, 5>{2, 2, 1, 2, 3});
    CHECK(masks_out[t::masks](1, 1)(0, 1, 2) == 1);
    const auto scores_out = pad(each(t::keypoints_scores(masks_in)));
    CHECK(scores_out[t::keypoints_scores].shape() == std::array<std::int64_t, 3>{2, 2, 6});
    CHECK(scores_out[t::keypoints_scores](1, 0)[5] == 6);
}

TEST_CASE("null pointers and rows of other lengths are refused with their number, and nothing is written")
{
    guarded<float> memory(2 * 4);
    guarded<std::int32_t> counts(1);
    const padded_view output(unchecked, counts, 2, t::boxes(memory));
    const box one = {1, 2, 3, 4};
    const std::vector<std::vector<const box*>> null = {{&one, nullptr}};
    check_status(try_pad_into(output, each(t::boxes(null))), status_code::bad_argument, {"row 1 of boxes", "null"});
    const std::vector<std::vector<const float*>> null_numbers = {{nullptr}};
    check_status(try_pad_into(output, each(t::boxes(null_numbers))), status_code::bad_argument, {"row 0 of boxes"});
    const std::vector<std::vector<std::vector<float>>> short_row = {{{1, 2, 3, 4}, {1, 2, 3}}};
    check_status(try_pad_into(output, each(t::boxes(short_row))), status_code::row_mismatch, {"3 elements", "[4]"});
    CHECK((memory.untouched() && counts.untouched()));

    padded<masks<>> any;
    const std::vector<std::vector<const float*>> unknown = {{one.data()}};
    check_status(try_pad_into(any, each(t::masks(unknown))), status_code::row_mismatch, {"unknown extents"});
    ragged<boxes<>> loose;
    check_status(loose.try_append(t::boxes(short_row[0])), status_code::row_mismatch, {"3 elements"});
    CHECK(loose.open_rows() == 0);
}

TEST_CASE("an output in the rows, or among the pointers to them, is refused")
{
    std::vector<float> memory(8);
    std::vector<std::int32_t> counts(1);
    const padded_view output(unchecked, counts, 2, t::boxes(memory));
    const std::vector<std::vector<const float*>> images = {{memory.data() + 4}};
    check_status(try_pad_into(output, each(t::boxes(images))), status_code::overlap, {"boxes"});

    const box one = {1, 2, 3, 4};
    std::vector<std::vector<const box*>> pointers = {{&one, &one, &one, &one}};
    const std::span<float> over_them(reinterpret_cast<float*>(pointers[0].data()), 4);
    const padded_view onto(unchecked, counts, 1, t::boxes(over_them));
    check_status(try_pad_into(onto, each(t::boxes(pointers)), overflow::truncate), status_code::overlap, {"boxes"});
}
