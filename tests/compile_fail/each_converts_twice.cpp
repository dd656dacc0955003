// SPDX-License-Identifier: Apache-2.0
// expect: this source converts its rows already
#include <padbatch/columns.hpp>

#include <cstdint>
#include <vector>

using namespace padbatch;

std::size_t images(const std::vector<float>& values, const std::vector<std::int32_t>& offsets)
{
#ifdef PADBATCH_MUST_FAIL
    return each(t::labels(columns(values, 2, offsets, t::labels(col<0>).as<int>())).as<double>()).image(0).size();
#else
    return each(t::labels(columns(values, 2, offsets, t::labels(col<0>))).as<double>()).image(0).size();
#endif
}
