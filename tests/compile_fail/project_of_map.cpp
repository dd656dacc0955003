// SPDX-License-Identifier: Apache-2.0
// expect: project(...) takes a container with random access
#include <padbatch/project.hpp>

#include <map>
#include <vector>

using namespace padbatch;

struct detection {
    float score;
};

#ifdef PADBATCH_MUST_FAIL
using images_type = std::map<int, std::vector<detection>>;
#else
using images_type = std::vector<std::vector<detection>>;
#endif

std::size_t images(images_type& given)
{
    return project(given, t::scores(&detection::score)).size();
}
