// SPDX-License-Identifier: Apache-2.0
// expect: counts are int32, int64 or float
#include <padbatch/row_offsets.hpp>

#include <cstdint>
#include <vector>

using namespace padbatch;

#ifdef PADBATCH_MUST_FAIL
using counts_type = std::vector<std::uint32_t>;
#else
using counts_type = std::vector<std::int32_t>;
#endif

std::size_t images(const counts_type& counts)
{
    return row_offsets(counts).size();
}
