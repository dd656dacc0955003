// SPDX-License-Identifier: Apache-2.0
// expect: an option of an operation that changes the boxes of a batch is parallel
#include <padbatch/detection/boxes.hpp>

using namespace padbatch;

status clip_all(padded<boxes<>, scores<>>& batch)
{
#ifdef PADBATCH_MUST_FAIL
    return try_clip_boxes(batch, {480, 640}, pad_values(t::scores(1)));
#else
    return try_clip_boxes(batch, {480, 640});
#endif
}
