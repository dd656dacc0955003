// SPDX-License-Identifier: Apache-2.0
// expect: what is written to comes first, the source second
#include <padbatch/unpad.hpp>

#include <cstdint>
#include <vector>

using namespace padbatch;

void flatten(const padded_view<scores<const float>>& batch, std::vector<std::int32_t>& offsets,
             std::vector<float>& values)
{
#ifdef PADBATCH_MUST_FAIL
    unpad_into(batch, offsets, t::scores(values));
#else
    unpad_into(offsets, batch, t::scores(values));
#endif
}
