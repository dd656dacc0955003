// SPDX-License-Identifier: Apache-2.0
#include <padbatch/padbatch.hpp>

#include <array>
#include <cstdint>

int main()
{
    const std::array<std::int64_t, 3> boxes{2, 100, 4};
    return padbatch::element_count(boxes) == 800 ? 0 : 1;
}
