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
#include <span>
#include <thread>
#include <vector>

using namespace padbatch;
using padbatch::test::check_status;

TEST_CASE("columns of each image's own rows are padded like the rows that they are")
{
    dice random(1);
    for (int k = 0; k < 40; ++k) {
        const auto boxes = random.batch<float>(random.counts(random.below(6), 9), 4);
        std::vector<std::vector<float>> numbers(boxes.images.size());
        std::deque<std::vector<std::array<float, 6>>> arrays(boxes.images.size());
        std::vector<std::span<const float>> spans;
        for (std::size_t i = 0; i < boxes.images.size(); ++i) {
            for (std::size_t j = 0; j < boxes.counts[i]; ++j) {
                const float* const row = boxes.images[i].data() + 4 * j;
                arrays[i].push_back({static_cast<float>(j), row[0], row[1], row[2], row[3], 7.5F});
                numbers[i].insert(numbers[i].end(), arrays[i].back().begin(), arrays[i].back().end());
            }
            spans.emplace_back(numbers[i]);
        }
        const std::size_t capacity = boxes.largest() + random.below(3);
        const auto expected = padded_plainly(boxes, capacity, -1.0F);
        const auto check = [&](const auto& images) {
            guarded<float> memory(boxes.images.size() * capacity * 4, 4 * random.below(16));
            guarded<std::int32_t> counts(boxes.images.size());
            const padded_view output(unchecked, counts, capacity, t::boxes(memory));
            const auto source = columns(images, 6, t::scores(col<0>), t::boxes(cols<1, 4>),
                                        t::labels(col<5>).template as<std::int32_t>());
            pad_into(output, source, pad_values(t::boxes(-1)));
            CHECK(same_bytes(memory, expected));
            CHECK((memory.intact() && counts.intact()));
            padded<scores<>, labels<std::int32_t>> owner(boxes.images.size(), 2);
            pad_into(owner, source, overflow::top_scores);
            for (std::size_t i = 0; i < owner.size(); ++i) {
                REQUIRE(owner.count(i) == (boxes.counts[i] < 2 ? boxes.counts[i] : 2));
                for (std::size_t j = 0; j < owner.count(i); ++j) { // the last rows have the highest scores
                    CHECK(owner[t::scores](i, j) == static_cast<float>(boxes.counts[i] - owner.count(i) + j));
                    CHECK(owner[t::labels](i, j) == 7);
                }
            }
            const auto loose = to_ragged(source);
            CHECK(same_bytes(loose[t::boxes].flat(), boxes.concatenated()));
        };
        check(numbers);
        check(arrays);
        check(spans);
    }
}

TEST_CASE("several threads make the rows, one image each")
{
    std::vector<std::vector<float>> images(4);
    std::vector<std::thread> workers;
    for (std::size_t i = 0; i < images.size(); ++i) {
        workers.emplace_back([&image = images[i], i] { image.assign(6 * i, static_cast<float>(i)); });
    }
    for (std::thread& worker : workers) {
        worker.join();
    }
    const auto batch = pad(columns(images, 6, t::boxes(cols<0, 4>), t::scores(col<4>)));
    CHECK(batch.capacity() == 3);
    CHECK(same_bytes(batch[t::scores], std::array<float, 12>{0, 0, 0, 1, 0, 0, 2, 2, 0, 3, 3, 3}));
}

TEST_CASE("rows of several extents are columns too")
{
    const std::vector<std::vector<float>> images = {{0, 1, 2, 3, 4, 5, 6}, {}};
    const auto batch = pad(columns(images, 7, t::keypoints(cols<1, 6>, 2, 3)));
    CHECK(batch[t::keypoints].shape() == std::array<std::int64_t, 4>{2, 1, 2, 3});
    CHECK(batch[t::keypoints](0, 0)(1, 2) == 6);
}

TEST_CASE("columns beyond the rows and values that are no whole rows are refused, and nothing is written")
{
    guarded<float> memory(2 * 4);
    guarded<std::int32_t> counts(2);
    const padded_view output(unchecked, counts, 1, t::boxes(memory));
    const std::vector<std::vector<float>> images = {{1, 2, 3, 4, 5, 6}, {1, 2, 3, 4, 5}};
    check_status(try_pad_into(output, columns(images, 6, t::boxes(cols<0, 4>))), status_code::size_mismatch,
                 {"5 values", "6 columns"});
    check_status(try_pad_into(output, columns(images, 5, t::boxes(cols<2, 4>))), status_code::bad_argument,
                 {"columns 2 to 5", "5 columns"});
    check_status(try_pad_into(output, columns(images, 0, t::boxes(cols<0, 4>))), status_code::bad_argument,
                 {"at least one column"});
    CHECK((memory.untouched() && counts.untouched()));

    std::vector<std::vector<float>> own = {{1, 2, 3, 4, 5, 6}};
    std::vector<std::int32_t> one(1);
    const padded_view inside(unchecked, one, 1, t::boxes(std::span(own[0]).first(4)));
    check_status(try_pad_into(inside, columns(own, 6, t::boxes(cols<0, 4>))), status_code::overlap, {"boxes"});
}
