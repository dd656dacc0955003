// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/field.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

using namespace padbatch::onnx_tools;
using padbatch::element_type;

namespace {

using fields = std::vector<field>;

// A type with these extents; below 0 is an open one.
value_type type_of(element_type element, const std::vector<std::int64_t>& extents)
{
    value_type type{element, static_cast<int>(extents.size()), {}};
    for (const auto extent : extents) {
        type.shape.push_back(extent < 0 ? dimension() : dimension{extent, ""});
    }
    return type;
}

value_type floats(const std::vector<std::int64_t>& extents)
{
    return type_of(element_type::float32, extents);
}

// All fields that a value of this type can be.
fields fitting(const value_type& type)
{
    fields found;
    for (const auto kind : all_fields()) {
        if (fits(kind, type)) {
            found.push_back(kind);
        }
    }
    return found;
}

} // namespace

TEST_CASE("the fields are listed in one order, by their names")
{
    REQUIRE(all_fields().size() == field_count);
    CHECK(list_of(all_fields()) == "boxes, labels, scores, masks, keypoints, keypoints_scores, mask_coefficients");
    CHECK(all_field_names() == list_of(all_fields()));
    CHECK(list_of({field::scores, field::boxes}, ",") == "scores,boxes");
    CHECK(list_of({}).empty());
}

TEST_CASE("a type fits the fields that have its elements, rank and last extent")
{
    using enum field;
    CHECK(fitting(floats({-1})) == fields{scores});
    CHECK(fitting(floats({-1, 4})) == fields{boxes, keypoints_scores});
    CHECK(fitting(floats({-1, -1})) == fields{boxes, keypoints_scores});
    CHECK(fitting(floats({-1, 17})) == fields{keypoints_scores});
    CHECK(fitting(floats({-1, 28, 28})) == fields{masks});
    CHECK(fitting(floats({-1, 17, 3})) == fields{masks, keypoints});
    CHECK(fitting(floats({-1, 1, 28, 28})) == fields{masks});
    CHECK(fitting(floats({})).empty());
    CHECK(fitting(type_of(element_type::int64, {-1})) == fields{labels});
    CHECK(fitting(type_of(element_type::int64, {-1, 4})).empty());
    CHECK(fitting(type_of(element_type::boolean, {-1})).empty());
    CHECK(fitting(type_of(element_type::boolean, {-1, 28, 28})) == fields{masks});
    CHECK(fitting(type_of(element_type::uint8, {-1, 1, 28, 28})) == fields{masks});
    CHECK(fitting(type_of(element_type::int32, {-1, 1, 28, 28})).empty());
    CHECK(fitting({element_type::float32, std::nullopt, {}}).empty());
    CHECK(fitting({std::nullopt, 2, {}}).empty());
    CHECK(fitting({element_type::float32, 3, {}}) == fields{masks, keypoints}); // no shape is known
}

TEST_CASE("a user may call a value what its type does not rule out")
{
    for (const auto kind : all_fields()) {
        CAPTURE(name_of(kind));
        const auto rank = static_cast<std::size_t>(usual_rank(kind));
        CHECK(may_be_called(kind, floats(std::vector<std::int64_t>(rank, -1))));
        CHECK(may_be_called(kind, {element_type::float32, std::nullopt, {}}));
        CHECK_FALSE(may_be_called(kind, floats({})));
        const bool integers = kind == field::labels || kind == field::masks;
        CHECK(may_be_called(kind, {element_type::int64, usual_rank(kind), {}}) == integers);
        const bool any_rank = kind != field::boxes && kind != field::labels && kind != field::scores;
        CHECK(may_be_called(kind, floats(std::vector<std::int64_t>(rank + 1, -1))) == any_rank);
    }
}

TEST_CASE("fields convert to their names and back")
{
    for (const auto f : {field::boxes, field::labels, field::scores, field::masks, field::keypoints,
                         field::keypoints_scores, field::mask_coefficients}) {
        CHECK(field_from_name(name_of(f)) == f);
        CHECK(all_field_names().find(name_of(f)) != std::string::npos);
    }
    CHECK_FALSE(field_from_name("box"));
    CHECK_FALSE(field_from_name(""));
    CHECK_FALSE(field_from_name("Boxes"));
}
