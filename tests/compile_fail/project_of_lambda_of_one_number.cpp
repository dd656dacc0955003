// SPDX-License-Identifier: Apache-2.0
// expect: one number is not a row of this field
#include <padbatch/project.hpp>

#include <array>
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
    return project(given, t::boxes([](const detection& d) { return d.score; })).size();
#else
    return project(given, t::boxes([](const detection& d) { return std::array{d.score, 0.0F, 1.0F, 1.0F}; })).size();
#endif
}
