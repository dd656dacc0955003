// SPDX-License-Identifier: Apache-2.0
// expect: the data are in another order than the fields of this view
#include <padbatch/padded_view.hpp>

#include <cstdint>
#include <vector>

using namespace padbatch;

std::size_t images(std::vector<std::int32_t>& counts, std::vector<float>& values)
{
#ifdef PADBATCH_MUST_FAIL
    return padded_view<boxes<>, scores<>>(counts, 100, t::scores(values), t::boxes(values)).size();
#else
    return padded_view<boxes<>, scores<>>(counts, 100, t::boxes(values), t::scores(values)).size();
#endif
}
