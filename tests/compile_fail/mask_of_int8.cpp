// SPDX-License-Identifier: Apache-2.0
// expect: uint8
#include <padbatch/convert_counts.hpp>

#include <cstdint>
#include <vector>

using namespace padbatch;

// A mask is of bool or uint8.
#ifdef PADBATCH_MUST_FAIL
using mask = std::vector<std::int8_t>;
#else
using mask = std::vector<std::uint8_t>;
#endif

std::size_t rows_of_first(const mask& values)
{
    return mask_view(values, 1, values.size()).count(0);
}
