// SPDX-License-Identifier: Apache-2.0
// expect: finish_slot(output, i, n
#include <padbatch/slots.hpp>

using namespace padbatch;

void finish(padded<boxes<>>& batch)
{
#ifdef PADBATCH_MUST_FAIL
    finish_slot(0, batch, 3);
#else
    finish_slot(batch, 0, 3);
#endif
}
