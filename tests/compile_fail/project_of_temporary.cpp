// SPDX-License-Identifier: Apache-2.0
// expect: deleted function
#include <padbatch/project.hpp>

#include <utility>
#include <vector>

using namespace padbatch;

struct detection {
    float score;
};

// The source would look at structs that are gone.
std::size_t images(std::vector<std::vector<detection>>& given)
{
#ifdef PADBATCH_MUST_FAIL
    return project(std::move(given), t::scores(&detection::score)).size();
#else
    return project(given, t::scores(&detection::score)).size();
#endif
}
