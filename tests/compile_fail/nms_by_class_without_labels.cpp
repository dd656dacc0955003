// SPDX-License-Identifier: Apache-2.0
// expect: nms needs a batch with t::boxes and t::scores, and batched_nms also t::labels
#include <padbatch/detection/nms.hpp>

using namespace padbatch;

status suppress_all(padded<boxes<>, scores<>>& batch)
{
#ifdef PADBATCH_MUST_FAIL
    return try_batched_nms(batch, 0.5);
#else
    return try_nms(batch, 0.5);
#endif
}
