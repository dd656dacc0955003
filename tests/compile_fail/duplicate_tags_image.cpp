// SPDX-License-Identifier: Apache-2.0
// expect: needs a tag of its own
#include <padbatch/source.hpp>

#include <vector>

using namespace padbatch;

std::size_t rows_of(const std::vector<float>& a, const std::vector<float>& b)
{
#ifdef PADBATCH_MUST_FAIL
    return image_of(t::scores(a), t::scores(b)).size();
#else
    return image_of(t::scores(a), t::values(b)).size();
#endif
}
