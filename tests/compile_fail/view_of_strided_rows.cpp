// SPDX-License-Identifier: Apache-2.0
// expect: this view needs contiguous memory
#include <padbatch/padded_view.hpp>

#include <cstdint>
#include <vector>

using namespace padbatch;

#ifdef PADBATCH_MUST_FAIL
using data = strided_rows<float, 4>;
#else
using data = rows<float, 4>;
#endif

std::size_t images(std::vector<std::int32_t>& counts, const data& values)
{
    return padded_view<boxes<>>(counts, 100, t::boxes(values)).size();
}
