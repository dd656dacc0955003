// SPDX-License-Identifier: Apache-2.0
// expect: from_tensors<scores<>>(counts, values)
#include <padbatch/tensors.hpp>

using namespace padbatch;

// Fields that may be written need tensors that may be written.
#ifdef PADBATCH_MUST_FAIL
using tensor = const_tensor_ref;
#else
using tensor = tensor_ref;
#endif

std::size_t images(const tensor& counts, const tensor& values)
{
    return from_tensors<scores<>>(counts, values).size();
}
