// SPDX-License-Identifier: Apache-2.0
// expect: name each field: image_of
#include <padbatch/source.hpp>

#include <vector>

using namespace padbatch;

std::size_t rows(const std::vector<float>& values)
{
#ifdef PADBATCH_MUST_FAIL
    return image_of(values).size();
#else
    return image_of(t::scores(values)).size();
#endif
}
