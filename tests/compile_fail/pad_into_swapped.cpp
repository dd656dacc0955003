// SPDX-License-Identifier: Apache-2.0
// expect: pad_into(output, source) writes to its first argument
#include <padbatch/pad.hpp>

#include <vector>

using namespace padbatch;

status pad_boxes(padded<boxes<>>& output, const std::vector<std::vector<float>>& images)
{
#ifdef PADBATCH_MUST_FAIL
    return try_pad_into(each(t::boxes(images)), output);
#else
    return try_pad_into(output, each(t::boxes(images)));
#endif
}
