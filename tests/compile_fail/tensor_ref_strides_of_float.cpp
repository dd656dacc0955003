// SPDX-License-Identifier: Apache-2.0
// expect: the strides of a tensor are integers
#include <padbatch/tensor_ref.hpp>

#include <array>
#include <cstdint>

using namespace padbatch;

#ifdef PADBATCH_MUST_FAIL
using stride = float;
#else
using stride = std::int64_t;
#endif

tensor_ref tensor(float* data, const std::array<std::int64_t, 2>& shape, const std::array<stride, 2>& strides)
{
    return {data, element_type::float32, shape, strides};
}
