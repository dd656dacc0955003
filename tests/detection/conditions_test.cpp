// SPDX-License-Identifier: Apache-2.0
#include <padbatch/detection/conditions.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <type_traits>
#include <vector>

using namespace padbatch;

TEST_CASE("conditions hold thresholds, and refer to lists")
{
    static_assert(score_above(0.5F).threshold() == 0.5F && score_at_least(0.25F).threshold() == 0.25F);
    static_assert(highest_scores(3).rows() == 3);
    const std::vector<float> thresholds{0.5F, 0.75F};
    CHECK(score_above_of_label(thresholds).thresholds().data() == thresholds.data());
    const std::array<std::uint8_t, 2> classes{3, 7};
    const label_in listed(classes);
    static_assert(std::is_same_v<decltype(listed), const label_in<std::uint8_t>>);
    CHECK((listed.labels().size() == 2 && listed.labels().data() == classes.data()));
}
