// SPDX-License-Identifier: Apache-2.0
// expect: the batch is const, but the operation changes it in place
#include <padbatch/detection/nms.hpp>

using namespace padbatch;

#ifdef PADBATCH_MUST_FAIL
status suppress_all(const padded<boxes<>, scores<>>& batch)
#else
status suppress_all(padded<boxes<>, scores<>>& batch)
#endif
{
    return try_nms(batch, 0.5);
}
