// SPDX-License-Identifier: Apache-2.0
// expect: name each field, append(t::boxes(boxes)
#include <padbatch/ragged.hpp>

#include <vector>

using namespace padbatch;

void grow(ragged<scores<>>& batch, const std::vector<float>& values)
{
#ifdef PADBATCH_MUST_FAIL
    batch.append(values);
#else
    batch.append(t::scores(values));
#endif
}
