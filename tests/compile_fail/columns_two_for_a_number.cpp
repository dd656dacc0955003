// SPDX-License-Identifier: Apache-2.0
// expect: this field has one number a row: name one column
#include <padbatch/columns.hpp>

#include <cstdint>
#include <vector>

using namespace padbatch;

std::size_t images(const std::vector<float>& values, const std::vector<std::int32_t>& offsets)
{
#ifdef PADBATCH_MUST_FAIL
    return columns(values, 6, offsets, t::scores(cols<4, 2>)).size();
#else
    return columns(values, 6, offsets, t::scores(col<4>)).size();
#endif
}
