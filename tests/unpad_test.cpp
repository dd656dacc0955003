// SPDX-License-Identifier: Apache-2.0
#include <padbatch/unpad.hpp>

#include <padbatch/pad.hpp>

#include <tests/support/check_status.hpp>
#include <tests/support/count_allocations.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <random>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

using namespace padbatch;
using padbatch::test::check_error;
using padbatch::test::check_status;

namespace {

using floats = std::vector<float>;
using counts32 = std::vector<std::int32_t>;
using offsets64 = std::vector<std::int64_t>;

/// A padded batch of random counts whose elements are all different.
struct random_batch {
    std::size_t capacity;
    counts32 counts;
    floats boxes;
    std::vector<std::int64_t> labels;
    std::vector<std::uint8_t> masks;

    explicit random_batch(std::mt19937& random) : capacity(random() % 6), counts(random() % 7)
    {
        for (auto& n : counts) {
            n = static_cast<std::int32_t>(random() % (capacity + 1));
        }
        const std::size_t rows = counts.size() * capacity;
        for (std::size_t k = 0; k < rows; ++k) {
            labels.push_back(static_cast<std::int64_t>(k));
        }
        for (std::size_t k = 0; k < 4 * rows; ++k) {
            boxes.push_back(static_cast<float>(k));
        }
        for (std::size_t k = 0; k < 6 * rows; ++k) {
            masks.push_back(static_cast<std::uint8_t>(random()));
        }
    }

    [[nodiscard]] auto view() const
    {
        return unpad(counts, capacity, t::boxes(boxes), t::labels(labels), t::masks(masks, 1, 2, 3));
    }
};

/// The real rows of a padded field, one after the other, by a plain loop.
template <class T>
std::vector<T> real_rows(const random_batch& batch, const std::vector<T>& values, std::size_t row_size)
{
    std::vector<T> all;
    for (std::size_t i = 0; i < batch.counts.size(); ++i) {
        for (std::size_t k = 0; k < static_cast<std::size_t>(batch.counts[i]) * row_size; ++k) {
            all.push_back(values[i * batch.capacity * row_size + k]);
        }
    }
    return all;
}

template <class Rows>
auto elements(const Rows& rows)
{
    return std::vector<typename Rows::value_type>(rows.flat().begin(), rows.flat().end());
}

/// A function that takes a temporary, as nearly everyone does.
padded_view<boxes<const float>> unpad_span(std::span<const std::int32_t> counts, std::span<const float> boxes)
{
    return unpad(std::span(counts), 3, t::boxes(boxes));
}

} // namespace

static_assert(std::is_same_v<decltype(unpad(std::declval<counts32&>(), 3, t::boxes(std::declval<floats&>()))),
                             padded_view<boxes<>>>);
static_assert(std::is_same_v<decltype(unpad(std::declval<const counts32&>(), 3, t::boxes(std::declval<floats&>()))),
                             padded_view<boxes<const float>>>);

TEST_CASE("unpadding gives views of the very memory, and allocates nothing")
{
    counts32 counts = {2, 0, 3};
    floats boxes(3 * 3 * 4);
    floats scores(3 * 3);
    std::size_t wrong = 0;
    std::size_t rows = 0;
    const padbatch::test::allocation_counter counter;
    const auto batch = unpad(counts, 3, t::boxes(boxes), t::scores(scores));
    std::size_t i = 0;
    for (const auto image : batch) {
        wrong += image[t::boxes].data() == boxes.data() + i * 12 ? 0 : 1;
        wrong += image[t::scores].data() == scores.data() + i * 3 ? 0 : 1;
        for (auto [box, score] : image) {
            wrong += box.data() >= boxes.data() && box.data() < boxes.data() + 36 ? 0 : 1;
            score = 1;
            ++rows;
        }
        ++i;
    }
    const auto copy = batch.image(2).first(1);
    wrong += copy[t::boxes].size() == 1 ? 0 : 1;
    const std::size_t allocations = counter.count();
    CHECK(allocations == 0);
    CHECK(wrong == 0);
    CHECK(rows == 5);
    CHECK(scores[0] == 1);
    CHECK(scores[2] == 0);
}

