// SPDX-License-Identifier: Apache-2.0
// expect: this batch has no field with this tag
#include <padbatch/padded_view.hpp>

using namespace padbatch;

std::size_t elements(const padded_view<boxes<>, scores<>>& batch)
{
#ifdef PADBATCH_MUST_FAIL
    return batch[t::labels].size();
#else
    return batch[t::scores].size();
#endif
}
