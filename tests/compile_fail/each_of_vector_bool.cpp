// SPDX-License-Identifier: Apache-2.0
// expect: rows of one image have to be contiguous memory
#include <padbatch/source.hpp>

#include <cstdint>
#include <vector>

using namespace padbatch;

#ifdef PADBATCH_MUST_FAIL
using element_type_here = bool;
#else
using element_type_here = std::uint8_t;
#endif

std::size_t images(const std::vector<std::vector<element_type_here>>& values)
{
    return each(t::values(values)).image(0).size();
}
