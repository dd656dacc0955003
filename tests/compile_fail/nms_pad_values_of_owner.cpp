// SPDX-License-Identifier: Apache-2.0
// expect: pad_values(...) is for a padded view: an owner has pad values of its own
#include <padbatch/detection/nms.hpp>

using namespace padbatch;

status suppress_all(padded<boxes<>, scores<>>& batch)
{
#ifdef PADBATCH_MUST_FAIL
    return try_nms(batch, 0.5, pad_values(t::scores(-1)));
#else
    return try_nms(batch.view(), 0.5, pad_values(t::scores(-1)));
#endif
}
