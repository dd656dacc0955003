// SPDX-License-Identifier: Apache-2.0
// expect: each field of a batch needs a tag of its own
#include <padbatch/source.hpp>

#include <vector>

using namespace padbatch;

std::size_t images(const std::vector<std::vector<float>>& a, const std::vector<std::vector<float>>& b)
{
#ifdef PADBATCH_MUST_FAIL
    return each(t::scores(a), t::scores(b)).size();
#else
    return each(t::scores(a), t::values(b)).size();
#endif
}
