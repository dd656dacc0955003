// SPDX-License-Identifier: Apache-2.0
// expect: a ragged view cannot drop rows
#include <padbatch/detection/nms.hpp>

using namespace padbatch;

status suppress_all(ragged<boxes<>, scores<>>& batch)
{
#ifdef PADBATCH_MUST_FAIL
    return try_nms(batch.view(), 0.5);
#else
    return try_nms(batch, 0.5);
#endif
}
