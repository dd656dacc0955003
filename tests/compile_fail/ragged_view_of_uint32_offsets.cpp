// SPDX-License-Identifier: Apache-2.0
// expect: offsets are int32 or int64
#include <padbatch/ragged_view.hpp>

#include <cstdint>
#include <vector>

using namespace padbatch;

#ifdef PADBATCH_MUST_FAIL
using offsets_type = std::vector<std::uint32_t>;
#else
using offsets_type = std::vector<std::int32_t>;
#endif

std::size_t images(const offsets_type& offsets, const std::vector<float>& values)
{
    return ragged_view(offsets, t::scores(values)).size();
}
