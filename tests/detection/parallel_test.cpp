// SPDX-License-Identifier: Apache-2.0
#include <padbatch/detection/parallel.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <type_traits>
#include <utility>

TEST_CASE("parallel refers to a loop that is a variable, and holds one that is a temporary")
{
    int calls = 0;
    auto loop = [&calls](std::size_t n, const auto& body) {
        for (std::size_t i = 0; i < n; ++i) {
            body(i);
            ++calls;
        }
    };
    auto by_reference = padbatch::parallel(loop);
    CHECK(&by_reference.loop == &loop);
    std::size_t sum = 0;
    by_reference.loop(5, [&sum](std::size_t i) { sum += i; });
    auto held = padbatch::parallel(std::move(loop));
    static_assert(!std::is_reference_v<decltype(held.loop)>);
    held.loop(3, [&sum](std::size_t i) { sum += i; });
    CHECK(sum == 13);
    CHECK(calls == 8);
}
