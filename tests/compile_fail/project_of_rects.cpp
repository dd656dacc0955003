// SPDX-License-Identifier: Apache-2.0
// expect: a class with a width and a height is not four corners
#include <padbatch/project.hpp>
#include <padbatch/xywh.hpp>

#include <vector>

using namespace padbatch;

struct rect {
    float x, y, w, h;
};
struct detection {
    rect box;
};

std::size_t images(const std::vector<std::vector<detection>>& given)
{
#ifdef PADBATCH_MUST_FAIL
    return project(given, t::boxes(&detection::box).of<float>()).size();
#else
    return project(given, t::boxes([](const detection& d) { return xywh_to_corners(d.box); })).size();
#endif
}
