// SPDX-License-Identifier: Apache-2.0
// expect: this image has no field with this tag
#include <padbatch/ragged_view.hpp>

using namespace padbatch;

std::size_t rows_of_first(const ragged_view<boxes<>, scores<>>& batch)
{
#ifdef PADBATCH_MUST_FAIL
    return batch.image(0)[t::labels].size();
#else
    return batch.image(0)[t::scores].size();
#endif
}
