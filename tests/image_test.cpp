// SPDX-License-Identifier: Apache-2.0
#include <padbatch/image.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <span>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

using namespace padbatch;

namespace {

using boxes_rows = tagged_rows<t::boxes_t, rows<float, 4>>;
using labels_rows = tagged_rows<t::labels_t, rows<const std::int64_t>>;
using scores_rows = tagged_rows<t::scores_t, strided_rows<float>>;
using image_type = image_view<boxes_rows, labels_rows, scores_rows>;

struct memory_of_image {
    std::vector<float> boxes = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
    std::vector<std::int64_t> labels = {20, 21, 22};
    std::vector<float> scores = {0.75F, -1, 0.5F, -1, 0.25F, -1}; // every second one

    [[nodiscard]] image_type view()
    {
        return image_type(boxes_rows{{boxes.data(), 3}}, labels_rows{{labels.data(), 3}},
                          scores_rows{{scores.data(), 3, {}, {2 * sizeof(float)}}});
    }
};

} // namespace

static_assert(std::is_trivially_copyable_v<image_type>);
static_assert(std::is_same_v<decltype(std::declval<const image_type&>()[std::size_t{0}]),
                             std::tuple<std::span<float, 4>, const std::int64_t&, float&>>);
static_assert(
    std::is_same_v<std::remove_cvref_t<decltype(std::declval<const image_type&>()[t::boxes])>, rows<float, 4>>);
static_assert(std::is_same_v<std::remove_cvref_t<decltype(std::declval<const image_type&>()[t::labels])>,
                             rows<const std::int64_t>>);
static_assert(
    std::is_same_v<std::remove_cvref_t<decltype(std::declval<const image_type&>()[t::scores])>, strided_rows<float>>);
static_assert(std::input_iterator<decltype(std::declval<const image_type&>().begin())>);

TEST_CASE("an image gives the rows of each field by its tag")
{
    memory_of_image memory;
    const auto image = memory.view();
    CHECK(image.size() == 3);
    CHECK_FALSE(image.empty());
    CHECK(image[t::boxes].data() == memory.boxes.data());
    CHECK(image[t::labels][1] == 21);
    CHECK(image[t::scores][2] == 0.25F);
}

TEST_CASE("a range-for goes through the detections, all fields at a time, in the order of the fields")
{
    memory_of_image memory;
    std::size_t i = 0;
    for (auto [box, label, score] : memory.view()) {
        static_assert(std::is_same_v<decltype(box), std::span<float, 4>>);
        static_assert(std::is_same_v<decltype(label), const std::int64_t&>);
        static_assert(std::is_same_v<decltype(score), float&>);
        CHECK(box.data() == memory.boxes.data() + 4 * i);
        CHECK(&label == memory.labels.data() + i);
        CHECK(&score == memory.scores.data() + 2 * i);
        score = 1;
        box[0] = -1;
        ++i;
    }
    CHECK(i == 3);
    CHECK(memory.scores[4] == 1);
    CHECK(memory.boxes[8] == -1);
}

TEST_CASE("a detection can be asked for by its number, with any integer type")
{
    memory_of_image memory;
    const auto image = memory.view();
    CHECK(std::get<1>(image[0]) == 20);
    CHECK(std::get<1>(image[std::int64_t{1}]) == 21);
    auto [box, label, score] = image[std::size_t{2}];
    CHECK(box[3] == 11);
    CHECK(label == 22);
    CHECK(score == 0.25F);
}

TEST_CASE("the first detections of an image are an image of the same memory")
{
    memory_of_image memory;
    const auto two = memory.view().first(2);
    CHECK(two.size() == 2);
    CHECK(two[t::boxes].size() == 2);
    CHECK(two[t::scores].size() == 2);
    CHECK(&two[t::scores][1] == memory.scores.data() + 2);
    CHECK(memory.view().first(0).empty());
}

// The rows outlive the image that they were taken from, as they must: `batch.image(i)` is a temporary.
TEST_CASE("a range-for over one field of a temporary image reads the rows of that image")
{
    CHECK_FALSE(std::is_reference_v<decltype(std::declval<image_type>()[t::scores])>);
    memory_of_image memory;
    float sum = 0;
    for (const float score : memory.view()[t::scores]) {
        sum += score;
    }
    CHECK(sum == 1.5F);

    const auto& kept = memory.view()[t::boxes];
    const std::size_t after[64] = {}; // where the temporary was
    CHECK(after[63] == 0);
    CHECK(kept.size() == 3);
    CHECK(kept.data() == memory.boxes.data());
}

TEST_CASE("an image of one field and one without detections are images too")
{
    std::vector<float> values = {1, 2};
    using value_rows = tagged_rows<t::values_t, rows<float>>;
    const image_view<value_rows> one(value_rows{{values.data(), 2}});
    float sum = 0;
    for (auto [value] : one) {
        sum += value;
    }
    CHECK(sum == 3);

    const image_view<value_rows> none(value_rows{});
    CHECK(none.empty());
    CHECK(none.begin() == none.end());
    CHECK(none[t::values].data() == nullptr);
}
