// SPDX-License-Identifier: Apache-2.0
// expect: one number is not a row of this field
#include <padbatch/project.hpp>

#include <vector>

using namespace padbatch;

struct detection {
    float x1, y1, x2, y2;
};

std::size_t images(const std::vector<std::vector<detection>>& given)
{
#ifdef PADBATCH_MUST_FAIL
    return project(given, t::boxes(&detection::x1)).size();
#else
    return project(given, t::boxes(&detection::x1, &detection::y1, &detection::x2, &detection::y2)).size();
#endif
}
