// SPDX-License-Identifier: Apache-2.0
// expect: rows of a class type: say what they consist of
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
    return project(given, t::boxes([](const detection& d) { return d.shape; })).size();
#else
    return project(given, t::boxes([](const detection& d) { return d.shape; }).of<float>()).size();
#endif
}
