// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/plan/pad_plan.hpp>

#include <doctest/doctest.h>

using namespace padbatch::onnx_tools;

TEST_CASE("a field's place is where the plan has it, whatever its kind's own order")
{
    pad_plan p;
    CHECK_FALSE(place_of(p, field::boxes));
    for (const auto kind : {field::scores, field::boxes, field::keypoints}) {
        p.fields.emplace_back().kind = kind;
    }
    CHECK(place_of(p, field::scores) == std::size_t{0});
    CHECK(place_of(p, field::boxes) == std::size_t{1});
    CHECK(place_of(p, field::keypoints) == std::size_t{2});
    CHECK_FALSE(place_of(p, field::keypoints_scores));
    CHECK_FALSE(place_of(p, field::labels));
}
