// SPDX-License-Identifier: Apache-2.0
// expect: count_scores(scores, M, counts)
#include <padbatch/count_rows.hpp>

#include <cstdint>
#include <vector>

using namespace padbatch;

#ifdef PADBATCH_MUST_FAIL
using counts_type = std::vector<std::uint32_t>;
#else
using counts_type = std::vector<std::int32_t>;
#endif

void count_all(const std::vector<float>& values, counts_type& counts)
{
    count_scores(values, 100, counts);
}
