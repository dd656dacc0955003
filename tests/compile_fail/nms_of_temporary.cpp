// SPDX-License-Identifier: Apache-2.0
// expect: the batch is a temporary, and what is left of it would be lost
#include <padbatch/detection/nms.hpp>

using namespace padbatch;

status suppress_all()
{
    ragged<boxes<>, scores<>> batch;
#ifdef PADBATCH_MUST_FAIL
    return try_nms(ragged<boxes<>, scores<>>(), 0.5);
#else
    return try_nms(batch, 0.5);
#endif
}
