// SPDX-License-Identifier: Apache-2.0
// expect: name the field of each pad value: pad_values(t::labels(-1))
#include <padbatch/pad.hpp>

#include <vector>

using namespace padbatch;

status pad_scores(const padded_view<scores<>>& output, const std::vector<std::vector<float>>& images)
{
#ifdef PADBATCH_MUST_FAIL
    return try_pad_into(output, each(t::scores(images)), pad_values(-1));
#else
    return try_pad_into(output, each(t::scores(images)), pad_values(t::scores(-1)));
#endif
}
