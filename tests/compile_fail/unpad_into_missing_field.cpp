// SPDX-License-Identifier: Apache-2.0
// expect: the output has a field (see Out above) that the source lacks
#include <padbatch/unpad.hpp>

#include <cstdint>
#include <vector>

using namespace padbatch;

#ifdef PADBATCH_MUST_FAIL
using output = ragged<scores<>, labels<>>;
#else
using output = ragged<scores<>>;
#endif

status collect(output& to, const padded_view<scores<>>& batch)
{
    return try_unpad_into(to, batch);
}
