// SPDX-License-Identifier: Apache-2.0
// expect: the function of generated(...) returns the rows of image i
#include <padbatch/source.hpp>

#include <vector>

using namespace padbatch;

std::size_t images(const std::vector<std::vector<float>>& values)
{
#ifdef PADBATCH_MUST_FAIL
    return generated(2, [&](std::size_t i) { return values[i].size(); }).size();
#else
    return generated(2, [&](std::size_t i) { return image_of(t::scores(values[i])); }).size();
#endif
}
