// SPDX-License-Identifier: Apache-2.0
// expect: pad_into(output, source) writes to its first argument
#include <padbatch/pad.hpp>

#include <vector>

using namespace padbatch;

void pad_boxes(padded<boxes<>>& output, const std::vector<std::vector<float>>& images)
{
#ifdef PADBATCH_MUST_FAIL
    pad_into(images, output);
#else
    pad_into(output, images);
#endif
}
