// SPDX-License-Identifier: Apache-2.0
// expect: members that make up a row are adjacent members of one struct
#include <padbatch/project.hpp>

#include <vector>

using namespace padbatch;

struct box {
    float corners[4];
};
struct detection {
    box shape;
    float score;
};

std::size_t images(const std::vector<std::vector<detection>>& given)
{
#ifdef PADBATCH_MUST_FAIL
    return project(given, t::boxes(&detection::shape, &box::corners)).size();
#else
    return project(given, t::boxes([](const detection& d) -> const auto& { return d.shape.corners; })).size();
#endif
}
