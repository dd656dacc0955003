// SPDX-License-Identifier: Apache-2.0
// expect: the extents of a tensor are integers
#include <padbatch/tensor_ref.hpp>

#include <array>
#include <cstdint>

using namespace padbatch;

#ifdef PADBATCH_MUST_FAIL
using extent = float; // 2.5 is no extent
#else
using extent = std::int64_t;
#endif

tensor_ref tensor(float* data, const std::array<extent, 2>& shape)
{
    return {data, shape};
}
