// SPDX-License-Identifier: Apache-2.0
// expect: offsets are int32 or int64, and so are row ids
#include <padbatch/convert_counts.hpp>

#include <cstdint>
#include <vector>

using namespace padbatch;

#ifdef PADBATCH_MUST_FAIL
using ids_type = std::vector<std::uint32_t>;
#else
using ids_type = std::vector<std::int32_t>;
#endif

std::size_t rows(const ids_type& ids)
{
    return row_ids_view(ids, 8).size();
}
