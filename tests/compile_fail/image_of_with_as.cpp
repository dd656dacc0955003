// SPDX-License-Identifier: Apache-2.0
// expect: convert in the function that makes the rows
#include <padbatch/source.hpp>

#include <cstdint>
#include <vector>

using namespace padbatch;

std::size_t rows_of(const std::vector<std::int64_t>& values)
{
#ifdef PADBATCH_MUST_FAIL
    return image_of(t::labels(values).as<std::int32_t>()).size();
#else
    return image_of(t::labels(values)).size();
#endif
}
