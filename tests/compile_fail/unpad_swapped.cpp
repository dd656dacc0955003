// SPDX-License-Identifier: Apache-2.0
// expect: a padded batch is made from counts, the capacity M and named fields
#include <padbatch/unpad.hpp>

#include <cstdint>
#include <vector>

using namespace padbatch;

std::size_t images(const std::vector<std::int32_t>& counts, const std::vector<float>& values)
{
#ifdef PADBATCH_MUST_FAIL
    return unpad(t::scores(values), counts, 100).size();
#else
    return unpad(counts, 100, t::scores(values)).size();
#endif
}
