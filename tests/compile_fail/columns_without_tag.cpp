// SPDX-License-Identifier: Apache-2.0
// expect: takes flat rows, the number of columns, offsets and a tag for each field
#include <padbatch/columns.hpp>

#include <cstdint>
#include <vector>

using namespace padbatch;

std::size_t images(const std::vector<std::int32_t>& offsets, const std::vector<float>& values)
{
#ifdef PADBATCH_MUST_FAIL
    return columns(values, 6, offsets, cols<0, 4>).size();
#else
    return columns(values, 6, offsets, t::boxes(cols<0, 4>)).size();
#endif
}
