// SPDX-License-Identifier: Apache-2.0
// expect: counts are int32, int64 or float
#include <padbatch/padded_view.hpp>

#include <cstdint>
#include <vector>

using namespace padbatch;

#ifdef PADBATCH_MUST_FAIL
using counts_type = std::vector<std::uint8_t>;
#else
using counts_type = std::vector<std::int32_t>;
#endif

std::size_t images(counts_type& counts, std::vector<float>& values)
{
    return padded_view(counts, 100, t::scores(values)).size();
}