TEST_CASE("unpadding takes spans that are temporaries, and what they look at stays")
{
    const counts32 counts = {1, 3};
    const floats boxes(2 * 3 * 4, 2.0F);
    const auto batch = unpad_span(counts, boxes);
    CHECK(batch.image(1)[t::boxes].data() == boxes.data() + 12);
}

TEST_CASE("what is no padded batch is refused in the same words as by the view")
{
    const floats boxes(2 * 3 * 4);
    const counts32 too_many = {1, 4};
    const counts32 counts = {1, 1};
    check_error([&] { static_cast<void>(unpad(too_many, 3, t::boxes(boxes))); }, status_code::bad_count, {"4", "3"});
    check_error([&] { static_cast<void>(unpad(counts, 2, t::boxes(boxes))); }, status_code::size_mismatch, {"6"});
}

TEST_CASE("a padded batch becomes ragged and padded again: the same real rows")
{
    std::mt19937 random(11);
    for (int round = 0; round < 60; ++round) {
        CAPTURE(round);
        const random_batch given(random);
        const auto batch = to_ragged(given.view());
        CHECK(batch.size() == given.counts.size());
        CHECK(elements(batch[t::boxes]) == real_rows(given, given.boxes, 4));
        CHECK(elements(batch[t::labels]) == real_rows(given, given.labels, 1));
        CHECK(elements(batch[t::masks]) == real_rows(given, given.masks, 6));

        const auto again = pad(batch, capacity::fixed(given.capacity), pad_values(t::labels(-1)));
        for (std::size_t i = 0; i < batch.size(); ++i) {
            CHECK(again.count(i) == static_cast<std::size_t>(given.counts[i]));
            CHECK(elements(again.image(i)[t::boxes]) == elements(given.view().image(i)[t::boxes]));
            CHECK(elements(again.image(i)[t::masks]) == elements(given.view().image(i)[t::masks]));
        }
        const auto back = to_ragged(again);
        CHECK(elements(back[t::boxes]) == elements(batch[t::boxes]));
        CHECK(elements(back[t::labels]) == elements(batch[t::labels]));
    }
}

TEST_CASE("flat values and offsets that the caller owns get the real rows, one image after the other")
{
    std::mt19937 random(12);
    for (int round = 0; round < 60; ++round) {
        CAPTURE(round);
        const random_batch given(random);
        const std::size_t rows = given.view().counts().total();
        std::vector<std::int32_t> offsets(given.counts.size() + 1, 77);
        floats boxes(4 * rows + 4, -1.0F); // more room than needed
        std::vector<std::uint8_t> masks(6 * rows);
        unpad_into(offsets, given.view(), t::masks(masks, 1, 2, 3), t::boxes(boxes)); // labels are left out
        const floats expected = real_rows(given, given.boxes, 4);
        CHECK(floats(boxes.begin(), boxes.end() - 4) == expected);
        CHECK(floats(boxes.end() - 4, boxes.end()) == floats(4, -1.0F));
        CHECK(masks == real_rows(given, given.masks, 6));
        std::int32_t first = 0;
        for (std::size_t i = 0; i < given.counts.size(); ++i) {
            CHECK(offsets[i] == first);
            first += given.counts[i];
        }
        CHECK(offsets.back() == first);
    }
}

