// SPDX-License-Identifier: Apache-2.0
#include <padbatch/padded_view.hpp>

#include <tests/support/check_status.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <limits>
#include <span>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

using namespace padbatch;
using padbatch::test::check_error;
using padbatch::test::check_status;

namespace {

struct corners {
    float x1, y1, x2, y2;
};
struct opaque {
    std::int32_t id;
    float weight;
};
struct identity_t : tag<identity_t> {
    static constexpr char name[] = "identity";
};
inline constexpr identity_t identity{};

using float_boxes = padbatch::boxes<>;
using const_boxes = padbatch::boxes<const float>;

template <class... T>
using view_of = decltype(padded_view(std::declval<T>()...));
using counts32 = std::vector<std::int32_t>;
using floats = std::vector<float>;
using bound_floats = decltype(t::boxes(std::declval<floats&>()));
using bound_const_floats = decltype(t::boxes(std::declval<const floats&>()));

// What the fields are, deduced: const where the data are, and where the counts are.
static_assert(std::is_same_v<view_of<counts32&, std::size_t, bound_floats>, padded_view<float_boxes>>);
static_assert(std::is_same_v<view_of<counts32&, std::size_t, bound_const_floats>, padded_view<const_boxes>>);
static_assert(std::is_same_v<view_of<const counts32&, std::size_t, bound_floats>, padded_view<const_boxes>>);
static_assert(std::is_same_v<view_of<std::span<std::int64_t>, std::size_t, bound_floats>, padded_view<float_boxes>>);
static_assert(
    std::is_same_v<view_of<std::span<const std::int64_t>, std::size_t, bound_floats>, padded_view<const_boxes>>);
static_assert(padded_view<float_boxes>::is_writable && !padded_view<const_boxes>::is_writable);
static_assert(!padded_view<float_boxes, padbatch::scores<const float>>::is_writable);

// What an image is made of.
using detections = padded_view<float_boxes, padbatch::labels<const std::int32_t>, padbatch::masks<bool>>;
static_assert(
    std::is_same_v<std::remove_cvref_t<decltype(std::declval<detections>().image(0)[t::boxes])>, rows<float, 4>>);
static_assert(std::is_same_v<std::remove_cvref_t<decltype(std::declval<detections>().image(0)[t::labels])>,
                             rows<const std::int32_t>>);
static_assert(std::is_same_v<std::remove_cvref_t<decltype(std::declval<detections>().image(0)[t::masks])>,
                             rows<bool, dynamic, dynamic, dynamic>>);
static_assert(std::is_same_v<decltype(std::declval<detections>().image(0)[0]),
                             std::tuple<std::span<float, 4>, const std::int32_t&, row<bool, t::masks_t::row>>>);

// Like std::span: writing to reading, not back; not between types.
static_assert(std::is_convertible_v<padded_view<float_boxes>, padded_view<const_boxes>>);
static_assert(!std::is_convertible_v<padded_view<const_boxes>, padded_view<float_boxes>>);
static_assert(!std::is_convertible_v<padded_view<float_boxes>, padded_view<padbatch::boxes<const double>>>);
static_assert(!std::is_convertible_v<padded_view<float_boxes>, padded_view<padbatch::scores<const float>>>);
static_assert(std::is_trivially_copyable_v<padded_view<float_boxes>>);

/// 0, 1, 2, ...
template <class T>
std::vector<T> counting(std::size_t n)
{
    std::vector<T> all(n);
    for (std::size_t i = 0; i < n; ++i) {
        all[i] = static_cast<T>(i);
    }
    return all;
}

} // namespace

