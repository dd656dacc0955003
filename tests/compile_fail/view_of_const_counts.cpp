// SPDX-License-Identifier: Apache-2.0
// expect: fields that can be written need counts that can be written
#include <padbatch/padded_view.hpp>

#include <cstdint>
#include <vector>

using namespace padbatch;

#ifdef PADBATCH_MUST_FAIL
using counts_type = const std::vector<std::int32_t>;
#else
using counts_type = std::vector<std::int32_t>;
#endif

std::size_t images(counts_type& counts, std::vector<float>& values)
{
    return padded_view<scores<>>(counts, 100, t::scores(values)).size();
}
