// SPDX-License-Identifier: Apache-2.0
#include <padbatch/detection/at_most.hpp>

#include <doctest/doctest.h>

TEST_CASE("at_most holds a number of rows, known when it is compiled")
{
    constexpr padbatch::at_most ten(10);
    static_assert(ten.rows() == 10 && padbatch::at_most(0).rows() == 0);
    static_assert(padbatch::detail::is_at_most<const padbatch::at_most&> && !padbatch::detail::is_at_most<int>);
    CHECK(ten.rows() == 10);
}