TEST_CASE("a batch of several fields gives each image's real rows, where they lie")
{
    counts32 counts = {2, 0, 3};
    floats boxes = counting<float>(3 * 4 * 4);
    std::vector<std::int64_t> labels = counting<std::int64_t>(3 * 4);
    const padded_view batch(counts, 4, t::boxes(boxes), t::labels(labels));
    CHECK(batch.size() == 3);
    CHECK(batch.capacity() == 4);
    CHECK(batch.counts().total() == 5);
    std::size_t i = 0;
    for (const auto image : batch) {
        CHECK(image.size() == static_cast<std::size_t>(counts[i]));
        CHECK(image[t::boxes].data() == boxes.data() + i * 16);
        CHECK(image[t::labels].data() == labels.data() + i * 4);
        CHECK(batch.count(i) == image.size());
        std::size_t j = 0;
        for (auto [box, label] : image) {
            static_assert(std::is_same_v<decltype(box), std::span<float, 4>>);
            static_assert(std::is_same_v<decltype(label), std::int64_t&>);
            CHECK(box[0] == static_cast<float>(i * 16 + j * 4));
            CHECK(label == static_cast<std::int64_t>(i * 4 + j));
            ++j;
        }
        CHECK(j == image.size());
        ++i;
    }
    CHECK(i == 3);
}

TEST_CASE_TEMPLATE("counts of every type, [B] or [B, 1], in any contiguous memory", T, std::int32_t, std::int64_t,
                   float)
{
    floats scores = counting<float>(6);
    std::vector<T> in_vector = {1, 3};
    std::array<T, 2> in_array = {1, 3};
    CHECK(padded_view(in_vector, 3, t::scores(scores)).count(1) == 3);
    CHECK(padded_view(in_array, 3, t::scores(scores)).count(1) == 3);
    CHECK(padded_view(std::span<const T>(in_vector), 3, t::scores(scores)).count(0) == 1);
    const padded_view writable(std::span<T>(in_array), 3, t::scores(scores));
    writable.set_count(0, 2);
    CHECK(in_array[0] == T{2});
    CHECK(writable.image(0).size() == 2);
}

TEST_CASE("fields come in every kind of contiguous container")
{
    const counts32 counts = {1, 2};
    floats flat = counting<float>(16);
    std::vector<std::array<float, 4>> arrays(4, {1, 2, 3, 4});
    std::array<std::array<float, 4>, 4> array_of_arrays{};
    std::vector<corners> structs(4, corners{1, 2, 3, 4});
    const rows<float, 4> as_rows(flat.data(), 4);

    CHECK(padded_view(counts, 2, t::boxes(flat)).image(1)[t::boxes].data() == flat.data() + 8);
    CHECK(padded_view(counts, 2, t::boxes(std::span(flat))).image(1)[t::boxes].data() == flat.data() + 8);
    CHECK(padded_view(counts, 2, t::boxes(std::span(arrays))).image(1)[t::boxes].data() == arrays[2].data());
    CHECK(padded_view(counts, 2, t::boxes(array_of_arrays)).image(1)[t::boxes].data() == array_of_arrays[2].data());
    CHECK(padded_view(counts, 2, t::boxes(as_rows)).image(1)[t::boxes].data() == flat.data() + 8);
    const padded_view of_structs(counts, 2, t::boxes(structs).of<float>());
    CHECK(of_structs.image(1)[t::boxes].data() == &structs[2].x1);
    CHECK(of_structs.image(1)[t::boxes][0][3] == 4);
}

TEST_CASE("rows of a class type of their own, one for each row, are a field too")
{
    const counts32 counts = {2};
    std::vector<opaque> values = {{1, 0.5F}, {2, 0.25F}};
    const padded_view batch(counts, 2, identity(values));
    CHECK(batch.image(0)[identity][1].id == 2);
    CHECK(&batch.image(0)[identity][1] == &values[1]);
}

TEST_CASE("masks take their extents with the data, or from nested arrays")
{
    const counts32 counts = {2, 1};
    std::vector<std::uint8_t> flat(2 * 2 * 6);
    const padded_view batch(counts, 2, t::masks(flat, 1, 2, 3));
    CHECK(batch.image(1)[t::masks].data() == flat.data() + 12);
    CHECK(batch.image(0)[t::masks][1].extent(2) == 3);
    CHECK(&batch.image(0)[t::masks][1](0, 1, 2) == flat.data() + 11);
    CHECK(batch[t::masks].shape() == std::array<std::int64_t, 5>{2, 2, 1, 2, 3});

    std::vector<std::array<std::array<std::array<float, 3>, 2>, 1>> nested(4);
    const padded_view known(counts, 2, t::masks(nested));
    static_assert(std::is_same_v<std::remove_cvref_t<decltype(known.image(0)[t::masks])>, rows<const float, 1, 2, 3>>);
    CHECK(known.image(1)[t::masks].size() == 1);

    counts32 writable = {2, 1};
    const padded_view<padbatch::masks<std::uint8_t, 1, 2, 3>> fixed(writable, 2, t::masks(flat, 1, 2, 3));
    CHECK(fixed.image(1)[t::masks].data() == flat.data() + 12);
    check_error([&] { padded_view<padbatch::masks<std::uint8_t, 1, 3, 2>>(writable, 2, t::masks(flat, 1, 2, 3)); },
                status_code::row_mismatch, {"masks", "[1, 2, 3]"});
}

