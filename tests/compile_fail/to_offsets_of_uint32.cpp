// SPDX-License-Identifier: Apache-2.0
// expect: offsets and row ids of int32 or int64
#include <padbatch/convert_counts.hpp>

#include <cstdint>
#include <vector>

using namespace padbatch;

#ifdef PADBATCH_MUST_FAIL
using offsets_type = std::vector<std::uint32_t>;
#else
using offsets_type = std::vector<std::int32_t>;
#endif

void convert_counts(const std::vector<std::int32_t>& counts, offsets_type& offsets)
{
    to_offsets(counts_view(counts, 100), offsets);
}
