// SPDX-License-Identifier: Apache-2.0
// expect: a container with random access, whose item i is image i's rows
#include <padbatch/pad.hpp>

#include <map>
#include <vector>

using namespace padbatch;

#ifdef PADBATCH_MUST_FAIL
using images_type = std::map<int, std::vector<float>>;
#else
using images_type = std::vector<std::vector<float>>;
#endif

status pad_scores(const padded_view<scores<>>& output, images_type& images)
{
    return try_pad_into(output, images);
}
