// SPDX-License-Identifier: Apache-2.0
// expect: read a counts_view, offsets_view, row_ids_view or mask_view, their first argument
#include <padbatch/convert_counts.hpp>

#include <cstdint>
#include <vector>

using namespace padbatch;

void convert_counts(const std::vector<std::int32_t>& counts, std::vector<std::int32_t>& offsets)
{
#ifdef PADBATCH_MUST_FAIL
    to_offsets(offsets, counts_view(counts, 100));
#else
    to_offsets(counts_view(counts, 100), offsets);
#endif
}
