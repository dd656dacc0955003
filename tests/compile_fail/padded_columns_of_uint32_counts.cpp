// SPDX-License-Identifier: Apache-2.0
// expect: counts are int32, int64 or float
#include <padbatch/columns.hpp>

#include <cstdint>
#include <vector>

using namespace padbatch;

#ifdef PADBATCH_MUST_FAIL
using counts_type = std::vector<std::uint32_t>;
#else
using counts_type = std::vector<std::int32_t>;
#endif

std::size_t images(const counts_type& counts, const std::vector<float>& values)
{
    return padded_columns(values, 6, counts, 100, t::boxes(cols<0, 4>)).size();
}
