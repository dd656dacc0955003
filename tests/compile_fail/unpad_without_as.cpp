// SPDX-License-Identifier: Apache-2.0
// expect: nothing is converted unless you ask for it
#include <padbatch/unpad.hpp>

#include <cstdint>
#include <vector>

using namespace padbatch;

// What a source converts is converted on the way to ragged memory too, and nothing else.
status collect(ragged<labels<std::int32_t>>& output, const std::vector<std::vector<std::int64_t>>& images)
{
#ifdef PADBATCH_MUST_FAIL
    return try_unpad_into(output, each(t::labels(images)));
#else
    return try_unpad_into(output, each(t::labels(images).as<std::int32_t>()));
#endif
}
