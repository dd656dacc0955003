// SPDX-License-Identifier: Apache-2.0
// expect: say what they consist of, as in t::boxes(x).of<float>()
#include <padbatch/padded_view.hpp>

#include <cstdint>
#include <vector>

using namespace padbatch;

struct corners {
    float x1, y1, x2, y2;
};

float first(const std::vector<std::int32_t>& counts, const std::vector<corners>& values)
{
#ifdef PADBATCH_MUST_FAIL
    return padded_view(counts, 100, t::boxes(values)).image(0)[t::boxes][0][0];
#else
    return padded_view(counts, 100, t::boxes(values).of<float>()).image(0)[t::boxes][0][0];
#endif
}