TEST_CASE("values of another size or offsets of another number are an error, and nothing is written")
{
    const counts32 counts = {2, 1};
    const floats boxes(2 * 2 * 4, 1.0F);
    const std::vector<std::uint8_t> masks(2 * 2 * 6, 1);
    const auto batch = unpad(counts, 2, t::boxes(boxes), t::masks(masks, 1, 2, 3));
    offsets64 offsets(3, 77);
    offsets64 too_many(4, 77);
    floats two_boxes(8, 77.0F);
    floats broken(13, 77.0F);
    floats three_boxes(12, 77.0F);
    std::vector<std::uint8_t> three_masks(18, 77);
    check_error([&] { unpad_into(too_many, batch, t::boxes(three_boxes)); }, status_code::size_mismatch,
                {"4", "2", "3"});
    check_error([&] { unpad_into(offsets, batch, t::boxes(two_boxes)); }, status_code::size_mismatch,
                {"2 rows", "boxes", "3"});
    check_error([&] { unpad_into(offsets, batch, t::boxes(broken)); }, status_code::size_mismatch, {"boxes", "13"});
    check_error([&] { unpad_into(offsets, batch, t::boxes(three_boxes), t::masks(three_masks, 1, 3, 2)); },
                status_code::row_mismatch, {"masks", "[1, 2, 3]", "[1, 3, 2]"});
    CHECK(offsets == offsets64(3, 77));
    CHECK(too_many == offsets64(4, 77));
    CHECK(two_boxes == floats(8, 77.0F));
    CHECK(broken == floats(13, 77.0F));
    CHECK(three_boxes == floats(12, 77.0F));
    CHECK(three_masks == std::vector<std::uint8_t>(18, 77));
}

TEST_CASE("values that overlap the rows they would be copied from are an error, and nothing is written")
{
    const counts32 counts = {1, 2};
    floats scores = {0, 1, 2, 3};
    offsets64 offsets(3, 77);
    const auto batch = unpad(counts, 2, t::scores(scores));
    check_status(try_unpad_into(offsets, batch, t::scores(std::span(scores).subspan(1))), status_code::overlap,
                 {"scores"});
    CHECK(scores == floats{0, 1, 2, 3});
    CHECK(offsets == offsets64(3, 77));
}

TEST_CASE("a stream of batches into one ragged batch allocates nothing once it is large enough")
{
    const counts32 counts = {3, 0, 2};
    const floats boxes(3 * 3 * 4, 1.0F);
    const std::vector<std::uint8_t> masks(3 * 3 * 6, 1);
    const auto batch = unpad(counts, 3, t::boxes(boxes), t::masks(masks, 1, 2, 3));
    ragged<padbatch::boxes<>, padbatch::masks<std::uint8_t>> output;
    unpad_into(output, batch);
    std::size_t allocations = 0;
    for (int i = 0; i < 5; ++i) {
        const padbatch::test::allocation_counter counter;
        unpad_into(output, batch);
        output.clear();
        unpad_append(output, batch);
        allocations += counter.count();
    }
    CHECK(allocations == 0);
    CHECK(output.size() == 3);
    CHECK(output.count(2) == 2);
}

TEST_CASE("batches are appended to what a ragged batch has, and one that fails keeps the images before")
{
    const counts32 counts = {1, 2};
    const std::vector<std::uint8_t> masks(2 * 2 * 6, 1);
    ragged<padbatch::masks<std::uint8_t>> output;
    unpad_append(output, unpad(counts, 2, t::masks(masks, 1, 2, 3)));
    unpad_append(output, unpad(counts, 2, t::masks(masks, 1, 2, 3)));
    CHECK(output.size() == 4);
    CHECK(output.count(3) == 2);
    check_status(try_unpad_append(output, unpad(counts, 2, t::masks(masks, 1, 3, 2))), status_code::row_mismatch,
                 {"[1, 3, 2]", "[1, 2, 3]"});
    CHECK(output.size() == 4);
    CHECK(output.open_rows() == 0);
}

TEST_CASE("what a ragged batch held is replaced, rows of an image that was not ended and extents of rows among it")
{
    const counts32 counts = {1, 2};
    const std::vector<std::uint8_t> masks(2 * 2 * 6, 1);
    const std::vector<std::uint8_t> one(6, 2);
    ragged<padbatch::masks<std::uint8_t>> output;
    for (int i = 0; i < 3; ++i) {
        output.append(
            t::masks(one, 1, static_cast<std::size_t>(i == 0 ? 1 : 2), static_cast<std::size_t>(i == 0 ? 6 : 3)));
        check_error([&] { unpad_append(output, unpad(counts, 2, t::masks(masks, 1, 2, 3))); },
                    status_code::field_mismatch, {"not been ended"});
        unpad_into(output, unpad(counts, 2, t::masks(masks, 1, 2, 3)));
        CHECK(output.size() == 2);
        CHECK(output.open_rows() == 0);
        CHECK(elements(output[t::masks]) == std::vector<std::uint8_t>(3 * 6, 1));
    }
    // The extents that were given stay.
    ragged<padbatch::masks<std::uint8_t>> given(t::masks.shape(1, 3, 2));
    check_status(try_unpad_into(given, unpad(counts, 2, t::masks(masks, 1, 2, 3))), status_code::row_mismatch,
                 {"[1, 3, 2]"});
}

