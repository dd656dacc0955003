// SPDX-License-Identifier: Apache-2.0
#include <padbatch/padbatch.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

// Nothing but the umbrella is included: what a first program needs is all there.
TEST_CASE("the umbrella is enough to pad, to walk the batch, and to come back")
{
    using namespace padbatch;
    const std::vector<std::vector<std::array<float, 4>>> image_boxes = {{{1, 2, 3, 4}, {5, 6, 7, 8}}, {}};
    const std::vector<std::vector<std::int64_t>> image_labels = {{3, 4}, {}};
    const std::vector<std::vector<float>> image_scores = {{0.5F, 0.25F}, {}};

    const auto batch = pad(each(t::boxes(image_boxes), t::labels(image_labels), t::scores(image_scores)));
    CHECK(batch.size() == 2);
    CHECK(batch.capacity() == 2);
    std::size_t rows = 0;
    for (const auto image : batch) {
        for (const auto [box, label, score] : image) {
            CHECK(box[0] == image_boxes[0][rows][0]);
            CHECK(label == image_labels[0][rows]);
            CHECK(score == image_scores[0][rows]);
            ++rows;
        }
    }
    CHECK(rows == 2);

    const auto back = to_ragged(batch);
    CHECK(back.size() == 2);
    CHECK(back.count(0) == 2);
    CHECK(back.count(1) == 0);
}

TEST_CASE("the umbrella has the version and the contract of padded models")
{
    CHECK(PADBATCH_VERSION_MAJOR >= 0);
    CHECK(std::string_view(PADBATCH_VERSION).find('.') != std::string_view::npos);
    CHECK(std::string_view(padbatch::contract::count_key).find(padbatch::contract::key_prefix) == 0);
}
