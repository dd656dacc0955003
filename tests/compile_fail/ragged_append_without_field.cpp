// SPDX-License-Identifier: Apache-2.0
// expect: this image has no field with this tag
#include <padbatch/ragged.hpp>

#include <vector>

using namespace padbatch;

status append(ragged<boxes<>, scores<>>& batch, const std::vector<float>& a, const std::vector<float>& b)
{
#ifdef PADBATCH_MUST_FAIL
    return batch.try_append(t::boxes(a), t::values(b));
#else
    return batch.try_append(t::boxes(a), t::scores(b));
#endif
}
