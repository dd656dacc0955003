// SPDX-License-Identifier: Apache-2.0
// expect: nothing is converted unless you ask for it
#include <padbatch/pad.hpp>

#include <cstdint>
#include <vector>

using namespace padbatch;

// torchvision's labels are int64, this output's int32: converted only where it says so.
status pad_labels(const padded_view<labels<std::int32_t>>& output, const std::vector<std::vector<std::int64_t>>& images)
{
#ifdef PADBATCH_MUST_FAIL
    return try_pad_into(output, each(t::labels(images)));
#else
    return try_pad_into(output, each(t::labels(images).as<std::int32_t>()));
#endif
}
