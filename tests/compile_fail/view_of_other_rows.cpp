// SPDX-License-Identifier: Apache-2.0
// expect: the data have rows of another shape than the field
#include <padbatch/padded_view.hpp>

#include <array>
#include <cstdint>
#include <vector>

using namespace padbatch;

#ifdef PADBATCH_MUST_FAIL
constexpr std::size_t points = 16;
#else
constexpr std::size_t points = 17;
#endif

std::size_t images(std::vector<std::int32_t>& counts, std::vector<std::array<std::array<float, 3>, points>>& values)
{
    return padded_view<keypoints<float, 17>>(counts, 100, t::keypoints(values)).size();
}
