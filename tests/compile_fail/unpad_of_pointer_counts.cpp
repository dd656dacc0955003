// SPDX-License-Identifier: Apache-2.0
// expect: for a pointer write std::span(counts, batch)
#include <padbatch/unpad.hpp>

#include <cstdint>
#include <span>
#include <vector>

using namespace padbatch;

std::size_t images(const std::int32_t* counts, std::size_t batch, const std::vector<float>& values)
{
#ifdef PADBATCH_MUST_FAIL
    static_cast<void>(batch);
    return unpad(counts, 100, t::scores(values)).size();
#else
    return unpad(std::span(counts, batch), 100, t::scores(values)).size();
#endif
}
