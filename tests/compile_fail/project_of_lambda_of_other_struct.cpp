// SPDX-License-Identifier: Apache-2.0
// expect: a field of structs is a member of theirs
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
    return project(given, t::scores([](const box& b) { return b.corners[0]; })).size();
#else
    return project(given, t::scores([](const detection& d) { return d.shape.corners[0]; })).size();
#endif
}
