// SPDX-License-Identifier: Apache-2.0
// expect: take a padded_view only
#include <padbatch/pad.hpp>

#include <vector>

using namespace padbatch;

status check_boxes(padded<boxes<>>& output, const std::vector<std::vector<float>>& images)
{
#ifdef PADBATCH_MUST_FAIL
    return check_pad_into(output, images);
#else
    return check_pad_into(output.view(), images);
#endif
}
