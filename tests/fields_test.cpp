// SPDX-License-Identifier: Apache-2.0
#include <padbatch/fields.hpp>
#include <padbatch/padded.hpp>
#include <padbatch/source.hpp>

#include <tests/support/check_status.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

using namespace padbatch;
using padbatch::test::check_status;

namespace {

struct embedding_t : tag<embedding_t, 256> {
    static constexpr char name[] = "embedding";
};
inline constexpr embedding_t embedding{};

struct unnamed_t : tag<unnamed_t> {};

struct corners {
    float x1, y1, x2, y2;
};

template <class Bound>
using value_of_bound = decltype(Bound::value);

} // namespace

static_assert(field_tag<t::boxes_t> && field_tag<t::masks_t> && field_tag<embedding_t>);
static_assert(!field_tag<unnamed_t> && !field_tag<int>);
static_assert(std::is_empty_v<t::boxes_t>);

// The kinds of fields and the extents of their rows.
static_assert(std::is_same_v<t::boxes_t::row, row_extents<4>>);
static_assert(std::is_same_v<t::labels_t::row, row_extents<>>);
static_assert(std::is_same_v<t::scores_t::row, row_extents<>>);
static_assert(std::is_same_v<t::masks_t::row, row_extents<dynamic, dynamic, dynamic>>);
static_assert(std::is_same_v<t::keypoints_t::row, row_extents<dynamic, 3>>);
static_assert(std::is_same_v<t::keypoints_scores_t::row, row_extents<dynamic>>);
static_assert(std::is_same_v<t::mask_coefficients_t::row, row_extents<dynamic>>);
static_assert(std::is_same_v<embedding_t::row, row_extents<256>>);

// The fields' types unless said otherwise: what torchvision's models give.
static_assert(std::is_same_v<boxes<>, field<t::boxes_t, float, row_extents<4>>>);
static_assert(std::is_same_v<labels<>::value_type, std::int64_t> && std::is_same_v<scores<>::value_type, float>);
static_assert(std::is_same_v<masks<bool, 1, 28, 28>::extents_type, row_extents<1, 28, 28>>);
static_assert(std::is_same_v<masks<>::extents_type, t::masks_t::row>);
static_assert(std::is_same_v<keypoints<float, 17>::extents_type, row_extents<17, 3>>);
static_assert(std::is_same_v<keypoints<>::extents_type, t::keypoints_t::row>);
static_assert(std::is_same_v<keypoints_scores<double, 17>::extents_type, row_extents<17>>);
static_assert(std::is_same_v<mask_coefficients<float16, 32>::extents_type, row_extents<32>>);
static_assert(std::is_same_v<labels<const std::int32_t>::value_type, std::int32_t>);
static_assert(std::is_same_v<labels<const std::int32_t>::element_type, const std::int32_t>);
static_assert(std::is_same_v<field<embedding_t, float16>::extents_type, row_extents<256>>);

// An lvalue is held by reference, so that nothing is copied; what is small or temporary is held by value.
using floats = std::vector<float>;
static_assert(std::is_same_v<value_of_bound<decltype(t::scores(std::declval<floats&>()))>, floats&>);
static_assert(std::is_same_v<value_of_bound<decltype(t::scores(std::declval<const floats&>()))>, const floats&>);
static_assert(std::is_same_v<value_of_bound<decltype(t::scores(std::declval<floats>()))>, floats>);
static_assert(std::is_same_v<value_of_bound<decltype(t::scores(std::declval<std::span<float>&>()))>, std::span<float>>);
static_assert(std::is_same_v<value_of_bound<decltype(t::labels(std::declval<const int&>()))>, int>);
static_assert(std::is_same_v<value_of_bound<decltype(t::boxes(cols<0, 4>))>, columns_t<0, 4>>);
static_assert(std::is_same_v<value_of_bound<decltype(t::scores(col<4>))>, columns_t<4, 1>>);
static_assert(std::is_same_v<value_of_bound<decltype(t::scores(&corners::x1))>, float corners::*>);

// What a bound says besides.
using bound_labels = decltype(t::labels(std::declval<std::vector<std::int64_t>&>()).as<std::int32_t>());
static_assert(std::is_same_v<bound_labels::as_type, std::int32_t> && std::is_void_v<bound_labels::of_type>);
using bound_boxes = decltype(t::boxes(std::declval<std::vector<corners>&>()).of<float>());
static_assert(std::is_same_v<bound_boxes::of_type, float> && std::is_void_v<bound_boxes::as_type>);
static_assert(std::is_same_v<decltype(t::boxes(std::declval<std::vector<corners>&>()).of<float>().as<double>()),
                             bound<t::boxes_t, std::vector<corners>&, row_extents<4>, double, float>>);
static_assert(std::is_same_v<bound_labels::tag, t::labels_t>);