TEST_CASE("a field of another size than B * M rows is an error that says both")
{
    const counts32 counts = {2, 0};
    const floats boxes(4 * 4);
    const floats scores(5);
    check_error([&] { padded_view(counts, 3, t::boxes(boxes)); }, status_code::size_mismatch,
                {"boxes has 4 rows", "2 images of 3 rows", "6"});
    check_error([&] { padded_view(counts, 2, t::boxes(boxes), t::scores(scores)); }, status_code::size_mismatch,
                {"scores has 5 rows", "4"});
    const floats broken(4 * 4 + 1);
    check_error([&] { padded_view(counts, 2, t::boxes(broken)); }, status_code::size_mismatch, {"boxes", "17", "4"});
    check_error([&] { padded_view(counts, 2, t::masks(boxes)); }, status_code::row_mismatch,
                {"masks", "t::masks(x, 1, 28, 28)"});
    check_error([&] { padded_view(counts, 2, t::masks(boxes, 1, 5, 5)); }, status_code::size_mismatch,
                {"16", "[1, 5, 5]"});
}

TEST_CASE("a count out of range is an error that names the image")
{
    const floats scores(4);
    const counts32 too_many = {1, 3};
    const floats fraction = {0.5F, 0};
    check_error([&] { padded_view(too_many, 2, t::scores(scores)); }, status_code::bad_count, {"image 1", "3", "2"});
    check_error([&] { padded_view(fraction, 2, t::scores(scores)); }, status_code::bad_count, {"0.5"});
    check_status(padded_view<padbatch::scores<const float>>::check(counts32{0, -1}, 2, t::scores(scores)),
                 status_code::bad_count, {"image 1", "-1"});
    CHECK(padded_view<padbatch::scores<const float>>::check(counts32{0, 2}, 2, t::scores(scores)).ok());
}

TEST_CASE("sizes whose product overflows are an error, also where it would wrap to the right one")
{
    const counts32 counts = {0, 0};
    const floats none;
    const floats four(4 * 4);
    constexpr std::size_t most = std::numeric_limits<std::size_t>::max();
    constexpr std::size_t half = std::size_t{1} << 63;
    check_error([&] { padded_view(counts, half, t::boxes(none)); }, status_code::size_overflow, {"boxes"});
    check_error([&] { padded_view(counts, half + 2, t::boxes(four)); }, status_code::size_overflow, {"boxes"});
    check_error([&] { padded_view(counts, most, t::boxes(none)); }, status_code::size_overflow, {"boxes"});
    check_error([&] { padded_view(counts, std::size_t{1} << 60, t::boxes(none)); }, status_code::size_overflow);
    CHECK_FALSE(padded_view<const_boxes>::check(counts, std::size_t{1} << 40, t::boxes(none)).ok());
}

TEST_CASE("extents of a row whose product overflows are an error, also those that were negative")
{
    const counts32 counts = {1};
    const floats eight(8);
    constexpr std::int64_t wrapping = (std::int64_t{1} << 62) + 1; // 4 * (2^62 + 1) is 4 in 64 bits
    CHECK_FALSE(padded_view<padbatch::masks<const float>>::check(counts, 2, t::masks(eight, wrapping, 2, 2)).ok());
    CHECK_FALSE(padded_view<padbatch::masks<const float>>::check(counts, 2, t::masks(eight, -1, 2, -2)).ok());
    CHECK(padded_view<padbatch::masks<const float>>::check(counts, 2, t::masks(eight, 1, 2, 2)).ok());
}

