// SPDX-License-Identifier: Apache-2.0
// expect: for a pointer write std::span(pointer, size)
#include <padbatch/columns.hpp>

#include <cstdint>
#include <span>
#include <vector>

using namespace padbatch;

std::size_t images(const float* values, std::size_t size, const std::vector<std::int32_t>& offsets)
{
#ifdef PADBATCH_MUST_FAIL
    static_cast<void>(size);
    return columns(values, 6, offsets, t::boxes(cols<0, 4>)).size();
#else
    return columns(std::span(values, size), 6, offsets, t::boxes(cols<0, 4>)).size();
#endif
}
