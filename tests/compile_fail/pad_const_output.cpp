// SPDX-License-Identifier: Apache-2.0
// expect: the output is const
#include <padbatch/pad.hpp>

#include <vector>

using namespace padbatch;

#ifdef PADBATCH_MUST_FAIL
using output_type = padded_view<scores<const float>>;
#else
using output_type = padded_view<scores<>>;
#endif

status pad_scores(const output_type& output, const std::vector<std::vector<float>>& images)
{
    return try_pad_into(output, each(t::scores(images)));
}
