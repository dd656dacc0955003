// SPDX-License-Identifier: Apache-2.0
// expect: each field that is written needs one with the same tag that is read
#include <padbatch/detection/gather.hpp>

#include <vector>

using namespace padbatch;

status copy_some(std::vector<float>& to, const std::vector<int>& numbers, const std::vector<float>& from)
{
#ifdef PADBATCH_MUST_FAIL
    return try_gather_rows_into(t::scores(to), numbers, t::values(from));
#else
    return try_gather_rows_into(t::scores(to), numbers, t::scores(from));
#endif
}
