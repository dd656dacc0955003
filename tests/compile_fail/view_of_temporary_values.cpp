// SPDX-License-Identifier: Apache-2.0
// expect: a temporary that owns its memory would be gone before it is read
#include <padbatch/ragged_view.hpp>

#include <cstdint>
#include <utility>
#include <vector>

using namespace padbatch;

std::size_t images(const std::vector<std::int32_t>& offsets, std::vector<float>& values)
{
#ifdef PADBATCH_MUST_FAIL
    return ragged_view(offsets, t::scores(std::move(values))).size();
#else
    return ragged_view(offsets, t::scores(values)).size();
#endif
}
