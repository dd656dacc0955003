// SPDX-License-Identifier: Apache-2.0
// expect: an option of soft_nms is one of at_most(...), a workspace and
#include <padbatch/detection/soft_nms.hpp>

using namespace padbatch;

status suppress_all(ragged<boxes<>, scores<>>& batch)
{
#ifdef PADBATCH_MUST_FAIL
    return try_soft_nms(batch, soft_nms_linear(0.5), 0.1F, 100);
#else
    return try_soft_nms(batch, soft_nms_linear(0.5), 0.1F, at_most(100));
#endif
}
