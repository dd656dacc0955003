// SPDX-License-Identifier: Apache-2.0
// expect: for a pointer or an array write std::span(pointer, size)
#include <padbatch/padded_view.hpp>

#include <cstdint>
#include <span>
#include <vector>

using namespace padbatch;

std::size_t images(const std::vector<std::int32_t>& counts, const float* values, std::size_t size)
{
#ifdef PADBATCH_MUST_FAIL
    static_cast<void>(size);
    return padded_view(counts, 100, t::scores(values)).size();
#else
    return padded_view(counts, 100, t::scores(std::span(values, size))).size();
#endif
}
