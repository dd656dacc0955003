// SPDX-License-Identifier: Apache-2.0
// expect: a row_index is made from batch indices
#include <padbatch/row_index.hpp>

#include <cstdint>
#include <span>

using namespace padbatch;

std::size_t images(const std::int32_t* ids, std::size_t rows)
{
#ifdef PADBATCH_MUST_FAIL
    static_cast<void>(rows);
    return row_index(ids, 8).size();
#else
    return row_index(std::span(ids, rows), 8).size();
#endif
}
