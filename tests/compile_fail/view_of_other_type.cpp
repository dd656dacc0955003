// SPDX-License-Identifier: Apache-2.0
// expect: the data have another element type than the field
#include <padbatch/ragged_view.hpp>

#include <cstdint>
#include <vector>

using namespace padbatch;

#ifdef PADBATCH_MUST_FAIL
using data = std::vector<double>;
#else
using data = std::vector<float>;
#endif

std::size_t images(const std::vector<std::int32_t>& offsets, data& values)
{
    return ragged_view<scores<>>(offsets, t::scores(values)).size();
}
