// SPDX-License-Identifier: Apache-2.0
// expect: name each field: project(images
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
    return project(given, &detection::score).size();
#else
    return project(given, t::scores(&detection::score)).size();
#endif
}