TEST_CASE("extents that contradict the field's own are an error")
{
    const counts32 counts = {1};
    const floats values(2 * 5 * 2 * 3);
    CHECK_FALSE(padded_view<padbatch::keypoints<const float>>::check(counts, 4, t::keypoints(values, 5, 2)).ok());
    CHECK(padded_view<padbatch::keypoints<const float>>::check(counts, 4, t::keypoints(values, 5, 3)).ok());
}

TEST_CASE("a batch without images, and one without a capacity, are batches")
{
    const counts32 none;
    const floats empty;
    const padded_view no_images(none, 100, t::boxes(empty), t::scores(empty));
    CHECK(no_images.size() == 0);
    CHECK(no_images.begin() == no_images.end());
    CHECK(no_images[t::boxes].size() == 0);
    CHECK(no_images[t::boxes].shape() == std::array<std::int64_t, 3>{0, 100, 4});

    const counts32 zeros = {0, 0};
    const padded_view no_rows(zeros, 0, t::boxes(empty));
    CHECK(no_rows.size() == 2);
    for (const auto image : no_rows) {
        CHECK(image.empty());
    }
    const padded_view<float_boxes> nothing;
    CHECK(nothing.size() == 0);
    CHECK(nothing[t::boxes].begin() == nothing[t::boxes].end());
    CHECK(nothing.counts().size() == 0);
}

TEST_CASE("a whole field is its memory, its shape, and a tensor for adapters")
{
    counts32 counts = {1, 0};
    floats boxes = counting<float>(2 * 3 * 4);
    const padded_view batch(counts, 3, t::boxes(boxes));
    const auto field = batch[t::boxes];
    CHECK(field.data() == boxes.data());
    CHECK(field.size() == 24);
    CHECK(field.end() - field.begin() == 24);
    CHECK(field.shape() == std::array<std::int64_t, 3>{2, 3, 4});
    static_assert(std::is_same_v<decltype(field.ref()), tensor_ref>);
    CHECK(field.ref().data() == boxes.data());
    CHECK(field.ref().is_contiguous());
    CHECK(field.ref().shape()[1] == 3);
    const padded_view<const_boxes> read = batch;
    static_assert(std::is_same_v<decltype(read[t::boxes].ref()), const_tensor_ref>);
    CHECK(read[t::boxes].data() == boxes.data());
}

TEST_CASE("a view that may write is const like a span: its elements are not")
{
    counts32 counts = {1, 0};
    floats scores(4);
    const padded_view batch(counts, 2, t::scores(scores));
    batch.image(0)[t::scores][0] = 7;
    batch.slot(1)[t::scores][1] = 8;
    batch.set_count(1, 2);
    CHECK(scores == floats{7, 0, 0, 8});
    CHECK(counts[1] == 2);
    CHECK(batch.slot(0).size() == 2);

    const auto copy = batch; // copies pointers
    copy.image(1)[t::scores][0] = 9;
    CHECK(scores[2] == 9);
}

TEST_CASE("a view that may read looks at the same memory as the one it was made of")
{
    std::vector<std::int64_t> counts = {1, 0};
    floats scores(4);
    const padded_view batch(counts, 2, t::scores(scores));
    const padded_view<padbatch::scores<const float>> read = batch;
    CHECK(read.size() == 2);
    CHECK(read.capacity() == 2);
    CHECK(read.count(0) == 1);
    CHECK(read.count_data() == counts.data());
    CHECK(read.image(0)[t::scores].data() == scores.data());
    batch.set_count(1, 2);
    CHECK(read.count(1) == 2);
}

TEST_CASE("what is not checked is taken as it is")
{
    counts32 counts = {2, 1};
    floats scores = counting<float>(4);
    const padded_view batch(unchecked, counts, 2, t::scores(scores));
    CHECK(batch.image(1)[t::scores][0] == 2);
}

TEST_CASE("an output is checked for its sizes before its counts are written")
{
    const floats boxes(2 * 3 * 4);
    CHECK(padded_view<const_boxes>::check_sizes(2, 3, t::boxes(boxes)).ok());
    check_status(padded_view<const_boxes>::check_sizes(2, 4, t::boxes(boxes)), status_code::size_mismatch, {"6", "8"});
}
