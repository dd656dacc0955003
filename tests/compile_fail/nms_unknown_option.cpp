// SPDX-License-Identifier: Apache-2.0
// expect: an option of nms is one of at_most(...), a workspace and
#include <padbatch/detection/nms.hpp>

using namespace padbatch;

status suppress_all(padded<boxes<>, scores<>>& batch)
{
#ifdef PADBATCH_MUST_FAIL
    return try_nms(batch, 0.5, class_shift(7680));
#else
    return try_nms(batch, 0.5, at_most(100));
#endif
}
