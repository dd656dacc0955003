// SPDX-License-Identifier: Apache-2.0
// expect: numbers one after the other need contiguous memory
#include <padbatch/source.hpp>

#include <array>
#include <deque>
#include <vector>

using namespace padbatch;

#ifdef PADBATCH_MUST_FAIL
using row_type = float;
#else
using row_type = std::array<float, 4>;
#endif

std::size_t images(const std::vector<std::deque<row_type>>& given)
{
    return each(t::boxes(given)).image(0).size();
}
