// SPDX-License-Identifier: Apache-2.0
// expect: offsets are int32 or int64, and not const
#include <padbatch/unpad.hpp>

#include <cstdint>
#include <vector>

using namespace padbatch;

#ifdef PADBATCH_MUST_FAIL
using offsets_type = std::vector<float>;
#else
using offsets_type = std::vector<std::int32_t>;
#endif

status flatten(offsets_type& offsets, const padded_view<scores<>>& batch, std::vector<float>& values)
{
    return try_unpad_into(offsets, batch, t::scores(values));
}