TEST_CASE("every tag carries its name")
{
    CHECK(std::string_view(t::boxes.name) == "boxes");
    CHECK(std::string_view(t::labels.name) == "labels");
    CHECK(std::string_view(t::scores.name) == "scores");
    CHECK(std::string_view(t::masks.name) == "masks");
    CHECK(std::string_view(t::keypoints.name) == "keypoints");
    CHECK(std::string_view(t::keypoints_scores.name) == "keypoints_scores");
    CHECK(std::string_view(t::mask_coefficients.name) == "mask_coefficients");
    CHECK(std::string_view(t::image_id.name) == "image_id");
    CHECK(std::string_view(t::track_id.name) == "track_id");
    CHECK(std::string_view(t::values.name) == "values");
    CHECK(std::string_view(embedding.name) == "embedding");
}

TEST_CASE("a tag holds an lvalue where it is, also through as and of")
{
    std::vector<std::int64_t> values = {1, 2};
    auto plain = t::labels(values);
    auto converted = t::labels(values).as<std::int32_t>();
    CHECK(&plain.value == &values);
    CHECK(&converted.value == &values);

    std::vector<corners> structs(2);
    auto parts = t::boxes(structs).of<float>().as<double>();
    CHECK(&parts.value == &structs);
}

TEST_CASE("a tag moves a temporary in")
{
    std::vector<float> values = {1, 2, 3};
    const float* const data = values.data();
    auto held = t::scores(std::move(values)).as<double>();
    CHECK(held.value.data() == data);
    CHECK(held.value.size() == 3);
}

TEST_CASE("a tag takes the extents of the rows where the type leaves them open")
{
    const std::vector<float> values(2 * 784);
    const auto given = t::masks(values, 1, 28, 28);
    CHECK(given.row.same_as(row_extents<1, 28, 28>{}));
    CHECK(t::keypoints(values, 17, 3).row.same_as(row_extents<17, 3>{}));
    CHECK(t::masks(values).row.size() == 0);
    CHECK(t::masks(values, std::size_t{1}, std::int64_t{28}, 14U).as<double>().row.same_as(row_extents<1, 28, 14>{}));
    CHECK(t::masks.shape(3, 2, 1).extents.same_as(row_extents<3, 2, 1>{}));
    CHECK(t::keypoints.shape(5, 3).extents.same_as(row_extents<5, 3>{}));
    CHECK(t::boxes.shape(4).extents.size() == 4);
    CHECK(t::scores.shape().extents.size() == 1);
}

TEST_CASE("extents that no row can have are not narrowed to some that it can")
{
    CHECK(detail::given_extent(-1) == dynamic);
    CHECK(detail::given_extent(std::int8_t{-2}) == dynamic);
    CHECK(detail::given_extent(std::int64_t{1} << 40) == std::size_t{1} << 40);
    CHECK(detail::given_extent(std::numeric_limits<std::uint64_t>::max()) == dynamic);
    CHECK(detail::given_extent(true) == 1);
    const std::vector<std::vector<float>> none{{}};
    const std::vector<std::vector<float>> some{{1, 2}};
    for (const auto* images : {&none, &some}) {
        check_status(each(t::masks(*images, 1, -2, 1)).check(0), status_code::size_overflow, {"masks"});
        check_status(each(t::masks(*images, 0, 1, -1)).check(0), status_code::size_overflow, {"masks"});
        check_status(each(t::keypoints(*images, 1, -3)).check(0), status_code::size_overflow, {"keypoints"});
        check_status(each(t::boxes(*images, -4)).check(0), status_code::size_overflow, {"boxes"});
    }
    padded<masks<>, boxes<>> owner;
    check_status(owner.try_allocate(0, 0, t::masks.shape(1, -2, 1)), status_code::size_overflow, {"masks"});
    check_status(owner.try_allocate(2, 3, t::masks.shape(0, 1, -1)), status_code::size_overflow, {"masks"});
    check_status(owner.try_allocate(2, 3, t::masks.shape(1, 2, 2), t::boxes.shape(5)), status_code::row_mismatch,
                 {"boxes"});
    check_status(owner.try_allocate(2, 3, t::masks.shape(1, 2, 2), t::boxes.shape(-4)), status_code::row_mismatch,
                 {"boxes"});
    REQUIRE(owner.try_allocate(2, 3, t::masks.shape(1, 2, 2), t::boxes.shape(4)).ok());
}

TEST_CASE("members that make up a row are listed in order")
{
    constexpr auto listed = t::boxes(&corners::x1, &corners::y1, &corners::x2, &corners::y2);
    static_assert(std::is_same_v<decltype(listed.value), member_list<float corners::*, 4>>);
    CHECK((listed.value.members[0] == &corners::x1));
    CHECK((listed.value.members[3] == &corners::y2));
}

TEST_CASE("columns know where they begin and how many they are")
{
    CHECK(cols<1, 4>.first == 1);
    CHECK(cols<1, 4>.count == 4);
    CHECK(col<6>.first == 6);
    CHECK(col<6>.count == 1);
}
