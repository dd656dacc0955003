// SPDX-License-Identifier: Apache-2.0
// expect: pad_into(output, source) writes to its first argument
#include <padbatch/pad.hpp>

#include <vector>

using namespace padbatch;

void pad_boxes(const std::vector<std::vector<float>>& images)
{
#ifdef PADBATCH_MUST_FAIL
    pad_into(padded<boxes<>>(8, 100), images);
#else
    padded<boxes<>> output(8, 100);
    pad_into(output, images);
#endif
}
