// SPDX-License-Identifier: Apache-2.0
// expect: a view copies nothing, so give it data of the right type
#include <padbatch/padded_view.hpp>

#include <cstdint>
#include <vector>

using namespace padbatch;

std::size_t images(const std::vector<std::int32_t>& counts, const std::vector<std::int64_t>& values)
{
#ifdef PADBATCH_MUST_FAIL
    return padded_view(counts, 100, t::labels(values).as<std::int32_t>()).size();
#else
    return padded_view(counts, 100, t::labels(values)).size();
#endif
}
