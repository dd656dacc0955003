// SPDX-License-Identifier: Apache-2.0
// expect: the class given to .of<T>() has another size than a row of T
#include <padbatch/padded_view.hpp>

#include <cstdint>
#include <vector>

using namespace padbatch;

struct corners {
    float x1, y1, x2, y2;
#ifdef PADBATCH_MUST_FAIL
    float score;
#endif
};

float first(const std::vector<std::int32_t>& counts, const std::vector<corners>& values)
{
    return padded_view(counts, 100, t::boxes(values).of<float>()).image(0)[t::boxes][0][0];
}
