// SPDX-License-Identifier: Apache-2.0
// expect: this field's rows have another number of elements than there are columns
#include <padbatch/columns.hpp>

#include <cstdint>
#include <vector>

using namespace padbatch;

std::size_t images(const std::vector<float>& values, const std::vector<std::int32_t>& offsets)
{
#ifdef PADBATCH_MUST_FAIL
    return columns(values, 6, offsets, t::boxes(cols<0, 3>)).size();
#else
    return columns(values, 6, offsets, t::boxes(cols<0, 4>)).size();
#endif
}
