// SPDX-License-Identifier: Apache-2.0
// expect: long double is none
#include <padbatch/source.hpp>

#include <vector>

using namespace padbatch;

#ifdef PADBATCH_MUST_FAIL
using number = long double;
#else
using number = double;
#endif

std::size_t images(const std::vector<std::vector<number>>& values)
{
    return each(t::scores(values)).image(0).size();
}
