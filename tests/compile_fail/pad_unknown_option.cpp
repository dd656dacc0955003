// SPDX-License-Identifier: Apache-2.0
// expect: an option of pad_into is one of overflow::...
#include <padbatch/pad.hpp>

#include <vector>

using namespace padbatch;

status pad_scores(padded<scores<>>& output, const std::vector<std::vector<float>>& images)
{
#ifdef PADBATCH_MUST_FAIL
    return try_pad_into(output, each(t::scores(images)), 100);
#else
    return try_pad_into(output, each(t::scores(images)), capacity::fixed(100));
#endif
}
