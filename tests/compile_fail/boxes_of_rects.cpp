// SPDX-License-Identifier: Apache-2.0
// expect: a class with a width and a height is not four corners
#include <padbatch/source.hpp>
#include <padbatch/xywh.hpp>

#include <vector>

using namespace padbatch;

struct rect {
    int x, y, width, height;
};

std::size_t images(const std::vector<std::vector<rect>>& rects)
{
#ifdef PADBATCH_MUST_FAIL
    return each(t::boxes(rects).of<int>()).image(0).size();
#else
    return each(t::boxes(xywh(rects))).image(0).size();
#endif
}
