// SPDX-License-Identifier: Apache-2.0
// expect: a temporary that owns its memory would be gone before it is read
#include <padbatch/padded_view.hpp>

#include <cstdint>
#include <utility>
#include <vector>

using namespace padbatch;

std::size_t images(std::vector<std::int32_t>& counts, std::vector<float>& values)
{
#ifdef PADBATCH_MUST_FAIL
    return padded_view(std::move(counts), 100, t::scores(values)).size();
#else
    return padded_view(counts, 100, t::scores(values)).size();
#endif
}
