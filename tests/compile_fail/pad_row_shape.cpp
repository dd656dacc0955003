// SPDX-License-Identifier: Apache-2.0
// expect: a field has rows of another shape in the output
#include <padbatch/pad.hpp>

#include <array>
#include <cstdint>
#include <vector>

using namespace padbatch;

#ifdef PADBATCH_MUST_FAIL
constexpr std::size_t points = 16;
#else
constexpr std::size_t points = 17;
#endif

status pad_keypoints(const padded_view<keypoints<float, 17>>& output,
                     const std::vector<std::vector<std::array<std::array<float, 3>, points>>>& images)
{
    return try_pad_into(output, each(t::keypoints(images)));
}
