// SPDX-License-Identifier: Apache-2.0
// expect: a padded batch is made from counts, the capacity M and named fields
#include <padbatch/padded_view.hpp>

#include <cstdint>
#include <vector>

using namespace padbatch;

std::size_t images(std::vector<std::int32_t>& counts, std::vector<float>& values)
{
#ifdef PADBATCH_MUST_FAIL
    return padded_output(counts, 100, values).size();
#else
    return padded_output(counts, 100, t::scores(values)).size();
#endif
}
