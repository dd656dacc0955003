// SPDX-License-Identifier: Apache-2.0
// expect: xywh(...) takes boxes of x, y, width and height
#include <padbatch/source.hpp>
#include <padbatch/xywh.hpp>

#include <vector>

using namespace padbatch;

struct corners {
    float x1, y1, x2, y2;
};
struct rect {
    float left, top, width, height;
};

#ifdef PADBATCH_MUST_FAIL
using box = corners;
#else
using box = rect;
#endif

std::size_t images(const std::vector<std::vector<box>>& given)
{
    return each(t::boxes(xywh(given))).image(0).size();
}
