// SPDX-License-Identifier: Apache-2.0
// expect: the data are const, but the field is not
#include <padbatch/padded_view.hpp>

#include <cstdint>
#include <vector>

using namespace padbatch;

#ifdef PADBATCH_MUST_FAIL
using data = const std::vector<float>;
#else
using data = std::vector<float>;
#endif

std::size_t images(std::vector<std::int32_t>& counts, data& values)
{
    return padded_view<scores<>>(counts, 100, t::scores(values)).size();
}
