// SPDX-License-Identifier: Apache-2.0
// expect: are const
#include <padbatch/unpad.hpp>

#include <cstdint>
#include <vector>

using namespace padbatch;

#ifdef PADBATCH_MUST_FAIL
using data = const std::vector<float>;
#else
using data = std::vector<float>;
#endif

status flatten(std::vector<std::int32_t>& offsets, const padded_view<scores<>>& batch, data& values)
{
    return try_unpad_into(offsets, batch, t::scores(values));
}
