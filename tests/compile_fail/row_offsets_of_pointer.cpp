// SPDX-License-Identifier: Apache-2.0
// expect: for a pointer write std::span(counts, batch)
#include <padbatch/row_offsets.hpp>

#include <cstdint>
#include <span>

using namespace padbatch;

std::size_t images(const std::int32_t* counts, std::size_t batch)
{
#ifdef PADBATCH_MUST_FAIL
    static_cast<void>(batch);
    return row_offsets(counts).size();
#else
    return row_offsets(std::span(counts, batch)).size();
#endif
}
