// SPDX-License-Identifier: Apache-2.0
// expect: padding::reuse needs an owner
#include <padbatch/pad.hpp>

#include <vector>

using namespace padbatch;

// A view does not know what its memory held before.
#ifdef PADBATCH_MUST_FAIL
using output_type = const padded_view<scores<>>;
#else
using output_type = padded<scores<>>;
#endif

status pad_scores(output_type& output, const std::vector<std::vector<float>>& images)
{
    return try_pad_into(output, each(t::scores(images)), padding::reuse);
}
