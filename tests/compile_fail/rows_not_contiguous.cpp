// SPDX-License-Identifier: Apache-2.0
// expect: rows of one image have to be contiguous memory
#include <padbatch/padded_view.hpp>

#include <cstdint>
#include <vector>

using namespace padbatch;

// std::vector<bool> has no bools that could be looked at.
#ifdef PADBATCH_MUST_FAIL
using element_type_here = bool;
#else
using element_type_here = std::uint8_t;
#endif

std::size_t first(const std::vector<std::int32_t>& counts, const std::vector<element_type_here>& values)
{
    return padded_view(counts, 100, t::values(values)).image(0).size();
}
