// SPDX-License-Identifier: Apache-2.0
// expect: a field's pad value is given twice
#include <padbatch/pad.hpp>

#include <vector>

using namespace padbatch;

status pad_scores(const padded_view<scores<>>& output, const std::vector<std::vector<float>>& images)
{
#ifdef PADBATCH_MUST_FAIL
    return try_pad_into(output, each(t::scores(images)), pad_values(t::scores(-1), t::scores(0)));
#else
    return try_pad_into(output, each(t::scores(images)), pad_values(t::scores(-1)));
#endif
}
