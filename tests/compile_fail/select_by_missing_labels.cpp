// SPDX-License-Identifier: Apache-2.0
// expect: a condition on labels needs t::labels
#include <padbatch/detection/select.hpp>

#include <vector>

using namespace padbatch;

status keep_some(ragged<boxes<>, scores<>>& batch, const std::vector<float>& thresholds)
{
#ifdef PADBATCH_MUST_FAIL
    return try_select_rows(batch, score_above_of_label(thresholds));
#else
    return try_select_rows(batch, score_above(thresholds[0]));
#endif
}
