// SPDX-License-Identifier: Apache-2.0
// expect: takes a row_index and a tag for each field
#include <padbatch/tagged.hpp>

#include <vector>

using namespace padbatch;

std::size_t images(const row_index& index, const std::vector<float>& values)
{
#ifdef PADBATCH_MUST_FAIL
    return tagged(t::scores(values), index).size();
#else
    return tagged(index, t::scores(values)).size();
#endif
}