TEST_CASE("a batch that cannot be unpadded leaves what the output held")
{
    const std::vector<std::vector<float>> before = {{1, 2}, {3}};
    const auto untouched = [](const auto& batch) {
        return batch.size() == 2 && batch.open_rows() == 0 && elements(batch[t::scores]) == floats{1, 2, 3};
    };
    // Another shape in the last image.
    const std::vector<std::vector<float>> sure = {{7}, {7}};
    const std::vector<std::vector<std::array<float, 6>>> six = {{{}}, {{}}};
    const std::vector<float> row(6);
    ragged<scores<>, keypoints_scores<>> both;
    unpad_into(both, each(t::scores(sure), t::keypoints_scores(six)));
    const auto shifting = generated(2, [&](std::size_t i) {
        return image_of(t::scores(sure[i]), t::keypoints_scores(std::span(row).first(i == 0 ? 6 : 3), i == 0 ? 6 : 3));
    });
    check_status(try_unpad_into(both, shifting), status_code::row_mismatch, {"[3]", "[6]"});
    check_status(try_unpad_append(both, shifting), status_code::row_mismatch, {"[3]", "[6]"});
    CHECK(both.size() == 2);
    CHECK(both.open_rows() == 0);
    CHECK(elements(both[t::scores]) == floats{7, 7});

    // Rows in the output's own memory.
    ragged<scores<>> output;
    unpad_into(output, each(t::scores(before)));
    const std::vector<std::span<const float>> own = {std::span(output[t::scores].flat()).first(1), {}};
    check_status(try_unpad_into(output, each(t::scores(own))), status_code::overlap, {});
    CHECK(untouched(output));
    check_status(try_unpad_append(output, each(t::scores(own))), status_code::overlap, {});
    CHECK(untouched(output));
}

TEST_CASE("a batch without images, or without rows, becomes one without")
{
    const counts32 none;
    const floats empty;
    CHECK(to_ragged(unpad(none, 5, t::boxes(empty))).size() == 0);
    const counts32 zeros = {0, 0};
    const floats scores(2 * 3, 1.0F);
    const auto batch = to_ragged(unpad(zeros, 3, t::scores(scores)));
    CHECK(batch.size() == 2);
    CHECK(batch.count(1) == 0);
    offsets64 offsets(3, 77);
    floats values;
    unpad_into(offsets, unpad(zeros, 3, t::scores(scores)), t::scores(values));
    CHECK(offsets == offsets64(3, 0));
}

TEST_CASE("any source becomes a ragged batch, and what is wrong with it is told before anything is appended")
{
    const std::vector<std::vector<float>> good = {{1, 2}, {}, {3}};
    const auto batch = to_ragged(each(t::scores(good)));
    CHECK(batch.size() == 3);
    CHECK(elements(batch[t::scores]) == floats{1, 2, 3});

    const std::vector<std::vector<std::int64_t>> labels = {{1, 2}, {}, {3, 4}};
    ragged<scores<>, padbatch::labels<>> output;
    check_status(try_unpad_into(output, each(t::scores(good), t::labels(labels))), status_code::field_mismatch,
                 {"image 2"});
    CHECK(output.size() == 0);
    CHECK(output.open_rows() == 0);
}

TEST_CASE("a ragged batch cannot be unpadded into itself")
{
    ragged<scores<>> batch;
    batch.end_image();
    batch.end_image();
    check_status(try_unpad_into(batch, batch), status_code::overlap, {"itself"});
    check_status(try_unpad_into(batch, batch.view()), status_code::overlap, {"itself"});
    CHECK(batch.size() == 2);
}
