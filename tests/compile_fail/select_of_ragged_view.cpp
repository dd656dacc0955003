// SPDX-License-Identifier: Apache-2.0
// expect: a ragged view cannot drop rows
#include <padbatch/detection/select.hpp>

using namespace padbatch;

status keep_some(ragged<boxes<>, scores<>>& batch)
{
#ifdef PADBATCH_MUST_FAIL
    return try_select_rows(batch.view(), score_above(0.5F));
#else
    return try_select_rows(batch, score_above(0.5F));
#endif
}
