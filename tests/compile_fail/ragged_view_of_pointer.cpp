// SPDX-License-Identifier: Apache-2.0
// expect: for a pointer write std::span(offsets, batch + 1)
#include <padbatch/ragged_view.hpp>

#include <cstdint>
#include <span>
#include <vector>

using namespace padbatch;

std::size_t images(const std::int32_t* offsets, std::size_t batch, const std::vector<float>& values)
{
#ifdef PADBATCH_MUST_FAIL
    static_cast<void>(batch);
    return ragged_view(offsets, t::scores(values)).size();
#else
    return ragged_view(std::span(offsets, batch + 1), t::scores(values)).size();
#endif
}
