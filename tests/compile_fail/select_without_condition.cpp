// SPDX-License-Identifier: Apache-2.0
// expect: select_rows needs a condition
#include <padbatch/detection/select.hpp>

using namespace padbatch;

status keep_some(ragged<boxes<>, scores<>>& batch, workspace& space)
{
#ifdef PADBATCH_MUST_FAIL
    return try_select_rows(batch, space);
#else
    return try_select_rows(batch, score_above(0.5F), space);
#endif
}
