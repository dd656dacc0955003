// SPDX-License-Identifier: Apache-2.0
// expect: the rows have another element type than this batch
#include <padbatch/ragged.hpp>

#include <vector>

using namespace padbatch;

#ifdef PADBATCH_MUST_FAIL
using data = std::vector<double>;
#else
using data = std::vector<float>;
#endif

status append(ragged<scores<>>& batch, const data& values)
{
    return batch.try_append(t::scores(values));
}
