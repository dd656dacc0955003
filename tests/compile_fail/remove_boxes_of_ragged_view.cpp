// SPDX-License-Identifier: Apache-2.0
// expect: a ragged view cannot drop rows
#include <padbatch/detection/boxes.hpp>

using namespace padbatch;

status drop_small(ragged<boxes<>>& batch)
{
#ifdef PADBATCH_MUST_FAIL
    return try_remove_small_boxes(batch.view(), 2);
#else
    return try_remove_small_boxes(batch, 2);
#endif
}
